import { authorizationCodeGrant, refreshTokenGrant, type TokenEndpointResponse } from 'openid-client';
import type { PendingAuthorization } from './authorization.ts';
import type { Client } from './client.ts';
import { OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { formatScopes, type ScopeSet } from './scopeSet.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { withEndpoint } from './tokenEndpoint.ts';
import { accountOf } from './tokenResponse.ts';

/** A token endpoint's good answer (RFC 6749 section 5.1). Holds secrets. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** As the server wrote it; undefined when it left it out (P26). */
  readonly scope?: string;
  readonly expiresInSeconds?: number;
  /** From an ID token, for display only. */
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
  const { authorizationServer, client, reach, resource } = pending;
  requireCallbackIssuer(callback, authorizationServer);
  // A pasted or forwarded URL may name another host; what was registered and sent is what counts.
  const currentUrl = new URL(pending.redirectUri);
  currentUrl.search = callback.search;
  const { result, idToken } = await withEndpoint(fetch, authorizationServer, client, reach, async (configuration) =>
    authorizationCodeGrant(
      configuration,
      currentUrl,
      { pkceCodeVerifier: pending.codeVerifier, expectedState: pending.state },
      resource === undefined ? {} : { resource },
    ),
  );
  return tokenAnswer(result, idToken);
}

export interface RefreshOptions {
  readonly authorizationServer: AuthorizationServerMetadata;
  readonly client: Client;
  readonly refreshToken: string;
  /** Undefined leaves `scope` out; that is the last resort (P27). */
  readonly scopes: ScopeSet | undefined;
  readonly resource: string | undefined;
  readonly reach: Reach;
}

/**
 * Sends one refresh request with `scope` and `resource` (RFC 6749 section 6; P14, P27, seed 000).
 * Throws what {@link withEndpoint} throws.
 */
export async function refreshTokens(fetch: Fetch, options: RefreshOptions): Promise<TokenAnswer> {
  const { authorizationServer, client, reach, resource } = options;
  const scope = formatScopes(options.scopes ?? []);
  const { result, idToken } = await withEndpoint(fetch, authorizationServer, client, reach, async (configuration) =>
    refreshTokenGrant(configuration, options.refreshToken, {
      ...(scope !== undefined && { scope }),
      ...(resource !== undefined && { resource }),
    }),
  );
  return tokenAnswer(result, idToken);
}

function tokenAnswer(response: TokenEndpointResponse, idToken: string | undefined): TokenAnswer {
  const account = accountOf(idToken);
  return {
    accessToken: response.access_token,
    ...(response.refresh_token !== undefined && { refreshToken: response.refresh_token }),
    ...(response.scope !== undefined && { scope: response.scope }),
    ...(response.expires_in !== undefined && { expiresInSeconds: response.expires_in }),
    ...(account !== undefined && { account }),
  };
}
