import type { Clock } from '../../connections/ports.ts';

/** Lets so many pass within any span of that length. */
export class RateLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #atMost: number;
  readonly #spanMs: number;
  #times: readonly number[] = [];

  constructor(clock: Pick<Clock, 'now'>, atMost: number, spanMs: number) {
    this.#clock = clock;
    this.#atMost = atMost;
    this.#spanMs = spanMs;
  }

  /** Whether one more may pass now, which it then has. */
  take(): boolean {
    const now = this.#clock.now();
    // One of the future is from before the clock was set back.
    this.#times = this.#times.filter((time) => time > now - this.#spanMs && time <= now);
    if (this.#times.length >= this.#atMost) return false;
    this.#times = [...this.#times, now];
    return true;
  }
}
