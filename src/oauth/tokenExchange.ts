import { genericGrantRequest } from 'openid-client';
import { OAuthError } from './errors.ts';
import type { Fetch } from './fetchPort.ts';
import { scopeAndResource, type TokenRequest } from './token.ts';
import { withEndpoint } from './tokenEndpoint.ts';
import { claimsOf } from './tokenResponse.ts';

const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token';
const ID_JAG_TYPE = 'urn:ietf:params:oauth:token-type:id-jag';
const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * Exchanges an ID token at its identity provider for an identity assertion authorization grant (ID-JAG),
 * which the MCP server's authorization server then takes as an assertion (RFC 8693, SEP-990).
 * @param options the identity provider, and the client that it issued the ID token to.
 * @param options.audience the issuer of the MCP server's authorization server.
 * Throws `token_response_invalid` for another kind of token, or one that is made out to somebody else, and what
 * {@link withEndpoint} throws.
 */
export async function requestIdJag(
  fetch: Fetch,
  options: TokenRequest & { readonly idToken: string; readonly audience: string },
): Promise<string> {
  const { audience, authorizationServer, idToken, resource } = options;
  const { result } = await withEndpoint(fetch, options, async (configuration) =>
    genericGrantRequest(configuration, TOKEN_EXCHANGE_GRANT, {
      requested_token_type: ID_JAG_TYPE,
      audience,
      subject_token: idToken,
      subject_token_type: ID_TOKEN_TYPE,
      ...scopeAndResource(options),
    }),
  );
  const problem = idJagProblem(result['issued_token_type'], claimsOf(result.access_token), audience, resource);
  if (problem === undefined) return result.access_token;
  throw new OAuthError('token_response_invalid', { issuer: authorizationServer.issuer, status: 200, problem });
}

/**
 * Why an answer is not the ID-JAG that was asked for. Whoever gets one can use it where it is made out to, so it
 * goes to nobody else; whether it is genuine is for that server to judge.
 */
function idJagProblem(
  type: unknown,
  claims: Readonly<Record<string, unknown>> | undefined,
  audience: string,
  resource: string | undefined,
): string | undefined {
  if (type !== undefined && type !== ID_JAG_TYPE) return 'issued_token_type';
  if (claims?.['aud'] !== undefined && !valuesOf(claims['aud']).includes(audience)) return 'aud';
  const forResources = valuesOf(claims?.['resource']);
  const isForOther = resource !== undefined && forResources.length > 0 && !forResources.includes(resource);
  return isForOther ? 'resource' : undefined;
}

/** A claim that may be one text or a list of them. */
function valuesOf(claim: unknown): readonly unknown[] {
  if (claim === undefined) return [];
  return Array.isArray(claim) ? claim : [claim];
}
