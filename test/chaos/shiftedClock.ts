import type { Clock, Disposable } from '../../src/connections/ports.ts';

/** The system's clock, which can be put forward: what was to come by then comes at once. */
export class ShiftedClock implements Clock {
  #shiftMs = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly call: () => void; timer: NodeJS.Timeout }>();

  now(): number {
    return Date.now() + this.#shiftMs;
  }

  after(delayMs: number, callback: () => void): Disposable {
    const call = (): void => {
      this.#waiting.delete(one);
      callback();
    };
    const one = { at: this.now() + delayMs, call, timer: setTimeout(call, Math.max(0, delayMs)) };
    one.timer.unref();
    this.#waiting.add(one);
    return {
      dispose: () => {
        clearTimeout(one.timer);
        this.#waiting.delete(one);
      },
    };
  }

  /** Puts the clock forward. */
  pass(ms: number): void {
    this.#shiftMs += ms;
    for (const one of [...this.#waiting].filter(({ at }) => at <= this.now())) {
      clearTimeout(one.timer);
      one.call();
    }
  }
}
