import { currentGrant, type Connection } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { type ConfigActionParts, openEntry, routedTo } from './configEntry.ts';

/** Adds a connection for the URL of an entry, unless there is one, and signs in. Throws what `openEntry` throws. */
export async function connectConfigServer(parts: ConfigActionParts, argument: unknown): Promise<void> {
  const entry = await openEntry(parts, argument);
  if (entry === undefined) return;
  const routed = await routedTo(parts, entry.place);
  await (routed === undefined ? connectAt(parts, entry) : parts.signIn.run(routed));
}

/**
 * The connection to a server, signed in. Adds one when there is none.
 * Undefined when the sign-in failed or was cancelled; then the person was told, and the connection is there.
 */
export async function connectAt(
  { service, signIn }: Pick<ConfigActionParts, 'service' | 'signIn'>,
  { serverUrl, name }: { readonly serverUrl: string; readonly name: string },
): Promise<Connection | undefined> {
  const connection = connectionTo(service, serverUrl) ?? (await service.add(serverUrl, name));
  await signIn.run(connection);
  const current = service.get(connection.id);
  return current === undefined || currentGrant(current) === undefined ? undefined : current;
}

/** The connection to a server; of several, one that somebody is signed in to. */
export function connectionTo(
  { connections }: Pick<ConnectionService, 'connections'>,
  serverUrl: string,
): Connection | undefined {
  const known = connections.filter((connection) => connection.serverUrl === serverUrl);
  return known.find((connection) => currentGrant(connection) !== undefined) ?? known[0];
}

/**
 * Keeps a token as a connection of its own, in the keychain. Throws what the keychain says; then nothing is kept.
 * @param token a secret
 */
export async function keepToken(
  service: ConnectionService,
  { serverUrl, name }: { readonly serverUrl: string; readonly name: string },
  token: string,
): Promise<Connection> {
  const connection = await service.add(serverUrl, name, 'static_token');
  try {
    await service.configure(connection.id, {}, { accessToken: token });
  } catch (error) {
    // Nothing of it is in the keychain, which may not even answer. Why it was not kept is what matters.
    await service.remove(connection.id, { leaveSecret: true }).catch(() => undefined);
    throw error;
  }
  return service.get(connection.id) ?? connection;
}
