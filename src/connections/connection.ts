import type { ScopekeeperError } from '../oauth/errors.ts';

export type ConnectionId = string;

/** How the connection gets its tokens. */
export type ConnectionKind = 'authorization_code';

/** What the authorization server gave, without the tokens themselves. Instants are ms since the epoch. */
export interface Grant {
  /** The scopes of the last authorization; what a refresh asks for (P27). */
  readonly authorized: readonly string[];
  /** The scopes the token has now (P26). */
  readonly granted: readonly string[];
  /** When the access token ends; undefined when the server did not say. */
  readonly expiresAt?: number;
  /** Whether there is a refresh token. */
  readonly refreshable: boolean;
  /** When the person last authorized. */
  readonly issuedAt: number;
  readonly refreshedAt?: number;
  /** Counts every stored token answer of the connection, from 1. */
  readonly generation: number;
}

export type AuthorizationStep = 'discovering' | 'registering' | 'waitingForBrowser' | 'exchanging';

export type SignInReason =
  /** The authorization server said `invalid_grant`. */
  | 'grant_rejected'
  /** The authorization server no longer knows the client. */
  | 'client_rejected'
  /** The token ended and there is no refresh token. */
  | 'expired'
  /** The server refuses the token. */
  | 'token_rejected'
  /** The secret is not on this machine, or what is there cannot be read. */
  | 'secret_missing'
  /** The server now names another authorization server. */
  | 'issuer_changed';

export type ConnectionState =
  | { readonly type: 'disconnected' }
  | { readonly type: 'authorizing'; readonly step: AuthorizationStep; readonly grant?: Grant }
  | { readonly type: 'ready'; readonly grant: Grant }
  | { readonly type: 'refreshing'; readonly grant: Grant }
  | { readonly type: 'needsConsent'; readonly grant: Grant; readonly missing: readonly string[] }
  | { readonly type: 'needsSignIn'; readonly reason: SignInReason; readonly since: number }
  | { readonly type: 'unreachable'; readonly grant: Grant; readonly error: ScopekeeperError; readonly retryAt: number };

/** What a person may set for one connection. */
export interface ConnectionSettings {
  /** Go on with a server that does not say it does PKCE S256 (P13). */
  readonly allowUnadvertisedPkce?: boolean;
  /** Leave `resource` out of every request (P14). */
  readonly omitResource?: boolean;
  /** Scopes to ask for when neither challenge nor metadata name any (P15). */
  readonly scopes?: readonly string[];
  /** A client that was registered by hand, for this issuer (P8). Its secret is in the keychain. */
  readonly client?: { readonly issuer: string; readonly clientId: string };
}

/** One managed connection. Holds no secret. Immutable: the manager replaces it whole. */
export interface Connection {
  readonly id: ConnectionId;
  readonly name: string;
  /** The canonical URL of the MCP server (P14). */
  readonly serverUrl: string;
  readonly kind: ConnectionKind;
  /** The RFC 9728 `resource` when it is another than `serverUrl`: a same-origin path prefix (P3). */
  readonly resource?: string;
  readonly issuer?: string;
  /** Who signed in, as the ID token says; for display only. */
  readonly account?: string;
  /** Everything ever asked for (P21). */
  readonly requested: readonly string[];
  /** What the server last demanded (P21). */
  readonly challenged: readonly string[];
  /** Learnt `resource_metadata` URL (P2). */
  readonly resourceMetadataUrl?: string;
  readonly settings: ConnectionSettings;
  readonly state: ConnectionState;
  /** The error of the last attempt, until one succeeds. */
  readonly lastError?: ScopekeeperError;
}

/** The grant that is usable now or was last usable, whatever is going on. */
export function currentGrant(connection: Connection): Grant | undefined {
  const { state } = connection;
  return 'grant' in state ? state.grant : undefined;
}
