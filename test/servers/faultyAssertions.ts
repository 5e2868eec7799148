import { randomUUID } from 'node:crypto';
import { generateKeyPair, jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { AuthorizationServer } from './authorizationServer.ts';
import { oauthError, type Answer } from './exchange.ts';
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

/** The grant of RFC 7523: an access token, and no refresh token, for an assertion. */
export async function answerJwtBearer(
  server: AuthorizationServer,
  { client, form, jkt }: TokenRequest,
): Promise<Answer> {
  const { assertion } = form;
  if (assertion === undefined) return oauthError(400, 'invalid_request', 'there is no assertion');
  const payload = await verifyWorkload(server, assertion);
  if (typeof payload === 'string') return oauthError(400, 'invalid_grant', payload);
  const family = startFamily(server, client.id, form);
  if (family === undefined) return otherResource();
  return issueTokens(server, { client, family, withRefreshToken: false, jkt });
}

/** RFC 7523 section 3. Gives the claims, or what is wrong with the assertion. */
async function verifyWorkload(
  { faults, issuer, workload }: AuthorizationServer,
  assertion: string,
): Promise<JWTPayload | string> {
  try {
    const { payload } = await jwtVerify(assertion, workload.publicKey, {
      issuer: WORKLOAD_ISSUER,
      // SEP-1933 names the token endpoint, deployments the issuer.
      audience: [issuer, `${issuer}/`, `${issuer}/token`],
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(faults.now()),
    });
    return payload;
  } catch (error) {
    return error instanceof Error ? error.message : 'no JWT';
  }
}
