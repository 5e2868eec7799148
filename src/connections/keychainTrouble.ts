import type { ScopekeeperError } from '../oauth/errors.ts';
import { isConnectionError } from './errors.ts';
import type { Clock, Disposable, Random } from './ports.ts';

/** What is wrong with where secrets are kept, and what follows from it. */
export interface SecretTrouble {
  /**
   * - `hidden`: stored secrets cannot be read; their connections wait.
   * - `in_editor`: the keychain does not take secrets; the editor's storage has.
   * - `in_memory`: nothing takes them; they are good until this window ends.
   */
  readonly effect: 'hidden' | 'in_editor' | 'in_memory';
  /** What the keychain says. */
  readonly error: ScopekeeperError;
}

export interface KeychainTroubleOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Tries again what waits for the keychain. Never rejects. */
  readonly retry: () => Promise<void>;
  /** Hears of each trouble once, until it is over; undefined says that it is. */
  readonly tell: (trouble: SecretTrouble | undefined) => void;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 15 * 60_000;
/** Nothing is at risk while the editor has the secrets, and each try may ask the person for a password. */
const LONGEST_RETRY_IN_EDITOR_MS = 60 * 60_000;
/** What hastens a retry does so once in this time: a keychain that prompts must not prompt at each turn. */
const SHORTEST_PAUSE_MS = 60_000;

/**
 * Keeps track of a keychain that does not answer: when it is asked again, for all connections together, and what the
 * person has been told. It ends when the keychain takes a secret, or gives one while none waits to be taken.
 */
export class KeychainTrouble {
  readonly #options: KeychainTroubleOptions;
  #current: SecretTrouble | undefined;
  #told = new Set<string>();
  #failures = 0;
  #lastTryAt = 0;
  #retryAt = 0;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: KeychainTroubleOptions) {
    this.#options = options;
  }

  get current(): SecretTrouble | undefined {
    return this.#current;
  }

  /** When the keychain is asked again, in ms since the epoch; in the past when there is no trouble. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** Notes that a call has failed, sets the time of the next one, and tells what is new of it. */
  note(effect: SecretTrouble['effect'], error: ScopekeeperError): void {
    if (this.#isDisposed) return;
    this.#current = { effect, error };
    const now = this.#options.clock.now();
    if (this.#timer === undefined) {
      this.#failures += 1;
      this.#lastTryAt = now;
      const longest = effect === 'in_editor' ? LONGEST_RETRY_IN_EDITOR_MS : LONGEST_RETRY_MS;
      const ceiling = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), longest);
      this.#wait(ceiling / 2 + (this.#options.random() * ceiling) / 2);
    }
    const news = `${effect} ${error.code}`;
    if (this.#told.has(news)) return;
    this.#told.add(news);
    this.#options.tell(this.#current);
  }

  /** Notes that the keychain has answered: what waits is tried at once. */
  noteAnswer(operation: 'read' | 'write'): void {
    if (this.#current === undefined) return;
    const { effect, error } = this.#current;
    // One that can be read and not written to has not changed by being read.
    const isDisproved = operation === 'write' || effect === 'hidden' || !isConnectionError(error, 'keychain_failed');
    if (!isDisproved) return;
    this.#current = undefined;
    if (operation === 'write') this.#forgetTold();
    this.#retryNow();
  }

  /**
   * Tries again now. By itself (the window got the focus, the machine woke up) only if that was not done just before.
   */
  hasten(isAskedFor: boolean): void {
    if (this.#current === undefined) return;
    if (isAskedFor || this.#options.clock.now() - this.#lastTryAt >= SHORTEST_PAUSE_MS) this.#retryNow();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
  }

  #retryNow(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    void this.#run(); // it never rejects
  }

  #wait(delayMs: number): void {
    const { clock } = this.#options;
    this.#retryAt = clock.now() + delayMs;
    this.#timer = clock.after(delayMs, () => this.#retryNow());
  }

  async #run(): Promise<void> {
    await this.#options.retry();
    // Nothing has failed: a trouble that nobody waits for any more is over.
    if (this.#timer !== undefined || this.#isDisposed) return;
    this.#current = undefined;
    this.#forgetTold();
  }

  #forgetTold(): void {
    this.#failures = 0;
    if (this.#told.size === 0) return;
    this.#told = new Set();
    this.#options.tell(undefined);
  }
}
