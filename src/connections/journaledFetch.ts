import type { Fetch, FetchRequest } from '../oauth/fetchPort.ts';
import type { ScopekeeperError } from '../oauth/errors.ts';
import { deferred } from './deferred.ts';
import { describeError, isConnectionError } from './errors.ts';
import {
  EXCHANGE_MS,
  type Exchange,
  type ExchangeJournal,
  type ExchangeKey,
  type JournaledAnswer,
  type OutlivingFetch,
} from './exchangeJournal.ts';
import type { Clock, Log } from './ports.ts';

export interface JournaledFetchPorts {
  readonly fetch: Fetch;
  readonly journal: ExchangeJournal;
  /** Sends what must not be lost with this process. */
  readonly outlivingFetch?: OutlivingFetch | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_AGAIN_MS = 100;
/** So often a journal that cannot be read is looked at: a virus scanner, or too many open files, are soon over. */
const UNREADABLE_LOOKS = 20;
/** Headers by which an answer is judged. */
const KEPT_HEADERS = ['content-type', 'dpop-nonce'];

/**
 * The {@link Fetch} of one renewal, which loses no answer to a refresh (P28-P31): what is sent is noted before, and a
 * good answer is on disk before it is given back. An answer that is there already is given back and nothing is sent,
 * so a renewal after a crash goes the very same way as the one that was cut off. Other requests pass through.
 *
 * Without the journal (a full disk, no key) a refresh is sent all the same: that is told in the log, and is safer
 * than a login that ends.
 */
export class JournaledFetch {
  readonly #ports: JournaledFetchPorts;
  #document: Omit<ExchangeKey, 'refreshToken'>;
  readonly #canBeLost: (refreshToken: string) => boolean;
  /** The exchange whose answer was given back, and is not yet stored. */
  #given: ExchangeKey | undefined;
  #isRecorded = false;
  #replayed: Extract<Exchange, { type: 'answered' }> | undefined;
  #trouble: ScopekeeperError | undefined;

  /**
   * @param document the one that refresh tokens are sent from.
   * @param canBeLost whether the answer to a token costs nothing when it is lost: its server does not rotate.
   */
  constructor(
    ports: JournaledFetchPorts,
    document: Omit<ExchangeKey, 'refreshToken'>,
    canBeLost: (refreshToken: string) => boolean,
  ) {
    this.#ports = ports;
    this.#document = document;
    this.#canBeLost = canBeLost;
  }

  readonly fetch: Fetch = async (url, request) => {
    const refreshToken = refreshTokenOf(request);
    if (refreshToken === undefined) return this.#ports.fetch(url, request);
    const exchange = { ...this.#document, refreshToken };
    // It is sent once more: what came for it was refused as an answer.
    if (this.#given?.refreshToken === refreshToken) await this.refuse();
    const known = await this.#known(exchange);
    if (known?.type !== 'answered') return this.#send(exchange, url, request);
    this.#ports.log.info(`The journal has the answer to a refresh of ${exchange.connectionId} that was not stored.`);
    this.#given = exchange;
    this.#isRecorded = true;
    this.#replayed = known;
    return responseOf(known.answer);
  };

  /** The answer that was given back from the journal, if one was: when it came, and in which generation it was sent. */
  get replayed(): { readonly answeredAt: number; readonly generation: number } | undefined {
    if (this.#replayed === undefined) return undefined;
    return { answeredAt: this.#replayed.answer.answeredAt, generation: this.#replayed.generation };
  }

  /** Whether the journal has the answer that was given back. */
  get isRecorded(): boolean {
    return this.#isRecorded;
  }

  /** What the person should know, though the refresh went on. */
  get trouble(): ScopekeeperError | undefined {
    return this.#trouble;
  }

  /**
   * Tells that what came of the answer is stored, in a document of this generation: what fails after that is not the
   * answer's fault, and what is sent next is sent from that document.
   */
  accept(generation: number): void {
    this.#given = undefined;
    this.#isRecorded = false;
    this.#replayed = undefined;
    this.#document = { ...this.#document, generation };
  }

  /** Tells that the answer given back was of no use, so that it is not given back for ever. Never rejects. */
  async refuse(): Promise<void> {
    const refused = this.#given;
    this.#given = undefined;
    this.#isRecorded = false;
    this.#replayed = undefined;
    if (refused !== undefined) await this.#try('put aside', async () => this.#ports.journal.setAside(refused));
  }

  /**
   * What is known of an exchange, when nobody is at it any more.
   * Throws the keychain's error when the answer may be there and cannot be read now: to send the token again would
   * be to lose the login.
   */
  async #known(exchange: ExchangeKey): Promise<Exchange | undefined> {
    const { journal, log } = this.#ports;
    let hasWaited = false;
    let unreadable = 0;
    for (let waitedMs = 0; waitedMs < EXCHANGE_MS; waitedMs += LOOK_AGAIN_MS) {
      try {
        const known = await journal.find(exchange);
        if (known?.type === 'answered') return known;
        const isUnderWay = known?.type === 'sent' && known.isUnderWay;
        // A sender may have come to its end between two looks at a folder that is read bit by bit.
        if (!isUnderWay && !hasWaited) {
          if (known !== undefined) log.warn(`A refresh of ${exchange.connectionId} was cut off; it is sent once more.`);
          return known;
        }
        hasWaited = isUnderWay;
        await this.#pause();
      } catch (error) {
        if (isConnectionError(error, 'journal_broken')) this.#trouble = error;
        else if (!isConnectionError(error, 'storage_failed')) throw error;
        else unreadable += 1;
        if (unreadable <= 1)
          log.error(`The journal of ${exchange.connectionId} cannot be read: ${describeError(error)}`);
        if (unreadable === UNREADABLE_LOOKS) return undefined;
        if (unreadable > 0) await this.#pause();
      }
    }
    return undefined;
  }

  /** Sends the token, whatever becomes of who asked for it. An unknown outcome leaves no answer, and throws. */
  async #send(exchange: ExchangeKey, url: string, request: FetchRequest): Promise<Response> {
    const { clock, fetch, journal } = this.#ports;
    const { signal: _, ...detached } = request;
    try {
      const outlived = await this.#sendElsewhere(exchange, url, detached);
      if (outlived !== undefined) return outlived;
      await this.#try('begun', async () => journal.begin(exchange, clock.now() + EXCHANGE_MS));
      const response = await fetch(url, detached);
      if (!response.ok) return response;
      const answer = await answerOf(response, clock.now());
      this.#isRecorded = await this.#try('kept', async () => journal.record(exchange, answer));
      this.#given = exchange;
      return responseOf(answer);
    } finally {
      await this.#try('ended', async () => journal.end(exchange));
    }
  }

  async #sendElsewhere(exchange: ExchangeKey, url: string, request: FetchRequest): Promise<Response | undefined> {
    const { outlivingFetch } = this.#ports;
    if (outlivingFetch === undefined || this.#canBeLost(exchange.refreshToken)) return undefined;
    const outlived = await outlivingFetch(exchange, url, request);
    if (outlived === undefined) return undefined;
    this.#isRecorded = outlived.isRecorded;
    if (outlived.isRecorded) this.#given = exchange;
    return outlived.response;
  }

  /** Does what the refresh can do without. Gives whether it was done. */
  async #try(what: string, task: () => Promise<void>): Promise<boolean> {
    try {
      await task();
      return true;
    } catch (error) {
      const { connectionId } = this.#document;
      this.#ports.log.warn(`A refresh of ${connectionId} could not be ${what} in the journal: ${describeError(error)}`);
      return false;
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#ports.clock.after(LOOK_AGAIN_MS, () => resolve());
    await promise;
  }
}

/** The refresh token in a request to a token endpoint (RFC 6749 section 6). */
function refreshTokenOf({ body, method }: FetchRequest): string | undefined {
  if (method !== 'POST' || body === undefined) return undefined;
  const form = new URLSearchParams(body);
  return form.get('grant_type') === 'refresh_token' ? (form.get('refresh_token') ?? undefined) : undefined;
}

async function answerOf(response: Response, answeredAt: number): Promise<JournaledAnswer> {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status: response.status, headers: Object.fromEntries(headers), body: await response.text(), answeredAt };
}

function responseOf({ body, headers, status }: JournaledAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}
