import type { ActivityEntry } from './activity.ts';
import type { EnteredSecrets } from './configuration.ts';
import type { Connection, ConnectionId, ConnectionKind, SettingsChange } from './connection.ts';
import type { Disposable } from './ports.ts';
import type { AuthorizationTrace } from './trace.ts';

/** What became of a sign-in. Cancelling is a result; everything else that ends it throws. */
export type AuthorizationOutcome =
  | { readonly type: 'authorized'; readonly connection: Connection }
  | { readonly type: 'cancelled' };

/** What became of a callback in the browser; the page there is made from it. */
export type CallbackOutcome =
  | { readonly type: 'connected'; readonly connection: Connection }
  | { readonly type: 'failed'; readonly error: unknown };

/** What the person enters on another device, and where (RFC 8628 section 3.3). Texts from the server, fit to be shown. */
export interface DevicePrompt {
  readonly userCode: string;
  readonly verificationUri: string;
  /** With the code in it. The person still compares the code that is shown there (RFC 8628 section 3.3.1). */
  readonly verificationUriComplete?: string;
  /** When the code ends, in ms since the epoch. */
  readonly expiresAt: number;
}

export interface DisconnectOutcome {
  /** Whether the authorization server confirmed that the tokens are revoked (P35). */
  readonly revocation: 'revoked' | 'unsupported' | 'failed' | 'nothing_to_revoke';
}

export interface ConnectionChange {
  readonly type: 'added' | 'changed' | 'removed';
  readonly connection: Connection;
}

/**
 * What the user interface sees of the connections. The owner window's manager implements it, and so does
 * what a guest window has in its place (`src/owner`): nothing here passes a callback, or gives a token.
 * Methods throw `OAuthError` or `ConnectionError`, never anything else on purpose.
 */
export interface ConnectionService {
  /** In the order in which they were added. */
  readonly connections: readonly Connection[];
  get(id: ConnectionId): Connection | undefined;
  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable;
  activity(id: ConnectionId): readonly ActivityEntry[];

  /**
   * Adds a connection without touching the network.
   * @param serverUrl as the person typed it; throws `invalid_server_url` or `insecure_url`.
   * @param name defaults to one made from the URL; made unique by a number.
   * @param kind how it gets its tokens; by default the person signs in in the browser.
   */
  add(serverUrl: string, name?: string, kind?: ConnectionKind): Promise<Connection>;
  /**
   * Gets tokens in another way from now on, with what is set and entered for it as by {@link configure}: all of it or,
   * when that throws, nothing. A grant that there is ends as by {@link disconnect}, once the new document is stored.
   * What was registered, brought or signed in to for the old way is forgotten; a client of the person's own is not.
   * With the kind that there is already it only configures.
   */
  changeKind(id: ConnectionId, kind: ConnectionKind, change?: SettingsChange, entered?: EnteredSecrets): Promise<void>;
  /**
   * Asks the server which authorization server it names now (P1-P6), and signs in nowhere: what a person
   * enters for one is bound to it. Gives the issuer.
   * @param options.signal ends it with the signal's reason.
   * Throws what discovery throws.
   */
  discoverIssuer(id: ConnectionId, options?: { readonly signal?: AbortSignal }): Promise<string>;
  rename(id: ConnectionId, name: string): Promise<void>;
  /**
   * Disconnects and forgets the connection.
   * Throws what the keychain says when it does not give up the secret; the connection then stays.
   * @param options.leaveSecret forgets the connection all the same: its keychain was reset or cannot be opened.
   */
  remove(id: ConnectionId, options?: { readonly leaveSecret?: boolean }): Promise<DisconnectOutcome>;

  /**
   * Runs discovery, registration and authorization, and waits for the person in the browser.
   * While it runs, `state` is `authorizing`. The old grant stays usable until a new one replaces it.
   * A call while one is running joins it.
   * @param options.signal cancels; the outcome is then `cancelled`.
   * @param options.scopes asks for exactly these instead of the union (P23).
   */
  authorize(
    id: ConnectionId,
    options?: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] },
  ): Promise<AuthorizationOutcome>;
  /** Cancels a sign-in that runs, whichever window began it, and waits for its end. */
  cancelAuthorization(id: ConnectionId): Promise<void>;
  /** The URL that a sign-in of this connection waits for, for *Copy URL*. */
  authorizationUrl(id: ConnectionId): string | undefined;
  /** What a sign-in of this connection waits for to be entered, while its step is `waitingForDevice`. */
  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined;
  /**
   * The steps of the last sign-in, whatever came of it, or of the one that is running. Kept in memory only: undefined
   * when nobody signed in since the window began to keep the connections.
   */
  trace(id: ConnectionId): Promise<AuthorizationTrace | undefined>;
  /** Judges a callback URL: from the loopback route, or pasted. The outcome is also that of `authorize`. */
  handleCallback(url: URL): Promise<CallbackOutcome>;

  /**
   * Renews the access token now, since the person says so. Throws `sign_in_required` when there is no refresh token,
   * or why it failed: the last time, as long as the server does not want to be asked again (P32).
   */
  refresh(id: ConnectionId): Promise<Connection>;
  /**
   * Revokes the tokens at the authorization server and forgets them here (P35); registrations stay.
   * Throws what the keychain says when the tokens cannot be read; nothing has changed then.
   */
  disconnect(id: ConnectionId): Promise<DisconnectOutcome>;
  /**
   * Replaces settings of one connection; one that is given as undefined goes.
   * Throws `signing_key_invalid`, and what the keychain says; then nothing has changed.
   * @param entered what is secret of it.
   */
  configure(id: ConnectionId, change: SettingsChange, entered?: EnteredSecrets): Promise<void>;
  /** The person is back at this window: what waits for the keychain or a server is tried again, unless it just was. */
  noteFocus(): void;
}
