import { createServer } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { type Deferred, deferred } from '../../src/connections/deferred.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';

/** A call may wait for a person who signs in meanwhile, on a machine that is busy; the client's own limit is a minute. */
const CALL_TIMEOUT_MS = 600_000;

/** Opens the authorization URL, as a browser does; where it ends is not waited for. */
export type OpenAuthorization = (url: URL) => void;

/** A program on this computer with the official MCP client, which signs in to the gateway by itself. */
export interface LocalClient {
  /** Signs in if need be, and gives the names of the tools. Throws when access is denied. */
  listTools(): Promise<string[]>;
  callTool(name: string): Promise<unknown>;
  /** The tokens that it has now. */
  readonly secrets: readonly string[];
  /** Ends its session, and keeps its tokens. */
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts such a program.
 * @param url of a connection at the gateway
 * @param name what it calls itself
 */
export async function startLocalClient(url: string, name: string, open: OpenAuthorization): Promise<LocalClient> {
  /** Of the sign-in that goes on. */
  let waiting: Deferred<string | undefined> | undefined;
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    response.end('You can close this tab.');
    waiting?.resolve(searchParams.get('code') ?? undefined);
  });
  const redirectUrl = `${await listenOnLoopback(server)}/callback`;
  let registration: OAuthClientInformationMixed | undefined;
  let tokens: OAuthTokens | undefined;
  let verifier = '';
  const authProvider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: { client_name: name, redirect_uris: [redirectUrl] },
    clientInformation: () => registration,
    saveClientInformation: (saved) => {
      registration = saved;
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    codeVerifier: () => verifier,
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'tokens') tokens = undefined;
      if (scope === 'all' || scope === 'client') registration = undefined;
    },
    redirectToAuthorization: (authorizationUrl) => {
      waiting = deferred();
      open(authorizationUrl);
    },
  };
  let client: Client | undefined;

  async function connected(): Promise<Client> {
    if (client !== undefined) return client;
    const info = { name, version: '1' };
    const first = new StreamableHTTPClientTransport(new URL(url), { authProvider });
    try {
      const eager = new Client(info);
      await eager.connect(first);
      client = eager;
      return eager;
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
    }
    const given = await waiting?.promise;
    if (given === undefined) throw new Error('Access was denied.');
    await first.finishAuth(given);
    client = new Client(info);
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
    return client;
  }

  return {
    listTools: async () => (await (await connected()).listTools()).tools.map((tool) => tool.name),
    callTool: async (tool) =>
      (await connected()).callTool({ name: tool, arguments: {} }, undefined, { timeout: CALL_TIMEOUT_MS }),
    get secrets() {
      return [tokens?.access_token, tokens?.refresh_token].filter((token) => token !== undefined);
    },
    async disconnect() {
      await client?.close();
      client = undefined;
    },
    async close() {
      await client?.close();
      await stopServer(server);
    },
  };
}
