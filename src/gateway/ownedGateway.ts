import type { Connection, ConnectionId } from '../connections/connection.ts';
import { ConnectionError } from '../connections/errors.ts';
import type { Clock, Disposable } from '../connections/ports.ts';
import { OAuthError } from '../oauth/errors.ts';
import type { EditorClient, GatewayService, NewToken, ToolSummary } from './gatewayService.ts';
import type { AllowedTools, LocalAccess } from './localAccess.ts';
import type { GatewayConnections } from './ports.ts';

/** Who has access: all of the service that is about that, and its file. */
export interface AccessRegistry extends Omit<GatewayService, 'gatewayUrl' | 'tools'> {
  /** Reads what was kept. Throws why it cannot be read; then nobody has access. */
  load(): Promise<void>;
  /** Resolves when all is kept. */
  dispose(): Promise<void>;
}

export interface OwnedGatewayParts {
  readonly registry: AccessRegistry;
  readonly connections: GatewayConnections;
  /** Asks the connection's server. */
  readonly listTools: (connection: Connection, signal: AbortSignal) => Promise<readonly ToolSummary[]>;
  /** Where the gateway is served, `http://127.0.0.1:{port}`. Throws `owner_gone` while it is not. */
  readonly origin: () => string;
  /** Hears why the registry cannot be used: the connections can be, all the same. */
  readonly onTrouble: (error: unknown) => void;
  readonly clock: Clock;
}

/** A server that does not answer keeps nobody waiting at a list of tools for longer. */
const TOOLS_TIMEOUT_MS = 30_000;

/** The gateway of the window that runs it, as the user interface sees it. */
export class OwnedGateway implements GatewayService {
  readonly #parts: OwnedGatewayParts;
  readonly #end = new AbortController();
  /** Why the registry cannot be used; nobody has access then, and nobody can be given any. */
  #trouble: { readonly error: unknown } | undefined;
  #changes: Disposable | undefined;

  constructor(parts: OwnedGatewayParts) {
    this.#parts = parts;
  }

  /** Loads the registry. Never rejects. */
  async start(): Promise<void> {
    const { connections, onTrouble, registry } = this.#parts;
    try {
      await registry.load();
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = { error };
      onTrouble(error);
    }
    this.#changes = connections.onDidChangeConnection(({ type, connection }) => {
      if (type === 'removed') void this.#forget(connection.id).catch(onTrouble);
    });
  }

  /** Ends what is under way, and resolves when all is kept. */
  async dispose(): Promise<void> {
    this.#changes?.dispose();
    this.#end.abort(new ConnectionError('owner_gone', {}));
    await this.#parts.registry.dispose();
  }

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
    this.#known(token.connection);
    return this.#registry.createToken(token);
  }

  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    this.#known(connection);
    return this.#registry.editorToken(connection, client);
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    return this.#registry.changeTools(accessId, allowedTools);
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    return this.#registry.revoke(accessIds);
  }

  /** Throws why it cannot be used. */
  get #registry(): AccessRegistry {
    if (this.#trouble !== undefined) throw this.#trouble.error;
    return this.#parts.registry;
  }

  /** Throws `connection_unknown`. */
  #known(id: ConnectionId): Connection {
    const connection = this.#parts.connections.get(id);
    if (connection === undefined) throw new ConnectionError('connection_unknown', { id });
    return connection;
  }

  /** Nobody has access to what is no more; another connection may get its place in the URL. */
  async #forget(id: ConnectionId): Promise<void> {
    const ended = this.accesses.filter(({ connection }) => connection === id).map((access) => access.id);
    if (ended.length > 0) await this.revoke(ended);
  }
}
