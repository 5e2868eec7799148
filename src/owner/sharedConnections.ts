import type { ActivityEntry } from '../connections/activity.ts';
import type { EnteredSecrets } from '../connections/configuration.ts';
import type { Connection, ConnectionId, ConnectionKind, SettingsChange } from '../connections/connection.ts';
import type {
  AuthorizationOutcome,
  CallbackOutcome,
  ConnectionChange,
  ConnectionService,
  DevicePrompt,
  DisconnectOutcome,
} from '../connections/connectionService.ts';
import { Emitter } from '../connections/emitter.ts';
import type { Disposable, Log, PrepareRedirect, RedirectKind } from '../connections/ports.ts';
import type { AuthorizationTrace } from '../connections/trace.ts';
import { askAgain } from './askAgain.ts';
import type { WindowRole } from './windowRole.ts';

/** The connections, wherever they are kept. */
export interface SharedService extends ConnectionService {
  readonly redirectUri: PrepareRedirect;
  /**
   * Has the owner serve the sample server, unless it does, and gives its URL.
   * Throws `port_busy` when another program has its port, and why what it keeps cannot be used.
   */
  readonly sampleUrl: () => Promise<string>;
}

export interface SharedConnectionsParts {
  /** This window's own connections; used while it is the owner. */
  readonly own: ConnectionService;
  /** Where sign-ins come back to while it is the owner. */
  readonly ownRedirectUri: PrepareRedirect;
  /** Serves the sample server, while it is the owner. */
  readonly ownSampleUrl: () => Promise<string>;
  readonly role: WindowRole;
  /** Hears that the person is at this window, whatever its role. */
  readonly onFocus: () => void;
  readonly log: Log;
}

/**
 * The connections as the user interface of any window sees them, whichever window keeps them. When another one does from
 * now on, what is different there is told as changes. A method that needs the owner waits until there is one, and throws
 * why there is none; when the owner ends before it has answered, what can be asked for twice is, and the rest throws
 * `owner_gone`.
 */
export class SharedConnections implements SharedService, Disposable {
  readonly #parts: SharedConnectionsParts;
  readonly #changes: Emitter<ConnectionChange>;
  readonly #roleChanges: Disposable;
  #current: ConnectionService;
  #subscription: Disposable;

  constructor(parts: SharedConnectionsParts) {
    this.#parts = parts;
    this.#changes = new Emitter((error) => parts.log.error(`A listener failed: ${String(error)}`));
    this.#current = parts.own;
    this.#subscription = this.#follow();
    this.#roleChanges = parts.role.onDidChange(() => this.#followRole());
  }

  dispose(): void {
    this.#roleChanges.dispose();
    this.#subscription.dispose();
  }

  get connections(): readonly Connection[] {
    return this.#current.connections;
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#current.get(id);
  }

  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable {
    return this.#changes.listen(listener);
  }

  activity(id: ConnectionId): readonly ActivityEntry[] {
    return this.#current.activity(id);
  }

  authorizationUrl(id: ConnectionId): string | undefined {
    return this.#current.authorizationUrl(id);
  }

  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined {
    return this.#current.deviceAuthorization(id);
  }

  async add(serverUrl: string, name?: string, kind?: ConnectionKind): Promise<Connection> {
    return this.#once(async (service) => service.add(serverUrl, name, kind));
  }

  async changeKind(
    id: ConnectionId,
    kind: ConnectionKind,
    change?: SettingsChange,
    entered?: EnteredSecrets,
  ): Promise<void> {
    return this.#once(async (service) => service.changeKind(id, kind, change, entered));
  }

  async discoverIssuer(id: ConnectionId, options?: { readonly signal?: AbortSignal }): Promise<string> {
    return this.#again(async (service) => service.discoverIssuer(id, options));
  }

  async rename(id: ConnectionId, name: string): Promise<void> {
    return this.#again(async (service) => service.rename(id, name));
  }

  async remove(id: ConnectionId, options?: { readonly leaveSecret?: boolean }): Promise<DisconnectOutcome> {
    return this.#once(async (service) => service.remove(id, options));
  }

  async authorize(
    id: ConnectionId,
    options?: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] },
  ): Promise<AuthorizationOutcome> {
    return this.#once(async (service) => service.authorize(id, options));
  }

  async cancelAuthorization(id: ConnectionId): Promise<void> {
    return this.#again(async (service) => service.cancelAuthorization(id));
  }

  async trace(id: ConnectionId): Promise<AuthorizationTrace | undefined> {
    return this.#again(async (service) => service.trace(id));
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    return this.#once(async (service) => service.handleCallback(url));
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    return this.#once(async (service) => service.refresh(id));
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    return this.#once(async (service) => service.disconnect(id));
  }

  async configure(id: ConnectionId, change: SettingsChange, entered?: EnteredSecrets): Promise<void> {
    return this.#again(async (service) => service.configure(id, change, entered));
  }

  noteFocus(): void {
    this.#parts.onFocus();
    const { type } = this.#parts.role.state;
    if (type === 'owner' || type === 'guest') this.#current.noteFocus();
  }

  async redirectUri(kind: RedirectKind | undefined): Promise<string> {
    const { ownRedirectUri, role } = this.#parts;
    return this.#again(async () =>
      role.link === undefined ? ownRedirectUri(kind) : role.link.service.redirectUri(kind),
    );
  }

  readonly sampleUrl = async (): Promise<string> => {
    const { ownSampleUrl, role } = this.#parts;
    return this.#again(async () => (role.link === undefined ? ownSampleUrl() : role.link.service.sampleUrl()));
  };

  async #once<T>(call: (service: ConnectionService) => Promise<T>): Promise<T> {
    await this.#parts.role.ensureReady();
    return call(this.#current);
  }

  async #again<T>(call: (service: ConnectionService) => Promise<T>): Promise<T> {
    return askAgain(async () => this.#once(call));
  }

  #follow(): Disposable {
    const followed = this.#current;
    return followed.onDidChangeConnection((change) => this.#changes.fire(change));
  }

  #followRole(): void {
    const { own, role } = this.#parts;
    const next = role.link?.service ?? own;
    if (next === this.#current) return;
    const before = new Map(this.#current.connections.map((connection) => [connection.id, connection]));
    this.#subscription.dispose();
    this.#current = next;
    this.#subscription = this.#follow();
    for (const connection of next.connections) {
      this.#changes.fire({ type: before.delete(connection.id) ? 'changed' : 'added', connection });
    }
    for (const connection of before.values()) this.#changes.fire({ type: 'removed', connection });
  }
}
