import { type Connection, type ConnectionId, currentGrant } from './connection.ts';
import type { Clock, Disposable, Random } from './ports.ts';
import { LONGEST_WAIT_AWAY_MS, LONGEST_WAIT_MS, nextDueAt } from './refreshSchedule.ts';

export interface RefreshSchedulerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly connections: () => readonly Connection[];
  /** Hears that much more time has passed than the timer waited for: the machine was asleep, or the clock was set. */
  readonly onClockJump: () => void;
  /** Renews or expires one connection, and never rejects. */
  readonly renew: (id: ConnectionId) => Promise<void>;
}

/** So many connections are renewed at once; after a night's sleep all of them are due. */
const AT_ONCE = 4;

/** A timer that is later than this was not only kept waiting by a busy machine. */
const CLOCK_JUMP_MS = 15_000;

/** Renews connections when they are due (P34), with one timer for all of them. */
export class RefreshScheduler {
  readonly #options: RefreshSchedulerOptions;
  readonly #renewing = new Set<ConnectionId>();
  /** One jitter for each grant, so that its due time does not move with every look at it. */
  readonly #jitters = new Map<ConnectionId, { readonly generation: number; readonly jitter: number }>();
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: RefreshSchedulerOptions) {
    this.#options = options;
  }

  /** Looks at all connections anew: starts what is due and sets the timer for what is next. */
  reschedule(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    if (this.#isDisposed) return;
    const { clock, connections } = this.#options;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const connection of connections()) {
      const dueAt = this.#renewing.has(connection.id)
        ? undefined
        : nextDueAt(connection, this.#jitterOf(connection), now);
      if (dueAt === undefined) continue;
      if (dueAt <= now && this.#renewing.size < AT_ONCE) this.#renew(connection.id);
      else next = Math.min(next, dueAt);
    }
    // What is due but has to wait for a place is started when a place gets free.
    if (next <= now) return;
    if (Number.isFinite(next)) {
      const isAway = connections().some(({ state }) => state.type === 'unreachable');
      const waitMs = Math.min(next - now, isAway ? LONGEST_WAIT_AWAY_MS : LONGEST_WAIT_MS);
      this.#timer = clock.after(waitMs, () => this.#look(now + waitMs));
    }
  }

  /** @param expectedAt when the timer was to end. */
  #look(expectedAt: number): void {
    if (this.#options.clock.now() - expectedAt >= CLOCK_JUMP_MS) this.#options.onClockJump();
    this.reschedule();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
  }

  #renew(id: ConnectionId): void {
    this.#renewing.add(id);
    // `renew` never rejects; it tells the outcome through the connection's state.
    void this.#options.renew(id).finally(() => {
      this.#renewing.delete(id);
      this.reschedule();
    });
  }

  #jitterOf(connection: Connection): number {
    const generation = currentGrant(connection)?.generation ?? 0;
    const known = this.#jitters.get(connection.id);
    if (known?.generation === generation) return known.jitter;
    const jitter = this.#options.random();
    this.#jitters.set(connection.id, { generation, jitter });
    return jitter;
  }
}
