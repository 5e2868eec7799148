import type { TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { ConnectionId } from '../../../src/connections/connection.ts';
import type { ConnectionManager } from '../../../src/connections/connectionManager.ts';
import { createAuthorizedFetch } from '../../headless/authorizedFetch.ts';
import { startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { words } from '../../servers/exchange.ts';
import type { Faults, TokenBody } from '../../servers/faults.ts';
import {
  type ScopedMcpServerOptions,
  type ServerTransport,
  startScopedMcpServer,
} from '../../servers/scopedMcpServer.ts';

export interface StoryOptions extends StartOptions {
  readonly faults?: Partial<Omit<Faults, 'prmResource' | 'tokenBody'>>;
  /** Spoils token answers; what the token can do is what the answer said before. */
  readonly spoilTokenBody?: (body: TokenBody) => unknown;
}

/** A real MCP server that checks scopes, the authorization server that it trusts, and a manager, until the test ends. */
export async function startStory(
  t: TestContext,
  mcpOptions: ScopedMcpServerOptions,
  { faults, spoilTokenBody, ...options }: StoryOptions = {},
) {
  const { server: authorizationServer, headless } = await startWithFaults(t, faults, options);
  const scopes = new Map<string, readonly string[]>();
  const mcp = await startScopedMcpServer(mcpOptions, (url) => {
    authorizationServer.faults.prmResource = url;
    authorizationServer.faults.tokenBody = (body) => {
      scopes.set(body.access_token, words(body.scope));
      return spoilTokenBody === undefined ? body : spoilTokenBody(body);
    };
    return {
      issuer: authorizationServer.issuer,
      scopesOf: (token) => (authorizationServer.isActive(token) ? scopes.get(token) : undefined),
    };
  });
  t.after(async () => mcp.close());
  return {
    authorizationServer,
    headless,
    mcp,
    /** The `scope` of every authorization request so far. */
    authorizations: () => authorizationServer.requestsTo('authorization').map(({ query }) => query['scope']),
  };
}

/** The official client, whose tokens come from the manager; closed when the test ends. */
export async function connectClient(
  t: TestContext,
  manager: ConnectionManager,
  id: ConnectionId,
  transport: ServerTransport = 'streamable HTTP',
): Promise<Client> {
  const url = new URL(manager.get(id)?.serverUrl ?? '');
  const options = { fetch: createAuthorizedFetch(manager, id) };
  const client = new Client({ name: 'story', version: '1' });
  t.after(async () => client.close());
  await client.connect(
    transport === 'HTTP+SSE' ? new SSEClientTransport(url, options) : new StreamableHTTPClientTransport(url, options),
  );
  return client;
}
