import {
  difference,
  formatScopes,
  intersection,
  parseGrantedScopes,
  sameScopes,
  type ScopeSet,
} from '../oauth/scopeSet.ts';
import type { TokenAnswer } from '../oauth/token.ts';
import type { StoredTokens } from './connectionSecret.ts';
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
  const granted = answer.scope === undefined ? requested : parseGrantedScopes(answer.scope, requested);
  return {
    authorized: granted,
    granted,
    ...expiry(answer, now),
    refreshable: isRenewable,
    issuedAt: now,
    generation,
  };
}

/**
 * The grant after a refresh: what was authorized stays, so that a narrowing is shown but never sent
 * (P27); no `scope` means unchanged (P26).
 */
export function grantOfRefresh(grant: Grant, answer: TokenAnswer, now: number, generation: number): Grant {
  const granted = answer.scope === undefined ? grant.granted : parseGrantedScopes(answer.scope, grant.authorized);
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

/** Scopes of `expected` that were not granted. `offline_access` is seldom echoed: the refresh token shows it. */
export function missingScopes(expected: ScopeSet, granted: ScopeSet): ScopeSet {
  return difference(expected, granted).filter((scope) => scope !== 'offline_access');
}

export type RefreshScope = NonNullable<StoredTokens['refreshScope']>;

/** One form of a refresh request's `scope`. */
export interface RefreshAttempt {
  readonly kind: RefreshScope;
  readonly scopes: ScopeSet | undefined;
}

/**
 * The forms of `scope` to try in order (P27): what was authorized; the requested set when the server
 * echoes other spellings, or refuses the first; none as the last. What worked before comes first.
 */
export function refreshAttempts(
  authorized: ScopeSet,
  requested: ScopeSet,
  remembered: RefreshScope | undefined,
): readonly RefreshAttempt[] {
  const speaksOurSpelling = requested.length === 0 || intersection(authorized, requested).length > 0;
  const all: readonly RefreshAttempt[] = [
    ...(speaksOurSpelling && formatScopes(authorized) !== undefined
      ? [{ kind: 'authorized' as const, scopes: authorized }]
      : []),
    ...(requested.length > 0 && !(speaksOurSpelling && sameScopes(authorized, requested))
      ? [{ kind: 'requested' as const, scopes: requested }]
      : []),
    { kind: 'omitted', scopes: undefined },
  ];
  const start = all.findIndex((attempt) => attempt.kind === remembered);
  return start <= 0 ? all : all.slice(start);
}
