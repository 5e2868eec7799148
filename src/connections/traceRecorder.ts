import type { ScopekeeperError } from '../oauth/errors.ts';
import type { Fetch, FetchRequest } from '../oauth/fetchPort.ts';
import { brokenRule } from './brokenRule.ts';
import { asScopekeeperError } from './errors.ts';
import type { Clock } from './ports.ts';
import type { AuthorizationTrace, TracePurpose, TraceStep } from './trace.ts';
import { TraceFields } from './traceFields.ts';

/** A device code may be asked about for a quarter of an hour; of more steps the middle is left out. */
const STEPS_AT_MOST = 60;
const FIRST_KEPT = 30;

/** Records what goes over the wire, and through the browser, in one sign-in or one diagnosis. Keeps no secret. */
export class TraceRecorder {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #fields = new TraceFields();
  readonly #startedAt: number;
  #steps: TraceStep[] = [];
  #omitted = 0;
  /** What may be told of the last callback if it turns out to come from elsewhere. */
  #ofForged: TraceStep['received'] = [];
  #end: Pick<AuthorizationTrace, 'endedAt' | 'outcome' | 'error'> = { outcome: 'running' };

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** What was recorded so far. */
  get trace(): AuthorizationTrace {
    const omitted = this.#omitted === 0 ? {} : { omitted: this.#omitted };
    return { startedAt: this.#startedAt, ...this.#end, steps: [...this.#steps], ...omitted };
  }

  /**
   * The same `fetch`, each request of which is a step. It changes nothing of what is sent and answered.
   * @param known what the requests are for, where they do not tell.
   */
  recorded(fetch: Fetch, known?: TracePurpose): Fetch {
    return async (url, request) => {
      const purpose = known ?? this.#purposeOf(url, request);
      const step = this.#begin(purpose, request.method, url, this.#fields.ofRequest(purpose, request));
      try {
        const response = await fetch(url, request);
        const { status } = response;
        const isRead = request.headersOnly !== true && (request.headersOnly !== 'unless_error' || status >= 400);
        const body = isRead ? await response.clone().text() : undefined;
        step.finish({ status, received: this.#fields.ofAnswer(purpose, response, body) });
        return response;
      } catch (error) {
        step.finish(request.signal?.aborted === true ? {} : failureOf(error));
        throw error;
      }
    };
  }

  /** Records the way through the browser: `wait` gives the callback. */
  async browse(url: string, wait: () => Promise<URL>): Promise<URL> {
    const step = this.#begin('authorization', 'GET', url, this.#fields.ofQuery(new URL(url)));
    try {
      const callback = await wait();
      step.finish({});
      const { origin, pathname } = callback;
      const received = this.#fields.ofQuery(callback);
      this.#ofForged = this.#fields.ofForged(callback);
      // The editor's own scheme has no origin.
      const place = origin === 'null' ? `${callback.protocol}//${callback.host}${pathname}` : origin + pathname;
      this.#begin('callback', 'GET', place, []).finish({ received });
      return callback;
    } catch (error) {
      step.finish({});
      throw error;
    }
  }

  /** Records the person's way to another device's page (RFC 8628), which is under way while `wait` runs. */
  async visit<T>(url: string, wait: () => Promise<T>): Promise<T> {
    const step = this.#begin('authorization', 'GET', url, []);
    try {
      return await wait();
    } finally {
      step.finish({});
    }
  }

  /** Notes how it ended, and at which step. Only the first end counts. */
  end(outcome: Exclude<AuthorizationTrace['outcome'], 'running'>, cause?: unknown): void {
    if (this.#end.outcome !== 'running') return;
    const error = cause === undefined ? undefined : asScopekeeperError(cause);
    this.#end = { outcome, endedAt: this.#clock.now(), ...(error !== undefined && { error }) };
    if (error !== undefined) this.blame(error);
  }

  /** Notes an error at the step whose answer it is about. */
  blame(error: ScopekeeperError): void {
    if (this.#steps.some(({ errorCode }) => errorCode === error.code)) return;
    const { purpose, rule } = brokenRule(error);
    const isMeant = (step: TraceStep): boolean => step.purpose === purpose;
    // A document is at fault, and not the place after it where there was none.
    const document = this.#steps.findLastIndex(
      (step) => isMeant(step) && step.status !== undefined && step.status < 300,
    );
    const found = document === -1 ? this.#steps.findLastIndex(isMeant) : document;
    const at = found === -1 ? this.#steps.length - 1 : found;
    const step = this.#steps[at];
    if (step === undefined) return;
    // Whoever made it must not speak to the person.
    const isForged = error.code === 'callback_issuer_mismatch' && step.purpose === 'callback';
    const received = isForged ? this.#ofForged : step.received;
    this.#steps[at] = { ...step, received, errorCode: error.code, ...(rule !== undefined && { rule }) };
  }

  /** Takes a step up, and gives how to end it. */
  #begin(purpose: TracePurpose, method: string, url: string, sent: TraceStep['sent']) {
    const at = this.#clock.now();
    const begun: TraceStep = { at, purpose, method, url: this.#fields.url(url), sent, received: [] };
    let current = begun;
    this.#steps.push(begun);
    if (this.#steps.length > STEPS_AT_MOST) {
      this.#steps.splice(FIRST_KEPT, 1);
      this.#omitted += 1;
    }
    return {
      finish: (rest: Partial<Pick<TraceStep, 'status' | 'received' | 'errorCode' | 'rule'>>): void => {
        const index = this.#steps.indexOf(current);
        current = { ...begun, durationMs: Math.max(0, this.#clock.now() - at), ...rest };
        // It may have been left out meanwhile.
        if (index !== -1) this.#steps[index] = current;
      },
    };
  }

  #purposeOf(url: string, { body = '', method }: FetchRequest): TracePurpose {
    const { pathname } = new URL(url, 'http://invalid');
    if (method === 'GET') {
      if (/\/\.well-known\/(?:oauth-authorization-server|openid-configuration)(?:\/|$)/.test(pathname)) {
        return 'server_metadata';
      }
      // A server that takes no POST is asked by a GET at the same URL.
      const isProbed = this.#steps.at(-1)?.purpose === 'probe' && this.#steps.at(-1)?.url === this.#fields.url(url);
      return isProbed ? 'probe' : 'resource_metadata';
    }
    if (method !== 'POST') return 'other';
    if (body.startsWith('{')) return body.includes('"jsonrpc"') ? 'probe' : 'registration';
    const form = new URLSearchParams(body);
    const grantType = form.get('grant_type');
    if (grantType === 'refresh_token') return 'refresh';
    if (grantType !== null) return 'token';
    return form.has('token') ? 'revocation' : 'device_authorization';
  }
}

function failureOf(cause: unknown): Pick<TraceStep, 'errorCode' | 'rule'> {
  const error = asScopekeeperError(cause);
  const { rule } = brokenRule(error);
  return { errorCode: error.code, ...(rule !== undefined && { rule }) };
}
