import { currentGrant, type Connection } from '../../connections/connection.ts';
import { type ConfigActionParts, openEntry, routedTo } from './configEntry.ts';
import { connectionTo } from './entryConnection.ts';

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
