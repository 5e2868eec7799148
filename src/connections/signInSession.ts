import type { PendingAuthorization } from '../oauth/authorization.ts';
import type { AuthorizationStep, ConnectionState } from './connection.ts';
import type { AuthorizationOutcome, CallbackOutcome, DevicePrompt } from './connectionService.ts';
import { deferred } from './deferred.ts';
import { ConnectionError } from './errors.ts';
import type { PendingCallbacks } from './pendingCallbacks.ts';
import type { Clock, Log, OpenBrowser } from './ports.ts';
import type { TraceRecorder } from './traceRecorder.ts';

/** How long a sign-in waits for the person in the browser. */
export const SIGN_IN_TIMEOUT_MS = 5 * 60_000;

export interface SignInSessionPorts {
  readonly callbacks: PendingCallbacks;
  readonly clock: Clock;
  readonly openBrowser: OpenBrowser;
  readonly log: Log;
  /** Records the steps of the sign-in. */
  readonly trace: TraceRecorder;
}

/** One sign-in while it runs: what it waits for, how it is cancelled, and the state that lies under it. */
export class SignInSession {
  readonly #ports: SignInSessionPorts;
  readonly #abort = new AbortController();
  readonly #callbackOutcome = deferred<CallbackOutcome>();
  /** The connection's state apart from this sign-in; what it falls back to. */
  underlying: ConnectionState;
  step: AuthorizationStep = 'discovering';
  /** The authorization URL, while the browser is waited for. */
  url: string | undefined;
  /** What the person is to enter, while that is waited for. */
  device: DevicePrompt | undefined;
  /** The client whose authorization led to no callback, until one comes. */
  unansweredClientId: string | undefined;
  /** The client that was registered for this sign-in, which the server cannot have forgotten yet. */
  newClientId: string | undefined;
  outcome: Promise<AuthorizationOutcome> | undefined;

  constructor(ports: SignInSessionPorts, underlying: ConnectionState) {
    this.#ports = ports;
    this.underlying = underlying;
  }

  get trace(): TraceRecorder {
    return this.#ports.trace;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(): void {
    this.#abort.abort();
  }

  /** Whether `error` is this sign-in's cancellation. */
  isCancellation(error: unknown): boolean {
    return this.signal.aborted && error === this.signal.reason;
  }

  /** Tells the page in the browser, if one waits, what became of the sign-in. */
  finish(outcome: CallbackOutcome): void {
    this.#callbackOutcome.resolve(outcome);
  }

  /**
   * Opens the browser and waits for the callback. A browser that cannot be opened ends nothing: the
   * person can copy the URL.
   * @param onWaiting called when {@link url} is there.
   * Throws `authorization_timed_out`, or the signal's reason when cancelled.
   */
  async awaitCallback(pending: PendingAuthorization, onWaiting: () => void): Promise<URL> {
    const { callbacks, clock } = this.#ports;
    this.signal.throwIfAborted();
    const ended = deferred<never>();
    const cancel = (): void => ended.reject(this.signal.reason);
    this.signal.addEventListener('abort', cancel);
    const timer = clock.after(SIGN_IN_TIMEOUT_MS, () =>
      ended.reject(new ConnectionError('authorization_timed_out', { timeoutMs: SIGN_IN_TIMEOUT_MS })),
    );
    const expected = callbacks.expect(pending.state, this.#callbackOutcome.promise);
    this.url = pending.url;
    // Only a registration can be forgotten; another client stays what it is.
    if (pending.client.source === 'registered') this.unansweredClientId = pending.client.clientId;
    try {
      onWaiting();
      this.#open(pending.url);
      const callback = await this.trace.browse(pending.url, async () => Promise.race([expected.url, ended.promise]));
      this.unansweredClientId = undefined;
      return callback;
    } finally {
      this.url = undefined;
      expected.dispose();
      timer.dispose();
      this.signal.removeEventListener('abort', cancel);
    }
  }

  /**
   * Shows a device authorization while `wait` runs, and opens the browser where the server gives a URL with the
   * code in it. Gives what `wait` gives.
   * @param onWaiting called when {@link device} is there.
   */
  async showDevice<T>(device: DevicePrompt, onWaiting: () => void, wait: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.device = device;
    try {
      onWaiting();
      if (device.verificationUriComplete !== undefined) this.#open(device.verificationUriComplete);
      return await this.trace.visit(device.verificationUri, wait);
    } finally {
      this.device = undefined;
    }
  }

  /** Not awaited: the editor may ask the person first, who can also go there by another way. */
  #open(url: string): void {
    const { log, openBrowser } = this.#ports;
    void openBrowser(url).then(
      (isOpened) => (isOpened ? undefined : log.warn('The browser was not opened.')),
      (error: unknown) => log.warn(`The browser could not be opened: ${String(error)}`),
    );
  }
}
