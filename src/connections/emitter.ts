import type { Disposable } from './ports.ts';

/** Tells listeners of events, in the order in which they came. A listener that throws stops no other. */
export class Emitter<T extends object> {
  readonly #listeners = new Set<(event: T) => void>();
  readonly #onError: (error: unknown) => void;
  readonly #waiting: T[] = [];
  #isFiring = false;

  /** @param onError hears what a listener throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  listen(listener: (event: T) => void): Disposable {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /** Tells an event; one that a listener fires meanwhile is told after it, so that all hear the same order. */
  fire(event: T): void {
    this.#waiting.push(event);
    if (this.#isFiring) return;
    this.#isFiring = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#tell(next);
    this.#isFiring = false;
  }

  #tell(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
