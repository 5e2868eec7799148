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
  /** It was heard of: it is at work. */
  noteAlive(): void;
}

/** A window that takes longer to show a message hangs. */
const SHOWN_MS = 2000;

/**
 * How often it is looked whether guests were heard of, who say something every 10 s, and how many of these times may pass
 * without a word. A number of times and not a time: after a sleep both windows need a moment.
 */
const LOOK_EVERY_MS = 10_000;
const SILENT_AT_MOST = 3;

interface Place {
  readonly window: PromptingWindow;
  /** In ms since the epoch; undefined when the person was never seen there. */
  focusedAt: number | undefined;
  /** How often it was looked since it was heard of. */
  looks: number;
  /** What it is asked now. */
  readonly asking: Set<AbortController>;
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
  #nextLook: Disposable | undefined;

  constructor(own: PromptingWindow, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#own = newPlace(own, undefined);
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes all questions back, which then throw `owner_gone`. */
  dispose(): void {
    this.#end.abort(new ConnectionError('owner_gone', {}));
    this.#nextLook?.dispose();
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
    const place = newPlace(window, focusedAt);
    this.#guests.add(place);
    if (this.#guests.size === 1) this.#lookLater();
    return {
      noteFocus: () => {
        place.focusedAt = this.#clock.now();
        place.looks = 0;
      },
      noteAlive: () => {
        place.looks = 0;
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
        return await askAt(place, question, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn(`A window could not ask the person: ${describeError(error)}`);
        failure = error;
      }
    }
    throw failure;
  }

  /** Takes questions back from guests that hang, for as long as there are guests. */
  #lookLater(): void {
    this.#nextLook?.dispose();
    this.#nextLook = this.#clock.after(LOOK_EVERY_MS, () => {
      for (const place of this.#guests) {
        place.looks += 1;
        if (!isSilent(place)) continue;
        for (const controller of place.asking) controller.abort(new ConnectionError('owner_gone', {}));
      }
      if (this.#guests.size > 0) this.#lookLater();
    });
  }

  /** The one focused last of those that were not asked; of windows in which nobody was seen, the own one. */
  #next(asked: ReadonlySet<Place>): Place | undefined {
    return [this.#own, ...this.#guests]
      .filter((place) => !asked.has(place) && !isSilent(place))
      .toSorted((one, other) => (other.focusedAt ?? 0) - (one.focusedAt ?? 0))[0];
  }
}

function newPlace(window: PromptingWindow, focusedAt: number | undefined): Place {
  return { window, focusedAt, looks: 0, asking: new Set() };
}

function isSilent({ looks }: Place): boolean {
  return looks > SILENT_AT_MOST;
}

/** Throws the signal's reason when it is aborted, and `owner_gone` when the window hangs. */
async function askAt<T>(
  { asking, window }: Place,
  question: (window: PromptingWindow, signal: AbortSignal) => Promise<T>,
  given: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const signal = AbortSignal.any([given, controller.signal]);
  asking.add(controller);
  try {
    return await unlessAborted(question(window, signal), signal);
  } finally {
    asking.delete(controller);
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
