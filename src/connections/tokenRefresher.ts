import { isOAuthError } from '../oauth/errors.ts';
import type { Fetch } from '../oauth/fetchPort.ts';
import type { ScopeSet } from '../oauth/scopeSet.ts';
import { refreshTokens, type TokenAnswer, type TokenRequest } from '../oauth/token.ts';
import type { Dpop, DpopNonces } from '../oauth/dpop.ts';
import type { Connection, Grant } from './connection.ts';
import type { ConnectionSecret, IssuedTokens, StoredCredentials, StoredTokens } from './connectionSecret.ts';
import { ConnectionError } from './errors.ts';
import { fetchOf } from './fetchOf.ts';
import type { UnattendedPorts } from './flows/flow.ts';
import { unattendedGrant } from './flows/unattended.ts';
import { type RefreshScope, refreshAttempts } from './grant.ts';

export interface RefreshPorts extends UnattendedPorts {
  readonly nonces: DpopNonces;
}

export interface RefreshResult {
  readonly answer: TokenAnswer;
  /** The form of `scope` that the server took, to begin with next time (P27); undefined when none was refreshed. */
  readonly refreshScope?: RefreshScope;
}

/** What tokens are renewed with. */
export interface Renewal {
  readonly connection: Connection;
  readonly secret: ConnectionSecret;
  readonly tokens: IssuedTokens;
  readonly grant: Grant;
  /** As in a sign-in: stores what a later step may lose. */
  readonly keepCredentials: (credentials: StoredCredentials) => Promise<void>;
}

/** Whether tokens can be renewed without the person: by their refresh token, or by asking again. */
export function isRenewable(tokens: StoredTokens | undefined, connection: Connection): boolean {
  return tokens?.refreshToken !== undefined || unattendedGrant(connection.kind) !== undefined;
}

/**
 * Renews stored tokens: by their refresh token, else in the unattended way of the connection's kind. Stores nothing.
 * Throws what {@link refreshStored} and the grants throw.
 */
export async function renewStored(allPorts: RefreshPorts, renewal: Renewal): Promise<RefreshResult> {
  const { connection, grant, keepCredentials, secret, tokens } = renewal;
  const ports = { ...allPorts, fetch: fetchOf(allPorts.fetch, connection.settings) };
  const { refreshToken } = tokens;
  const reach = await ports.resolveReach(connection.serverUrl);
  const target = { ...tokens, resource: tokens.resource, reach, dpop: dpopOf(tokens, ports.nonces) };
  if (refreshToken !== undefined) {
    return refreshStored(ports.fetch, { ...target, refreshToken }, grant.authorized, connection.requested);
  }
  const ask = unattendedGrant(connection.kind);
  if (ask === undefined) throw new ConnectionError('sign_in_required', { id: connection.id });
  const scopes = connection.requested;
  return { answer: await ask(ports, { ...target, connection, secret, keepCredentials, scopes }) };
}

/** What requests with these tokens prove possession of. */
function dpopOf({ dpopKey: key }: StoredTokens, nonces: DpopNonces): Dpop | undefined {
  return key === undefined ? undefined : { key, nonces };
}

/**
 * Refreshes stored tokens: what was authorized is asked for again, and on `invalid_scope` the other
 * forms are tried in turn (P27). Stores nothing.
 * @param authorized the scopes of the last authorization.
 * @param requested everything asked for in this connection.
 * Throws `grant_rejected` only when the server said `invalid_grant` for this very token (P32), else what
 * {@link refreshTokens} throws.
 */
async function refreshStored(
  fetch: Fetch,
  tokens: Omit<TokenRequest, 'scopes'> & Pick<StoredTokens, 'refreshScope'> & { readonly refreshToken: string },
  authorized: ScopeSet,
  requested: ScopeSet,
): Promise<RefreshResult> {
  const attempts = refreshAttempts(authorized, requested, tokens.refreshScope);
  for (const [index, { kind, scopes }] of attempts.entries()) {
    try {
      return { answer: await refreshTokens(fetch, { ...tokens, scopes }), refreshScope: kind };
    } catch (error) {
      const isScopeRefused = isOAuthError(error, 'token_request_failed') && error.details.error === 'invalid_scope';
      if (!isScopeRefused || index === attempts.length - 1) throw error;
    }
  }
  throw new Error('refreshAttempts gives at least one attempt');
}

/** The stored document after a renewal: the refresh token is kept when the answer has none (P28). */
export function renewedSecret(secret: ConnectionSecret, tokens: StoredTokens, result: RefreshResult): ConnectionSecret {
  const { accessToken, refreshToken } = result.answer;
  return {
    ...secret,
    generation: secret.generation + 1,
    tokens: {
      ...tokens,
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(result.refreshScope !== undefined && { refreshScope: result.refreshScope }),
    },
  };
}
