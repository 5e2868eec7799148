import { createServer } from 'node:http';
import { createAuthorizationServer, SAMPLE_USER, type RecordedRequest } from './authorizationServer.ts';
import { createMcpServer } from './mcpServer.ts';
import { loadState } from './stateFile.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';

export interface SampleServerOptions {
  /** 0, the default, takes a free one. */
  readonly authorizationServerPort?: number;
  /** 0, the default, takes a free one. */
  readonly mcpServerPort?: number;
  /** Default 120. */
  readonly accessTokenTtlSeconds?: number;
  /** Default 30 days. Every rotation gives the full time again. */
  readonly refreshTokenTtlSeconds?: number;
  /** Keeps clients, grants, tokens and keys in this file, so that connections survive a restart on the same ports. */
  readonly stateFile?: string;
  /** Gets a line for each thing that happened; never a secret. */
  readonly log?: (line: string) => void;
}

export interface SampleServer {
  /** Where the MCP server is; its `resource` too. */
  readonly mcpUrl: string;
  readonly issuer: string;
  readonly user: string;
  readonly password: string;
  /** What reached the token, registration and revocation endpoints, oldest first. Holds secrets. */
  readonly requests: readonly RecordedRequest[];
  /** How many connections the MCP server has accepted. */
  connectionCount(): number;
  /** Ends all access tokens before their time, which no client can know. */
  endAccessTokens(): Promise<void>;
  /** Stops both servers and breaks their connections. */
  close(): Promise<void>;
}

/**
 * Starts a protected MCP server and the authorization server it trusts, on two ports of 127.0.0.1.
 * Throws when a port is taken or the state file cannot be read.
 */
export async function startSampleServer(options: SampleServerOptions = {}): Promise<SampleServer> {
  const log = options.log ?? (() => undefined);
  const requests: RecordedRequest[] = [];
  const state = await loadState(options.stateFile);

  // Each needs the other's URL, so both ports are bound before either answers.
  const authorizationHttp = createServer();
  const mcpHttp = createServer();
  let connections = 0;
  mcpHttp.on('connection', () => (connections += 1));
  try {
    const issuer = await listenOnLoopback(authorizationHttp, options.authorizationServerPort ?? 0);
    const mcpUrl = `${await listenOnLoopback(mcpHttp, options.mcpServerPort ?? 0)}/mcp`;
    const authorizationServer = createAuthorizationServer({
      issuer,
      resource: mcpUrl,
      state,
      accessTokenTtlSeconds: options.accessTokenTtlSeconds ?? 120,
      refreshTokenTtlSeconds: options.refreshTokenTtlSeconds ?? 30 * 24 * 3600,
      onRequest: (request) => void requests.push(request),
      log: (line) => log(`authorization server: ${line}`),
    });
    const mcpServer = createMcpServer({
      url: mcpUrl,
      issuer,
      verifyToken: async (token) => authorizationServer.verifyToken(token),
      log: (line) => log(`MCP server: ${line}`),
    });
    authorizationHttp.on('request', authorizationServer.listener);
    mcpHttp.on('request', mcpServer.listener);
    return {
      mcpUrl,
      issuer,
      user: SAMPLE_USER.user,
      password: SAMPLE_USER.password,
      requests,
      connectionCount: () => connections,
      async endAccessTokens() {
        for (const key of state.entries.keys()) if (key.startsWith('AccessToken:')) state.entries.delete(key);
        await state.save();
      },
      async close() {
        await mcpServer.close();
        await Promise.all([stopServer(mcpHttp), stopServer(authorizationHttp)]);
        await state.save();
      },
    };
  } catch (error) {
    await Promise.all([stopServer(mcpHttp), stopServer(authorizationHttp)]);
    throw error;
  }
}
