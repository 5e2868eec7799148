import { isOAuthError } from '../oauth/errors.ts';
import type { Fetch } from '../oauth/fetchPort.ts';
import type { ScopeSet } from '../oauth/scopeSet.ts';
import { refreshTokens, type TokenAnswer } from '../oauth/token.ts';
import type { ConnectionSecret, StoredTokens } from './connectionSecret.ts';
import { type RefreshScope, refreshAttempts } from './grant.ts';
import type { ResolveReach } from './ports.ts';

export interface RefreshPorts {
  readonly fetch: Fetch;
  readonly resolveReach: ResolveReach;
}

export interface RefreshResult {
  readonly answer: TokenAnswer;
  /** The form of `scope` that the server took, to begin with next time (P27). */
  readonly refreshScope: RefreshScope;
}

/**
 * Refreshes stored tokens: what was authorized is asked for again, and on `invalid_scope` the other
 * forms are tried in turn (P27). Stores nothing.
 * @param authorized the scopes of the last authorization.
 * @param requested everything asked for in this connection.
 * Throws `grant_rejected` only when the server said `invalid_grant` for this very token (P32), else what
 * {@link refreshTokens} throws.
 */
export async function refreshStored(
  ports: RefreshPorts,
  serverUrl: string,
  tokens: StoredTokens & { readonly refreshToken: string },
  authorized: ScopeSet,
  requested: ScopeSet,
): Promise<RefreshResult> {
  const reach = await ports.resolveReach(serverUrl);
  const attempts = refreshAttempts(authorized, requested, tokens.refreshScope);
  for (const [index, { kind, scopes }] of attempts.entries()) {
    try {
      const answer = await refreshTokens(ports.fetch, {
        authorizationServer: tokens.authorizationServer,
        client: tokens.client,
        refreshToken: tokens.refreshToken,
        scopes,
        resource: tokens.resource,
        reach,
      });
      return { answer, refreshScope: kind };
    } catch (error) {
      const isScopeRefused = isOAuthError(error, 'token_request_failed') && error.details.error === 'invalid_scope';
      if (!isScopeRefused || index === attempts.length - 1) throw error;
    }
  }
  throw new Error('refreshAttempts gives at least one attempt');
}

/** The stored document after a refresh: the refresh token is kept when the answer has none (P28). */
export function refreshedSecret(
  secret: ConnectionSecret,
  tokens: StoredTokens,
  result: RefreshResult,
): ConnectionSecret {
  const { answer, refreshScope } = result;
  return {
    ...secret,
    generation: secret.generation + 1,
    tokens: {
      ...tokens,
      accessToken: answer.accessToken,
      ...(answer.refreshToken !== undefined && { refreshToken: answer.refreshToken }),
      refreshScope,
    },
  };
}
