import { ConnectionError, describeError } from '../connections/errors.ts';
import type { Clock, Disposable, Log } from '../connections/ports.ts';
import type { WindowRoleName } from './ids.ts';

export type RoleState =
  | { readonly type: Extract<WindowRoleName, 'starting' | 'idle' | 'owner'> }
  | { readonly type: 'guest'; readonly windowName?: string }
  | { readonly type: 'blocked'; readonly error: unknown };

/** The user's loopback port: the owner is who binds it. */
export interface LoopbackPort {
  /** Throws `port_busy` or `storage_failed`. */
  acquire(): Promise<
    { readonly role: 'owner'; readonly port: number } | { readonly role: 'guest'; readonly windowName?: string }
  >;
  release(): Promise<void>;
}

export interface WindowRoleParts {
  readonly loopback: LoopbackPort;
  /** Whether there are connections to look after. Throws `storage_failed` or `storage_too_new`. */
  readonly hasStoredConnections: () => Promise<boolean>;
  /** Loads the connections, once the port is held. */
  readonly startService: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often a window that does not keep the connections tries whether it can. */
const LOOK_AGAIN_MS = 5000;

/**
 * Whether this window keeps the connections. Binding the user's loopback port decides it: the operating
 * system lets one process have it, and takes it back the moment that process ends.
 */
export class WindowRole {
  readonly #parts: WindowRoleParts;
  readonly #listeners = new Set<(state: RoleState) => void>();
  #state: RoleState = { type: 'starting' };
  #port: number | undefined;
  #running: Promise<void> | undefined;
  #nextLook: Disposable | undefined;
  #isDisposed = false;

  constructor(parts: WindowRoleParts) {
    this.#parts = parts;
  }

  get state(): RoleState {
    return this.#state;
  }

  onDidChange(listener: (state: RoleState) => void): Disposable {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /**
   * Takes the connections into this window's care if there are any and nobody else has them. Called after
   * activation and whenever the window gets the focus. What goes wrong is told by {@link state}.
   */
  async look(): Promise<void> {
    if (this.#state.type === 'owner') return;
    await this.#once(async () => {
      if (await this.#parts.hasStoredConnections()) await this.#claimAndStart();
      else if (this.#state.type !== 'owner') this.#enter({ type: 'idle' });
    }).catch(() => undefined); // the state tells it
  }

  /** Makes this the window that keeps the connections. Throws `not_owner`, `port_busy` or why they cannot be loaded. */
  async ensureOwner(): Promise<void> {
    // What is running may stop at `idle`: then this goes further.
    await this.#running?.catch(() => undefined);
    if (this.#state.type === 'owner') return;
    await this.#once(async () => this.#claimAndStart());
    if (this.#state.type === 'guest') {
      const { windowName } = this.#state;
      throw new ConnectionError('not_owner', windowName === undefined ? {} : { windowName });
    }
  }

  /** Where sign-ins come back to. Throws what {@link ensureOwner} throws. */
  async redirectUri(): Promise<string> {
    if (this.#port === undefined) await this.ensureOwner();
    if (this.#port === undefined) throw new ConnectionError('not_owner', {});
    return `http://127.0.0.1:${this.#port}/callback`;
  }

  /** Gives the port back. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#nextLook?.dispose();
    this.#listeners.clear();
    await this.#running?.catch(() => undefined);
    await this.#releasePort();
  }

  async #once(run: () => Promise<void>): Promise<void> {
    this.#running ??= this.#guarded(run).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      await this.#releasePort();
      this.#enter({ type: 'blocked', error });
      throw error;
    }
  }

  async #claimAndStart(): Promise<void> {
    const claim = await this.#parts.loopback.acquire();
    if (claim.role === 'guest') {
      this.#enter(claim.windowName === undefined ? { type: 'guest' } : { type: 'guest', windowName: claim.windowName });
      return;
    }
    this.#port = claim.port;
    if (this.#isDisposed) {
      await this.#releasePort();
      return;
    }
    await this.#parts.startService();
    this.#enter({ type: 'owner' });
  }

  async #releasePort(): Promise<void> {
    this.#port = undefined;
    await this.#parts.loopback.release();
  }

  #enter(state: RoleState): void {
    const isNews = JSON.stringify(state) !== JSON.stringify(this.#state);
    this.#state = state;
    this.#nextLook?.dispose();
    const isWaiting = state.type === 'guest' || state.type === 'blocked';
    // The owner's end is not told to the others: they find the port free.
    if (isWaiting && !this.#isDisposed) this.#nextLook = this.#parts.clock.after(LOOK_AGAIN_MS, () => void this.look());
    if (!isNews) return;
    if (state.type === 'blocked')
      this.#parts.log.error(`The connections are not managed: ${describeError(state.error)}`);
    for (const listener of this.#listeners) listener(state);
  }
}
