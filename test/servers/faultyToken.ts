import { createHash } from 'node:crypto';
import type { AuthorizationServer } from './authorizationServer.ts';
import { authenticateClient, isAnonymous } from './clientAuthentication.ts';
import { oauthError, webPage, words, type Answer, type FaultyServerRequest } from './exchange.ts';
import { answerJwtBearer, JWT_BEARER } from './faultyAssertions.ts';
import { answerDeviceCode, DEVICE_CODE } from './faultyDevice.ts';
import { judgeTokenProof, proofError, withNonce } from './faultyDpop.ts';
import { refuseAsEntra, refuseScopesAsEntra } from './faultyEntra.ts';
import type { Faults } from './faults.ts';
import type { RegisteredClient } from './grants.ts';
import { issueTokens, otherResource, scopeProblem, startFamily } from './issueTokens.ts';
import { NO_CLIENT } from './unregisteredClients.ts';

/** A token request whose client and proof are good. */
export interface TokenRequest {
  readonly client: RegisteredClient;
  readonly form: Readonly<Record<string, string>>;
  /** The thumbprint of the key of the proof, when there is one. */
  readonly jkt: string | undefined;
}

/** RFC 6749 section 3.2. */
export async function answerToken(server: AuthorizationServer, request: FaultyServerRequest): Promise<Answer> {
  const { faults, grants } = server;
  if (request.method !== 'POST' || request.form === undefined) return { status: 405 };
  if (request.repeated.length > 0) return oauthError(400, 'invalid_request', `repeated: ${request.repeated.join(' ')}`);
  const fault = tokenFault(faults, request.url);
  if (fault !== undefined) return fault;
  const { form } = request;
  const grantType = form['grant_type'] ?? '';
  const known = await authenticateClient(server, request);
  const client = known ?? (grantType === JWT_BEARER && isAnonymous(request) ? NO_CLIENT : undefined);
  if (client === undefined || faults.invalidClient) return oauthError(401, 'invalid_client', 'The client is not known');
  if (faults.invalidGrant) return oauthError(400, 'invalid_grant', 'The grant is not good');
  if (!offeredGrants(faults).includes(grantType)) {
    return oauthError(400, 'unsupported_grant_type', offeredGrants(faults).join(' '));
  }
  if (client.grantTypes?.includes(grantType) === false) {
    return oauthError(400, 'unauthorized_client', 'The client was not registered for this grant');
  }
  const proof = await judgeTokenProof(server, request);
  const isRefused = proof !== undefined && 'error' in proof;
  const answer = isRefused
    ? proofError(proof.error, proof.reason)
    : (refuseAsEntra(faults, client.id, form) ??
      (await answerGrant(server, grantType, { client, form, jkt: proof?.jkt })));
  return withNonce(faults, grants.proofs, 'server', answer);
}

/** The `grant_types_supported`. */
export function offeredGrants(faults: Faults): readonly string[] {
  return faults.device === undefined ? faults.grantTypes : [...faults.grantTypes, DEVICE_CODE];
}

/** RFC 7009: a refresh token takes its family with it, an access token only itself. */
export async function answerRevocation(server: AuthorizationServer, request: FaultyServerRequest): Promise<Answer> {
  const { faults, grants } = server;
  if (faults.revocation === 'absent') return { status: 404 };
  if (faults.revocation === 'error') return oauthError(503, 'temporarily_unavailable', 'Try again later');
  const client = await authenticateClient(server, request);
  if (client === undefined) return oauthError(401, 'invalid_client', 'The client is not known');
  const value = request.form?.['token'] ?? '';
  const family = grants.refreshTokens.get(value)?.family;
  if (family?.clientId === client.id) family.isRevoked = true;
  const accessToken = grants.accessTokens.get(value);
  if (accessToken?.family.clientId === client.id) accessToken.isRevoked = true;
  return { status: 200 };
}

/** What the switches answer before anything is looked at. */
function tokenFault(faults: Faults, url: string): Answer | undefined {
  if (faults.tokenRedirect !== undefined && faults.tokenRedirect.to !== url) {
    return { status: faults.tokenRedirect.status, headers: { location: faults.tokenRedirect.to } };
  }
  if (faults.tokenHtml) return webPage(200);
  if (faults.tokenStatus < 400 || faults.tokenFailures === 0) return undefined;
  if (faults.tokenFailures !== undefined) faults.tokenFailures--;
  const answer = oauthError(faults.tokenStatus, 'server_error', 'Try again later');
  const retryAfter = faults.retryAfter === undefined ? {} : { 'retry-after': faults.retryAfter };
  return { ...answer, headers: { ...answer.headers, ...retryAfter } };
}

async function answerGrant(server: AuthorizationServer, grantType: string, request: TokenRequest): Promise<Answer> {
  switch (grantType) {
    case 'authorization_code':
      return answerCode(server, request);
    case 'refresh_token':
      return answerRefresh(server, request);
    case 'client_credentials':
      return answerClientCredentials(server, request);
    case JWT_BEARER:
      return answerJwtBearer(server, request);
    case DEVICE_CODE:
      return answerDeviceCode(server, request);
    default:
      return oauthError(400, 'unsupported_grant_type', 'It is named in the metadata, and not known here');
  }
}

/** RFC 6749 section 4.1.3. */
function answerCode(server: AuthorizationServer, { client, form, jkt }: TokenRequest): Answer {
  const { grants } = server;
  const value = form['code'] ?? '';
  const code = grants.codes.get(value);
  grants.codes.delete(value);
  if (code === undefined || code.family.clientId !== client.id) return oauthError(400, 'invalid_grant', 'unknown code');
  const challenge = createHash('sha256')
    .update(form['code_verifier'] ?? '')
    .digest('base64url');
  if (challenge !== code.codeChallenge) return oauthError(400, 'invalid_grant', 'the code_verifier is wrong');
  if (form['redirect_uri'] !== code.redirectUri) return oauthError(400, 'invalid_grant', 'the redirect_uri is another');
  if (code.jkt !== undefined && code.jkt !== jkt) return oauthError(400, 'invalid_grant', 'the key is another');
  const { family } = code;
  if (isAnotherResource(server, family.resource, form)) return otherResource();
  return issueTokens(server, { client, family, withRefreshToken: true, jkt });
}

/** RFC 6749 section 6. */
function answerRefresh(server: AuthorizationServer, { client, form, jkt }: TokenRequest): Answer {
  const { faults, grants } = server;
  const refreshToken = grants.refreshTokens.get(form['refresh_token'] ?? '');
  if (refreshToken === undefined || refreshToken.family.clientId !== client.id || refreshToken.family.isRevoked) {
    return oauthError(400, 'invalid_grant', 'unknown refresh token');
  }
  const { family } = refreshToken;
  if (refreshToken.isUsed && !faults.graceOnReuse) {
    if (faults.strictRotation) family.isRevoked = true;
    return oauthError(400, 'invalid_grant', 'the refresh token was used before');
  }
  if (refreshToken.jkt !== undefined && refreshToken.jkt !== jkt) {
    return jkt === undefined
      ? proofError('invalid_dpop_proof', 'the refresh token is bound to a key')
      : oauthError(400, 'invalid_grant', 'the refresh token is bound to another key');
  }
  if (isAnotherResource(server, family.resource, form)) return otherResource();
  const sent = form['scope'] === undefined ? undefined : words(form['scope']);
  if (sent !== undefined && (faults.rejectScopeOnRefresh || sent.some((scope) => !family.scopes.includes(scope)))) {
    return refuseScopesAsEntra(faults, sent) ?? oauthError(400, 'invalid_scope', 'the scope is more than was granted');
  }
  const isRotated = faults.rotate && !faults.emptyRefreshToken;
  refreshToken.isUsed = isRotated;
  const scopes = sent ?? (faults.dropScopesUnlessSent ? [] : family.scopes);
  return issueTokens(server, { client, family, scopes, withRefreshToken: isRotated, jkt });
}

/** RFC 6749 section 4.4. */
function answerClientCredentials(server: AuthorizationServer, { client, form, jkt }: TokenRequest): Answer {
  if (client.authMethod === 'none') return oauthError(400, 'unauthorized_client', 'The client does not authenticate');
  const refusedScopes = scopeProblem(server.faults, form['scope']);
  if (refusedScopes !== undefined) return oauthError(400, 'invalid_scope', refusedScopes);
  const family = startFamily(server, client.id, form);
  if (family === undefined) return otherResource();
  return issueTokens(server, { client, family, withRefreshToken: false, jkt });
}

/** RFC 8707 section 2.2: the resource of the authorization, or none. */
function isAnotherResource(
  { faults }: AuthorizationServer,
  authorized: string | undefined,
  { resource }: TokenRequest['form'],
): boolean {
  return resource !== undefined && (faults.rejectResource || resource !== authorized);
}
