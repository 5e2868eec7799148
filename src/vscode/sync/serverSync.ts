import * as vscode from 'vscode';
import type { ConnectionChange, ConnectionService } from '../../connections/connectionService.ts';
import type { WindowRole } from '../../owner/windowRole.ts';
import { setContextKey } from '../contextKeys.ts';
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
const SERVERS_KEY = 'scopekeeper.servers';
/** Stays on this computer: what was removed here, though another one may still have it. */
const DISMISSED_KEY = 'scopekeeper.dismissedServers';

export interface ServerSyncParts {
  readonly globalState: vscode.ExtensionContext['globalState'];
  /** This window's own connections, whose changes are the person's while it keeps them. */
  readonly own: Pick<ConnectionService, 'connections' | 'onDidChangeConnection'>;
  /** The connections, whichever window keeps them. */
  readonly service: Pick<ConnectionService, 'connections' | 'onDidChangeConnection'>;
  readonly role: WindowRole;
}

/**
 * Has Settings Sync carry names and URLs of the servers, and offers those of other computers. Nothing is connected, added
 * or opened by itself.
 */
export class ServerSync implements vscode.Disposable {
  readonly #parts: ServerSyncParts;
  readonly #subscriptions: vscode.Disposable;

  constructor(parts: ServerSyncParts) {
    const { globalState, own, role, service } = parts;
    this.#parts = parts;
    globalState.setKeysForSync([SERVERS_KEY]);
    this.#subscriptions = vscode.Disposable.from(
      own.onDidChangeConnection((change) => this.#note(change)),
      service.onDidChangeConnection(({ type }) => {
        if (type !== 'changed') this.#showOffers();
      }),
      role.onDidChange(({ type }) => {
        if (type === 'owner') this.#keep(withServers(this.#synced, own.connections));
        this.#showOffers();
      }),
      // What comes from another computer is announced by nothing.
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.#showOffers();
      }),
    );
    this.#showOffers();
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  /** The servers of other computers that are not here. */
  get offers(): readonly SyncedServer[] {
    return offersOf(this.#synced, this.#parts.service.connections, this.#dismissed);
  }

  /** Never offers a server here again, unless it is connected here by then. */
  dismiss(serverUrl: string): void {
    this.#setDismissed([...this.#dismissed.filter((url) => url !== serverUrl), serverUrl]);
    this.#showOffers();
  }

  get #synced(): readonly SyncedServer[] {
    return readSynced(this.#parts.globalState.get<unknown>(SERVERS_KEY));
  }

  get #dismissed(): readonly string[] {
    return readDismissed(this.#parts.globalState.get<unknown>(DISMISSED_KEY));
  }

  #note({ connection, type }: ConnectionChange): void {
    if (this.#parts.role.state.type !== 'owner') return;
    const { connections } = this.#parts.own;
    const { serverUrl } = connection;
    if (type === 'removed') {
      if (!connections.some((each) => each.serverUrl === serverUrl)) this.dismiss(serverUrl);
      this.#keep(withoutServer(this.#synced, serverUrl, connections));
      return;
    }
    if (type === 'added' && this.#dismissed.includes(serverUrl)) {
      this.#setDismissed(this.#dismissed.filter((url) => url !== serverUrl));
    }
    this.#keep(withServers(this.#synced, [connection]));
  }

  #keep(servers: readonly SyncedServer[]): void {
    if (isSameList(servers, this.#synced)) return;
    void this.#parts.globalState.update(SERVERS_KEY, servers); // what could not be kept is told again with the next change
  }

  #setDismissed(urls: readonly string[]): void {
    void this.#parts.globalState.update(DISMISSED_KEY, readDismissed(urls)); // as above
  }

  #showOffers(): void {
    setContextKey('scopekeeper.hasOffers', this.offers.length > 0);
  }
}
