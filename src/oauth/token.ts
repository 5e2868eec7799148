import {
  authorizationCodeGrant,
  clientCredentialsGrant,
  genericGrantRequest,
  refreshTokenGrant,
  type TokenEndpointResponse,
} from 'openid-client';
import type { PendingAuthorization } from './authorization.ts';
import { OAuthError } from './errors.ts';
import type { Fetch } from './fetchPort.ts';
import { formatScopes, type ScopeSet } from './scopeSet.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { type EndpointResult, type EndpointTarget, withEndpoint } from './tokenEndpoint.ts';
import { accountOf } from './tokenResponse.ts';

/** The assertion grant of RFC 7523 section 2.1. */
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** A token endpoint's good answer (RFC 6749 section 5.1). Holds secrets. */
export interface TokenAnswer {
  readonly accessToken: string;
  /** How the token is sent: `dpop` when it is bound to our key (RFC 9449 section 5). */
  readonly tokenType: 'bearer' | 'dpop';
  readonly refreshToken?: string;
  /** As the server wrote it; undefined when it left it out (P26). */
  readonly scope?: string;
  readonly expiresInSeconds?: number;
  readonly idToken?: string;
  /** From the ID token, for display only. */
  readonly account?: string;
}

/**
 * Refuses a callback from another issuer (RFC 9207, P17): `iss` is compared as a string; one that was
 * promised must be there; a repeated one is refused. Throws `callback_issuer_mismatch`.
 */
export function requireCallbackIssuer(callback: URL, metadata: AuthorizationServerMetadata): void {
  const issuers = callback.searchParams.getAll('iss');
  const isPromised = metadata.authorization_response_iss_parameter_supported === true;
  if (issuers.length === 0 && !isPromised) return;
  if (issuers.length !== 1 || issuers[0] !== metadata.issuer) {
    throw new OAuthError('callback_issuer_mismatch', { issuer: metadata.issuer });
  }
}

/**
 * Judges a callback and exchanges its code (RFC 6749 section 4.1.3, RFC 9207): `iss`, `state` and
 * `error` first (P16, P17), then the token request with verifier and `resource` (P14).
 * @param callback the callback URL; only its query is looked at.
 * Throws `callback_issuer_mismatch` and what {@link withEndpoint} throws.
 */
export async function exchangeCode(fetch: Fetch, pending: PendingAuthorization, callback: URL): Promise<TokenAnswer> {
  const { authorizationServer, resource } = pending;
  requireCallbackIssuer(callback, authorizationServer);
  // A pasted or forwarded URL may name another host; what was registered and sent is what counts.
  const currentUrl = new URL(pending.redirectUri);
  currentUrl.search = callback.search;
  const exchanged = await withEndpoint(fetch, pending, async (configuration) =>
    authorizationCodeGrant(
      configuration,
      currentUrl,
      { pkceCodeVerifier: pending.codeVerifier, expectedState: pending.state },
      resource === undefined ? {} : { resource },
    ),
  );
  return tokenAnswer(exchanged);
}

export interface TokenRequest extends EndpointTarget {
  /** Undefined or empty leaves `scope` out. */
  readonly scopes: ScopeSet | undefined;
  readonly resource: string | undefined;
}

/**
 * Sends one refresh request with `scope` and `resource` (RFC 6749 section 6; P14, P27, seed 000).
 * Throws what {@link withEndpoint} throws.
 */
export async function refreshTokens(
  fetch: Fetch,
  options: TokenRequest & { readonly refreshToken: string },
): Promise<TokenAnswer> {
  const refreshed = await withEndpoint(fetch, options, async (configuration) =>
    refreshTokenGrant(configuration, options.refreshToken, scopeAndResource(options)),
  );
  return tokenAnswer(refreshed);
}

/**
 * Asks for a token as the client itself, without a person (RFC 6749 section 4.4, SEP-1046).
 * Throws what {@link withEndpoint} throws.
 */
export async function requestClientCredentials(fetch: Fetch, options: TokenRequest): Promise<TokenAnswer> {
  const answered = await withEndpoint(fetch, options, async (configuration) =>
    clientCredentialsGrant(configuration, scopeAndResource(options)),
  );
  return tokenAnswer(answered);
}

/**
 * Asks for a token with somebody else's word for who asks (RFC 7523 section 2.1): a workload's identity token
 * (SEP-1933), or an identity provider's ID-JAG (SEP-990). Sent once: what is refused is not tried in another way.
 * Throws what {@link withEndpoint} throws.
 */
export async function requestWithAssertion(
  fetch: Fetch,
  options: TokenRequest & { readonly assertion: string },
): Promise<TokenAnswer> {
  const answered = await withEndpoint(fetch, options, async (configuration) =>
    genericGrantRequest(configuration, JWT_BEARER_GRANT, {
      assertion: options.assertion,
      ...scopeAndResource(options),
    }),
  );
  return tokenAnswer(answered);
}

/** The parameters that say what a token is for, each left out when there is nothing to say (P14, P15). */
export function scopeAndResource({
  scopes,
  resource,
}: Pick<TokenRequest, 'scopes' | 'resource'>): Record<string, string> {
  const scope = formatScopes(scopes ?? []);
  return { ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }) };
}

export function tokenAnswer({ result, idToken }: EndpointResult<TokenEndpointResponse>): TokenAnswer {
  const account = accountOf(idToken);
  return {
    accessToken: result.access_token,
    tokenType: result.token_type === 'dpop' ? 'dpop' : 'bearer',
    ...(result.refresh_token !== undefined && { refreshToken: result.refresh_token }),
    ...(result.scope !== undefined && { scope: result.scope }),
    ...(result.expires_in !== undefined && { expiresInSeconds: result.expires_in }),
    ...(idToken !== undefined && { idToken }),
    ...(account !== undefined && { account }),
  };
}
