import type { InferOutput } from 'valibot';
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
import { ConnectionError } from '../connections/errors.ts';
import type { Disposable, Log, RedirectKind } from '../connections/ports.ts';
import type { AuthorizationTrace } from '../connections/trace.ts';
import type { OwnerChannel } from './ownerChannel.ts';
import type { ConnectionView } from './wireConnection.ts';
import { changeNotification, focusNotification, ownerRequests } from './windowProtocol.ts';
import { parsed } from './windowRpc.ts';

/**
 * The connections of the owner, as a guest sees them. What is asked for synchronously comes from a mirror, which the
 * owner keeps current; the rest goes there and back. Every method throws `owner_gone` when the owner ends meanwhile.
 */
export class RemoteConnections implements ConnectionService {
  readonly #owner: OwnerChannel;
  readonly #changes: Emitter<ConnectionChange>;
  readonly #views = new Map<ConnectionId, ConnectionView>();

  /** To be made before the channel listens, so that nothing is missed. */
  constructor(owner: OwnerChannel, log: Log) {
    this.#owner = owner;
    this.#changes = new Emitter((error) => log.error(`A listener failed: ${String(error)}`));
    owner.hear(changeNotification, (change) => this.#note(change));
  }

  get connections(): readonly Connection[] {
    return Array.from(this.#views.values(), ({ connection }) => connection);
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#views.get(id)?.connection;
  }

  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable {
    return this.#changes.listen(listener);
  }

  activity(id: ConnectionId): readonly ActivityEntry[] {
    return this.#views.get(id)?.activity ?? [];
  }

  authorizationUrl(id: ConnectionId): string | undefined {
    return this.#views.get(id)?.authorizationUrl;
  }

  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined {
    return this.#views.get(id)?.device;
  }

  async add(serverUrl: string, name?: string, kind?: ConnectionKind): Promise<Connection> {
    const { id } = await this.#owner.ask(ownerRequests.add, {
      serverUrl,
      ...(name !== undefined && { name }),
      ...(kind !== undefined && { kind }),
    });
    return this.#known(id);
  }

  async changeKind(
    id: ConnectionId,
    kind: ConnectionKind,
    change: SettingsChange = {},
    entered: EnteredSecrets = {},
  ): Promise<void> {
    await this.#owner.ask(ownerRequests.changeKind, { id, kind, ...settingsOf(change), entered });
  }

  async discoverIssuer(id: ConnectionId, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    try {
      return (await this.#owner.ask(ownerRequests.discoverIssuer, { id }, signal)).issuer;
    } catch (error) {
      // The owner's reason is another than that of this window.
      signal?.throwIfAborted();
      throw error;
    }
  }

  async rename(id: ConnectionId, name: string): Promise<void> {
    await this.#owner.ask(ownerRequests.rename, { id, name });
  }

  async remove(id: ConnectionId, options: { readonly leaveSecret?: boolean } = {}): Promise<DisconnectOutcome> {
    return this.#owner.ask(ownerRequests.remove, { id, ...options });
  }

  async authorize(
    id: ConnectionId,
    { signal, scopes }: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] } = {},
  ): Promise<AuthorizationOutcome> {
    const params = { id, ...(scopes !== undefined && { scopes }) };
    const { type } = await this.#owner.ask(ownerRequests.authorize, params, signal);
    return type === 'authorized' ? { type, connection: this.#known(id) } : { type };
  }

  async cancelAuthorization(id: ConnectionId): Promise<void> {
    await this.#owner.ask(ownerRequests.cancelAuthorization, { id });
  }

  async trace(id: ConnectionId): Promise<AuthorizationTrace | undefined> {
    return (await this.#owner.ask(ownerRequests.trace, { id })).trace;
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    const outcome = await this.#owner.ask(ownerRequests.handleCallback, { url: url.href });
    return outcome.type === 'connected' ? { type: outcome.type, connection: this.#known(outcome.id) } : outcome;
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    await this.#owner.ask(ownerRequests.refresh, { id });
    return this.#known(id);
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    return this.#owner.ask(ownerRequests.disconnect, { id });
  }

  async configure(id: ConnectionId, change: SettingsChange, entered: EnteredSecrets = {}): Promise<void> {
    await this.#owner.ask(ownerRequests.configure, { id, ...settingsOf(change), entered });
  }

  noteFocus(): void {
    this.#owner.tell(focusNotification.method);
  }

  /** Where the owner has sign-ins come back to; see the port `PrepareRedirect`. */
  async redirectUri(kind: RedirectKind | undefined): Promise<string> {
    return (await this.#owner.ask(ownerRequests.redirectUri, kind === undefined ? {} : { kind })).uri;
  }

  /** Where the owner serves the sample server, which it does from now on. */
  async sampleUrl(): Promise<string> {
    return (await this.#owner.ask(ownerRequests.sampleUrl, {})).url;
  }

  /** What the owner has just told an outcome of, and had told of before. Throws `connection_unknown`. */
  #known(id: ConnectionId): Connection {
    const connection = this.get(id);
    if (connection === undefined) throw new ConnectionError('connection_unknown', { id });
    return connection;
  }

  #note({ type, view }: InferOutput<typeof changeNotification.params>): void {
    const { id } = view.connection;
    if (type === 'removed') this.#views.delete(id);
    else this.#views.set(id, view);
    this.#changes.fire({ type, connection: view.connection });
  }
}

/** JSON knows no `undefined`: the settings that go are named apart. */
function settingsOf(change: SettingsChange) {
  const { removed, settings } = ownerRequests.configure.params.entries;
  const entries = Object.entries(change);
  const gone = entries.flatMap(([name, value]) => (value === undefined ? [name] : []));
  const kept = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return { settings: parsed(settings, kept), removed: parsed(removed, gone) };
}
