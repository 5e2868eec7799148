import type { Reach } from '../oauth/fetchPort.ts';
import type { StoredConnections } from './storedConnections.ts';

/** Stops what it was given for; may be called more than once. */
export interface Disposable {
  dispose(): void;
}

/**
 * One place that keeps small secret texts: the OS keychain, or the editor's secret storage.
 * Every method throws `ConnectionError` with code `keychain_locked`, `keychain_unavailable`,
 * `keychain_timeout` or `keychain_failed`.
 */
export interface SecretStore {
  /** What the store is called in a message, e.g. `keychain`. */
  readonly name: 'keychain' | 'editor';
  /** The text under `key`; undefined when there is none OR the store hides it (locked). */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** Succeeds too when there was nothing under `key`. */
  delete(key: string): Promise<void>;
}

/** The file with the public data. Only the owner window writes it. */
export interface ConnectionsFile {
  /** Undefined when there is no file yet. Throws `storage_failed` or `storage_too_new`. */
  read(): Promise<StoredConnections | undefined>;
  /** Atomic: a reader sees the old or the new document. Throws `storage_failed`. */
  write(document: StoredConnections): Promise<void>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once after `delayMs`, unless disposed; never keeps the process alive. */
  after(delayMs: number, callback: () => void): Disposable;
}

/** A number in [0, 1), for jitter only. */
export type Random = () => number;

/** Opens an authorization URL for the person. Gives false when it could not be opened. */
export type OpenBrowser = (url: string) => Promise<boolean>;

/** How far a connection to this server URL may reach, judged by the host the user typed (P20). */
export type ResolveReach = (serverUrl: string) => Promise<Reach>;

/**
 * Makes sure that callbacks can arrive, and says where.
 * Gives the redirect URI, stable for this user (P18a): on the loopback port, or one that the editor
 * itself receives (P18); without a kind the one that fits where the browser is. Throws `owner_gone` when the port was lost.
 */
export type PrepareRedirect = (kind: RedirectKind | undefined) => Promise<string>;

/** Where a sign-in comes back to (P18); what is pasted is that of the port. */
export type RedirectKind = 'loopback' | 'uri_handler';

/** What became of the port that the person set; the registrations and the clients' configurations name the old one. */
export type PortNews =
  | { readonly type: 'moved'; readonly from: number; readonly to: number }
  /** Another program has the port that is set, so the one that was used is used further. */
  | { readonly type: 'refused'; readonly wanted: number; readonly kept: number };

/** Reads a workload's identity token from its file. Throws `assertion_unreadable`. */
export type ReadAssertion = (path: string) => Promise<string>;

/** Where the manager writes what happens. No caller may pass a secret. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
