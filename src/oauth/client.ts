import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import type { ScopeSet } from './scopeSet.ts';
import type { SigningKey } from './signingKey.ts';

/** How a client proves who it is at the token endpoint (RFC 7591 section 2). */
export const TOKEN_ENDPOINT_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const;
export type TokenEndpointAuthMethod = (typeof TOKEN_ENDPOINT_AUTH_METHODS)[number];

/** An OAuth client of one issuer (P11). Holds a secret: it lives in the keychain only. */
export interface Client {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** What `private_key_jwt` signs with (RFC 7523). */
  readonly privateKey?: SigningKey;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly source: 'preregistered' | 'metadata_document' | 'registered';
  /** The redirect URIs it was registered with; undefined when the person registered it. */
  readonly redirectUris?: readonly string[];
  /** The scopes its registration is limited to; undefined when it is not. */
  readonly scopes?: ScopeSet;
  /** When the secret ends, in ms since the epoch; undefined when it does not. */
  readonly secretExpiresAt?: number;
  /** Where the registration can be deleted, where the server offers that (RFC 7592). */
  readonly management?: { readonly uri: string; readonly accessToken: string };
}

/**
 * Chooses how to authenticate (P10). A native app with PKCE needs no secret, so `none` comes first,
 * also when the server lists nothing.
 */
export function chooseAuthMethod(metadata: AuthorizationServerMetadata): TokenEndpointAuthMethod {
  const supported = metadata.token_endpoint_auth_methods_supported;
  if (supported === undefined) return 'none';
  return TOKEN_ENDPOINT_AUTH_METHODS.find((method) => supported.includes(method)) ?? 'none';
}

/**
 * Chooses how to use a secret that came without word of how: RFC 8414 makes `client_secret_basic`
 * the default of a server that lists nothing.
 */
export function chooseSecretAuthMethod(metadata: AuthorizationServerMetadata): TokenEndpointAuthMethod {
  const supported = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return (
    (['client_secret_basic', 'client_secret_post'] as const).find((method) => supported.includes(method)) ?? 'none'
  );
}

/** What a registration must be good for. */
export interface ClientNeeds {
  readonly issuer: string;
  /** Undefined for a grant without a browser. */
  readonly redirectUri: string | undefined;
  readonly scopes: ScopeSet;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Whether a stored client serves the next authorization: same issuer (P11), a redirect URI that was
 * registered (P18), a secret that has not ended (P12), and no limit on scopes that leaves one out.
 */
export function isClientUsable(client: Client, needs: ClientNeeds): boolean {
  return (
    client.issuer === needs.issuer &&
    (needs.redirectUri === undefined || (client.redirectUris?.includes(needs.redirectUri) ?? true)) &&
    (client.secretExpiresAt === undefined || client.secretExpiresAt > needs.now) &&
    needs.scopes.every((scope) => client.scopes?.includes(scope) ?? true)
  );
}
