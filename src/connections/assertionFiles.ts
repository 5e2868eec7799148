import { isOAuthError, type ScopekeeperError } from '../oauth/errors.ts';
import type { ConnectionId } from './connection.ts';
import { isConnectionError } from './errors.ts';
import type { Clock, ReadAssertion } from './ports.ts';
import { retryDueAt } from './refreshSchedule.ts';

/** A file is looked at again this often at least, while what is in it is of no use. That asks nobody else. */
const LOOK_AGAIN_MS = 30_000;

interface Refusal {
  readonly assertion: string;
  readonly error: ScopekeeperError;
  /** Until when the same one is not sent again. */
  readonly until: number;
}

/**
 * The files with identity tokens of workloads, which their platform replaces: in time, or late. A token that was
 * refused is not sent again before its back-off is over (P32); but its file is looked at, and the next one is sent.
 */
export class AssertionFiles {
  readonly #readAssertion: ReadAssertion;
  readonly #clock: Clock;
  /** What was read last. Secret. */
  readonly #read = new Map<ConnectionId, string>();
  readonly #refusals = new Map<ConnectionId, Refusal>();

  constructor({ clock, readAssertion }: { readonly clock: Clock; readonly readAssertion: ReadAssertion }) {
    this.#clock = clock;
    this.#readAssertion = readAssertion;
  }

  /** Reads for one connection. Throws `assertion_unreadable`, and a refusal again while it is waited out. */
  readerFor(id: ConnectionId): ReadAssertion {
    return async (path) => {
      const assertion = await this.#readAssertion(path);
      const refusal = this.#refusals.get(id);
      const now = this.#clock.now();
      if (refusal?.assertion === assertion && retryDueAt(refusal.until, now) > now) throw refusal.error;
      this.#read.set(id, assertion);
      return assertion;
    };
  }

  /** When to look at the file again after an error that {@link readerFor} threw again; undefined for a new one. */
  lookAgainAt(id: ConnectionId, error: ScopekeeperError): number | undefined {
    const refusal = this.#refusals.get(id);
    return refusal?.error === error ? this.#soon(refusal.until) : undefined;
  }

  /** Notes why a renewal failed, and until when it is not worth another try. Gives when to look at the file again. */
  note(id: ConnectionId, error: ScopekeeperError, until: number): number {
    const assertion = this.#read.get(id);
    if (isOAuthError(error, 'grant_rejected') && error.details.of === 'assertion_file' && assertion !== undefined) {
      this.#refusals.set(id, { assertion, error, until });
      return this.#soon(until);
    }
    return isConnectionError(error, 'assertion_unreadable') ? this.#soon(until) : until;
  }

  /** Forgets refusals: what is there is sent. */
  forget(id: ConnectionId): void {
    this.#read.delete(id);
    this.#refusals.delete(id);
  }

  #soon(at: number): number {
    return Math.min(at, this.#clock.now() + LOOK_AGAIN_MS);
  }
}
