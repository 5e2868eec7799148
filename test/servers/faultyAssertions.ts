import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT, type CryptoKey } from 'jose';
import * as v from 'valibot';
import type { AuthorizationServer } from './authorizationServer.ts';
import { oauthError, words, type Answer } from './exchange.ts';
import { ID_JAG_TYPE } from './faultyIdentityProvider.ts';
import { expectedResource } from './faultyResource.ts';
import type { TokenRequest } from './faultyToken.ts';
import { issueTokens, otherResource, startFamily } from './issueTokens.ts';

/** RFC 7523 section 2.1. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const WORKLOAD_ISSUER = 'https://workload.example';

/** A workload platform that the authorization servers trust. */
export interface Workload {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

export async function createWorkload(): Promise<Workload> {
  return generateKeyPair('ES256');
}

/** What a workload's JWT says other than the usual. */
export interface WorkloadClaims {
  /** Other than the issuer of the authorization server. */
  readonly audience?: string;
  /** Other than 300; below 0 for one that is over. */
  readonly expiresInSeconds?: number;
  readonly subject?: string;
}

/** A JWT with which a workload says who it is. */
export async function signWorkloadAssertion(
  { privateKey }: Workload,
  now: number,
  { audience, expiresInSeconds, subject }: Required<WorkloadClaims>,
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setIssuer(WORKLOAD_ISSUER)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + expiresInSeconds)
    .setJti(randomUUID())
    .sign(privateKey);
}

/** What an assertion lets its bearer have. */
interface AssertedGrant {
  readonly resource?: string;
  readonly scope?: string;
}

/** The grant of RFC 7523: an access token, and no refresh token, for an assertion. */
export async function answerJwtBearer(
  server: AuthorizationServer,
  { client, form, jkt }: TokenRequest,
): Promise<Answer> {
  const { assertion } = form;
  if (assertion === undefined) return oauthError(400, 'invalid_request', 'there is no assertion');
  let asserted: AssertedGrant;
  try {
    const isIdJag = decodeProtectedHeader(assertion).typ === ID_JAG_TYPE;
    asserted = isIdJag ? await verifyIdJag(server, client.id, assertion) : await verifyWorkload(server, assertion);
  } catch (error) {
    return oauthError(400, 'invalid_grant', error instanceof Error ? error.message : 'no JWT');
  }
  const { resource = asserted.resource, scope = asserted.scope } = form;
  if (asserted.resource !== undefined && resource !== asserted.resource) return otherResource();
  const family = startFamily(server, client.id, {
    ...(resource === undefined ? {} : { resource }),
    ...(scope === undefined ? {} : { scope }),
  });
  if (family === undefined) return otherResource();
  // Only what was both asked for here and allowed by the identity provider (SEP-990, section 7.2.1).
  const allowed = asserted.scope === undefined ? family.scopes : words(asserted.scope);
  const scopes = family.scopes.filter((one) => allowed.includes(one));
  return issueTokens(server, { client, family: { ...family, scopes }, withRefreshToken: false, jkt });
}

/** RFC 7523 section 3. Throws when the assertion is not good. */
async function verifyWorkload(
  { faults, issuer, workload }: AuthorizationServer,
  assertion: string,
): Promise<AssertedGrant> {
  await jwtVerify(assertion, workload.publicKey, {
    issuer: WORKLOAD_ISSUER,
    // SEP-1933 names the token endpoint, deployments the issuer.
    audience: [issuer, `${issuer}/`, `${issuer}/token`],
    requiredClaims: ['sub', 'exp'],
    currentDate: new Date(faults.now()),
  });
  return {};
}

/** The claims of an ID-JAG that are more than those of a JWT. */
const idJag = v.object({
  jti: v.string(),
  client_id: v.string(),
  resource: v.optional(v.string()),
  scope: v.optional(v.string()),
});

/** draft-ietf-oauth-identity-assertion-authz-grant section 4.4.1; good once. Throws when it is not good. */
async function verifyIdJag(
  { faults, grants, issuer, identityProvider, mcpUrl }: AuthorizationServer,
  clientId: string,
  assertion: string,
): Promise<AssertedGrant> {
  const { payload } = await jwtVerify(assertion, identityProvider.publicKey, {
    typ: ID_JAG_TYPE,
    issuer: identityProvider.issuer,
    audience: issuer,
    requiredClaims: ['sub', 'exp', 'iat'],
    currentDate: new Date(faults.now()),
  });
  const { jti, client_id: forClient, resource, scope } = v.parse(idJag, payload);
  if (forClient !== clientId) throw new Error('the ID-JAG is for another client');
  if (resource !== undefined && resource !== expectedResource(faults, mcpUrl)) {
    throw new Error('the ID-JAG is for another resource');
  }
  if (grants.seenAssertions.has(jti)) throw new Error('the ID-JAG was seen before');
  grants.seenAssertions.add(jti);
  return { ...(resource === undefined ? {} : { resource }), ...(scope === undefined ? {} : { scope }) };
}
