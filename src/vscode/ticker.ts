import type { Clock, Disposable } from '../connections/ports.ts';

/** What is to be done again and again. */
export interface Ticking {
  /** In how many ms it is to be done next; undefined while there is nothing to do. Cheap: it is asked often. */
  readonly waitMs: () => number | undefined;
  readonly tick: () => void;
}

interface Entry extends Ticking {
  /** In ms since the epoch. */
  dueAt: number | undefined;
}

/** The one timer of all that shows times in this window. It does not run while there is nothing to do. */
export class Ticker implements Disposable {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  #timer: Disposable | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  dispose(): void {
    this.#entries.clear();
    this.#stop();
  }

  add({ tick, waitMs }: Ticking): Disposable {
    const entry: Entry = { tick, waitMs, dueAt: undefined };
    this.#entries.add(entry);
    this.look();
    return {
      dispose: () => {
        this.#entries.delete(entry);
        this.look();
      },
    };
  }

  /** Asks all anew when they are to be done: something has changed. What waits already waits no longer for it. */
  look(): void {
    const now = this.#clock.now();
    let next = Infinity;
    for (const entry of this.#entries) {
      const waitMs = entry.waitMs();
      entry.dueAt = waitMs === undefined ? undefined : Math.min(entry.dueAt ?? Infinity, now + waitMs);
      next = Math.min(next, entry.dueAt ?? Infinity);
    }
    if (next === this.#timerAt) return;
    this.#stop();
    if (next === Infinity) return;
    this.#timerAt = next;
    this.#timer = this.#clock.after(Math.max(0, next - now), () => this.#run());
  }

  #run(): void {
    this.#stop();
    const now = this.#clock.now();
    for (const entry of this.#entries) {
      if (entry.dueAt === undefined || entry.dueAt > now) continue;
      entry.dueAt = undefined;
      entry.tick();
    }
    this.look();
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }
}
