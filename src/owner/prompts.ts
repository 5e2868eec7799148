import { deferred } from '../connections/deferred.ts';
import { ConnectionError, describeError } from '../connections/errors.ts';
import type { Clock, Disposable, Log, PortNews } from '../connections/ports.ts';
import type { AskConsent, TellDemand } from '../gateway/ports.ts';

/** A window in which the person can be asked. A question rejects when the window has gone. */
export interface PromptingWindow {
  readonly askConsent: AskConsent;
  readonly tellDemand: TellDemand;
  /** Shows what became of the port that was set, and waits for no answer. */
  readonly tellPort: (news: PortNews, signal: AbortSignal) => Promise<void>;
}

/** The place of a guest among the windows; disposed when it leaves. */
export interface Seat extends Disposable {
  /** The person is at that window now. */
  noteFocus(): void;
}

/** A window that takes longer to show a message hangs. */
const SHOWN_MS = 2000;

interface Place {
  readonly window: PromptingWindow;
  /** In ms since the epoch; undefined when the person was never seen there. */
  focusedAt: number | undefined;
}

/**
 * Asks the person in the window focused last that is alive. When that one goes before there is an answer, the next one
 * is asked; nobody is asked in two at once.
 */
export class Prompts implements PromptingWindow, Disposable {
  readonly #own: Place;
  readonly #guests = new Set<Place>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #end = new AbortController();

  constructor(own: PromptingWindow, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#own = { window: own, focusedAt: undefined };
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes all questions back, which then throw `owner_gone`. */
  dispose(): void {
    this.#end.abort(new ConnectionError('owner_gone', {}));
  }

  /** When the person was at this window last. */
  get ownFocusedAt(): number | undefined {
    return this.#own.focusedAt;
  }

  /** The person is at this window now. */
  noteFocus(): void {
    this.#own.focusedAt = this.#clock.now();
  }

  /** Takes in a guest, in which the person was at `focusedAt`. */
  join(window: PromptingWindow, focusedAt: number | undefined): Seat {
    const place: Place = { window, focusedAt };
    this.#guests.add(place);
    return {
      noteFocus: () => {
        place.focusedAt = this.#clock.now();
      },
      dispose: () => void this.#guests.delete(place),
    };
  }

  readonly askConsent: AskConsent = async (request, given) =>
    this.#ask(given, async (window, signal) => window.askConsent(request, signal));

  readonly tellDemand: TellDemand = async (demand, given) =>
    this.#ask(given, async (window, signal) => window.tellDemand(demand, signal));

  readonly tellPort: PromptingWindow['tellPort'] = async (news, given) =>
    this.#ask(given, async (window, signal) => window.tellPort(news, signal));

  /** Tells what became of the port that was set. Never rejects, and takes no long time. */
  async announcePort(news: PortNews): Promise<void> {
    const controller = new AbortController();
    const timer = this.#clock.after(SHOWN_MS, () => controller.abort());
    // Where no window could show it, that is in the log.
    await this.tellPort(news, controller.signal).catch(() => undefined);
    timer.dispose();
  }

  /** Throws what the last window threw when none gives an answer, and the signal's reason. */
  async #ask<T>(
    given: AbortSignal,
    question: (window: PromptingWindow, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = AbortSignal.any([given, this.#end.signal]);
    const asked = new Set<Place>();
    let failure: unknown;
    for (let place = this.#next(asked); place !== undefined; place = this.#next(asked)) {
      signal.throwIfAborted();
      asked.add(place);
      try {
        return await unlessAborted(question(place.window, signal), signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn(`A window could not ask the person: ${describeError(error)}`);
        failure = error;
      }
    }
    throw failure;
  }

  /** The one focused last of those that were not asked; of windows in which nobody was seen, the own one. */
  #next(asked: ReadonlySet<Place>): Place | undefined {
    return [this.#own, ...this.#guests]
      .filter((place) => !asked.has(place))
      .toSorted((one, other) => (other.focusedAt ?? 0) - (one.focusedAt ?? 0))[0];
  }
}

/** What `promise` gives; the signal's reason as soon as it is aborted, since a window may hang. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = deferred<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
