import { KeyedQueue } from '../../connections/keyedQueue.ts';
import type { Clock } from '../../connections/ports.ts';
import type { AskConsent, ConsentAnswer, ConsentRequest } from '../ports.ts';
import { RateLimit } from './rateLimit.ts';

/** So many wait at once, of all clients and of one. */
const WAITING_AT_MOST = 10;
const WAITING_OF_ONE_AT_MOST = 2;
/** So often is the person asked. */
const QUESTIONS_AT_MOST = 30;
const QUESTIONS_PER_MS = 10 * 60_000;
/** How long the person has to answer. */
const ANSWER_MS = 5 * 60_000;

export type ConsentOutcome =
  | ConsentAnswer
  /** Too many questions; nobody was asked. */
  | { readonly type: 'busy' }
  | { readonly type: 'timed_out' }
  /** Whoever asked has gone. */
  | { readonly type: 'gone' };

/** Puts the questions to the person one at a time, and not more of them than a person can bear (P44). */
export class ConsentQueue {
  readonly #askConsent: AskConsent;
  readonly #clock: Clock;
  readonly #rate: RateLimit;
  readonly #turns = new KeyedQueue();
  /** How many wait, of each client. */
  readonly #waiting = new Map<string, number>();

  constructor(askConsent: AskConsent, clock: Clock) {
    this.#askConsent = askConsent;
    this.#clock = clock;
    this.#rate = new RateLimit(clock, QUESTIONS_AT_MOST, QUESTIONS_PER_MS);
  }

  /**
   * Asks when it is this one's turn.
   * @param signal takes the question back. Rejects with what `AskConsent` rejects with.
   */
  async ask(clientId: string, request: ConsentRequest, signal: AbortSignal): Promise<ConsentOutcome> {
    const ofAll = [...this.#waiting.values()].reduce((sum, count) => sum + count, 0);
    const ofThis = this.#waiting.get(clientId) ?? 0;
    if (ofAll >= WAITING_AT_MOST || ofThis >= WAITING_OF_ONE_AT_MOST || !this.#rate.take()) return { type: 'busy' };
    this.#waiting.set(clientId, ofThis + 1);
    try {
      return await this.#turns.run('', async () => this.#askNow(request, signal));
    } finally {
      const left = (this.#waiting.get(clientId) ?? 1) - 1;
      if (left > 0) this.#waiting.set(clientId, left);
      else this.#waiting.delete(clientId);
    }
  }

  async #askNow(request: ConsentRequest, signal: AbortSignal): Promise<ConsentOutcome> {
    if (signal.aborted) return { type: 'gone' };
    const ending = new AbortController();
    const late = this.#clock.after(ANSWER_MS, () => ending.abort());
    const leave = (): void => ending.abort();
    signal.addEventListener('abort', leave);
    // Whatever becomes of a question that was taken back, the next one has its turn.
    const ended = new Promise<ConsentOutcome>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve({ type: signal.aborted ? 'gone' : 'timed_out' }));
    });
    try {
      return await Promise.race([this.#askConsent(request, ending.signal), ended]);
    } finally {
      late.dispose();
      signal.removeEventListener('abort', leave);
    }
  }
}
