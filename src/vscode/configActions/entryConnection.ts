import { currentGrant, type Connection } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';

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
