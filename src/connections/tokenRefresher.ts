import { isOAuthError } from '../oauth/errors.ts';
import type { Fetch } from '../oauth/fetchPort.ts';
import { refreshTokens, type TokenAnswer, type TokenRequest } from '../oauth/token.ts';
import type { Dpop, DpopNonces } from '../oauth/dpop.ts';
import type { Connection, Grant } from './connection.ts';
import type { ConnectionSecret, IssuedTokens, StoredTokens } from './connectionSecret.ts';
import { ConnectionError } from './errors.ts';
import { fetchOf } from './fetchOf.ts';
import type { UnattendedPorts, WithCredentials } from './flows/flow.ts';
import { unattendedGrant } from './flows/unattended.ts';
import { grantedByRefresh, missingScopes } from './grant.ts';
import {
  forgetRefused,
  isRememberedAttempt,
  nextRefreshAttempt,
  type RefreshAttempt,
  type RefreshMemory,
  type RefreshTarget,
  type Refusal,
  rememberAttempt,
} from './refreshAttempts.ts';

export interface RefreshPorts extends UnattendedPorts {
  readonly nonces: DpopNonces;
}

/** New tokens: from the refresh token, with what to begin with at this server next time (P27); or asked for anew. */
export type RefreshResult =
  | { readonly type: 'refreshed'; readonly answer: TokenAnswer; readonly memory: RefreshMemory }
  | { readonly type: 'asked_anew'; readonly answer: TokenAnswer };

/** What tokens are renewed with. */
export interface Renewal {
  readonly connection: Connection;
  readonly secret: ConnectionSecret;
  readonly tokens: IssuedTokens;
  readonly grant: Grant;
  /** What is known of this authorization server's refreshes (P27). */
  readonly memory: RefreshMemory;
  /** Called when what is known was refused, and nothing else worked either. */
  readonly onForgotten: (memory: RefreshMemory) => void;
  /** As in a sign-in. */
  readonly withCredentials: WithCredentials;
}

/** Whether tokens can be renewed without the person: by their refresh token, or by asking again. */
export function isRenewable(tokens: StoredTokens | undefined, connection: Connection): boolean {
  return tokens?.refreshToken !== undefined || unattendedGrant(connection.kind) !== undefined;
}

/**
 * Renews stored tokens: by their refresh token, else in the unattended way of the connection's kind, which also
 * follows when the refresh token has ended. Stores nothing.
 * Throws what {@link refreshStored} and the grants throw.
 */
export async function renewStored(allPorts: RefreshPorts, renewal: Renewal): Promise<RefreshResult> {
  const { connection, secret, tokens, withCredentials } = renewal;
  const ports = { ...allPorts, fetch: fetchOf(allPorts.fetch, connection.settings) };
  const { refreshToken } = tokens;
  const ask = unattendedGrant(connection.kind);
  const reach = await ports.resolveReach(connection.serverUrl);
  const resource = connection.settings.omitResource === true ? undefined : tokens.resource;
  const target = { ...tokens, resource, reach, dpop: dpopOf(tokens, ports.nonces) };
  if (refreshToken !== undefined) {
    try {
      return await refreshStored(ports.fetch, renewal, { ...target, refreshToken });
    } catch (error) {
      if (ask === undefined || !isOAuthError(error, 'grant_rejected')) throw error;
    }
  }
  if (ask === undefined) throw new ConnectionError('sign_in_required', { id: connection.id });
  const answer = await ask(ports, { ...target, connection, secret, withCredentials, scopes: connection.requested });
  return { type: 'asked_anew', answer };
}

/** What requests with these tokens prove possession of. */
function dpopOf({ dpopKey: key }: StoredTokens, nonces: DpopNonces): Dpop | undefined {
  return key === undefined ? undefined : { key, nonces };
}

/**
 * Refreshes stored tokens: what was authorized is asked for again, and other requests follow when the server does
 * not like that one's `scope` or `resource` (P27). Stores nothing.
 *
 * None of them can cost the refresh token: a server rotates it when it answers with a new one (RFC 6749 section
 * 6), and these were answered with an error, on a request that the server has not granted. One that used it up all
 * the same would say `invalid_grant` to the next request, and would have done so to the next renewal too.
 * Throws `grant_rejected` only when the server said `invalid_grant` for this very token (P32), else what
 * {@link refreshTokens} throws.
 */
async function refreshStored(
  fetch: Fetch,
  { connection, grant, memory, onForgotten }: Pick<Renewal, 'connection' | 'grant' | 'memory' | 'onForgotten'>,
  tokens: Omit<TokenRequest, 'scopes'> & { readonly refreshToken: string },
): Promise<RefreshResult> {
  const target: RefreshTarget = {
    authorized: grant.authorized,
    requested: connection.requested,
    resource: tokens.resource,
  };
  const refusals: Refusal[] = [];
  const next = (): RefreshAttempt | undefined => nextRefreshAttempt(target, memory, refusals);
  let failure: unknown;
  for (let attempt = next(); attempt !== undefined; attempt = next()) {
    try {
      const { scopes, resource } = attempt;
      const answer = await refreshTokens(fetch, { ...tokens, scopes, resource });
      const isLossy = missingScopes(grant.authorized, grantedByRefresh(grant, answer)).length > 0;
      return { type: 'refreshed', answer, memory: rememberAttempt(target, memory, refusals, attempt, isLossy) };
    } catch (error) {
      failure = error;
      const refusal = refusalOf(error, refusals.length === 0 && isRememberedAttempt(target, memory));
      if (refusal === undefined) break;
      refusals.push(refusal);
    }
  }
  if (refusals.length > 0) onForgotten(forgetRefused(memory, refusals));
  throw failure;
}

/**
 * What the server did not like; undefined when another request would not help.
 * @param isRemembered whether the request was one that is sent only because it worked before: then Entra's
 * AADSTS90009, an `invalid_request`, is about that too.
 */
function refusalOf(error: unknown, isRemembered: boolean): Refusal | undefined {
  if (isOAuthError(error, 'resource_rejected')) return 'resource';
  if (!isOAuthError(error, 'token_request_failed')) return undefined;
  if (error.details.error === 'invalid_scope') return 'scope';
  return isRemembered && error.details.error === 'invalid_request' ? 'request' : undefined;
}

/**
 * The stored document after a renewal: a refresh token that was good is kept when the answer has none (P28).
 * @param generation of the new document
 */
export function renewedSecret(
  secret: ConnectionSecret,
  tokens: StoredTokens,
  result: RefreshResult,
  generation: number,
): ConnectionSecret {
  // What was learnt is remembered with the issuer now; older versions kept it here.
  const { refreshToken: sent, keepsRefreshToken: _keeps, refreshScope: _scope, ...rest } = tokens;
  const kept = result.type === 'refreshed' ? sent : undefined;
  const { accessToken, refreshToken = kept, tokenType } = result.answer;
  return {
    ...secret,
    generation,
    answered: generation,
    tokens: {
      ...rest,
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(kept !== undefined && kept === refreshToken && { keepsRefreshToken: true }),
      ...(tokens.dpopKey !== undefined && { tokenType }),
    },
  };
}
