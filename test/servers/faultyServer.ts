import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { receive, send, type Answer, type FaultyServerRequest } from './exchange.ts';
import { answerAuthorization, answerMetadata, DENY_HEADER, metadataPath } from './faultyAuthorization.ts';
import { answerRegistration } from './faultyRegistration.ts';
import { answerMcp, answerResourceMetadata, resourceMetadataPath } from './faultyResource.ts';
import { noFaults, type Endpoint, type Faults } from './faults.ts';
import { answerRevocation, answerToken } from './faultyToken.ts';
import { emptyGrants, goodAccessToken } from './grants.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';

const HUGE_BODY = JSON.stringify({ padding: 'x'.repeat(1024 * 1024) });

export interface FaultyServer {
  readonly mcpUrl: string;
  /** Follows `faults.issuerPath` and `faults.noResourceMetadata`. */
  readonly issuer: string;
  /** May be changed at any time; counts from the next request on. */
  readonly faults: Faults;
  /** Every request, oldest first, also those to places where nothing is. Recorded before any delay. */
  readonly requests: readonly FaultyServerRequest[];
  /** The requests to one endpoint, oldest first. */
  requestsTo(endpoint: Endpoint): readonly FaultyServerRequest[];
  /**
   * Does what a browser does with an authorization URL: gives the callback URL, without opening it.
   * Throws when there is no redirect, with status and body.
   */
  authorize(url: string | URL, options?: { readonly deny?: boolean }): Promise<URL>;
  /** Whether an access token would be taken now; a refresh token, whether it could be used once more. */
  isActive(token: string): boolean;
  /** Forgets all registrations, as a server does that was set up anew. */
  forgetClients(): void;
  close(): Promise<void>;
}

/**
 * Starts an MCP server and an authorization server, hand-made and on two ports of 127.0.0.1, that do right unless told
 * otherwise. The authorization endpoint asks nobody and redirects at once.
 * @param faults switches that are on from the start.
 */
export async function startFaultyServer(faults: Partial<Faults> = {}): Promise<FaultyServer> {
  const switches: Faults = { ...noFaults(), ...faults };
  const grants = emptyGrants();
  const requests: FaultyServerRequest[] = [];
  const closing = new AbortController();
  const resourceHttp = createServer();
  const authorizationHttp = createServer();
  const resourceOrigin = await listenOnLoopback(resourceHttp);
  const authorizationOrigin = await listenOnLoopback(authorizationHttp);
  const mcpUrl = `${resourceOrigin}/mcp`;
  const currentIssuer = () =>
    (switches.noResourceMetadata ? resourceOrigin : authorizationOrigin) + switches.issuerPath;

  const endpointOf = (url: URL): Endpoint | undefined => {
    const issuer = currentIssuer();
    const at = (base: string, path: string) => url.href.split('?')[0] === base + path;
    if (at(mcpUrl, '')) return 'mcp';
    if (!switches.noResourceMetadata && at(resourceOrigin, resourceMetadataPath(switches, mcpUrl))) {
      return 'resourceMetadata';
    }
    const isMetadata = [metadataPath(switches, issuer), '/moved/metadata'].some((path) =>
      at(new URL(issuer).origin, path),
    );
    if (!switches.noMetadata && isMetadata) return 'metadata';
    if (!switches.noRegistration && url.href.startsWith(`${issuer}/register`)) return 'registration';
    if (at(issuer, '/authorize')) return 'authorization';
    if (at(issuer, '/token')) return 'token';
    return at(issuer, '/revoke') ? 'revocation' : undefined;
  };

  const answer = (request: FaultyServerRequest): Answer => {
    const issuer = currentIssuer();
    if (request.endpoint !== undefined && request.endpoint === switches.hugeBody) {
      return { status: 200, body: HUGE_BODY, headers: { 'content-type': 'application/json' } };
    }
    switch (request.endpoint) {
      case 'mcp':
        return answerMcp(switches, grants, mcpUrl, request);
      case 'resourceMetadata':
        return answerResourceMetadata(switches, mcpUrl, issuer);
      case 'metadata':
        return answerMetadata(switches, issuer, request);
      case 'registration':
        return answerRegistration(switches, grants, `${issuer}/register`, request);
      case 'authorization':
        return answerAuthorization(switches, grants, issuer, mcpUrl, request);
      case 'token':
        return answerToken(switches, grants, request);
      case 'revocation':
        return answerRevocation(switches, grants, request);
      case undefined:
        return { status: 404 };
    }
  };

  const serve = async (origin: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await receive(incoming, origin, endpointOf);
    requests.push(request);
    const delayMs = request.endpoint === undefined ? undefined : switches.delayMs[request.endpoint];
    if (delayMs !== undefined) await delay(delayMs, undefined, { signal: closing.signal });
    send(response, answer(request));
  };

  for (const [server, origin] of [
    [resourceHttp, resourceOrigin],
    [authorizationHttp, authorizationOrigin],
  ] as const) {
    server.on('request', (incoming, response) => {
      // Also when the client went away, or the server is closing: there is nobody to tell.
      serve(origin, incoming, response).catch(() => response.destroy());
    });
  }

  return {
    mcpUrl,
    get issuer() {
      return currentIssuer();
    },
    faults: switches,
    requests,
    requestsTo: (endpoint) => requests.filter((request) => request.endpoint === endpoint),
    async authorize(url, { deny = false } = {}) {
      const response = await fetch(url, { redirect: 'manual', headers: deny ? { [DENY_HEADER]: 'yes' } : {} });
      const location = response.headers.get('location');
      if (location === null) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
      return new URL(location);
    },
    isActive(token) {
      const refreshToken = grants.refreshTokens.get(token);
      const isRefreshable = refreshToken !== undefined && !refreshToken.isUsed && !refreshToken.family.isRevoked;
      return isRefreshable || goodAccessToken(grants, token) !== undefined;
    },
    forgetClients: () => grants.clients.clear(),
    async close() {
      closing.abort();
      await Promise.all([resourceHttp, authorizationHttp].map(stopServer));
    },
  };
}
