import type { CallbackOutcome } from './connectionService.ts';
import { deferred } from './deferred.ts';
import type { Disposable } from './ports.ts';

/** A sign-in that waits for its callback. */
export interface ExpectedCallback extends Disposable {
  /** The callback's URL, when it comes. */
  readonly url: Promise<URL>;
}

interface Waiting {
  readonly deliver: (url: URL) => void;
  readonly outcome: Promise<CallbackOutcome>;
}

const USED_LIMIT = 20;

/** The sign-ins that wait for a callback, by their `state`, each for one use (P16). */
export class PendingCallbacks {
  readonly #waiting = new Map<string, Waiting>();
  /** The last states that were used, to tell a page that is loaded again from a foreign callback. */
  #used: readonly string[] = [];

  /**
   * Waits for the callback with this `state`.
   * @param outcome what becomes of the sign-in; the page in the browser waits for it.
   */
  expect(state: string, outcome: Promise<CallbackOutcome>): ExpectedCallback {
    const { promise: url, resolve: deliver } = deferred<URL>();
    this.#waiting.set(state, { deliver, outcome });
    return { url, dispose: () => void this.#waiting.delete(state) };
  }

  /** Whether this callback's `state` was used before. */
  isRepeated(url: URL): boolean {
    return this.#used.includes(url.searchParams.get('state') ?? '');
  }

  /**
   * Hands a callback to the sign-in that waits for it and gives what became of it; undefined when none
   * waits for its `state`, which leaves those that wait as they are.
   */
  async deliver(url: URL): Promise<CallbackOutcome | undefined> {
    const states = url.searchParams.getAll('state');
    const state = states.length === 1 ? states[0] : undefined;
    const waiting = state === undefined ? undefined : this.#waiting.get(state);
    if (state === undefined || waiting === undefined) return undefined;
    this.#waiting.delete(state);
    this.#used = [...this.#used.slice(-USED_LIMIT), state];
    waiting.deliver(url);
    return waiting.outcome;
  }
}
