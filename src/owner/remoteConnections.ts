import type { GenericSchema, InferOutput } from 'valibot';
import type { MessageConnection } from 'vscode-jsonrpc/node';
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
import { deferred } from '../connections/deferred.ts';
import { Emitter } from '../connections/emitter.ts';
import { ConnectionError, describeError, isConnectionError } from '../connections/errors.ts';
import type { Clock, Disposable, Log, OpenBrowser } from '../connections/ports.ts';
import type { ByteReader } from './byteReader.ts';
import { messageConnection } from './messageStream.ts';
import type { ConnectionView } from './wireConnection.ts';
import {
  changeNotification,
  focusNotification,
  guestRequests,
  ownerRequests,
  type WindowRequest,
} from './windowProtocol.ts';
import { ask, parsed, type Sent, serve } from './windowRpc.ts';

export interface RemoteConnectionsParts {
  /** What the owner is told that this window is called. */
  readonly windowName: string;
  readonly openBrowser: OpenBrowser;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * How often a guest asks whether its owner is still at work, and how many of these times may pass without an answer.
 * A number of times and not a time: after a sleep both windows need a moment.
 */
const PING_EVERY_MS = 10_000;
const SILENT_AT_MOST = 3;

/**
 * The connections of the owner, as a guest sees them. What is asked for synchronously comes from a mirror, which the
 * owner keeps current; the rest goes there and back. Every method throws `owner_gone` when the owner ends meanwhile.
 */
export class RemoteConnections implements ConnectionService {
  readonly #rpc: MessageConnection;
  readonly #reader: ByteReader;
  readonly #changes: Emitter<ConnectionChange>;
  readonly #closed = deferred<void>();
  readonly #clock: Clock;
  readonly #log: Log;
  #views: ReadonlyMap<ConnectionId, ConnectionView> = new Map();

  private constructor(reader: ByteReader, { clock, log, openBrowser }: RemoteConnectionsParts) {
    this.#reader = reader;
    this.#clock = clock;
    this.#log = log;
    this.#changes = new Emitter((error) => log.error(`A listener failed: ${String(error)}`));
    this.#rpc = messageConnection(reader, log);
    this.#rpc.onClose(() => this.#closed.resolve());
    this.#rpc.onNotification(changeNotification.method, (params: unknown) => this.#note(params));
    serve(this.#rpc, guestRequests.openBrowser, async ({ url }) => ({ isOpened: await openBrowser(url) }));
  }

  /** Begins to use the owner's connections; resolves when the mirror is whole. Throws `owner_gone`. */
  static async attach(
    reader: ByteReader,
    parts: RemoteConnectionsParts,
  ): Promise<{ readonly service: RemoteConnections; readonly windowName: string }> {
    const service = new RemoteConnections(reader, parts);
    service.#rpc.listen();
    service.#watch();
    const { windowName } = await service.#ask(ownerRequests.attach, { windowName: parts.windowName });
    return { service, windowName };
  }

  /** Resolves when the owner has ended or was left. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Leaves the owner. What waits for an answer throws `owner_gone`. */
  dispose(): void {
    this.#rpc.dispose();
    this.#reader.stream.destroy();
    this.#closed.resolve();
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
    const { id } = await this.#ask(ownerRequests.add, {
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
    await this.#ask(ownerRequests.changeKind, { id, kind, ...settingsOf(change), entered });
  }

  async discoverIssuer(id: ConnectionId, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    try {
      return (await this.#ask(ownerRequests.discoverIssuer, { id }, signal)).issuer;
    } catch (error) {
      // The owner's reason is another than that of this window.
      signal?.throwIfAborted();
      throw error;
    }
  }

  async rename(id: ConnectionId, name: string): Promise<void> {
    await this.#ask(ownerRequests.rename, { id, name });
  }

  async remove(id: ConnectionId, options: { readonly leaveSecret?: boolean } = {}): Promise<DisconnectOutcome> {
    return this.#ask(ownerRequests.remove, { id, ...options });
  }

  async authorize(
    id: ConnectionId,
    { signal, scopes }: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] } = {},
  ): Promise<AuthorizationOutcome> {
    const params = { id, ...(scopes !== undefined && { scopes }) };
    const { type } = await this.#ask(ownerRequests.authorize, params, signal);
    return type === 'authorized' ? { type, connection: this.#known(id) } : { type };
  }

  async cancelAuthorization(id: ConnectionId): Promise<void> {
    await this.#ask(ownerRequests.cancelAuthorization, { id });
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    const outcome = await this.#ask(ownerRequests.handleCallback, { url: url.href });
    return outcome.type === 'connected' ? { type: outcome.type, connection: this.#known(outcome.id) } : outcome;
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    await this.#ask(ownerRequests.refresh, { id });
    return this.#known(id);
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    return this.#ask(ownerRequests.disconnect, { id });
  }

  async configure(id: ConnectionId, change: SettingsChange, entered: EnteredSecrets = {}): Promise<void> {
    await this.#ask(ownerRequests.configure, { id, ...settingsOf(change), entered });
  }

  noteFocus(): void {
    const tell = async (): Promise<void> => this.#rpc.sendNotification(focusNotification.method);
    // One that is not heard is made up for by the next.
    void tell().catch(() => undefined);
  }

  /** Where the owner has sign-ins come back to; see the port `PrepareRedirect`. */
  async redirectUri(kind: 'loopback' | 'uri_handler'): Promise<string> {
    return (await this.#ask(ownerRequests.redirectUri, { kind })).uri;
  }

  /**
   * Leaves an owner that does not answer any more, though its process is there: what waits for it would wait for ever, and
   * this window would show as current what it was told last.
   */
  #watch(): void {
    let unanswered = 0;
    const look = (): void => {
      if (unanswered >= SILENT_AT_MOST) {
        this.#log.warn('The window that keeps the connections does not answer any more.');
        this.dispose();
        return;
      }
      if (unanswered === 0) {
        const answered = (): void => {
          unanswered = 0;
        };
        // An error is an answer too; when the connection has ended nobody looks any more.
        void ask(this.#rpc, ownerRequests.ping, {}).then(answered, answered);
      }
      unanswered += 1;
      next = this.#clock.after(PING_EVERY_MS, look);
    };
    let next = this.#clock.after(PING_EVERY_MS, look);
    void this.closed.then(() => next.dispose()); // it never rejects
  }

  /** As {@link ask}; when the owner is gone, no later request waits for it. */
  async #ask<P extends GenericSchema, R extends GenericSchema>(
    request: WindowRequest<P, R>,
    params: Sent<P>,
    signal?: AbortSignal,
  ): Promise<InferOutput<R>> {
    try {
      return await ask(this.#rpc, request, params, signal);
    } catch (error) {
      if (isConnectionError(error, 'owner_gone')) this.dispose();
      throw error;
    }
  }

  /** What the owner has just told an outcome of, and had told of before. Throws `connection_unknown`. */
  #known(id: ConnectionId): Connection {
    const connection = this.get(id);
    if (connection === undefined) throw new ConnectionError('connection_unknown', { id });
    return connection;
  }

  #note(params: unknown): void {
    try {
      const { type, view } = parsed(changeNotification.params, params);
      const { id } = view.connection;
      this.#views =
        type === 'removed'
          ? new Map([...this.#views].filter(([other]) => other !== id))
          : new Map([...this.#views, [id, view]]);
      this.#changes.fire({ type, connection: view.connection });
    } catch (error) {
      this.#log.error(`What the owner told could not be read: ${describeError(error)}`);
    }
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
