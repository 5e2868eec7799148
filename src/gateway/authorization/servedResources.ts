import type { Connection, ConnectionId } from '../../connections/connection.ts';
import type { ConnectionChange } from '../../connections/connectionService.ts';
import type { Disposable } from '../../connections/ports.ts';

/** A protected resource that tokens are given for: a connection of the gateway, and what else has such an id and URL. */
export type ServedResource = Pick<Connection, 'id' | 'slug'>;

/** All of them, of which {@link ConnectionService} is one. */
export interface ServedResources {
  readonly connections: readonly ServedResource[];
  get(id: ConnectionId): ServedResource | undefined;
  /** Tells of those that are no more, among all else. */
  onDidChangeConnection(
    listener: (change: Pick<ConnectionChange, 'type'> & { readonly connection: ServedResource }) => void,
  ): Disposable;
}
