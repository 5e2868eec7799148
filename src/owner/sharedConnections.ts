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
import type { Disposable, Log, PrepareRedirect, RedirectKind } from '../connections/ports.ts';
import type { AuthorizationTrace } from '../connections/trace.ts';
import { FollowedService } from './followedService.ts';
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
  readonly #followed: FollowedService<ConnectionService, ConnectionChange>;

  constructor(parts: SharedConnectionsParts) {
    const { log, own, role } = parts;
    this.#parts = parts;
    this.#followed = new FollowedService<ConnectionService, ConnectionChange>({
      own,
      ofOwner: ({ service }) => service,
      listen: (service, tell) => service.onDidChangeConnection(tell),
      differences: changesBetween,
      role,
      log,
    });
  }

  dispose(): void {
    this.#followed.dispose();
  }

  get connections(): readonly Connection[] {
    return this.#followed.current.connections;
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#followed.current.get(id);
  }

  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable {
    return this.#followed.onDidTell(listener);
  }

  activity(id: ConnectionId): readonly ActivityEntry[] {
    return this.#followed.current.activity(id);
  }

  authorizationUrl(id: ConnectionId): string | undefined {
    return this.#followed.current.authorizationUrl(id);
  }

  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined {
    return this.#followed.current.deviceAuthorization(id);
  }

  async add(serverUrl: string, name?: string, kind?: ConnectionKind): Promise<Connection> {
    return this.#followed.once(async (service) => service.add(serverUrl, name, kind));
  }

  async changeKind(
    id: ConnectionId,
    kind: ConnectionKind,
    change?: SettingsChange,
    entered?: EnteredSecrets,
  ): Promise<void> {
    return this.#followed.once(async (service) => service.changeKind(id, kind, change, entered));
  }

  async discoverIssuer(id: ConnectionId, options?: { readonly signal?: AbortSignal }): Promise<string> {
    return this.#followed.again(async (service) => service.discoverIssuer(id, options));
  }

  async rename(id: ConnectionId, name: string): Promise<void> {
    return this.#followed.again(async (service) => service.rename(id, name));
  }

  async remove(id: ConnectionId, options?: { readonly leaveSecret?: boolean }): Promise<DisconnectOutcome> {
    return this.#followed.once(async (service) => service.remove(id, options));
  }

  async authorize(
    id: ConnectionId,
    options?: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] },
  ): Promise<AuthorizationOutcome> {
    return this.#followed.once(async (service) => service.authorize(id, options));
  }

  async cancelAuthorization(id: ConnectionId): Promise<void> {
    return this.#followed.again(async (service) => service.cancelAuthorization(id));
  }

  async trace(id: ConnectionId): Promise<AuthorizationTrace | undefined> {
    return this.#followed.again(async (service) => service.trace(id));
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    return this.#followed.once(async (service) => service.handleCallback(url));
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    return this.#followed.once(async (service) => service.refresh(id));
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    return this.#followed.once(async (service) => service.disconnect(id));
  }

  async configure(id: ConnectionId, change: SettingsChange, entered?: EnteredSecrets): Promise<void> {
    return this.#followed.again(async (service) => service.configure(id, change, entered));
  }

  noteFocus(): void {
    this.#parts.onFocus();
    const { type } = this.#parts.role.state;
    if (type === 'owner' || type === 'guest') this.#followed.current.noteFocus();
  }

  async redirectUri(kind: RedirectKind | undefined): Promise<string> {
    const { ownRedirectUri, role } = this.#parts;
    return this.#followed.again(async () =>
      role.link === undefined ? ownRedirectUri(kind) : role.link.service.redirectUri(kind),
    );
  }

  readonly sampleUrl = async (): Promise<string> => {
    const { ownSampleUrl, role } = this.#parts;
    return this.#followed.again(async () => (role.link === undefined ? ownSampleUrl() : role.link.service.sampleUrl()));
  };
}

/** What has changed when another window keeps the connections. */
function changesBetween(before: ConnectionService, now: ConnectionService): readonly ConnectionChange[] {
  const gone = new Map(before.connections.map((connection) => [connection.id, connection]));
  const there = now.connections.map((connection): ConnectionChange => {
    return { type: gone.delete(connection.id) ? 'changed' : 'added', connection };
  });
  return [...there, ...Array.from(gone.values(), (connection) => ({ type: 'removed', connection }) as const)];
}
