import type { ServerChallenge } from './challengePolicy.ts';
import type { ConnectionId } from './connection.ts';

/** What became of a server's challenge (P24, P25). */
export type ChallengeOutcome =
  /** It is not about the token: the answer is the caller's to pass on. */
  | { readonly type: 'pass' }
  /** The token is another one now: the request is to be sent once more. */
  | { readonly type: 'retry' }
  /** The person has to authorize, for these scopes among others; then the request is to be sent once more. */
  | { readonly type: 'authorize'; readonly scopes: readonly string[] }
  /** All that could be done was done, and the server challenges on: the request has failed. */
  | { readonly type: 'stop' };

/** A request to an MCP server that is about to be sent. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
}

/** What makes a request an authorized one (P36). Secret. */
export interface RequestAuthorization {
  readonly accessToken: string;
  /** `authorization`, and with a bound token the proof for this one request (RFC 9449 section 7.1). */
  readonly headers: { readonly authorization: string; readonly dpop?: string };
}

/**
 * What gives tokens, and hears what servers say of them. Only the window that keeps the connections has it;
 * it is never passed to another one.
 */
export interface TokenService {
  /**
   * A token that is good now, renewed first if it has ended.
   * Throws `sign_in_required`, or why it could not be renewed: the last time, until it is tried again by itself (P32).
   */
  accessToken(id: ConnectionId): Promise<string>;
  /**
   * The headers for one request to the connection's server, with a token as {@link accessToken} gives it.
   * Throws `foreign_origin` for a request to somewhere else, and what {@link accessToken} throws.
   */
  authorizeRequest(id: ConnectionId, request: OutgoingRequest): Promise<RequestAuthorization>;
  /** Takes the `DPoP-Nonce` header of any answer of an MCP server (RFC 9449 section 8.2). */
  noteDpopNonce(url: string, nonce: string): void;
  /**
   * Takes a 401 or 403 that a server gave to a request with our token: keeps what it demands, and renews
   * the token where that may help. Opens no browser. Throws why a renewal failed.
   */
  answerChallenge(id: ConnectionId, challenge: ServerChallenge): Promise<ChallengeOutcome>;
}
