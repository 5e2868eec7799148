import { describeError } from '../../connections/errors.ts';
import type { Clock, Disposable, Log } from '../../connections/ports.ts';

/**
 * How long the server stays when no document needs it: closing one file and opening the next should not start it anew,
 * and who has long done with them should not pay for a process.
 */
const LINGER_MS = 3 * 60_000;

/** A server that runs. Its end is the caller's: {@link stop} never rejects. */
export interface RunningServer {
  stop(): Promise<void>;
}

export interface ServerLifetimeParts {
  /**
   * Starts a server, and rejects when it cannot be.
   * @param onGivenUp is called if it ends so often later that it is not started again
   */
  readonly launch: (onGivenUp: () => void) => Promise<RunningServer>;
  /** Says that there is no server any more, and asks whether to start it again. */
  readonly askForRestart: () => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Starts the server when it is needed first, and stops it some minutes after it was needed last. */
export class ServerLifetime implements Disposable {
  readonly #parts: ServerLifetimeParts;
  #state: 'used' | 'lingering' | 'stopped' | 'given_up' | 'disposed' = 'stopped';
  /** Undefined in it when it could not be started. */
  #server: Promise<RunningServer | undefined> | undefined;
  #end: Disposable | undefined;
  #isNeeded = false;

  constructor(parts: ServerLifetimeParts) {
    this.#parts = parts;
  }

  dispose(): void {
    this.#state = 'disposed';
    this.#stop();
  }

  /** Whether there is anything for the server to do. */
  setNeeded(isNeeded: boolean): void {
    this.#isNeeded = isNeeded;
    switch (this.#state) {
      case 'stopped':
        if (isNeeded) this.#start();
        return;
      case 'lingering':
        if (!isNeeded) return;
        this.#end?.dispose();
        this.#state = 'used';
        return;
      case 'used':
        if (isNeeded) return;
        this.#state = 'lingering';
        this.#end = this.#parts.clock.after(LINGER_MS, () => {
          this.#state = 'stopped';
          this.#stop();
        });
        return;
      case 'given_up':
      case 'disposed':
    }
  }

  #start(): void {
    this.#state = 'used';
    // A server that is not this one's any more tells nobody.
    const server: Promise<RunningServer | undefined> = this.#parts
      .launch(() => {
        if (this.#server === server) void this.#giveUp(); // the answer may never come
      })
      .catch((error: unknown) => {
        this.#parts.log.error(`The language server could not be started: ${describeError(error)}`);
        if (this.#server === server) void this.#giveUp(); // as above
        return undefined;
      });
    this.#server = server;
  }

  /** Lets the server go; the next one need not wait for it. */
  #stop(): void {
    this.#end?.dispose();
    const server = this.#server;
    this.#server = undefined;
    void server?.then(async (running) => running?.stop()); // neither rejects
  }

  async #giveUp(): Promise<void> {
    this.#state = 'given_up';
    this.#stop();
    if (!(await this.#parts.askForRestart()) || this.#state !== 'given_up') return;
    this.#state = 'stopped';
    this.setNeeded(this.#isNeeded);
  }
}
