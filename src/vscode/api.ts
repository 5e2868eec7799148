import { currentGrant, type Connection, type ConnectionState } from '../connections/connection.ts';

/** A connection as other extensions see it. Holds no secret. Instants are ms since the epoch. */
export interface PublicConnection {
  readonly id: string;
  readonly name: string;
  readonly serverUrl: string;
  readonly state: ConnectionState['type'];
  readonly granted: readonly string[];
  readonly expiresAt?: number;
}

/** What `activate` gives: `extensions.getExtension<ScopekeeperApi>('scopekeeper.scopekeeper')?.exports`. */
export interface ScopekeeperApi {
  /** In the order in which they were added; empty until they are loaded. */
  connections(): readonly PublicConnection[];
  /** Fires after any of {@link connections} changed, came or went. */
  readonly onDidChangeConnections: (listener: () => void) => { dispose(): void };
}

/** What of `connection` is public. */
export function publicConnection(connection: Connection): PublicConnection {
  const { id, name, serverUrl, state } = connection;
  const grant = currentGrant(connection);
  const expiry = grant?.expiresAt === undefined ? {} : { expiresAt: grant.expiresAt };
  return { id, name, serverUrl, state: state.type, granted: grant?.granted ?? [], ...expiry };
}
