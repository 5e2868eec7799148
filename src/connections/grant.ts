import { difference, parseGrantedScopes, type ScopeSet } from '../oauth/scopeSet.ts';
import type { TokenAnswer } from '../oauth/token.ts';
import type { Grant } from './connection.ts';

/**
 * The grant that an authorization gave (P26: no `scope` means as requested).
 * @param isRenewable whether it can be had again without the person.
 */
export function grantOfAuthorization(
  answer: TokenAnswer,
  requested: ScopeSet,
  isRenewable: boolean,
  now: number,
  generation: number,
): Grant {
  const granted = grantedAnew(requested, answer);
  return {
    authorized: granted,
    granted,
    ...expiry(answer, now),
    refreshable: isRenewable,
    issuedAt: now,
    generation,
  };
}

/** The scopes that a refresh's answer gives; no `scope` means as before (P26). */
export function grantedByRefresh(grant: Grant, { scope }: TokenAnswer): ScopeSet {
  return scope === undefined ? grant.granted : parseGrantedScopes(scope, grant.authorized);
}

/**
 * The grant after a refresh: what was authorized stays, so that a narrowing is shown but never sent
 * (P27); no `scope` means unchanged (P26).
 */
export function grantOfRefresh(grant: Grant, answer: TokenAnswer, now: number, generation: number): Grant {
  return renewedGrant(grant, grantedByRefresh(grant, answer), answer, now, generation);
}

/** The grant after tokens were asked for anew, without the person; no `scope` means as requested (P26). */
export function grantAskedAnew(
  grant: Grant,
  requested: ScopeSet,
  answer: TokenAnswer,
  now: number,
  generation: number,
): Grant {
  return renewedGrant(grant, grantedAnew(requested, answer), answer, now, generation);
}

function grantedAnew(requested: ScopeSet, { scope }: TokenAnswer): ScopeSet {
  return scope === undefined ? requested : parseGrantedScopes(scope, requested);
}

function renewedGrant(grant: Grant, granted: ScopeSet, answer: TokenAnswer, now: number, generation: number): Grant {
  return {
    authorized: grant.authorized,
    granted,
    ...expiry(answer, now),
    refreshable: true,
    issuedAt: grant.issuedAt,
    refreshedAt: now,
    generation,
  };
}

function expiry(answer: TokenAnswer, now: number): { expiresAt?: number } {
  return answer.expiresInSeconds === undefined ? {} : { expiresAt: now + answer.expiresInSeconds * 1000 };
}

/** Scopes of `expected` that were not granted, as far as an answer can tell. */
export function missingScopes(expected: ScopeSet, granted: ScopeSet): ScopeSet {
  return difference(expected, granted).filter((scope) => !isSeldomEchoed(scope));
}

/**
 * Whether a scope that an answer does not name may be granted all the same: `offline_access` shows in the refresh
 * token, and Entra's `.default` stands for other scopes, which are named instead of it.
 */
export function isSeldomEchoed(scope: string): boolean {
  return scope === 'offline_access' || scope.endsWith('/.default');
}
