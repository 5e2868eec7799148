import { createHash } from 'node:crypto';
import { oauthError, words, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { Faults, TokenBody } from './faults.ts';
import { newSecret, type GrantFamily, type Grants, type RegisteredClient } from './grants.ts';

/** RFC 6749 sections 4.1.3 and 6. */
export function answerToken(faults: Faults, grants: Grants, request: FaultyServerRequest): Answer {
  const form = request.form ?? {};
  if (request.method !== 'POST' || request.form === undefined) return { status: 405 };
  if (request.repeated.length > 0) return oauthError(400, 'invalid_request', `repeated: ${request.repeated.join(' ')}`);
  if (faults.tokenStatus >= 400) {
    const answer = oauthError(faults.tokenStatus, 'server_error', 'Try again later');
    const retryAfter = faults.retryAfter === undefined ? {} : { 'retry-after': faults.retryAfter };
    return { ...answer, headers: { ...answer.headers, ...retryAfter } };
  }
  const client = authenticate(grants, request);
  if (client === undefined || faults.invalidClient) return oauthError(401, 'invalid_client', 'The client is not known');
  if (faults.invalidGrant) return oauthError(400, 'invalid_grant', 'The grant is not good');
  switch (form['grant_type']) {
    case 'authorization_code':
      return answerCode(faults, grants, client, form);
    case 'refresh_token':
      return answerRefresh(faults, grants, client, form);
    default:
      return oauthError(400, 'unsupported_grant_type', 'authorization_code and refresh_token only');
  }
}

/** RFC 7009: a refresh token takes its family with it, an access token only itself. */
export function answerRevocation(faults: Faults, grants: Grants, request: FaultyServerRequest): Answer {
  if (faults.revocation === 'absent') return { status: 404 };
  if (faults.revocation === 'error') return oauthError(503, 'temporarily_unavailable', 'Try again later');
  const client = authenticate(grants, request);
  if (client === undefined) return oauthError(401, 'invalid_client', 'The client is not known');
  const value = request.form?.['token'] ?? '';
  const family = grants.refreshTokens.get(value)?.family;
  if (family?.clientId === client.id) family.isRevoked = true;
  const accessToken = grants.accessTokens.get(value);
  if (accessToken?.family.clientId === client.id) accessToken.isRevoked = true;
  return { status: 200 };
}

/** RFC 6749 section 2.3: the one method that the client was registered with, and no other. */
function authenticate(grants: Grants, request: FaultyServerRequest): RegisteredClient | undefined {
  const { form = {}, headers } = request;
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const [user, password] =
    basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':').map(formDecode);
  const client = grants.clients.get(user ?? form['client_id'] ?? '');
  if (client === undefined) return undefined;
  if (client.secretExpiresAt !== 0 && client.secretExpiresAt * 1000 <= Date.now()) return undefined;
  const used = { none: undefined, client_secret_basic: password, client_secret_post: form['client_secret'] };
  const isRight = Object.entries(used).every(([method, secret]) =>
    method === client.authMethod ? secret === client.secret : secret === undefined,
  );
  return isRight ? client : undefined;
}

/** RFC 6749 section 2.3.1: both halves of Basic are form-encoded. */
function formDecode(text: string): string {
  return new URLSearchParams(`v=${text}`).get('v') ?? '';
}

type Form = Readonly<Record<string, string>>;

function answerCode(faults: Faults, grants: Grants, client: RegisteredClient, form: Form): Answer {
  const value = form['code'] ?? '';
  const code = grants.codes.get(value);
  grants.codes.delete(value);
  if (code === undefined || code.family.clientId !== client.id) return oauthError(400, 'invalid_grant', 'unknown code');
  const challenge = createHash('sha256')
    .update(form['code_verifier'] ?? '')
    .digest('base64url');
  if (challenge !== code.codeChallenge) return oauthError(400, 'invalid_grant', 'the code_verifier is wrong');
  if (form['redirect_uri'] !== code.redirectUri) return oauthError(400, 'invalid_grant', 'the redirect_uri is another');
  return checkResource(faults, code.family, form) ?? issue(faults, grants, code.family, code.family.scopes, true);
}

function answerRefresh(faults: Faults, grants: Grants, client: RegisteredClient, form: Form): Answer {
  const refreshToken = grants.refreshTokens.get(form['refresh_token'] ?? '');
  if (refreshToken === undefined || refreshToken.family.clientId !== client.id || refreshToken.family.isRevoked) {
    return oauthError(400, 'invalid_grant', 'unknown refresh token');
  }
  const { family } = refreshToken;
  if (refreshToken.isUsed) {
    if (faults.strictRotation) family.isRevoked = true;
    return oauthError(400, 'invalid_grant', 'the refresh token was used before');
  }
  const refused = checkResource(faults, family, form);
  if (refused !== undefined) return refused;
  const sent = form['scope'] === undefined ? undefined : words(form['scope']);
  if (sent !== undefined && (faults.rejectScopeOnRefresh || sent.some((scope) => !family.scopes.includes(scope)))) {
    return oauthError(400, 'invalid_scope', 'the scope is more than was granted');
  }
  const isRotated = faults.rotate && !faults.emptyRefreshToken;
  refreshToken.isUsed = isRotated;
  const scopes = sent ?? (faults.dropScopesUnlessSent ? [] : family.scopes);
  return issue(faults, grants, family, scopes, isRotated);
}

/** RFC 8707 section 2.2: the resource of the authorization, or none. */
function checkResource(faults: Faults, family: GrantFamily, form: Form): Answer | undefined {
  const { resource } = form;
  if (resource === undefined || (!faults.rejectResource && resource === family.resource)) return undefined;
  return oauthError(400, 'invalid_target', 'the resource is another');
}

function issue(
  faults: Faults,
  grants: Grants,
  family: GrantFamily,
  scopes: readonly string[],
  isRotated: boolean,
): Answer {
  const accessToken = newSecret('at');
  const expiresAt = faults.expiresIn === undefined ? Infinity : Date.now() + faults.expiresIn * 1000;
  grants.accessTokens.set(accessToken, { family, scopes, expiresAt, isRevoked: false });
  const refreshToken = isRotated && !faults.noRefreshToken ? newSecret('rt') : undefined;
  if (refreshToken !== undefined) grants.refreshTokens.set(refreshToken, { family, isUsed: false });
  const body: TokenBody = {
    access_token: accessToken,
    token_type: 'Bearer',
    ...(faults.expiresIn === undefined ? {} : { expires_in: faults.expiresIn }),
    ...(faults.omitScope ? {} : { scope: faults.echoScope ?? scopes.join(' ') }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(faults.emptyRefreshToken && !isRotated ? { refresh_token: '' } : {}),
  };
  return {
    status: faults.tokenStatus,
    // The default is JSON; a string from the switch is sent as it is, and is still called JSON.
    body: faults.tokenBody === undefined ? body : faults.tokenBody(body),
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    drop: faults.dropTokenAnswer,
  };
}
