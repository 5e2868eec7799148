import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { send } from './exchange.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import { operationOf } from '../../src/gateway/mcpMessage.ts';
import { reportProgress } from './reportProgress.ts';

export type ServerTransport = 'streamable HTTP' | 'HTTP+SSE';

export interface ScopedMcpServerOptions {
  readonly transport: ServerTransport;
  /** The one scope that an operation needs: a method, a `tools/call` with its tool's name, or `GET` and `DELETE`. */
  readonly scopeOf: (operation: string) => string | undefined;
  /** The names of its tools; each gives its own name. */
  readonly tools: readonly string[];
  /** Its metadata's `scopes_supported`. */
  readonly scopesSupported?: readonly string[];
  /** Whether the 401 to a request without a token names the scope that the request needs. */
  readonly challengesFirst: boolean;
}

/** A request that was judged. Holds no token. */
export interface JudgedRequest {
  readonly operation: string;
  readonly status: number;
}

export interface ScopedMcpServer {
  readonly url: string;
  /** Every request to the MCP endpoints that was judged, oldest first. */
  readonly judged: readonly JudgedRequest[];
  /** Whether challenges name the resource metadata, which are nowhere that a client could guess. */
  namesMetadata: boolean;
  /** Demands this scope of every `tools/call`, whether the token has it or not. */
  demandsForEver: (() => string) | undefined;
  close(): Promise<void>;
}

/** What the server asks of the authorization server that it trusts. */
export interface TokenJudge {
  readonly issuer: string;
  /** The scopes of a good token; undefined when it is not good. */
  readonly scopesOf: (token: string) => readonly string[] | undefined;
}

const MCP_PATH = '/mcp';
const MESSAGES_PATH = '/messages';
const METADATA_PATH = '/metadata/resource';

/**
 * Starts a real MCP server, over Streamable HTTP or over HTTP+SSE, that demands scopes for each operation by itself
 * (RFC 6750 section 3.1): a challenge names the one scope that is missing, never those that other operations need.
 * @param connectJudge gets the server's URL, so that tokens can be made for it.
 */
export async function startScopedMcpServer(
  options: ScopedMcpServerOptions,
  connectJudge: (url: string) => TokenJudge,
): Promise<ScopedMcpServer> {
  const http = createServer();
  const origin = await listenOnLoopback(http);
  const url = `${origin}${MCP_PATH}`;
  const { issuer, scopesOf } = connectJudge(url);
  const judged: JudgedRequest[] = [];
  const sessions = new Map<string, StreamableHTTPServerTransport | SSEServerTransport>();

  const challenge = (error: string | undefined, scope: string | undefined): string => {
    const metadata = server.namesMetadata ? origin + METADATA_PATH : undefined;
    const given = Object.entries({ error, scope, resource_metadata: metadata }).filter(([, value]) => value);
    return `Bearer ${given.map(([name, value]) => `${name}="${value}"`).join(', ')}`.trim();
  };

  /** The status and challenge of a request that is refused. */
  const judge = (request: IncomingMessage, operation: string): { status: number; header: string } | undefined => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const scopes = token === undefined ? undefined : scopesOf(token);
    const isEndless = server.demandsForEver !== undefined && operation.startsWith('tools/call');
    const needed = isEndless ? server.demandsForEver?.() : options.scopeOf(operation);
    const first = options.challengesFirst ? needed : undefined;
    if (token === undefined) return { status: 401, header: challenge(undefined, first) };
    if (scopes === undefined) return { status: 401, header: challenge('invalid_token', undefined) };
    if (!isEndless && (needed === undefined || scopes.includes(needed))) return undefined;
    return { status: 403, header: challenge('insufficient_scope', needed) };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    if (pathname === METADATA_PATH) {
      const { scopesSupported: scopes } = options;
      const body = { resource: url, authorization_servers: [issuer], ...(scopes && { scopes_supported: scopes }) };
      send(response, { status: 200, body });
      return;
    }
    const isSse = options.transport === 'HTTP+SSE';
    // The older transport takes a POST only at the URL that its stream names.
    const isThere = isSse ? pathname === (request.method === 'POST' ? MESSAGES_PATH : MCP_PATH) : pathname === MCP_PATH;
    if (!isThere) {
      send(response, { status: 404 });
      return;
    }
    const body = request.method === 'POST' ? await json(request) : undefined;
    const operation = operationOf(request.method, body);
    const refusal = judge(request, operation);
    judged.push({ operation, status: refusal?.status ?? 200 });
    if (refusal !== undefined) {
      send(response, { status: refusal.status, headers: { 'www-authenticate': refusal.header } });
      return;
    }
    const id = isSse ? searchParams.get('sessionId') : request.headers['mcp-session-id'];
    const session = id === null || id === undefined ? undefined : sessions.get(String(id));
    if (isSse && request.method === 'GET') {
      const transport = new SSEServerTransport(MESSAGES_PATH, response);
      sessions.set(transport.sessionId, transport);
      await createTools(options.tools).connect(transport);
    } else if (session instanceof SSEServerTransport) {
      await session.handlePostMessage(request, response, body);
    } else if (session !== undefined) {
      await session.handleRequest(request, response, body);
    } else if (!isSse && id === undefined && request.method === 'POST') {
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
      await createTools(options.tools).connect(transport);
      await transport.handleRequest(request, response, body);
    } else {
      send(response, { status: 404 });
    }
  };

  http.on('request', (request, response) => {
    // Also when the client went away: there is nobody to tell.
    answer(request, response).catch(() => response.destroy());
  });

  const server: ScopedMcpServer = {
    url,
    judged,
    namesMetadata: true,
    demandsForEver: undefined,
    async close() {
      await Promise.all([...sessions.values()].map(async (transport) => transport.close()));
      await stopServer(http);
    },
  };
  return server;
}

/** One MCP session. */
function createTools(tools: readonly string[]): Server {
  const server = new Server({ name: 'scoped', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map((name) => ({ name, inputSchema: { type: 'object' as const } })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    await reportProgress(request, extra);
    return { content: [{ type: 'text', text: request.params.name }] };
  });
  return server;
}
