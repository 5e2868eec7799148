import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, jwtVerify, SignJWT, type CryptoKey } from 'jose';
import { DENY_HEADER, oauthError, words, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { Endpoint, Faults } from './faults.ts';
import { newSecret } from './grants.ts';

/** The `typ` of an ID-JAG. */
export const ID_JAG_TYPE = 'oauth-id-jag+jwt';

/** What the client is called here; elsewhere it may be called otherwise (`faults.idJagClientId`). */
export const IDP_CLIENT_ID = 'client-at-the-idp';
const CLIENT_SECRET = 'secret-at-the-idp';
const ID_JAG_TOKEN = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG_LIFE = 300;

/** What a code at the identity provider gives. */
interface SignOn {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly nonce: string | undefined;
  readonly isOffline: boolean;
}

/** An enterprise identity provider, on an origin of its own (SEP-990). */
export interface IdentityProvider {
  readonly faults: Faults;
  readonly issuer: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly codes: Map<string, SignOn>;
  readonly refreshTokens: Set<string>;
  /** The issuers that it makes ID-JAGs for. */
  audiences(): readonly string[];
}

/** The secret of the client as the switches are now; undefined for a public one. */
export function idpClientSecret(faults: Faults): string | undefined {
  return faults.idpAuthMethod === 'none' ? undefined : CLIENT_SECRET;
}

const PLACES = {
  '/.well-known/openid-configuration': 'idpMetadata',
  '/authorize': 'idpAuthorization',
  '/token': 'idpToken',
  '/keys': 'idpKeys',
} as const satisfies Record<string, Endpoint>;

export type IdpEndpoint = (typeof PLACES)[keyof typeof PLACES];

/** Which place of the identity provider is at a URL. */
export function idpEndpointOf({ issuer }: IdentityProvider, url: URL): IdpEndpoint | undefined {
  const places: Readonly<Record<string, IdpEndpoint>> = PLACES;
  return url.origin === issuer ? places[url.pathname] : undefined;
}

/** What the identity provider answers at one of its places. */
export async function answerIdentityProvider(
  provider: IdentityProvider,
  endpoint: IdpEndpoint,
  request: FaultyServerRequest,
): Promise<Answer> {
  switch (endpoint) {
    case 'idpMetadata':
      return answerMetadata(provider);
    case 'idpAuthorization':
      return answerSignOn(provider, request);
    case 'idpToken':
      return answerToken(provider, request);
    case 'idpKeys':
      return { status: 200, body: { keys: [{ ...(await exportJWK(provider.publicKey)), alg: 'ES256', use: 'sig' }] } };
  }
}

/** OpenID Connect Core section 2. `expiresInSeconds` may be below 0. */
export async function signIdToken(
  { faults, issuer, privateKey }: IdentityProvider,
  { expiresInSeconds = faults.idTokenExpiresIn, nonce }: { expiresInSeconds?: number; nonce?: string | undefined } = {},
): Promise<string> {
  const seconds = Math.floor(faults.now() / 1000);
  return new SignJWT({ email: 'person@corp.example', ...(nonce === undefined ? {} : { nonce }) })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject('person')
    .setAudience(IDP_CLIENT_ID)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + expiresInSeconds)
    .sign(privateKey);
}

/** OpenID Connect Discovery, and section 7.1 of draft-ietf-oauth-identity-assertion-authz-grant. */
function answerMetadata({ faults, issuer }: IdentityProvider): Answer {
  const body = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    scopes_supported: faults.idpScopesSupported,
    grant_types_supported: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
    token_endpoint_auth_methods_supported: [faults.idpAuthMethod],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    identity_chaining_requested_token_types_supported: [ID_JAG_TOKEN],
  };
  return { status: 200, body };
}

/** OpenID Connect Core section 3.1.2, for a person who is signed in already: redirects at once. */
function answerSignOn({ codes, issuer }: IdentityProvider, request: FaultyServerRequest): Answer {
  const { query } = request;
  const { redirect_uri: redirectUri = '', code_challenge: codeChallenge, nonce, state } = query;
  if (query['client_id'] !== IDP_CLIENT_ID) return { status: 400, body: 'unknown client_id' };
  if (!URL.canParse(redirectUri)) return { status: 400, body: 'redirect_uri is none' };
  const redirect = (parameters: Record<string, string>): Answer => {
    const url = new URL(redirectUri);
    const all = { ...parameters, ...(state === undefined ? {} : { state }), iss: issuer };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    return { status: 302, headers: { location: url.href } };
  };
  const scopes = words(query['scope']);
  if (request.repeated.length > 0 || query['response_type'] !== 'code') return redirect({ error: 'invalid_request' });
  if (codeChallenge === undefined || query['code_challenge_method'] !== 'S256') {
    return redirect({ error: 'invalid_request', error_description: 'PKCE with S256 is required' });
  }
  if (!scopes.includes('openid')) return redirect({ error: 'invalid_scope' });
  if (request.headers[DENY_HEADER] !== undefined) return redirect({ error: 'access_denied' });
  const code = newSecret('idp-code');
  codes.set(code, { redirectUri, codeChallenge, nonce, isOffline: scopes.includes('offline_access') });
  return redirect({ code });
}

type Form = Readonly<Record<string, string>>;

async function answerToken(provider: IdentityProvider, request: FaultyServerRequest): Promise<Answer> {
  const { form } = request;
  if (request.method !== 'POST' || form === undefined) return { status: 405 };
  if (request.repeated.length > 0) return oauthError(400, 'invalid_request', `repeated: ${request.repeated.join(' ')}`);
  if (!isClient(provider.faults, request)) return oauthError(401, 'invalid_client', 'The client is not known');
  switch (form['grant_type']) {
    case 'authorization_code':
      return answerCode(provider, form);
    case 'refresh_token':
      return answerRefresh(provider, form);
    case TOKEN_EXCHANGE:
      return answerTokenExchange(provider, form);
    default:
      return oauthError(400, 'unsupported_grant_type', 'see the metadata');
  }
}

/** RFC 6749 section 2.3, with the one method of `faults.idpAuthMethod`. */
function isClient({ idpAuthMethod }: Faults, { form = {}, headers }: FaultyServerRequest): boolean {
  const basic = `Basic ${Buffer.from(`${IDP_CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`;
  if (idpAuthMethod === 'client_secret_basic') {
    return headers.authorization === basic && form['client_secret'] === undefined;
  }
  const secret = idpAuthMethod === 'none' ? undefined : CLIENT_SECRET;
  return headers.authorization === undefined && form['client_id'] === IDP_CLIENT_ID && form['client_secret'] === secret;
}

async function answerCode(provider: IdentityProvider, form: Form): Promise<Answer> {
  const value = form['code'] ?? '';
  const signOn = provider.codes.get(value);
  provider.codes.delete(value);
  const challenge = createHash('sha256')
    .update(form['code_verifier'] ?? '')
    .digest('base64url');
  if (signOn?.codeChallenge !== challenge || signOn.redirectUri !== form['redirect_uri']) {
    return oauthError(400, 'invalid_grant', 'the code is not good');
  }
  const refreshToken = signOn.isOffline ? newSecret('idp-rt') : undefined;
  if (refreshToken !== undefined) provider.refreshTokens.add(refreshToken);
  return identityAnswer(provider, signOn.nonce, refreshToken);
}

async function answerRefresh(provider: IdentityProvider, form: Form): Promise<Answer> {
  const isGood = provider.refreshTokens.has(form['refresh_token'] ?? '');
  if (!isGood || provider.faults.idpRefuses === 'invalid_grant') {
    return oauthError(400, 'invalid_grant', 'the session is over');
  }
  if (!provider.faults.idpRotate) return identityAnswer(provider, undefined, undefined);
  provider.refreshTokens.delete(form['refresh_token'] ?? '');
  const next = newSecret('idp-rt');
  provider.refreshTokens.add(next);
  return identityAnswer(provider, undefined, next);
}

async function identityAnswer(
  provider: IdentityProvider,
  nonce: string | undefined,
  refreshToken: string | undefined,
): Promise<Answer> {
  const body = {
    access_token: newSecret('idp-at'),
    token_type: 'Bearer',
    expires_in: provider.faults.idTokenExpiresIn,
    id_token: await signIdToken(provider, { nonce }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
  return { status: 200, body, headers: { 'cache-control': 'no-store' } };
}

/** RFC 8693, and section 4.3 of draft-ietf-oauth-identity-assertion-authz-grant: an ID token for an ID-JAG. */
async function answerTokenExchange(provider: IdentityProvider, form: Form): Promise<Answer> {
  const { faults, issuer, publicKey } = provider;
  if (faults.idpRefuses !== undefined) return oauthError(400, faults.idpRefuses, 'No grant for this server');
  if (form['requested_token_type'] !== ID_JAG_TOKEN || form['subject_token_type'] !== ID_TOKEN) {
    return oauthError(400, 'invalid_request', 'only an ID token for an ID-JAG');
  }
  const { audience = '', resource, scope } = form;
  if (!provider.audiences().includes(audience)) return oauthError(400, 'invalid_target', 'the audience is not known');
  try {
    const now = new Date(faults.now());
    const checks = { issuer, audience: IDP_CLIENT_ID, typ: 'JWT', requiredClaims: ['exp'], currentDate: now };
    const { payload } = await jwtVerify(form['subject_token'] ?? '', publicKey, checks);
    const idJag = await signIdJag(provider, {
      aud: audience,
      sub: payload.sub ?? '',
      client_id: faults.idJagClientId ?? IDP_CLIENT_ID,
      ...(resource === undefined ? {} : { resource }),
      ...(scope === undefined ? {} : { scope }),
    });
    const body = {
      access_token: idJag,
      issued_token_type: ID_JAG_TOKEN,
      token_type: 'N_A',
      expires_in: ID_JAG_LIFE,
      ...(scope === undefined ? {} : { scope }),
    };
    return { status: 200, body, headers: { 'cache-control': 'no-store' } };
  } catch (error) {
    return oauthError(400, 'invalid_grant', error instanceof Error ? error.message : 'no JWT');
  }
}

async function signIdJag({ faults, issuer, privateKey }: IdentityProvider, claims: Form): Promise<string> {
  const seconds = Math.floor(faults.now() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: ID_JAG_TYPE })
    .setIssuer(issuer)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + ID_JAG_LIFE)
    .setJti(randomUUID())
    .sign(privateKey);
}
