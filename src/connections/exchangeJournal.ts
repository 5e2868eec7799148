import type { FetchRequest } from '../oauth/fetchPort.ts';
import type { ConnectionId } from './connection.ts';

/** Longer than a request may take, with the time to write its answer: after it nobody waits for a sender. */
export const EXCHANGE_MS = 15_000;

/** What an exchange is about: one refresh token of one stored document. */
export interface ExchangeKey {
  readonly connectionId: ConnectionId;
  /** The generation in which the document that has the token took its last answer. */
  readonly generation: number;
  readonly refreshToken: string;
}

/** A token endpoint's answer as it came, before anybody judged it. Holds secrets. */
export interface JournaledAnswer {
  readonly status: number;
  /** Those that are looked at when the answer is judged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds since the epoch: from when on `expires_in` counts. */
  readonly answeredAt: number;
}

/** What is known of an exchange. */
export type Exchange =
  /** `generation` is the one that it was sent in: as in the key, or a later one that was never stored. */
  | { readonly type: 'answered'; readonly generation: number; readonly answer: JournaledAnswer }
  /** It was sent, and no answer is there. `isUnderWay` while its sender lives and may still get one. */
  | { readonly type: 'sent'; readonly isUnderWay: boolean };

/**
 * What was sent and what was answered, on disk, so that neither a crash nor a keychain that refuses to store
 * loses a rotated refresh token (P31). It is sealed with a key from the keychain.
 * What writes throws `storage_failed`, or the keychain's error when there is no key.
 */
export interface ExchangeJournal {
  /** Has ready what it needs of the keychain, while that gives it. Never rejects: what fails shows when it is needed. */
  prepare(): Promise<void>;
  /**
   * What is known of an exchange in this or a later generation; undefined for nothing.
   * Throws `journal_broken` for an entry that nobody can read, which is then out of the way; the keychain's
   * error for one that may be read when the keychain is; `storage_failed`.
   */
  find(key: ExchangeKey): Promise<Exchange | undefined>;
  /** Notes that the token is about to be sent. When it returns, that is on disk. */
  begin(key: ExchangeKey, deadlineAt: number): Promise<void>;
  /** Keeps an answer. When it returns, that is on disk. */
  record(key: ExchangeKey, answer: JournaledAnswer): Promise<void>;
  /** Notes that nothing more will come of what was sent. */
  end(key: ExchangeKey): Promise<void>;
  /** Puts an answer of no use out of the way: it is not found again. The last one of a connection is kept for repair. */
  setAside(key: ExchangeKey): Promise<void>;
  /** Drops the entries of a connection that were sent before generation `below`; all of them without it. */
  forget(connectionId: ConnectionId, below?: number): Promise<void>;
}

/**
 * Sends a refresh from where it goes on though this process ends, with the notes in the journal: who sends, until
 * when, and a good answer. `isRecorded` tells whether the journal took that.
 * Gives undefined when nothing was sent, and it has to be sent in the usual way.
 * Throws `server_unreachable` when the outcome is not known.
 */
export type OutlivingFetch = (
  exchange: ExchangeKey,
  url: string,
  request: FetchRequest,
) => Promise<{ readonly response: Response; readonly isRecorded: boolean } | undefined>;
