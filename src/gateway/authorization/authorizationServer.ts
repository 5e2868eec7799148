import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '../../connections/errors.ts';
import { sendError, sendJson } from './answers.ts';
import { AuthorizationCodes } from './authorizationCodes.ts';
import { type AuthorizationEndpointParts, createAuthorizationEndpoint } from './authorizationEndpoint.ts';
import { connectionBySlug, PATHS, resourceMetadata, serverMetadata, slugOfMetadataPath } from './metadata.ts';
import { createRegistrationEndpoint } from './registrationEndpoint.ts';
import { createRevocationEndpoint } from './revocationEndpoint.ts';
import { GATEWAY_SCOPES, type ScopeRules } from './scopeRules.ts';
import { createTokenEndpoint } from './tokenEndpoint.ts';

export interface AuthorizationServerParts extends Omit<AuthorizationEndpointParts, 'codes'> {
  /** Those of the gateway unless given. */
  readonly scopes?: ScopeRules;
}

export interface AuthorizationServer {
  /**
   * Answers a request to one of its routes. Gives false for every other, which is untouched. `Host` and `Origin` were
   * judged before.
   * @param origin of the loopback server as the client knows it, which is the issuer
   */
  handle(request: IncomingMessage, response: ServerResponse, origin: string): boolean;
}

type Endpoint = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly answer: Endpoint;
}

/** The gateway's own authorization server, for all connections (P38-P44), and that of the sample server. */
export function createAuthorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { clock, connections, grants, log, scopes = GATEWAY_SCOPES } = parts;
  const codes = new AuthorizationCodes(grants, clock);
  const authorize = createAuthorizationEndpoint({ ...parts, codes });
  const token = createTokenEndpoint({ codes, connections, grants, scopes });

  const routes = new Map<string, Route>([
    [PATHS.metadata, get((_request, response, { origin }) => sendJson(response, 200, serverMetadata(origin, scopes)))],
    [PATHS.authorize, get(authorize)],
    [PATHS.register, post(createRegistrationEndpoint({ clock, grants, scopes }))],
    [PATHS.token, post(async (request, response, { origin }) => token(request, response, origin))],
    [PATHS.revoke, post(createRevocationEndpoint({ grants }))],
  ]);

  /** What changes something needs the registry: without it a client must not be told that it is unknown. */
  function post(answer: Endpoint): Route {
    return {
      method: 'POST',
      answer: (request, response, url) => {
        if (grants.problem === undefined) return answer(request, response, url);
        request.resume();
        sendUnavailable(response);
      },
    };
  }

  function routeOf(path: string): Route | undefined {
    const route = routes.get(path);
    if (route !== undefined) return route;
    if (/^\/oauth\/authorize\/[\w-]+$/.test(path)) return get(authorize);
    if (path !== PATHS.resourceMetadata && !path.startsWith(`${PATHS.resourceMetadata}/`)) return undefined;
    return get((_request, response, { origin }) => {
      const slug = slugOfMetadataPath(path);
      const connection = slug === undefined ? undefined : connectionBySlug(connections, slug);
      if (connection === undefined) return sendError(response, 404, 'not_found', 'There is no such server.');
      sendJson(response, 200, resourceMetadata(origin, connection.slug, scopes));
    });
  }

  async function answer(route: Route, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.method !== route.method) {
      request.resume();
      return sendError(response, 405, 'invalid_request', `Only ${route.method} is possible.`, { allow: route.method });
    }
    try {
      await route.answer(request, response, url);
    } catch (error) {
      log.error(`A request of a local client to ${url.pathname} failed: ${describeError(error)}`);
      if (response.headersSent || response.destroyed) response.destroy();
      else sendUnavailable(response);
    }
  }

  return {
    handle(request, response, origin) {
      const target = request.url ?? '';
      if (!target.startsWith('/') || !URL.canParse(origin + target)) return false;
      const url = new URL(origin + target);
      const route = routeOf(url.pathname);
      if (route === undefined) return false;
      void answer(route, request, response, url); // it never rejects
      return true;
    },
  };
}

function get(answer: Endpoint): Route {
  return { method: 'GET', answer };
}

/** The client keeps what it has, and tries again; the editor says what is wrong. */
function sendUnavailable(response: ServerResponse): void {
  sendError(response, 503, 'temporarily_unavailable', 'The gateway cannot do this now. The editor says why.', {
    'retry-after': '30',
  });
}
