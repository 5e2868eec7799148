import type { ScopekeeperError } from '../oauth/errors.ts';
import type { ScopeDemand } from './scopeDemand.ts';

export type ConnectionId = string;

/**
 * How the connection gets its tokens.
 * - `authorization_code`: the person signs in in the browser (RFC 6749 section 4.1).
 * - `device_code`: the person enters a code on another device (RFC 8628).
 * - `client_credentials`: a client of the person's own, with a secret or a key (RFC 6749 section 4.4, SEP-1046).
 * - `workload_identity`: the identity token of the workload that this runs in (RFC 7523, SEP-1933).
 * - `enterprise_managed`: the person's sign-in at the company's identity provider (SEP-990).
 * - `static_token`: a token that the person brings.
 */
export const CONNECTION_KINDS = [
  'authorization_code',
  'device_code',
  'client_credentials',
  'workload_identity',
  'enterprise_managed',
  'static_token',
] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

/** What the authorization server gave, without the tokens themselves. Instants are ms since the epoch. */
export interface Grant {
  /** The scopes of the last authorization; what a refresh asks for (P27). */
  readonly authorized: readonly string[];
  /** The scopes the token has now (P26). */
  readonly granted: readonly string[];
  /** When the access token ends; undefined when the server did not say. */
  readonly expiresAt?: number;
  /** Whether it can be renewed without the person: by a refresh token, or by asking again. */
  readonly refreshable: boolean;
  /** When it was last authorized. */
  readonly issuedAt: number;
  readonly refreshedAt?: number;
  /** Counts every stored token answer of the connection, from 1. */
  readonly generation: number;
}

export type AuthorizationStep = 'discovering' | 'registering' | 'waitingForBrowser' | 'waitingForDevice' | 'exchanging';

export type SignInReason =
  /** The authorization server said `invalid_grant`. */
  | 'grant_rejected'
  /** The authorization server no longer knows the client. */
  | 'client_rejected'
  /** The token ended and there is no refresh token. */
  | 'expired'
  /** The server refuses the token. */
  | 'token_rejected'
  /** The secret is not on this machine. */
  | 'secret_missing'
  /** What the keychain holds for it is not what was stored; the bytes are kept. */
  | 'secret_unreadable'
  /** What proves the client belongs to another authorization server than the one that the server now names. */
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
  /** Scopes to ask for whatever the servers name: for one that refuses what it names itself. */
  readonly fixedScopes?: readonly string[];
  /** A client that was registered by hand, for this issuer (P8). Its secret is in the keychain. */
  readonly client?: { readonly issuer: string; readonly clientId: string };
  /** Which of several authorization servers to sign in at (P6). */
  readonly issuer?: string;
  /** Where the browser comes back to (P18); the loopback port unless set. */
  readonly redirect?: 'loopback' | 'uri_handler';
  /** Whether tokens are bound to a key of ours (RFC 9449); as the server wishes unless set. */
  readonly dpop?: 'always' | 'never';
  /** Where the workload's identity token lies; read anew each time, since it is short-lived. */
  readonly assertionFile?: string;
  /** The authorization server that the workload's identity token was entered for; that of `client` unless set (P11). */
  readonly assertionIssuer?: string;
  /** The company's identity provider, and the client that it knows us as. Its secret is in the keychain. */
  readonly identityProvider?: { readonly issuer: string; readonly clientId: string };
  /** Path of a PEM file with more certificate authorities to trust, for all of this connection's requests. */
  readonly caFile?: string;
}

/** What is to be set anew; what is undefined goes back to the way of the rules. */
export type SettingsChange = { readonly [N in keyof ConnectionSettings]?: ConnectionSettings[N] | undefined };

/** One managed connection. Holds no secret. Immutable: the manager replaces it whole. */
export interface Connection {
  readonly id: ConnectionId;
  readonly name: string;
  /** Its segment in the gateway's URLs; it never changes. */
  readonly slug: string;
  /** The canonical URL of the MCP server (P14). */
  readonly serverUrl: string;
  readonly kind: ConnectionKind;
  /** The RFC 9728 `resource` when it is another than `serverUrl`: a same-origin path prefix (P3). */
  readonly resource?: string;
  readonly issuer?: string;
  /** The authorization servers that the server names, when there is a choice (P6). */
  readonly issuers?: readonly string[];
  /** Who signed in, as the ID token says; for display only. */
  readonly account?: string;
  /** Everything ever asked for (P21). */
  readonly requested: readonly string[];
  /** What the server last demanded (P21). */
  readonly challenged: readonly string[];
  /** What the person left out when choosing (P23): not asked for again because a server names all its scopes each time. */
  readonly declined?: readonly string[];
  /** Why scopes are asked for that were not granted when they were demanded, the newest last. */
  readonly demands?: readonly ScopeDemand[];
  /** What the metadata of the server and of its authorization server list; undefined until they were read. */
  readonly scopesSupported?: readonly string[];
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
