import { words, type Answer, type FaultyServerRequest } from './exchange.ts';
import { expectedResource } from './faultyResource.ts';
import type { Faults } from './faults.ts';
import { newSecret, type Grants, type RegisteredClient } from './grants.ts';

/** The header by which {@link FaultyServer.authorize} says that the person denies. */
export const DENY_HEADER = 'x-test-deny';

/** RFC 8414. */
export function answerMetadata(faults: Faults, issuer: string, request: FaultyServerRequest): Answer {
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
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: faults.authMethods,
    ...(faults.clientMetadata === undefined ? {} : { client_id_metadata_document_supported: true }),
    ...(faults.noPkce ? {} : { code_challenge_methods_supported: ['S256'] }),
    ...(faults.advertiseIss ? { authorization_response_iss_parameter_supported: true } : {}),
    ...(faults.asScopesSupported === undefined ? {} : { scopes_supported: faults.asScopesSupported }),
  };
  return { status: 200, body };
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

/** The client of a metadata document, which is taken on trust: this server fetches nothing. */
function documentClient(grants: Grants, id: string, redirectUri: string): RegisteredClient {
  const client: RegisteredClient = {
    id,
    secret: undefined,
    secretExpiresAt: 0,
    authMethod: 'none',
    redirectUris: [redirectUri],
    registrationToken: '',
  };
  grants.clients.set(id, client);
  return client;
}

/** RFC 6749 section 4.1.1: redirects at once, with a code or an error. Without a good redirect URI it is a 400. */
export function answerAuthorization(
  faults: Faults,
  grants: Grants,
  issuer: string,
  mcpUrl: string,
  request: FaultyServerRequest,
): Answer {
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
    const iss = { right: issuer, wrong: 'https://wrong.example', absent: undefined }[faults.callbackIss];
    const { state } = query;
    const all = { ...parameters, ...(state === undefined ? {} : { state }), ...(iss === undefined ? {} : { iss }) };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    return { status: 302, headers: { location: url.href } };
  };
  const fail = (error: string, description: string) => redirect({ error, error_description: description });

  if (isDocument && faults.clientMetadata === 'refused') return fail('unauthorized_client', 'no documents taken');
  if (request.repeated.length > 0) return fail('invalid_request', `repeated: ${request.repeated.join(' ')}`);
  if (query['response_type'] !== 'code') return fail('unsupported_response_type', 'code only');
  const { code_challenge: codeChallenge, code_challenge_method: method, resource } = query;
  if (codeChallenge === undefined || method !== 'S256') return fail('invalid_request', 'PKCE with S256 is required');
  if (resource !== undefined && (faults.rejectResource || resource !== expectedResource(faults, mcpUrl))) {
    return fail('invalid_target', 'the resource is not known');
  }
  if (faults.denyAuthorization || request.headers[DENY_HEADER] !== undefined) {
    return fail('access_denied', 'The user said no');
  }

  const asked = query['scope'] === undefined ? (faults.scopesSupported ?? []) : words(query['scope']);
  const scopes = asked.filter((scope) => faults.grantOnly?.includes(scope) ?? true);
  const code = newSecret('code');
  const family = { clientId: client.id, scopes, resource, isRevoked: false };
  grants.codes.set(code, { family, redirectUri, codeChallenge });
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
