import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { generateKeyPair } from 'jose';
import { answerAuthorizationServer, authorizationEndpointOf } from './authorizationEndpoints.ts';
import type { AuthorizationServer } from './authorizationServer.ts';
import { DENY_HEADER, receive, send, type Answer, type FaultyServerRequest } from './exchange.ts';
import { createWorkload, signWorkloadAssertion, type WorkloadClaims } from './faultyAssertions.ts';
import { decideDevice } from './faultyDevice.ts';
import {
  answerIdentityProvider,
  IDP_CLIENT_ID,
  idpClientSecret,
  idpEndpointOf,
  signIdToken,
  type IdentityProvider,
} from './faultyIdentityProvider.ts';
import { answerMcp, answerResourceMetadata, resourceEndpointOf, type ProtectedResource } from './faultyResource.ts';
import type { Endpoint, Faults } from './faults.ts';
import { emptyGrants, emptyProofMemory, isActive } from './grants.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import { noFaults } from './noFaults.ts';
import { handMadeClient, type HandMadeClient } from './unregisteredClients.ts';

const HUGE_BODY = JSON.stringify({ padding: 'x'.repeat(1024 * 1024) });

/** The identity provider as a client sees it (SEP-990). */
export interface FaultyIdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  /** Follows `faults.idpAuthMethod`. */
  readonly clientSecret: string | undefined;
  /** An ID token for the client, as if the person had signed in. `expiresInSeconds` may be below 0. */
  idToken(options?: { readonly expiresInSeconds?: number }): Promise<string>;
  /** Those of the server's `requests` that came here. */
  readonly requests: readonly FaultyServerRequest[];
}

export interface FaultyServer {
  readonly mcpUrl: string;
  /** Follows `faults.issuerPath` and `faults.noResourceMetadata`. */
  readonly issuer: string;
  /** Another authorization server for the same MCP server; `faults.issuers` says which are named. */
  readonly secondIssuer: string;
  readonly identityProvider: FaultyIdentityProvider;
  /** May be changed at any time; counts from the next request on. */
  readonly faults: Faults;
  /** Every request, oldest first, also those to places where nothing is. Recorded before any delay. */
  readonly requests: readonly FaultyServerRequest[];
  /** The requests to one endpoint, oldest first; to that of either authorization server, which the URL tells apart. */
  requestsTo(endpoint: Endpoint): readonly FaultyServerRequest[];
  /**
   * Does what a browser does with an authorization URL: gives the callback URL, without opening it.
   * Throws when there is no redirect, with status and body.
   */
  authorize(url: string | URL, options?: { readonly deny?: boolean }): Promise<URL>;
  /** Whether an access token would be taken now; a refresh token, whether it could be used once more. */
  isActive(token: string): boolean;
  /** Registers a client by hand, at the first authorization server unless it says otherwise. */
  addClient(client: HandMadeClient): void;
  /** Forgets all registrations, as a server does that was set up anew. */
  forgetClients(): void;
  /** A JWT of a workload that the authorization server trusts (RFC 7523). */
  workloadAssertion(claims?: WorkloadClaims): Promise<string>;
  /** The person enters the user code and approves (RFC 8628, `outcome: 'wait'`). Throws when nobody waits with it. */
  approveDevice(userCode: string): void;
  denyDevice(userCode: string): void;
  close(): Promise<void>;
}

/**
 * Starts an MCP server, two authorization servers and an identity provider, hand-made and each on a port of 127.0.0.1,
 * that do right unless told otherwise. The authorization endpoints ask nobody and redirect at once.
 * @param faults switches that are on from the start.
 */
export async function startFaultyServer(faults: Partial<Faults> = {}): Promise<FaultyServer> {
  const switches: Faults = { ...noFaults(), ...faults };
  const requests: FaultyServerRequest[] = [];
  const closing = new AbortController();
  const servers = Array.from({ length: 4 }, () => createServer());
  const origins = await Promise.all(servers.map(async (server) => listenOnLoopback(server)));
  const [resourceOrigin = '', firstOrigin = '', secondOrigin = '', idpOrigin = ''] = origins;
  const mcpUrl = `${resourceOrigin}/mcp`;
  const firstIssuer = () => (switches.noResourceMetadata ? resourceOrigin : firstOrigin) + switches.issuerPath;
  const secondIssuer = () => secondOrigin + switches.issuerPath;

  const [workload, idpKeys] = await Promise.all([createWorkload(), generateKeyPair('ES256')]);
  const idp: IdentityProvider = {
    ...idpKeys,
    faults: switches,
    issuer: idpOrigin,
    codes: new Map(),
    refreshTokens: new Set(),
    audiences: () => [firstIssuer(), secondIssuer()],
  };
  const authorizationServer = (isFirst: boolean): AuthorizationServer => ({
    faults: switches,
    grants: emptyGrants(),
    get issuer() {
      return isFirst ? firstIssuer() : secondIssuer();
    },
    get otherIssuer() {
      return isFirst ? secondIssuer() : firstIssuer();
    },
    isFirst,
    mcpUrl,
    workload,
    identityProvider: idp,
  });
  const first = authorizationServer(true);
  const second = authorizationServer(false);
  const authorizationServers = [first, second];
  const allGrants = authorizationServers.map(({ grants }) => grants);
  const resource: ProtectedResource = { faults: switches, mcpUrl, authorizationServers, proofs: emptyProofMemory() };

  const endpointOf = (url: URL): Endpoint | undefined =>
    resourceEndpointOf(switches, mcpUrl, url) ??
    authorizationEndpointOf(first, url) ??
    authorizationEndpointOf(second, url) ??
    idpEndpointOf(idp, url);

  const answer = async (request: FaultyServerRequest): Promise<Answer> => {
    const { endpoint, url } = request;
    if (endpoint !== undefined && endpoint === switches.hugeBody) {
      return { status: 200, body: HUGE_BODY, headers: { 'content-type': 'application/json' } };
    }
    switch (endpoint) {
      case undefined:
        return { status: 404 };
      case 'mcp':
        return answerMcp(resource, request);
      case 'resourceMetadata':
        return answerResourceMetadata(resource);
      case 'idpMetadata':
      case 'idpAuthorization':
      case 'idpToken':
      case 'idpKeys':
        return answerIdentityProvider(idp, endpoint, request);
      default:
        return answerAuthorizationServer(new URL(url).origin === secondOrigin ? second : first, endpoint, request);
    }
  };

  const serve = async (origin: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await receive(incoming, origin, () => switches.now(), endpointOf);
    requests.push(request);
    const delayMs = request.endpoint === undefined ? undefined : switches.delayMs[request.endpoint];
    if (delayMs !== undefined) await delay(delayMs, undefined, { signal: closing.signal });
    send(response, await answer(request));
  };

  for (const [index, server] of servers.entries()) {
    server.on('request', (incoming, response) => {
      // Also when the client went away, or the server is closing: there is nobody to tell.
      serve(origins[index] ?? '', incoming, response).catch(() => response.destroy());
    });
  }

  return {
    mcpUrl,
    get issuer() {
      return firstIssuer();
    },
    get secondIssuer() {
      return secondIssuer();
    },
    identityProvider: {
      issuer: idpOrigin,
      clientId: IDP_CLIENT_ID,
      get clientSecret() {
        return idpClientSecret(switches);
      },
      idToken: async (options) => signIdToken(idp, options),
      get requests() {
        return requests.filter(({ url }) => new URL(url).origin === idpOrigin);
      },
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
    isActive: (token) => allGrants.some((grants) => isActive(grants, token, switches.now())),
    addClient: (client) =>
      void (client.at === 'second' ? second : first).grants.clients.set(client.id, handMadeClient(client)),
    forgetClients: () => allGrants.forEach(({ clients }) => clients.clear()),
    workloadAssertion: async ({ audience = firstIssuer(), expiresInSeconds = 300, subject = 'workload' } = {}) =>
      signWorkloadAssertion(workload, switches.now(), { audience, expiresInSeconds, subject }),
    approveDevice: (userCode) => decideDevice(allGrants, userCode, 'approved'),
    denyDevice: (userCode) => decideDevice(allGrants, userCode, 'denied'),
    async close() {
      closing.abort();
      await Promise.all(servers.map(stopServer));
    },
  };
}
