import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import { deferred } from '../connections/deferred.ts';
import { ConnectionError } from '../connections/errors.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import { OAuthError } from '../oauth/errors.ts';
import type { EditorClient, GatewayService, NewToken, ToolSummary } from './gatewayService.ts';
import type { AllowedTools, LocalAccess } from './localAccess.ts';
import type { GatewayConnections } from './ports.ts';

/** Who has access: all of the service that is about that, and its file. */
export interface AccessRegistry extends Omit<GatewayService, 'gatewayUrl' | 'tools'> {
  /** Why nobody has access: what was kept is not loaded, or cannot be used. Then methods throw it. */
  readonly problem: Error | undefined;
  /** Reads what was kept. Throws why it cannot be used. */
  load(): Promise<void>;
  /** Resolves when all is kept; from then on nobody has access. */
  dispose(): Promise<void>;
}

/** Answers a request at the loopback port. Never throws. */
export type HandleRequest = (request: IncomingMessage, response: ServerResponse, port: number) => void;

export interface OwnedGatewayParts {
  readonly registry: AccessRegistry;
  readonly connections: GatewayConnections;
  /** Answers requests of local clients once all is loaded. */
  readonly handle: HandleRequest;
  /** Asks the connection's server. */
  readonly listTools: (connection: Connection, signal: AbortSignal) => Promise<readonly ToolSummary[]>;
  /** Where the gateway is served, `http://127.0.0.1:{port}`. Throws `owner_gone` while it is not. */
  readonly origin: () => string;
  /** Hears why the registry cannot be used: the connections can be, all the same. */
  readonly onTrouble: (error: unknown) => void;
  /** What it is made of, and ends with it. */
  readonly disposables: readonly Disposable[];
  readonly clock: Clock;
}

/** A server that does not answer keeps nobody waiting at a list of tools for longer. */
const TOOLS_TIMEOUT_MS = 30_000;

/** How often a registry that cannot be used is looked at again, when somebody wants to use it. */
const TRY_AGAIN_MS = 2000;

/** The gateway of the window that runs it: as the user interface sees it, and as local clients do. */
export class OwnedGateway implements GatewayService {
  readonly #parts: OwnedGatewayParts;
  readonly #end = new AbortController();
  readonly #started = deferred<void>();
  #isStarted = false;
  #lastTryAt = 0;

  constructor(parts: OwnedGatewayParts) {
    this.#parts = parts;
  }

  /** Loads the registry, once the connections are. Never rejects. */
  async start(): Promise<void> {
    await this.#load().catch(this.#parts.onTrouble);
    this.#isStarted = true;
    this.#started.resolve();
  }

  /** Ends what is under way, and resolves when all is kept. */
  async dispose(): Promise<void> {
    this.#end.abort(new ConnectionError('owner_gone', {}));
    this.#isStarted = false;
    this.#started.resolve();
    for (const disposable of this.#parts.disposables) disposable.dispose();
    await this.#parts.registry.dispose();
  }

  /**
   * Answers a request of a local client. The port is held before anything is loaded, and for a moment after the end: a
   * client that were told then that its token is unknown would throw it away.
   */
  readonly handle: HandleRequest = (request, response, port) => {
    const { registry } = this.#parts;
    if (this.#isStarted && registry.problem === undefined) return this.#parts.handle(request, response, port);
    void this.#whenUsable().then(
      () => this.#parts.handle(request, response, port),
      () => sendUnavailable(request, response),
    ); // none of it throws
  };

  get accesses(): readonly LocalAccess[] {
    return this.#parts.registry.accesses;
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#parts.registry.onDidChangeAccesses(listener);
  }

  async gatewayUrl(connection: ConnectionId): Promise<string> {
    const { slug } = this.#known(connection);
    return `${this.#parts.origin()}/${slug}/mcp`;
  }

  async tools(id: ConnectionId): Promise<readonly ToolSummary[]> {
    const { clock, listTools } = this.#parts;
    const connection = this.#known(id);
    const late = new AbortController();
    const timer = clock.after(TOOLS_TIMEOUT_MS, () =>
      late.abort(new OAuthError('server_unreachable', { url: connection.serverUrl, failure: 'timeout' })),
    );
    try {
      return await listTools(connection, AbortSignal.any([late.signal, this.#end.signal]));
    } finally {
      timer.dispose();
    }
  }

  async createToken(token: NewToken): Promise<string> {
    await this.#whenUsable();
    return this.#parts.registry.createToken(token);
  }

  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    await this.#whenUsable();
    return this.#parts.registry.editorToken(connection, client);
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    await this.#whenUsable();
    return this.#parts.registry.changeTools(accessId, allowedTools);
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    await this.#whenUsable();
    return this.#parts.registry.revoke(accessIds);
  }

  async #load(): Promise<void> {
    this.#lastTryAt = this.#parts.clock.now();
    await this.#parts.registry.load();
  }

  /** Throws why the registry cannot be used. The person may have mended its file, so it is looked at again. */
  async #whenUsable(): Promise<void> {
    const { clock, registry } = this.#parts;
    await this.#started.promise;
    this.#end.signal.throwIfAborted();
    if (registry.problem === undefined) return;
    if (clock.now() - this.#lastTryAt < TRY_AGAIN_MS) throw registry.problem;
    await this.#load();
  }

  /** Throws `connection_unknown`. */
  #known(id: ConnectionId): Connection {
    const connection = this.#parts.connections.get(id);
    if (connection === undefined) throw new ConnectionError('connection_unknown', { id });
    return connection;
  }
}

/** The client keeps its token, and tries again. */
function sendUnavailable(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(503, { 'retry-after': '5', 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end('Scopekeeper is not ready. The editor says why.\n');
}
