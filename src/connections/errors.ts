import { ScopekeeperError, type AnyOAuthError } from '../oauth/errors.ts';

/** Everything that can go wrong in keeping connections: the stable code and what it carries. */
export interface ConnectionErrorDetails {
  connection_unknown: { id: string };
  connection_exists: { name: string; serverUrl: string };
  /** The connection has no token that could be used or renewed. */
  sign_in_required: { id: string };
  /** The connection's kind needs something that the person has not entered yet. */
  credentials_missing: { missing: 'client' | 'assertion' | 'identity_provider' | 'access_token'; issuer?: string };
  /** The file with the workload's identity token cannot be read. */
  assertion_unreadable: { path: string; problem: string };
  /** A request for which a token was asked goes to another origin than the connection's server (P36). */
  foreign_origin: { url: string };
  /** Nobody came back from the browser in time; a device code, where it is offered, needs no browser of this machine. */
  authorization_timed_out: { timeoutMs: number; offersDeviceCode?: boolean };
  /** The keychain holds a secret for this connection but gives none: locked, or another session's. */
  keychain_locked: Record<string, never>;
  /** There is no keychain service to talk to. */
  keychain_unavailable: { problem: string };
  keychain_timeout: { operation: 'read' | 'write' | 'delete'; timeoutMs: number };
  /** The keychain refused the operation for another reason. */
  keychain_failed: { operation: 'read' | 'write' | 'delete'; problem: string };
  /** What the keychain holds for the connection is not what was stored. */
  secret_unreadable: { id: string };
  /** What the keychain holds for the connection was written by a newer version. */
  secret_too_new: { id: string; version: number };
  /** The newest secret of the connection is in the storage of another editor, or of another profile of it. */
  secret_elsewhere: { id: string };
  /** The public data could not be read or written (disk full, permissions, a broken file). */
  storage_failed: { operation: 'read' | 'write'; path: string; problem: string };
  /** A file of ours is there and is not what we write; it is left as it is. */
  storage_broken: { path: string; problem: string };
  /** A note of what an authorization server answered is not what we wrote; it was put aside in this folder. */
  journal_broken: { path: string };
  /** A part of the public data was not what we write: it is left out, and kept in the copy at `path`. */
  storage_salvaged: { path: string; lost: number };
  /** The public data were written by a newer version. */
  storage_too_new: { path: string; version: number };
  /** Another program holds the loopback port that this user's registrations name. */
  port_busy: { port: number };
  /** A fault of our own; `problem` is for the log. */
  unexpected: { problem: string };
  /** The window that keeps the connections ended while it was at what this one had asked for. */
  owner_gone: Record<string, never>;
  /** Another window runs a newer version of this extension, and this one has to be reloaded to talk to it. */
  window_outdated: Record<string, never>;
}

export type ConnectionErrorCode = keyof ConnectionErrorDetails;

/** A {@link ScopekeeperError} of `src/connections` and of the adapters behind its ports. */
export class ConnectionError<C extends ConnectionErrorCode = ConnectionErrorCode> extends ScopekeeperError {
  override readonly name = 'ConnectionError';
  readonly code: C;
  readonly details: ConnectionErrorDetails[C];

  constructor(code: C, details: ConnectionErrorDetails[C], options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}

export type AnyConnectionError = { [C in ConnectionErrorCode]: ConnectionError<C> }[ConnectionErrorCode];

/** Every error of this extension, as a union that narrows on `code`. */
export type AnyScopekeeperError = AnyOAuthError | AnyConnectionError;

/** Whether `error` is a {@link ConnectionError}; with `code`, of that very code. */
export function isConnectionError(error: unknown): error is AnyConnectionError;
export function isConnectionError<C extends ConnectionErrorCode>(error: unknown, code: C): error is ConnectionError<C>;
export function isConnectionError(error: unknown, code?: ConnectionErrorCode): boolean {
  return error instanceof ConnectionError && (code === undefined || error.code === code);
}

const KEYCHAIN_CODES = ['keychain_locked', 'keychain_unavailable', 'keychain_timeout', 'keychain_failed'] as const;

/** The keychain does not answer, or refuses: nothing is known of what it holds. */
export type KeychainError = ConnectionError<(typeof KEYCHAIN_CODES)[number]>;

export function isKeychainError(error: unknown): error is KeychainError {
  return KEYCHAIN_CODES.some((code) => isConnectionError(error, code));
}

/** What was thrown, as one of our errors. */
export function asScopekeeperError(error: unknown): ScopekeeperError {
  if (error instanceof ScopekeeperError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return new ConnectionError('unexpected', { problem }, { cause: error });
}

/** An error for the log: its code and details, which never hold a secret. */
export function describeError(error: unknown): string {
  const { code, details } = asScopekeeperError(error);
  return `${code} ${JSON.stringify(details)}`;
}
