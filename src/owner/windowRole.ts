import type { ConnectionService } from '../connections/connectionService.ts';
import { type Deferred, deferred } from '../connections/deferred.ts';
import { ConnectionError, describeError, isKeychainError } from '../connections/errors.ts';
import type { Clock, Disposable, Log, PrepareRedirect } from '../connections/ports.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';

export type RoleState =
  /** `idle`: there are no connections to keep. */
  | { readonly type: 'starting' | 'idle' | 'owner' }
  /** Another window keeps them. `isConnected` is false while it is gone and nobody has taken its place yet. */
  | { readonly type: 'guest'; readonly isConnected: boolean; readonly windowName: string }
  | { readonly type: 'blocked'; readonly error: unknown };

/** The user's loopback port: the owner is who binds it. */
export interface LoopbackPort {
  /** Throws `storage_failed` or `storage_broken`. */
  acquire(): Promise<{ readonly role: 'owner' | 'taken'; readonly port: number }>;
  /** Moves to the port that is set by now; gives the one that is held then. Throws as {@link acquire}. */
  follow(): Promise<number | undefined>;
  /** Leaves a port that a stranger holds, if another one is set. Throws as {@link acquire}. */
  forsake(port: number): Promise<boolean>;
  release(): Promise<void>;
}

/** The owner's connections, for as long as it is there. */
export interface OwnerLink {
  readonly windowName: string;
  readonly service: ConnectionService & {
    readonly redirectUri: PrepareRedirect;
    readonly sampleUrl: () => Promise<string>;
  };
  readonly gateway: GatewayService;
  readonly closed: Promise<void>;
  dispose(): void;
}

/** What came of asking the holder of the port for its connections. */
export type Visit =
  | { readonly type: 'attached'; readonly link: OwnerLink }
  /** An older version holds the port, and gives it up; resolves when it is free. */
  | { readonly type: 'yielding'; readonly released: Promise<void> }
  /** A newer version holds the port. */
  | { readonly type: 'outdated' }
  /** Nobody is there any more, or somebody who ends just now. */
  | { readonly type: 'gone' }
  | { readonly type: 'stranger' };

export interface WindowRoleParts {
  readonly loopback: LoopbackPort;
  /** Throws what the keychain says when it does not give the key. */
  readonly visit: (port: number, signal: AbortSignal) => Promise<Visit>;
  /** Whether there are connections to look after. Throws `storage_failed` or `storage_too_new`. */
  readonly hasStoredConnections: () => Promise<boolean>;
  /** Loads the connections, once the port is held. */
  readonly startService: () => Promise<void>;
  /** Ends what is under way, before the port is given up to a newer version. */
  readonly stopService: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often a window that is blocked tries again. Guests need no such thing: they hear when the owner is gone. */
const LOOK_AGAIN_MS = 5000;

/** How long, and how often, a port that is taken though nobody answers is tried. */
const GIVE_UP_MS = 2000;
const TRY_AGAIN_MS = 25;

/**
 * Whether this window keeps the connections. Binding the user's loopback port decides it: the operating
 * system lets one process have it, and takes it back the moment that process ends.
 */
export class WindowRole {
  readonly #parts: WindowRoleParts;
  readonly #listeners = new Set<(state: RoleState) => void>();
  #state: RoleState = { type: 'starting' };
  #port: number | undefined;
  /** The owner's connections as they were last seen, until this window is the owner. */
  #link: OwnerLink | undefined;
  #running: Promise<void> | undefined;
  /** Settled for each time that this window holds the port. */
  #loaded = unsettled();
  #nextLook: Disposable | undefined;
  /** This window's version is too old, which only a reload changes. */
  #isOutdated = false;
  readonly #end = new AbortController();

  constructor(parts: WindowRoleParts) {
    this.#parts = parts;
  }

  get state(): RoleState {
    return this.#state;
  }

  /** The owner, when it is another window; also one that has just gone, until somebody has taken its place. */
  get link(): OwnerLink | undefined {
    return this.#link;
  }

  onDidChange(listener: (state: RoleState) => void): Disposable {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /**
   * Finds out who keeps the connections if there are any; that is this window if nobody else does. Called after
   * activation and whenever the window gets the focus. What goes wrong is told by {@link state}.
   */
  async look(): Promise<void> {
    if (this.#isSettled || this.#isOutdated) return;
    await this.#once(async () => {
      if (this.#state.type === 'guest' || (await this.#parts.hasStoredConnections())) await this.#settle();
      else if (!this.#isSettled) this.#enter({ type: 'idle' });
    }).catch(() => undefined); // the state tells it
  }

  /** Makes sure that the connections can be used from this window. Throws why they cannot be. */
  async ensureReady(): Promise<void> {
    // What is running, also what began just now, may stop at `idle`, and an owner may end as it is found: then this goes
    // further.
    while (!this.#isDisposed) {
      await this.#running?.catch(() => undefined);
      if (this.#isSettled) return;
      if (this.#isOutdated) throw new ConnectionError('window_outdated', {});
      await this.#once(async () => this.#settle());
    }
  }

  /** Where sign-ins come back to on the loopback port, which every window of the user names alike. */
  loopbackRedirectUri(): string {
    return `${this.loopbackOrigin()}/callback`;
  }

  /** The origin of all that this window serves as the owner. Throws `owner_gone` while it is not. */
  loopbackOrigin(): string {
    if (this.#port === undefined) throw new ConnectionError('owner_gone', {});
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when this window, which holds the port, has loaded the connections. Rejects when it cannot. */
  async whenLoaded(): Promise<void> {
    await this.#loaded.promise;
  }

  /**
   * The person has set another port: an owner moves there, and its guests find it; a window that is blocked tries again.
   * Throws `storage_failed`; then the port is the one before.
   */
  async followPort(): Promise<void> {
    await this.#running?.catch(() => undefined);
    if (this.#state.type === 'owner') this.#port = await this.#parts.loopback.follow();
    else await this.look();
  }

  /** Gives the port up to a window of a newer version, for good. Never rejects. */
  async yield(): Promise<void> {
    if (this.#isOutdated) return;
    this.#isOutdated = true;
    // A window that has only just taken the place may still be loading.
    await this.#running?.catch(() => undefined);
    this.#enter({ type: 'blocked', error: new ConnectionError('window_outdated', {}) });
    const tell = (error: unknown): void => this.#parts.log.error(`Giving way failed: ${describeError(error)}`);
    await this.#parts.stopService().catch(tell);
    await this.#releasePort().catch(tell);
  }

  /** Gives the port back, and leaves the owner. */
  async dispose(): Promise<void> {
    this.#end.abort();
    this.#nextLook?.dispose();
    this.#listeners.clear();
    this.#link?.dispose();
    await this.#running?.catch(() => undefined);
    this.#link?.dispose();
    await this.#releasePort();
  }

  get #isDisposed(): boolean {
    return this.#end.signal.aborted;
  }

  get #isSettled(): boolean {
    return this.#state.type === 'owner' || (this.#state.type === 'guest' && this.#state.isConnected);
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

  /** Becomes the owner, or a guest of the owner. Of several windows that try at once one wins, and the others find it. */
  async #settle(): Promise<void> {
    const { clock, loopback } = this.#parts;
    // From the first time: a visit takes as long as its keychain, or this window's host, holds it up.
    let giveUpAt: number | undefined;
    while (!this.#isDisposed) {
      const { port, role } = await loopback.acquire();
      if (role === 'owner') return this.#own(port);
      const visit = await this.#parts.visit(port, this.#end.signal);
      switch (visit.type) {
        case 'attached':
          return this.#attach(visit.link);
        case 'yielding':
          await visit.released;
          giveUpAt = undefined;
          break;
        case 'outdated':
          this.#isOutdated = true;
          throw new ConnectionError('window_outdated', {});
        case 'stranger':
          if (await loopback.forsake(port)) break;
          throw new ConnectionError('port_busy', { port });
        case 'gone':
          giveUpAt ??= clock.now() + GIVE_UP_MS;
          if (clock.now() >= giveUpAt) {
            if (!(await loopback.forsake(port))) throw new ConnectionError('port_busy', { port });
            giveUpAt = undefined;
            break;
          }
          await new Promise<void>((resolve) => void clock.after(TRY_AGAIN_MS, resolve));
      }
    }
  }

  async #own(port: number): Promise<void> {
    this.#port = port;
    if (this.#isDisposed) return this.#releasePort();
    await this.#parts.startService();
    if (this.#isOutdated) {
      await this.#parts.stopService();
      throw new ConnectionError('window_outdated', {});
    }
    this.#loaded.resolve();
    this.#link = undefined;
    this.#enter({ type: 'owner' });
  }

  #attach(link: OwnerLink): void {
    this.#link = link;
    if (this.#isDisposed) return link.dispose();
    const { windowName } = link;
    this.#enter({ type: 'guest', isConnected: true, windowName });
    void link.closed.then(() => this.#onOwnerGone(link)); // it never rejects
  }

  /** The place is free: this window tries to take it, at once. */
  #onOwnerGone(link: OwnerLink): void {
    if (this.#isDisposed || link !== this.#link) return;
    this.#enter({ type: 'guest', isConnected: false, windowName: link.windowName });
    // What runs now found that owner, and ends in a moment.
    const settled = this.#running?.catch(() => undefined) ?? Promise.resolve();
    void settled.then(async () => this.look()); // it never rejects
  }

  async #releasePort(): Promise<void> {
    this.#port = undefined;
    this.#loaded.reject(new ConnectionError('owner_gone', {}));
    this.#loaded = unsettled();
    await this.#parts.loopback.release();
  }

  #enter(state: RoleState): void {
    const isNews = JSON.stringify(state) !== JSON.stringify(this.#state);
    this.#state = state;
    this.#nextLook?.dispose();
    if (state.type === 'blocked' && this.#mayTryByItself(state.error)) {
      this.#nextLook = this.#parts.clock.after(LOOK_AGAIN_MS, () => void this.look()); // it never rejects
    }
    if (!isNews) return;
    if (state.type === 'blocked')
      this.#parts.log.error(`The connections cannot be used: ${describeError(state.error)}`);
    for (const listener of this.#listeners) listener(state);
  }

  /** A keychain may ask the person something whenever it is asked, so it is asked again only when the person is there. */
  #mayTryByItself(error: unknown): boolean {
    return !this.#isDisposed && !this.#isOutdated && !isKeychainError(error);
  }
}

function unsettled(): Deferred<void> {
  const loaded = deferred<void>();
  // What waits for it hears of a failure; nobody has to wait.
  loaded.promise.catch(() => undefined);
  return loaded;
}
