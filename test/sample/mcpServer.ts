import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as v from 'valibot';
import { NOTE_SCOPES, NOTE_TOOLS, Notes } from '../../src/sample/notes.ts';
import { neededScopes } from '../../src/sample/noteMessages.ts';
import { reportProgress } from '../servers/reportProgress.ts';
import type { VerifiedToken } from './authorizationServer.ts';

const BODY_LIMIT_BYTES = 256 * 1024;

export interface McpServer {
  readonly listener: RequestListener;
  /** Ends all sessions and their streams. */
  close(): Promise<void>;
}

/**
 * A real MCP server over Streamable HTTP, protected as the MCP authorization specification says: RFC 9728 metadata
 * at the path-inserted well-known URL, 401 and 403 with challenges that name it.
 * @param options.url of the MCP endpoint; it is the `resource` too.
 */
export function createMcpServer(options: {
  url: string;
  issuer: string;
  verifyToken: (token: string) => Promise<VerifiedToken | undefined>;
  log: (line: string) => void;
}): McpServer {
  const { issuer, verifyToken, log } = options;
  const url = new URL(options.url);
  const metadataPath = `/.well-known/oauth-protected-resource${url.pathname}`;
  const metadataUrl = new URL(metadataPath, url).href;
  const notes = new Notes();
  const sessions = new Map<string, StreamableHTTPServerTransport>();

  const challenge = (scope: string, error?: 'invalid_token' | 'insufficient_scope'): string => {
    const parameters = { ...(error === undefined ? {} : { error }), resource_metadata: metadataUrl, scope };
    return `Bearer ${Object.entries(parameters)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`;
  };

  const openSession = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await connectNotes(notes, transport);
    return transport;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', url);
    // A page in the browser that found a name for 127.0.0.1 has another Host, and an Origin.
    const { host, origin } = request.headers;
    if (host !== url.host || (origin !== undefined && origin !== url.origin)) return send(response, 403);
    if (pathname === metadataPath && request.method === 'GET') {
      const metadata = {
        resource: options.url,
        authorization_servers: [issuer],
        scopes_supported: NOTE_SCOPES.initial,
        bearer_methods_supported: ['header'],
        resource_name: 'Sample Notes',
      };
      return send(response, 200, metadata);
    }
    if (pathname !== url.pathname) return send(response, 404);

    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
    const verified = token === undefined ? undefined : await verifyToken(token);
    if (verified === undefined) {
      log(token === undefined ? 'no token: 401' : 'token refused: 401');
      const error = token === undefined ? undefined : 'invalid_token';
      return send(response, 401, undefined, { 'www-authenticate': challenge(NOTE_SCOPES.initial.join(' '), error) });
    }

    const body = request.method === 'POST' ? await readJson(request) : undefined;
    if (request.method === 'POST' && body === undefined) return send(response, 400);
    const missing = neededScopes(Array.isArray(body) ? body : [body]).filter(
      (scope) => !verified.scopes.includes(scope),
    );
    if (missing.length > 0) {
      log(`needs ${missing.join(' ')}: 403`);
      const header = challenge(missing.join(' '), 'insufficient_scope');
      return send(response, 403, { error: 'insufficient_scope' }, { 'www-authenticate': header });
    }

    const id = request.headers['mcp-session-id'];
    if (id === undefined && request.method !== 'POST') return send(response, 400);
    const transport = id === undefined ? await openSession() : sessions.get(String(id));
    // After a restart the session is gone: 404 tells the client to initialize anew.
    if (transport === undefined) return send(response, 404);
    return transport.handleRequest(request, response, body);
  };

  return {
    listener: (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log(`failed: ${String(error)}`);
        if (response.headersSent) response.destroy();
        else send(response, 500);
      });
    },
    async close() {
      await Promise.all([...sessions.values()].map(async (transport) => transport.close()));
      sessions.clear();
    },
  };
}

/** One MCP session over the notes that all sessions share. */
async function connectNotes(notes: Notes, transport: StreamableHTTPServerTransport): Promise<void> {
  const server = new Server({ name: 'sample-notes', version: '1.0.0' }, { capabilities: { tools: {}, logging: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: NOTE_TOOLS }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    const { params } = request;
    await reportProgress(request, extra);
    const text = notes.call(params.name, params.arguments);
    // On the session's own stream, since it belongs to no request.
    if (params.name !== 'list_notes') await server.sendLoggingMessage({ level: 'info', data: text ?? 'failed' });
    return text === undefined
      ? { isError: true, content: [{ type: 'text', text: 'There is no such tool, or its arguments are wrong.' }] }
      : { content: [{ type: 'text', text }] };
  });
  await server.connect(transport);
}

/** The body as JSON; undefined when it is none or too large. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > BODY_LIMIT_BYTES) return undefined;
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson()), text);
  return result.success ? result.output : undefined;
}

function send(response: ServerResponse, status: number, body?: object, headers: Record<string, string> = {}): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { ...(text === '' ? {} : { 'content-type': 'application/json' }), ...headers }).end(text);
}
