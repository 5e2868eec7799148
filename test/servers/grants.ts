import { randomBytes } from 'node:crypto';

/** What one authorization gave; its tokens end together. */
export interface GrantFamily {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
  isRevoked: boolean;
}

export interface AuthorizationCode {
  readonly family: GrantFamily;
  readonly redirectUri: string;
  readonly codeChallenge: string;
}

export interface AccessToken {
  readonly family: GrantFamily;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  isRevoked: boolean;
}

export interface RefreshToken {
  readonly family: GrantFamily;
  isUsed: boolean;
}

export interface RegisteredClient {
  readonly id: string;
  readonly secret: string | undefined;
  /** Seconds since the epoch; 0 for never. */
  readonly secretExpiresAt: number;
  readonly authMethod: string;
  readonly redirectUris: readonly string[];
  readonly registrationToken: string;
}

/** All that the faulty server remembers. */
export interface Grants {
  readonly clients: Map<string, RegisteredClient>;
  readonly codes: Map<string, AuthorizationCode>;
  readonly accessTokens: Map<string, AccessToken>;
  readonly refreshTokens: Map<string, RefreshToken>;
}

export function emptyGrants(): Grants {
  return { clients: new Map(), codes: new Map(), accessTokens: new Map(), refreshTokens: new Map() };
}

/** Gives the token if it is known, not revoked and not ended. */
export function goodAccessToken(grants: Grants, value: string): AccessToken | undefined {
  const token = grants.accessTokens.get(value);
  if (token === undefined || token.isRevoked || token.family.isRevoked) return undefined;
  return token.expiresAt > Date.now() ? token : undefined;
}

/** A new value nobody can guess, e.g. `rt-...`. */
export function newSecret(prefix: string): string {
  return `${prefix}-${randomBytes(24).toString('base64url')}`;
}
