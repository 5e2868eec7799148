/**
 * How far a connection may reach, decided by the host the user typed (P20).
 * - `public`: only public addresses; private and loopback ones are refused.
 * - `private`: public and private addresses; loopback is refused.
 * - `loopback`: everything, and plain http to loopback hosts.
 */
export type Reach = 'public' | 'private' | 'loopback';

export interface FetchRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Cancels the request; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Gives the answer as soon as its headers are there, without its body, which may be an endless stream;
   * `unless_error` reads that of an error (status 400 and up).
   */
  readonly headersOnly?: boolean | 'unless_error';
  /** Path of a PEM file with more certificate authorities to trust for this request. */
  readonly caFile?: string | undefined;
  readonly reach: Reach;
}

/**
 * The only way `src/oauth` and `src/connections` talk to the network.
 * The answer's body is already bounded (256 KiB) and read in full; redirects of a GET
 * without credentials are followed after checking each hop, others are returned as they are.
 * Throws `OAuthError` with code `server_unreachable`, `address_refused`, `insecure_url`,
 * `response_too_large`, `redirect_refused` or `ca_file_unreadable`.
 */
export type Fetch = (url: string, request: FetchRequest) => Promise<Response>;
