import type { AuthorizationServer } from './authorizationServer.ts';
import { DENY_HEADER, webPage, type Answer, type FaultyServerRequest } from './exchange.ts';
import { isResourceWithScopes, resourceProblem } from './faultyEntra.ts';
import type { Faults } from './faults.ts';
import { offeredGrants } from './faultyToken.ts';
import { newSecret } from './grants.ts';
import { documentClient } from './unregisteredClients.ts';
import { scopeProblem, startFamily } from './issueTokens.ts';

type Spoil = (right: string) => string;
const right: Spoil = (value) => value;
const wrongState: Spoil = (state) => `${state}-wrong`;
const wrongIssuer: Spoil = () => 'https://wrong.example';

/** The values of `state` in a callback. */
const STATES: Readonly<Record<Faults['callbackState'], readonly Spoil[]>> = {
  right: [right],
  wrong: [wrongState],
  absent: [],
  repeated: [right, wrongState],
};

/** The values of `iss` in a callback. */
const ISSUERS: Readonly<Record<Faults['callbackIss'], readonly Spoil[]>> = {
  right: [right],
  wrong: [wrongIssuer],
  absent: [],
  repeated: [right, wrongIssuer],
  slash: [(issuer) => `${issuer}/`],
};

/** RFC 8414. */
export function answerMetadata(server: AuthorizationServer, request: FaultyServerRequest): Answer {
  const { faults, issuer } = server;
  const status = faults.firstIssuerDown && server.isFirst ? 503 : faults.metadataStatus;
  if (faults.metadataHtml) return webPage(status);
  if (status >= 400) return { status };
  if (faults.redirectMetadataTo !== undefined && request.path !== '/moved/metadata') {
    return { status: 302, headers: { location: faults.redirectMetadataTo } };
  }
  const body = {
    issuer: faults.metadataIssuer ?? issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    ...(faults.noRegistration ? {} : { registration_endpoint: `${issuer}/register` }),
    ...(faults.revocation === 'absent' ? {} : { revocation_endpoint: `${issuer}/revoke` }),
    response_types_supported: ['code'],
    grant_types_supported: offeredGrants(faults),
    ...(faults.device === undefined ? {} : { device_authorization_endpoint: `${issuer}/device_authorization` }),
    ...(faults.grantProfiles === undefined ? {} : { authorization_grant_profiles_supported: faults.grantProfiles }),
    token_endpoint_auth_methods_supported: faults.authMethods,
    ...(faults.authSigningAlgs === undefined
      ? {}
      : { token_endpoint_auth_signing_alg_values_supported: faults.authSigningAlgs }),
    ...(faults.dpop === undefined ? {} : { dpop_signing_alg_values_supported: faults.dpop.algs }),
    ...(faults.clientMetadata === undefined ? {} : { client_id_metadata_document_supported: true }),
    ...(faults.noPkce ? {} : { code_challenge_methods_supported: ['S256'] }),
    ...(faults.advertiseIss ? { authorization_response_iss_parameter_supported: true } : {}),
    ...(faults.asScopesSupported === undefined ? {} : { scopes_supported: faults.asScopesSupported }),
  };
  return { status, body };
}

/** Where the metadata are, as a path on the issuer's origin. */
export function metadataPath(faults: Faults, issuer: string): string {
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return {
    rfc8414: `/.well-known/oauth-authorization-server${path}`,
    'oidc-inserted': `/.well-known/openid-configuration${path}`,
    'oidc-appended': `${path}/.well-known/openid-configuration`,
  }[faults.metadataAt];
}

/** RFC 6749 section 4.1.1: redirects at once, with a code or an error. Without a good redirect URI it is a 400. */
export function answerAuthorization(server: AuthorizationServer, request: FaultyServerRequest): Answer {
  const { faults, grants, issuer } = server;
  const { query } = request;
  const redirectUri = query['redirect_uri'] ?? '';
  const clientId = query['client_id'] ?? '';
  const isDocument = faults.clientMetadata !== undefined && clientId.startsWith('https://');
  const client = isDocument ? documentClient(grants, clientId, redirectUri) : grants.clients.get(clientId);
  if (client === undefined) return { status: 400, body: 'unknown client_id' };
  if (!client.redirectUris.some((uri) => isSameRedirect(uri, redirectUri))) {
    return { status: 400, body: 'redirect_uri was not registered' };
  }

  const redirect = (parameters: Record<string, string>): Answer => {
    const url = new URL(redirectUri);
    const { state } = query;
    for (const [name, value] of [
      ...Object.entries(parameters),
      ...(state === undefined ? [] : STATES[faults.callbackState].map((spoil) => ['state', spoil(state)] as const)),
      ...ISSUERS[faults.callbackIss].map((spoil) => ['iss', spoil(issuer)] as const),
    ]) {
      url.searchParams.append(name, value);
    }
    return { status: 302, headers: { location: url.href } };
  };
  const fail = (error: string, description: string) => redirect({ error, error_description: description });

  if (isDocument && faults.clientMetadata === 'refused') return fail('unauthorized_client', 'no documents taken');
  if (request.repeated.length > 0) return fail('invalid_request', `repeated: ${request.repeated.join(' ')}`);
  if (query['response_type'] !== 'code') return fail('unsupported_response_type', 'code only');
  const { code_challenge: codeChallenge, code_challenge_method: method, dpop_jkt: jkt } = query;
  if (codeChallenge === undefined || method !== 'S256') return fail('invalid_request', 'PKCE with S256 is required');
  if (isResourceWithScopes(faults, query, true)) return fail('invalid_target', resourceProblem(faults));
  const refusedScopes = scopeProblem(faults, query['scope']);
  if (refusedScopes !== undefined) return fail('invalid_scope', refusedScopes);
  const family = startFamily(server, client.id, query);
  if (family === undefined) return fail('invalid_target', 'the resource is not known');
  if (faults.denyAuthorization || request.headers[DENY_HEADER] !== undefined) {
    return fail('access_denied', 'The user said no');
  }

  const code = newSecret('code');
  grants.codes.set(code, { family, redirectUri, codeChallenge, jkt });
  return redirect({ code });
}

/** RFC 8252 section 7.3: the port of a loopback address may be another one. */
function isSameRedirect(registered: string, used: string): boolean {
  if (registered === used) return true;
  const [one, other] = [registered, used].map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'http:' || !['127.0.0.1', '[::1]'].includes(url.hostname)) return text;
    url.port = '';
    return url.href;
  });
  return one === other;
}
