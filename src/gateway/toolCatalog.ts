import type { OutgoingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { Clock } from '../connections/ports.ts';
import { discard, type SendAuthorized } from './authorizedExchange.ts';
import type { ToolSummary } from './gatewayService.ts';
import { exchangeMessage, type Reply, type WireOptions } from './mcpWire.ts';
import { generationOf } from './newerGrant.ts';
import { listOlderTools } from './olderToolList.ts';
import { listPages, METHOD_NOT_FOUND, notAServer } from './toolPages.ts';

/** The revision without sessions, and the newest with them. */
const MODERN_VERSION = '2026-07-28';
const SESSION_VERSION = '2025-11-25';

const UNSUPPORTED_VERSION = -32_022;
/** Errors that only servers of the revision without sessions give (2026-07-28, "Backward Compatibility"). */
const MODERN_ERRORS: ReadonlySet<number> = new Set([-32_020, -32_021, UNSUPPORTED_VERSION]);

const FAREWELL_MS = 5000;
/** Long enough for a person to look at them twice, short enough for a new tool to be seen. */
const FRESH_MS = 60_000;

const supportedSchema = v.object({ supported: v.array(v.string()) });
const initializedSchema = v.object({ protocolVersion: v.string() });

export interface ToolCatalogParts {
  readonly send: SendAuthorized;
  readonly clock: Clock;
  /** Ours, for the server. */
  readonly version: string;
}

export interface ToolCatalog {
  /**
   * The tools that a connection's server offers now, or offered within the last minute to the same grant.
   * @param signal ends it; there is no other limit to how long a server may take.
   * Throws `sign_in_required`, `not_an_mcp_server`, `response_too_large`, `server_unreachable`, why there is no token, or
   * the signal's reason.
   */
  listTools(connection: Connection, signal: AbortSignal): Promise<readonly ToolSummary[]>;
}

interface Listed {
  readonly key: string;
  readonly until: number;
  readonly tools: readonly ToolSummary[];
}

/**
 * Lists servers' tools for the person who chooses among them, by small exchanges of our own; the client of the MCP SDK
 * would double the extension (307 KB minified in 1.32, 446 KB in 2.4).
 */
export function createToolCatalog({ clock, send, version }: ToolCatalogParts): ToolCatalog {
  const listed = new Map<ConnectionId, Listed>();
  /** Which servers have sessions: a property of the server, found out once (2026-07-28, "Versioning"). */
  const withSessions = new Set<string>();
  const clientInfo = { name: 'Scopekeeper', version };

  /** Undefined for a server that has sessions. */
  async function listModern(wire: WireOptions): Promise<readonly ToolSummary[] | undefined> {
    const { serverUrl } = wire.connection;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
      'io.modelcontextprotocol/clientInfo': clientInfo,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const headers = { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/list' };
    let id = 0;
    const ask = async (params: object): Promise<Reply> => {
      id += 1;
      return exchangeMessage(wire, { id, method: 'tools/list', params: { ...params, _meta: meta } }, headers);
    };
    const first = await ask({});
    if (first.result === undefined && !isModern(first)) return undefined;
    return listPages(async (params) => (params.cursor === undefined ? first : ask(params)), serverUrl);
  }

  async function listInSession(wire: WireOptions): Promise<readonly ToolSummary[]> {
    const { serverUrl } = wire.connection;
    const params = { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo };
    const begun = await exchangeMessage(wire, { id: 0, method: 'initialize', params });
    const initialized = v.safeParse(initializedSchema, begun.result);
    if (!initialized.success) {
      // Such a server takes no POST here (2025-03-26, "Backwards Compatibility").
      const isOlder = begun.status === 400 || begun.status === 404 || begun.status === 405;
      if (isOlder && begun.error === undefined) return listOlderTools(wire, params);
      throw notAServer(begun, serverUrl);
    }
    const headers: OutgoingHttpHeaders = { 'mcp-protocol-version': initialized.output.protocolVersion };
    if (begun.sessionId !== undefined) headers['mcp-session-id'] = begun.sessionId;
    try {
      await exchangeMessage(wire, { method: 'notifications/initialized' }, headers);
      let id = 0;
      return await listPages(async (params) => {
        id += 1;
        return exchangeMessage(wire, { id, method: 'tools/list', params }, headers);
      }, serverUrl);
    } finally {
      // It ends by itself, too; nobody waits for that.
      if (begun.sessionId !== undefined) void endSession(wire.connection, headers);
    }
  }

  /** Never rejects: a server need not let sessions be ended. */
  async function endSession(connection: Connection, headers: OutgoingHttpHeaders): Promise<void> {
    const farewell = new AbortController();
    const timer = clock.after(FAREWELL_MS, () => farewell.abort());
    try {
      const head = { method: 'DELETE', url: connection.serverUrl, headers };
      const answer = await send(connection, head, undefined, 'DELETE', farewell.signal);
      discard(answer);
    } catch {
      // See above.
    } finally {
      timer.dispose();
    }
  }

  async function list(wire: WireOptions): Promise<readonly ToolSummary[]> {
    const { serverUrl } = wire.connection;
    const tools = withSessions.has(serverUrl) ? undefined : await listModern(wire);
    if (tools !== undefined) return tools;
    try {
      const listed = await listInSession(wire);
      withSessions.add(serverUrl);
      return listed;
    } catch (error) {
      // It may have become another one.
      withSessions.delete(serverUrl);
      throw error;
    }
  }

  return {
    async listTools(connection, signal) {
      signal.throwIfAborted();
      const { id, serverUrl, state } = connection;
      const key = JSON.stringify([serverUrl, state.type === 'disconnected', generationOf(connection)]);
      const known = listed.get(id);
      if (known?.key === key && clock.now() < known.until) return known.tools;
      const tools = await list({ connection, send, signal });
      listed.set(id, { key, until: clock.now() + FRESH_MS, tools });
      return tools;
    },
  };
}

/** Whether an error is one of a server without sessions, and not one that says that it has older revisions, too. */
function isModern({ error, status }: Reply): boolean {
  if (error === undefined) return false;
  if (error.code === METHOD_NOT_FOUND) return status === 404;
  if (!MODERN_ERRORS.has(error.code)) return false;
  const data = v.safeParse(supportedSchema, error.data);
  return !data.success || !data.output.supported.some((version) => version < MODERN_VERSION);
}
