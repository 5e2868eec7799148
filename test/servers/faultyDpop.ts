import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import type { AuthorizationServer } from './authorizationServer.ts';
import { oauthError, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { Faults } from './faults.ts';
import type { DpopSwitch } from './grantSwitches.ts';
import { newSecret, type AccessToken, type ProofMemory } from './grants.ts';

/** How long a proof is good after `iat`, in seconds. */
const PROOF_LIFE = 60;

type ProofError = 'invalid_dpop_proof' | 'use_dpop_nonce' | 'invalid_token';

/** What a proof proves, or why it does not. */
export type ProofVerdict = { readonly jkt: string } | { readonly error: ProofError; readonly reason: string };

interface ProofRequirements {
  readonly dpop: DpopSwitch;
  /** In milliseconds since the epoch. */
  readonly now: number;
  readonly memory: ProofMemory;
  readonly demandsNonce: boolean;
  /** The access token that the proof must name (RFC 9449 section 4.3, `ath`). */
  readonly accessToken?: string;
}

/** RFC 9449 section 4.3. Two `DPoP` headers reach us as one with a comma, which is no JWT. */
async function judgeProof(request: FaultyServerRequest, requirements: ProofRequirements): Promise<ProofVerdict> {
  const { dpop, now, memory, demandsNonce, accessToken } = requirements;
  try {
    const { payload, protectedHeader } = await jwtVerify(String(request.headers['dpop']), EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...dpop.algs],
      maxTokenAge: PROOF_LIFE,
      clockTolerance: 5,
      currentDate: new Date(now),
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    });
    const { jti = '', htm, htu, nonce, ath } = payload;
    if (htm !== request.method) return bad('htm is another method');
    if (typeof htu !== 'string' || withoutQuery(htu) !== withoutQuery(request.url)) return bad('htu is another URL');
    if (memory.seenIds.has(jti)) return bad('jti was seen before');
    memory.seenIds.add(jti);
    if (demandsNonce && nonce !== memory.nonce) return { error: 'use_dpop_nonce', reason: 'a nonce is demanded' };
    if (accessToken !== undefined && ath !== createHash('sha256').update(accessToken).digest('base64url')) {
      return bad('ath is of another token');
    }
    if (protectedHeader.jwk === undefined) return bad('there is no jwk');
    return { jkt: await calculateJwkThumbprint(protectedHeader.jwk) };
  } catch (error) {
    return bad(error instanceof Error ? error.message : 'no JWT');
  }
}

/** The proof of a token request (RFC 9449 section 5); undefined when there is none and none is needed. */
export async function judgeTokenProof(
  { faults, grants }: AuthorizationServer,
  request: FaultyServerRequest,
): Promise<ProofVerdict | undefined> {
  const { dpop } = faults;
  if (dpop === undefined) return undefined;
  if (request.headers['dpop'] === undefined) {
    return dpop.required ? { error: 'invalid_dpop_proof', reason: 'there is no proof' } : undefined;
  }
  if (dpop.refusesProofs === true) return bad('no proof is good enough');
  const demandsNonce = dpop.nonce === 'server' || dpop.nonce === 'both';
  return judgeProof(request, { dpop, now: faults.now(), memory: grants.proofs, demandsNonce });
}

/** The error of the token endpoint for a proof that is none; the nonce is added by {@link withNonce}. */
export function proofError(error: ProofError, reason: string): Answer {
  return oauthError(400, error, reason);
}

/** How a token is presented to the MCP server. */
export interface Presentation {
  /** In lower case. */
  readonly scheme: string;
  readonly value: string;
  readonly token: AccessToken;
}

/** RFC 9449 section 7: why a token that is good is not taken as it is presented; undefined when it is. */
export async function judgePresentation(
  faults: Faults,
  memory: ProofMemory,
  request: FaultyServerRequest,
  { scheme, value, token }: Presentation,
): Promise<ProofError | undefined> {
  const { dpop } = faults;
  if (dpop === undefined) return scheme === 'bearer' ? undefined : 'invalid_token';
  if (token.jkt === undefined) return scheme === 'bearer' && !dpop.required ? undefined : 'invalid_token';
  if (scheme !== 'dpop') return 'invalid_token';
  if (request.headers['dpop'] === undefined) return 'invalid_dpop_proof';
  const demandsNonce = dpop.nonce === 'resource' || dpop.nonce === 'both';
  const verdict = await judgeProof(request, { dpop, now: faults.now(), memory, demandsNonce, accessToken: value });
  if ('error' in verdict) return verdict.error;
  return verdict.jkt === token.jkt ? undefined : 'invalid_token';
}

/** RFC 9449 section 8: adds `DPoP-Nonce` where it is demanded or the next one is due. */
export function withNonce(faults: Faults, memory: ProofMemory, party: 'server' | 'resource', answer: Answer): Answer {
  const { nonce = 'none', rotateNonce = false } = faults.dpop ?? {};
  if (nonce !== 'both' && nonce !== party) return answer;
  if (rotateNonce) memory.nonce = newSecret('nonce');
  else if (answer.status < 400) return answer;
  return { ...answer, headers: { ...answer.headers, 'dpop-nonce': memory.nonce } };
}

function bad(reason: string): ProofVerdict {
  return { error: 'invalid_dpop_proof', reason };
}

function withoutQuery(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url === undefined ? text : url.origin + url.pathname;
}
