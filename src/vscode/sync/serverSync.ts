import type { ConnectionId } from '../../connections/connection.ts';
import type { ConnectionChange, ConnectionService } from '../../connections/connectionService.ts';
import type { Disposable } from '../../connections/ports.ts';
import type { RoleState } from '../../owner/windowRole.ts';
import {
  isSameList,
  offersOf,
  readDismissed,
  readSynced,
  type SyncedServer,
  withoutServer,
  withServers,
} from './syncedServers.ts';

/** Carried by Settings Sync. */
export const SERVERS_KEY = 'scopekeeper.servers';
/** Stays on this computer: what was removed here, though another one may still have it. */
export const DISMISSED_KEY = 'scopekeeper.dismissedServers';

/** Where the editor keeps small data of the extension, of which it carries some to other computers. */
export interface SyncedMemento {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
  setKeysForSync(keys: readonly string[]): void;
}

export interface ServerSyncParts {
  readonly memento: SyncedMemento;
  /** This window's own connections, whose changes are the person's while it keeps them. */
  readonly own: Pick<ConnectionService, 'connections' | 'onDidChangeConnection'>;
  /** The connections, whichever window keeps them. */
  readonly service: Pick<ConnectionService, 'connections' | 'onDidChangeConnection'>;
  readonly role: { readonly state: RoleState; onDidChange(listener: (state: RoleState) => void): Disposable };
  /** Hears whether there is something to offer. */
  readonly onOffers: (hasOffers: boolean) => void;
}

/**
 * Has Settings Sync carry names and URLs of the servers, and offers those of other computers. Nothing is connected, added
 * or opened by itself. Only the owner writes, so that windows do not undo each other's changes.
 */
export class ServerSync implements Disposable {
  readonly #parts: ServerSyncParts;
  readonly #subscriptions: readonly Disposable[];
  /** What this window's own connections were called when they were last looked at. */
  readonly #noted = new Map<ConnectionId, SyncedServer>();

  constructor(parts: ServerSyncParts) {
    const { memento, own, role, service } = parts;
    this.#parts = parts;
    memento.setKeysForSync([SERVERS_KEY]);
    this.#subscriptions = [
      own.onDidChangeConnection((change) => this.#note(change)),
      service.onDidChangeConnection(({ type }) => {
        if (type !== 'changed') this.look();
      }),
      role.onDidChange(({ type }) => {
        if (type === 'owner') this.#takeOver();
        this.look();
      }),
    ];
    this.look();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** The servers of other computers that are not here. */
  get offers(): readonly SyncedServer[] {
    return offersOf(this.#synced, this.#parts.service.connections, this.#dismissed);
  }

  /** Looks whether there is something to offer: what comes from another computer is announced by nothing. */
  look(): void {
    this.#parts.onOffers(this.offers.length > 0);
  }

  /** Never offers a server here again, unless it is connected here by then. */
  dismiss(serverUrl: string): void {
    this.#setDismissed([...this.#dismissed.filter((url) => url !== serverUrl), serverUrl]);
    this.look();
  }

  get #synced(): readonly SyncedServer[] {
    return readSynced(this.#parts.memento.get(SERVERS_KEY));
  }

  get #dismissed(): readonly string[] {
    return readDismissed(this.#parts.memento.get(DISMISSED_KEY));
  }

  /** Notes all connections of this window, now that it keeps them. */
  #takeOver(): void {
    const { connections } = this.#parts.own;
    for (const { id, name, serverUrl } of connections) this.#noted.set(id, { name, serverUrl });
    this.#keep(withServers(this.#synced, connections));
  }

  #note({ connection, type }: ConnectionChange): void {
    const noted = this.#noted.get(connection.id);
    if (type === 'removed') this.#noted.delete(connection.id);
    else this.#noted.set(connection.id, { name: connection.name, serverUrl: connection.serverUrl });
    // Most changes are of the token: they are none of what is carried, which another computer may have renamed.
    if (type === 'changed' && noted?.name === connection.name && noted.serverUrl === connection.serverUrl) return;
    if (this.#parts.role.state.type !== 'owner') return;
    const { connections } = this.#parts.own;
    const { serverUrl } = connection;
    if (type === 'removed') {
      const isHere = connections.some((each) => each.serverUrl === serverUrl);
      const isCarried = this.#synced.some((each) => each.serverUrl === serverUrl);
      if (!isHere && isCarried) this.dismiss(serverUrl);
      this.#keep(withoutServer(this.#synced, serverUrl, connections));
      return;
    }
    if (type === 'added' && this.#dismissed.includes(serverUrl)) {
      this.#setDismissed(this.#dismissed.filter((url) => url !== serverUrl));
    }
    const sameServer = connections.filter((each) => each.serverUrl === serverUrl);
    this.#keep(withServers(this.#synced, sameServer));
  }

  #keep(servers: readonly SyncedServer[]): void {
    if (isSameList(servers, this.#synced)) return;
    void this.#parts.memento.update(SERVERS_KEY, servers); // what could not be kept is kept with the next change
  }

  #setDismissed(urls: readonly string[]): void {
    void this.#parts.memento.update(DISMISSED_KEY, readDismissed(urls)); // as above
  }
}
