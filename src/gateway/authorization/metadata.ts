import type { ScopeRules } from './scopeRules.ts';
import type { ServedResource, ServedResources } from './servedResources.ts';

export const PATHS = {
  metadata: '/.well-known/oauth-authorization-server',
  resourceMetadata: '/.well-known/oauth-protected-resource',
  register: '/oauth/register',
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  revoke: '/oauth/revoke',
} as const;

/** The grant types of every client, as metadata and registration say it (P38). */
export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const;

/**
 * The metadata of the authorization server (RFC 8414). There is no OpenID configuration: it would have to promise ID
 * tokens, and every MCP client asks for this one first.
 */
export function serverMetadata(origin: string, { supported }: ScopeRules): object {
  return {
    issuer: origin,
    authorization_endpoint: origin + PATHS.authorize,
    token_endpoint: origin + PATHS.token,
    registration_endpoint: origin + PATHS.register,
    revocation_endpoint: origin + PATHS.revoke,
    scopes_supported: supported,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: GRANT_TYPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
  };
}

/** The metadata of a connection as a protected resource (RFC 9728). */
export function resourceMetadata(origin: string, slug: string, { initial }: ScopeRules): object {
  return {
    resource: resourceUrl(origin, slug),
    authorization_servers: [origin],
    scopes_supported: initial,
    bearer_methods_supported: ['header'],
  };
}

/** Where a connection's metadata are, for the challenge of a 401 (RFC 9728 section 5.1). */
export function resourceMetadataUrl(origin: string, slug: string): string {
  return `${origin}${PATHS.resourceMetadata}/${slug}/mcp`;
}

/** The slug in the path of a connection's metadata; undefined for another path. */
export function slugOfMetadataPath(path: string): string | undefined {
  return /^\/\.well-known\/oauth-protected-resource\/([^/]+)\/mcp$/.exec(path)?.[1];
}

/** The URL of a connection at the gateway: what a token is bound to (RFC 8707). */
export function resourceUrl(origin: string, slug: string): string {
  return `${origin}/${slug}/mcp`;
}

export function connectionBySlug({ connections }: ServedResources, slug: string): ServedResource | undefined {
  return connections.find((connection) => connection.slug === slug);
}

/** The connection that a `resource` names; undefined when it is none of ours. */
export function connectionByResource(
  { connections }: ServedResources,
  origin: string,
  resource: string,
): ServedResource | undefined {
  return connections.find(({ slug }) => resourceUrl(origin, slug) === resource);
}
