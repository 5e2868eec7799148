import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answerAuthorizationServer, authorizationEndpointOf } from './authorizationEndpoints.ts';
import type { AuthorizationServer } from './authorizationServer.ts';
import { receive, send, type Answer, type FaultyServerRequest } from './exchange.ts';
import { createWorkload, signWorkloadAssertion, type WorkloadClaims } from './faultyAssertions.ts';
import { DENY_HEADER } from './faultyAuthorization.ts';
import { decideDevice } from './faultyDevice.ts';
import { answerMcp, answerResourceMetadata, resourceEndpointOf, type ProtectedResource } from './faultyResource.ts';
import type { Endpoint, Faults } from './faults.ts';
import { emptyGrants, emptyProofMemory, goodAccessToken } from './grants.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import { noFaults } from './noFaults.ts';
import { handMadeClient, type HandMadeClient } from './unregisteredClients.ts';

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
  /** Registers a client by hand. */
  addClient(client: HandMadeClient): void;
  /** Forgets all registrations, as a server does that was set up anew. */
  forgetClients(): void;
  /** A JWT of a workload that the authorization server trusts (RFC 7523). */
  workloadAssertion(claims?: WorkloadClaims): Promise<string>;
  /** The person enters the user code and approves (RFC 8628); for `outcome: 'wait'`. Throws when nobody waits with it. */
  approveDevice(userCode: string): void;
  denyDevice(userCode: string): void;
  close(): Promise<void>;
}

/**
 * Starts an MCP server and an authorization server, hand-made and on two ports of 127.0.0.1, that do right unless told
 * otherwise. The authorization endpoint asks nobody and redirects at once.
 * @param faults switches that are on from the start.
 */
export async function startFaultyServer(faults: Partial<Faults> = {}): Promise<FaultyServer> {
  const switches: Faults = { ...noFaults(), ...faults };
  const requests: FaultyServerRequest[] = [];
  const closing = new AbortController();
  const workload = await createWorkload();
  const resourceHttp = createServer();
  const authorizationHttp = createServer();
  const resourceOrigin = await listenOnLoopback(resourceHttp);
  const authorizationOrigin = await listenOnLoopback(authorizationHttp);
  const mcpUrl = `${resourceOrigin}/mcp`;
  const authorization: AuthorizationServer = {
    faults: switches,
    grants: emptyGrants(),
    get issuer() {
      return (switches.noResourceMetadata ? resourceOrigin : authorizationOrigin) + switches.issuerPath;
    },
    mcpUrl,
    workload,
  };
  const { grants } = authorization;
  const resource: ProtectedResource = { faults: switches, mcpUrl, grants: [grants], proofs: emptyProofMemory() };

  const endpointOf = (url: URL): Endpoint | undefined =>
    resourceEndpointOf(switches, mcpUrl, url) ?? authorizationEndpointOf(authorization, url);

  const answer = async (request: FaultyServerRequest): Promise<Answer> => {
    if (request.endpoint !== undefined && request.endpoint === switches.hugeBody) {
      return { status: 200, body: HUGE_BODY, headers: { 'content-type': 'application/json' } };
    }
    switch (request.endpoint) {
      case undefined:
        return { status: 404 };
      case 'mcp':
        return answerMcp(resource, request);
      case 'resourceMetadata':
        return answerResourceMetadata(switches, mcpUrl, authorization.issuer);
      default:
        return answerAuthorizationServer(authorization, request.endpoint, request);
    }
  };

  const serve = async (origin: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await receive(incoming, origin, () => switches.now(), endpointOf);
    requests.push(request);
    const delayMs = request.endpoint === undefined ? undefined : switches.delayMs[request.endpoint];
    if (delayMs !== undefined) await delay(delayMs, undefined, { signal: closing.signal });
    send(response, await answer(request));
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
      return authorization.issuer;
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
      return isRefreshable || goodAccessToken(grants, token, switches.now()) !== undefined;
    },
    addClient: (client) => void grants.clients.set(client.id, handMadeClient(client)),
    forgetClients: () => grants.clients.clear(),
    workloadAssertion: async ({ audience = authorization.issuer, expiresInSeconds = 300, subject = 'workload' } = {}) =>
      signWorkloadAssertion(workload, switches.now(), { audience, expiresInSeconds, subject }),
    approveDevice: (userCode) => decideDevice([grants], userCode, 'approved'),
    denyDevice: (userCode) => decideDevice([grants], userCode, 'denied'),
    async close() {
      closing.abort();
      await Promise.all([resourceHttp, authorizationHttp].map(stopServer));
    },
  };
}
