import { randomBytes } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';

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
  /** The key it is bound to (RFC 9449 section 10). */
  readonly jkt: string | undefined;
}

export interface AccessToken {
  readonly family: GrantFamily;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The thumbprint of the key it is bound to (RFC 9449 section 6). */
  readonly jkt: string | undefined;
  isRevoked: boolean;
}

export interface RefreshToken {
  readonly family: GrantFamily;
  /** The thumbprint of the key it is bound to; only those of public clients are (RFC 9449 section 5). */
  readonly jkt: string | undefined;
  isUsed: boolean;
}

/** A device code that waits for the person (RFC 8628). */
export interface DeviceAuthorization {
  readonly family: GrantFamily;
  readonly userCode: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  polls: number;
  state: 'undecided' | 'approved' | 'denied' | 'used';
}

/** What one server knows of the proofs it saw (RFC 9449). */
export interface ProofMemory {
  readonly seenIds: Set<string>;
  /** The one nonce that is good. */
  nonce: string;
}

export interface RegisteredClient {
  readonly id: string;
  readonly secret: string | undefined;
  /** Seconds since the epoch; 0 for never. */
  readonly secretExpiresAt: number;
  readonly authMethod: string;
  /** Its public keys, for `private_key_jwt`. */
  readonly jwks: JSONWebKeySet | undefined;
  readonly redirectUris: readonly string[];
  /** Undefined for any. */
  readonly grantTypes: readonly string[] | undefined;
  readonly registrationToken: string;
}

/** All that one authorization server remembers. */
export interface Grants {
  readonly clients: Map<string, RegisteredClient>;
  readonly codes: Map<string, AuthorizationCode>;
  readonly accessTokens: Map<string, AccessToken>;
  readonly refreshTokens: Map<string, RefreshToken>;
  /** By device code. */
  readonly devices: Map<string, DeviceAuthorization>;
  /** The `jti` of client assertions and ID-JAGs, which are good once. */
  readonly seenAssertions: Set<string>;
  readonly proofs: ProofMemory;
}

export function emptyGrants(): Grants {
  return {
    clients: new Map(),
    codes: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    devices: new Map(),
    seenAssertions: new Set(),
    proofs: emptyProofMemory(),
  };
}

export function emptyProofMemory(): ProofMemory {
  return { seenIds: new Set(), nonce: newSecret('nonce') };
}

/** Gives the token if it is known, not revoked and not ended at `now`, in milliseconds. */
export function goodAccessToken(grants: Grants, value: string, now: number): AccessToken | undefined {
  const token = grants.accessTokens.get(value);
  if (token === undefined || token.isRevoked || token.family.isRevoked) return undefined;
  return token.expiresAt > now ? token : undefined;
}

/** Whether an access token is good now, or a refresh token could be used once more. */
export function isActive(grants: Grants, token: string, now: number): boolean {
  const refreshToken = grants.refreshTokens.get(token);
  const isRefreshable = refreshToken !== undefined && !refreshToken.isUsed && !refreshToken.family.isRevoked;
  return isRefreshable || goodAccessToken(grants, token, now) !== undefined;
}

/** A new value nobody can guess, e.g. `rt-...`. */
export function newSecret(prefix: string): string {
  return `${prefix}-${randomBytes(24).toString('base64url')}`;
}
