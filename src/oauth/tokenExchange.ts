import { genericGrantRequest } from 'openid-client';
import { OAuthError } from './errors.ts';
import type { Fetch } from './fetchPort.ts';
import { scopeAndResource, type TokenRequest } from './token.ts';
import { withEndpoint } from './tokenEndpoint.ts';

const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';
const ID_JAG_TYPE = 'urn:ietf:params:oauth:token-type:id-jag';
const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * Exchanges an ID token at its identity provider for an identity assertion authorization grant (ID-JAG),
 * which the MCP server's authorization server then takes as an assertion (RFC 8693, SEP-990).
 * @param options the identity provider, and the client that it issued the ID token to.
 * @param options.audience the issuer of the MCP server's authorization server.
 * Throws `token_response_invalid` for another kind of token, and what {@link withEndpoint} throws.
 */
export async function requestIdJag(
  fetch: Fetch,
  options: TokenRequest & { readonly idToken: string; readonly audience: string },
): Promise<string> {
  const { result } = await withEndpoint(fetch, options, async (configuration) =>
    genericGrantRequest(configuration, TOKEN_EXCHANGE_GRANT, {
      requested_token_type: ID_JAG_TYPE,
      audience: options.audience,
      subject_token: options.idToken,
      subject_token_type: ID_TOKEN_TYPE,
      ...scopeAndResource(options),
    }),
  );
  if (result['issued_token_type'] !== undefined && result['issued_token_type'] !== ID_JAG_TYPE) {
    const { issuer } = options.authorizationServer;
    throw new OAuthError('token_response_invalid', { issuer, status: 200, problem: 'issued_token_type' });
  }
  return result.access_token;
}
