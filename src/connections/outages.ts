import { isOAuthError, type NetworkFailure, type ScopekeeperError } from '../oauth/errors.ts';
import type { Connection, ConnectionId } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { isHidden } from './hiddenSecrets.ts';
import type { Clock, Random } from './ports.ts';
import { heededRetryAfterMs, retryDelayMs, retryDueAt } from './refreshSchedule.ts';

export interface OutagesParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly clock: Clock;
  readonly random: Random;
}

interface Outage {
  /** Failures in a row. */
  readonly failures: number;
  readonly lastTryAt: number;
  /** The server's `Retry-After` (P32): nothing brings the next try before it, nor does the person. */
  readonly notBefore: number;
  readonly error: ScopekeeperError;
}

/** What says that a connection may be reached again. */
export type Sign =
  /** The clock has jumped: the machine was asleep, and the network may be another one. */
  | 'wake'
  /** The person looks at the window. */
  | 'focus';

/** What a sign brings forward is spread over so long, so that not all connections are tried in one moment. */
const SPREAD_MS = 3000;
/** What was tried within this time is not tried again for the success of another. */
const FRESH_MS = 10_000;
/** At the window's focus what is due within this time, or was tried within it, is left to its own time. */
const SOON_MS = 30_000;

/** Failures that may be this machine's own network, and are over for all servers together. */
const SHARED_FAILURES: ReadonlySet<NetworkFailure> = new Set(['dns', 'timeout', 'reset', 'proxy', 'other']);

/**
 * When connections that cannot be reached are tried again (P32): with a growing delay, and sooner when there is a sign
 * that they can be. Only brings times forward; the scheduler does the trying, a few at once.
 */
export class Outages {
  readonly #parts: OutagesParts;
  readonly #outages = new Map<ConnectionId, Outage>();

  constructor(parts: OutagesParts) {
    this.#parts = parts;
  }

  /** Notes a failure. Gives when it is tried again, and whether it is the first in a row. */
  noteFailure(id: ConnectionId, error: ScopekeeperError): { readonly retryAt: number; readonly isFirst: boolean } {
    const { clock, random } = this.#parts;
    const now = clock.now();
    const failures = (this.#outages.get(id)?.failures ?? 0) + 1;
    const retryAfterMs = isOAuthError(error, 'token_request_failed') ? error.details.retryAfterMs : undefined;
    const notBefore = now + heededRetryAfterMs(retryAfterMs);
    this.#outages.set(id, { failures, lastTryAt: now, notBefore, error });
    return { retryAt: now + retryDelayMs(failures, random(), retryAfterMs), isFirst: failures === 1 };
  }

  /**
   * Notes that a connection's authorization server was reached: others there are tried soon, and when it could not
   * be reached before, all that are away for a cause that may have been the same.
   */
  noteSuccess(id: ConnectionId): void {
    const own = this.#outages.get(id);
    this.#outages.delete(id);
    const issuer = this.#parts.records.find(id)?.connection.issuer;
    const isNetworkBack = own !== undefined && isShared(own.error);
    for (const [connection, outage] of this.#away()) {
      const isSameServer = issuer !== undefined && connection.issuer === issuer;
      const isFresh = this.#parts.clock.now() - outage.lastTryAt < FRESH_MS;
      if (!isFresh && (isSameServer || (isNetworkBack && isShared(outage.error))))
        this.#bringForward(connection, outage);
    }
  }

  /** Tries what is away soon, for a sign that it may be there again. */
  noteSign(sign: Sign): void {
    const now = this.#parts.clock.now();
    for (const [connection, outage] of this.#away()) {
      const isLongAway = now - outage.lastTryAt >= SOON_MS && retryAtOf(connection) - now > SOON_MS;
      if (sign === 'focus' && !isLongAway) continue;
      // The first tries after a sleep may come before the network: they are not to wait for long.
      if (sign === 'wake') this.#outages.set(connection.id, { ...outage, failures: 0 });
      this.#bringForward(connection, outage);
    }
  }

  /** When the server of a connection that failed may be asked again at the earliest, whoever wishes it. */
  notBefore(id: ConnectionId): number {
    return this.#outages.get(id)?.notBefore ?? 0;
  }

  /** Forgets a connection that ended, or was signed in to anew. */
  forget(id: ConnectionId): void {
    this.#outages.delete(id);
  }

  #away(): readonly (readonly [Connection, Outage])[] {
    return this.#parts.records.list().flatMap(({ connection }) => {
      const outage = this.#outages.get(connection.id);
      const isAway = connection.state.type === 'unreachable' && !isHidden(connection);
      return outage !== undefined && isAway ? [[connection, outage] as const] : [];
    });
  }

  #bringForward(connection: Connection, { notBefore }: Outage): void {
    const { clock, random, states } = this.#parts;
    const { state } = connection;
    if (state.type !== 'unreachable') return;
    const now = clock.now();
    // A `Retry-After` from before a clock that was set back says nothing now.
    const retryAt = Math.max(retryDueAt(notBefore, now), now + random() * SPREAD_MS);
    if (retryAt < state.retryAt) states.set(connection.id, { ...state, retryAt });
  }
}

function isShared(error: ScopekeeperError): boolean {
  return isOAuthError(error, 'server_unreachable') && SHARED_FAILURES.has(error.details.failure);
}

function retryAtOf({ state }: Connection): number {
  return state.type === 'unreachable' ? state.retryAt : 0;
}
