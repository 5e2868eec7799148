import type { ConnectionId } from '../connections/connection.ts';
import type { Disposable } from '../connections/ports.ts';
import type { AllowedTools, LocalAccess } from './localAccess.ts';

/** A tool as its server describes it. Texts from the server, fit to be shown. */
export interface ToolSummary {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
}

/** What a token that the person makes is for. */
export interface NewToken {
  readonly label: string;
  readonly connection: ConnectionId;
  readonly allowedTools: AllowedTools;
  /** In ms; undefined for a token that never ends. */
  readonly lifetimeMs?: number;
}

/** Who in the editor a token is for: its agent mode, or another extension by its id. */
export type EditorClient = { readonly type: 'agent' } | { readonly type: 'extension'; readonly extensionId: string };

/**
 * What the user interface of any window sees of the gateway; the owner has it, and guests ask the owner.
 * Methods throw `ConnectionError`.
 */
export interface GatewayService {
  /** Who has access, the oldest first. */
  readonly accesses: readonly LocalAccess[];
  onDidChangeAccesses(listener: () => void): Disposable;
  /** The connection's URL for local MCP clients, `http://127.0.0.1:{port}/{slug}/mcp`. Throws `owner_gone`. */
  gatewayUrl(connection: ConnectionId): Promise<string>;
  /** Asks the server for its tools. Throws what a request to the server throws. */
  tools(connection: ConnectionId): Promise<readonly ToolSummary[]>;
  /** Makes a token for a client that cannot do OAuth; it is never shown again. Throws `storage_failed`. */
  createToken(token: NewToken): Promise<string>;
  /**
   * The token by which the editor itself, or an extension that was let in, uses the connection; the same each time, until
   * it is revoked. Throws `storage_failed`.
   */
  editorToken(connection: ConnectionId, client: EditorClient): Promise<string>;
  /** Throws `storage_failed`; then nothing has changed. */
  changeTools(accessId: string, allowedTools: AllowedTools): Promise<void>;
  /** Ends these accesses at once, and all tokens that were renewed from them. Throws `storage_failed`. */
  revoke(accessIds: readonly string[]): Promise<void>;
}
