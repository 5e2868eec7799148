import { tokenRevocation } from 'openid-client';
import { isOAuthError, OAuthError } from './errors.ts';
import type { Fetch } from './fetchPort.ts';
import { type EndpointTarget, withEndpoint } from './tokenEndpoint.ts';

export interface RevocationOptions extends EndpointTarget {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/**
 * Revokes a grant's tokens (RFC 7009): the refresh token first, which takes the access tokens with
 * it where the server does that, then the access token (P35). The second is tried though the first fails.
 * Gives false when the server offers no revocation. Throws `revocation_failed`.
 */
export async function revokeTokens(fetch: Fetch, options: RevocationOptions): Promise<boolean> {
  const { authorizationServer, accessToken, refreshToken } = options;
  if (authorizationServer.revocation_endpoint === undefined) return false;
  const tokens = [
    ...(refreshToken === undefined ? [] : [{ token: refreshToken, token_type_hint: 'refresh_token' }]),
    { token: accessToken, token_type_hint: 'access_token' },
  ];
  let failure: OAuthError | undefined;
  for (const { token, token_type_hint } of tokens) {
    try {
      await withEndpoint(fetch, options, async (configuration) =>
        tokenRevocation(configuration, token, { token_type_hint }),
      );
    } catch (error) {
      if (!isOAuthError(error)) throw error;
      const { issuer } = authorizationServer;
      const status = error.code === 'token_request_failed' ? error.details.status : undefined;
      failure ??= new OAuthError('revocation_failed', { issuer, ...(status !== undefined && { status }) });
    }
  }
  if (failure !== undefined) throw failure;
  return true;
}
