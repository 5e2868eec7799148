/** Why a request got no HTTP answer at all; `proxy` is for all that goes wrong between us and a proxy. */
export type NetworkFailure = 'dns' | 'refused' | 'timeout' | 'tls' | 'reset' | 'proxy' | 'other';

/** One URL that was tried, and what came of it: an HTTP status, or the code of an error. */
export interface Attempt {
  readonly url: string;
  readonly outcome: number | string;
}

/**
 * Everything that can go wrong on the wire: the stable code and what it carries.
 * Texts from servers in here are untrusted; they are cut and stripped by {@link plainText} on entry.
 */
export interface OAuthErrorDetails {
  /** What the user typed is not a URL of an MCP server. */
  invalid_server_url: { input: string; problem: 'not_a_url' | 'scheme' | 'credentials' | 'fragment' };
  /** A URL that must be https (P20), or http to loopback, is neither. */
  insecure_url: { url: string; role: UrlRole };
  /** A URL leads to an address that this connection may not reach (P20). */
  address_refused: { url: string; address: string };
  /** `proxyStatus` is what a proxy answered instead of opening a way to the server. */
  server_unreachable: { url: string; failure: NetworkFailure; proxyStatus?: number };
  /** A file with certificate authorities is of no use; `from` tells who named it. */
  ca_file_unreadable: {
    path: string;
    problem: 'relative_path' | 'unreadable' | 'no_certificate';
    from: 'connection' | 'setting';
  };
  response_too_large: { url: string; limitBytes: number };
  redirect_refused: { url: string; location: string };
  /** The server answers without asking for authorization, so there is nothing to sign in to. */
  authorization_not_required: { url: string; status: number };
  /** What answers at the URL is no MCP server (a web page, a 404, a failure). */
  not_an_mcp_server: { url: string; status: number; contentType: string | null };
  /** RFC 9728 metadata is malformed. */
  resource_metadata_invalid: { url: string; problem: string };
  /** RFC 9728 metadata names another resource than the server's URL (P3). */
  resource_mismatch: { expected: string; actual: string };
  /** No document with the authorization server's metadata could be had (P4, P6). */
  authorization_server_not_found: { issuers: readonly string[]; tried: readonly Attempt[] };
  /** The server does not name the authorization server that the person chose, but these (P6, P11). */
  issuer_not_named: { issuer: string; issuers: readonly string[] };
  /** A metadata document names another issuer than the one it was fetched for (P5). */
  issuer_mismatch: { expected: string; actual: string };
  /** The authorization server does not say that it does PKCE with S256 (P13). */
  pkce_unsupported: { issuer: string };
  /** No registration endpoint, and no client was configured for this issuer (P8). */
  registration_unsupported: { issuer: string };
  /** The client, or the workload's identity token, that the person configured belongs to another issuer (P11). */
  client_issuer_mismatch: { issuer: string; configuredIssuer: string; of?: 'assertion' };
  /** The authorization server does not give tokens in this way (RFC 8414 `grant_types_supported`). */
  grant_unsupported: { issuer: string; grantType: string; supported: readonly string[] };
  /** What should be a private key is none, or one that the authorization server's algorithms do not fit. */
  signing_key_invalid: { problem: 'not_a_key' | 'not_pkcs8' | 'algorithm' };
  registration_refused: { issuer: string; status: number; error: string; description?: string };
  /** The authorization server no longer knows, or refuses, the client (P12); `isEntered` tells that it is the person's own. */
  client_rejected: { issuer: string; description?: string; isEntered?: true };
  authorization_denied: { issuer: string; description?: string };
  /** `scopes` is what was asked for, when that is what was refused. */
  authorization_failed: { issuer: string; error: string; description?: string; scopes?: readonly string[] };
  /** RFC 9207: the callback's `iss` is missing or another one (P17). */
  callback_issuer_mismatch: { issuer: string };
  /** A callback that was taken already (P16): its page was loaded again. */
  callback_repeated: Record<string, never>;
  /** A callback that belongs to no sign-in that is waiting (P16). */
  callback_state_unknown: Record<string, never>;
  /** RFC 8707 `invalid_target`: the authorization server does not take the `resource` parameter. */
  resource_rejected: { issuer: string; description?: string };
  /** The sign-in at the company's identity provider has ended; the person has to sign in there (SEP-990). */
  identity_ended: { issuer: string };
  /** RFC 8628: nobody entered the code in time. */
  device_code_expired: { issuer: string };
  /** The MCP server refuses a token that the person brought. */
  access_token_refused: { url: string; status: number };
  /**
   * RFC 6749 section 5.2 `invalid_grant`: the code or the refresh token is no longer good; or the identity token of a
   * workload, which the person pasted, or which its platform keeps in a file.
   */
  grant_rejected: { issuer: string; description?: string; of?: 'assertion' | 'assertion_file' };
  /** The token endpoint answered with an error other than the two above. */
  token_request_failed: {
    issuer: string;
    status: number;
    error?: string;
    description?: string;
    /** What was asked for at a sign-in, when that is what was refused. */
    scopes?: readonly string[];
    /** From `Retry-After`, in milliseconds. */
    retryAfterMs?: number;
  };
  /** The token endpoint's answer is no token response (P33). */
  token_response_invalid: { issuer: string; status: number; problem: string };
  revocation_failed: { issuer: string; status?: number };
}

/** What a URL was for, so that the message can say whose URL is at fault. */
export type UrlRole =
  | 'server'
  | 'resource_metadata'
  | 'authorization_server'
  | 'authorization_endpoint'
  | 'token_endpoint'
  | 'registration_endpoint'
  | 'device_authorization_endpoint'
  | 'revocation_endpoint';

export type OAuthErrorCode = keyof OAuthErrorDetails;

/** The base of every error this extension throws on purpose: matched by `code`, never by text. */
export abstract class ScopekeeperError extends Error {
  abstract readonly code: string;
  abstract readonly details: object;
}

/** A {@link ScopekeeperError} of `src/oauth`. */
export class OAuthError<C extends OAuthErrorCode = OAuthErrorCode> extends ScopekeeperError {
  override readonly name = 'OAuthError';
  readonly code: C;
  readonly details: OAuthErrorDetails[C];

  constructor(code: C, details: OAuthErrorDetails[C], options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}

/** All OAuth errors as a union that narrows on `code`. */
export type AnyOAuthError = { [C in OAuthErrorCode]: OAuthError<C> }[OAuthErrorCode];

/** Whether `error` is an {@link OAuthError}; with `code`, of that very code. */
export function isOAuthError(error: unknown): error is AnyOAuthError;
export function isOAuthError<C extends OAuthErrorCode>(error: unknown, code: C): error is OAuthError<C>;
export function isOAuthError(error: unknown, code?: OAuthErrorCode): boolean {
  return error instanceof OAuthError && (code === undefined || error.code === code);
}

/**
 * Makes text from a server fit to be shown or logged: one line, no control or bidirectional
 * formatting characters, at most `longest` characters. Gives undefined when nothing is left.
 */
export function plainText(text: unknown, longest = 200): string | undefined {
  if (typeof text !== 'string') return undefined;
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  if (line === '') return undefined;
  return shortened(line, longest);
}

/** A text of at most `longest` UTF-16 units: what is too long ends in `…`, in the place of no full stop or half character. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\s.,;:!?…\uD800-\uDBFF]+$/, '')}…`;
}
