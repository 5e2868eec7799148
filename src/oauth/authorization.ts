import { buildAuthorizationUrl, calculatePKCECodeChallenge, randomPKCECodeVerifier, randomState } from 'openid-client';
import { checkEndpoint } from './addressPolicy.ts';
import type { Client } from './client.ts';
import type { Dpop } from './dpop.ts';
import { OAuthError } from './errors.ts';
import type { Reach } from './fetchPort.ts';
import { formatScopes, type ScopeSet } from './scopeSet.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { thumbprint } from './signingKey.ts';
import { configurationFor } from './tokenEndpoint.ts';

/** One authorization that waits for its callback: recorded together, used once (P16). Holds secrets. */
export interface PendingAuthorization {
  /** To open in the browser. */
  readonly url: string;
  readonly authorizationServer: AuthorizationServerMetadata;
  readonly client: Client;
  /** 256 random bits. */
  readonly state: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly scopes: ScopeSet;
  /** Undefined when this connection leaves it out (P14). */
  readonly resource: string | undefined;
  readonly reach: Reach;
  /** What the tokens will be bound to; undefined for bearer tokens. */
  readonly dpop: Dpop | undefined;
}

export interface AuthorizationOptions {
  readonly authorizationServer: AuthorizationServerMetadata;
  readonly client: Client;
  readonly redirectUri: string;
  readonly scopes: ScopeSet;
  readonly resource: string | undefined;
  readonly reach: Reach;
  readonly dpop?: Dpop | undefined;
}

/** Throws `pkce_unsupported` unless the metadata list S256 or the person allows it (P13). */
export function requirePkce(metadata: AuthorizationServerMetadata, allowUnadvertised: boolean): void {
  const isAdvertised = metadata.code_challenge_methods_supported?.includes('S256') === true;
  if (!isAdvertised && !allowUnadvertised) throw new OAuthError('pkce_unsupported', { issuer: metadata.issuer });
}

/**
 * Makes an authorization request with PKCE S256, `state` and `resource` (P13, P14, P16, P19), for a
 * server that {@link requirePkce} let pass. Throws `grant_unsupported`, `insecure_url`, `address_refused`.
 */
export async function prepareAuthorization(options: AuthorizationOptions): Promise<PendingAuthorization> {
  const { authorizationServer, client, redirectUri, scopes, resource, reach, dpop } = options;
  const { authorization_endpoint: endpoint, issuer, grant_types_supported: supported = [] } = authorizationServer;
  if (endpoint === undefined) {
    throw new OAuthError('grant_unsupported', { issuer, grantType: 'authorization_code', supported });
  }
  checkEndpoint(endpoint, 'authorization_endpoint', reach);
  const state = randomState();
  const codeVerifier = randomPKCECodeVerifier();
  const scope = formatScopes(scopes);
  const parameters: Record<string, string> = {
    response_type: 'code',
    redirect_uri: redirectUri,
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource }),
    // The code, too, is then good for nobody else (RFC 9449 section 10).
    ...(dpop !== undefined && { dpop_jkt: await thumbprint(dpop.key) }),
    // OpenID Connect Core section 11: offline access is given only with explicit consent.
    ...(scopes.includes('offline_access') && { prompt: 'consent' }),
  };
  const server = {
    ...authorizationServer,
    authorization_endpoint: withoutParameters(endpoint, parameters),
  };
  const configuration = await configurationFor({ authorizationServer: server, client, reach });
  const url = buildAuthorizationUrl(configuration, parameters).href;
  return { url, authorizationServer, client, state, codeVerifier, redirectUri, scopes, resource, reach, dpop };
}

/** An endpoint that keeps its own query (RFC 6749 section 3.1), but no fragment and no parameter that is sent once. */
function withoutParameters(endpoint: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(endpoint);
  url.hash = '';
  for (const name of ['client_id', ...Object.keys(parameters)]) url.searchParams.delete(name);
  return url.href;
}
