import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { deferred } from '../connections/deferred.ts';
import type { UpstreamAnswer } from '../gateway/ports.ts';

/** Of these the first counts, as `node:http` has it; all others are joined. */
const SINGLE_VALUED: ReadonlySet<string> = new Set([
  'age',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);

/** What is told of an exchange to its connection. */
export interface ExchangeListener {
  /** The head of the answer is there. */
  readonly onHead: (headers: IncomingHttpHeaders) => void;
  /** The answer is whole. */
  readonly onEnd: () => void;
  /** It came to nothing, or broke off. */
  readonly onError: () => void;
}

/** A request that undici sends, and its answer as `node:http` would give it. */
export class KeptExchange implements Dispatcher.DispatchHandler {
  readonly #listener: ExchangeListener;
  readonly #head = deferred<UpstreamAnswer>();
  #controller: Dispatcher.DispatchController | undefined;
  #received: ReceivedAnswer | undefined;
  #abortedFor: Error | undefined;

  constructor(listener: ExchangeListener) {
    this.#listener = listener;
  }

  /** The head of the answer. Rejects with what the request was aborted for, or as undici does. */
  get answer(): Promise<UpstreamAnswer> {
    return this.#head.promise;
  }

  /** Ends it, and its connection, unless the answer is over. */
  abort(reason: Error): void {
    this.#abortedFor = reason;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedFor !== undefined) controller.abort(this.#abortedFor);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, received: IncomingHttpHeaders): void {
    // One that only informs; the answer is still to come.
    if (status < 200) return;
    const headers = joined(received);
    this.#listener.onHead(headers);
    this.#received = new ReceivedAnswer(status, headers, controller);
    this.#head.resolve(this.#received);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#received?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#received?.end();
    this.#listener.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#received === undefined) this.#head.reject(error);
    else this.#received.breakOff(error);
    this.#listener.onError();
  }
}

const GIVEN_UP = new Error('nobody reads the answer');
/** So much is taken before somebody reads. */
const TAKEN_BYTES = 65_536;

/** An answer that undici receives: most are there as a whole before anybody looks, and need no stream. */
class ReceivedAnswer implements UpstreamAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly #controller: Dispatcher.DispatchController;
  readonly #taken: Buffer[] = [];
  #takenBytes = 0;
  #isWhole = false;
  #error: Error | undefined;
  #body: ReceivedBody | undefined;

  constructor(statusCode: number, headers: IncomingHttpHeaders, controller: Dispatcher.DispatchController) {
    this.statusCode = statusCode;
    this.headers = headers;
    this.#controller = controller;
  }

  get whole(): Buffer | undefined {
    if (!this.#isWhole || this.#body !== undefined) return undefined;
    const [first] = this.#taken;
    return first !== undefined && this.#taken.length === 1 ? first : Buffer.concat(this.#taken, this.#takenBytes);
  }

  get body(): Readable {
    if (this.#body === undefined) {
      this.#body = new ReceivedBody(this.#controller);
      for (const chunk of this.#taken.splice(0)) this.#body.push(chunk);
      if (this.#isWhole) this.#body.end();
      if (this.#error !== undefined) this.#body.destroy(this.#error);
    }
    return this.#body;
  }

  /** Takes a piece of the body; gives whether more may come now. */
  push(chunk: Buffer): boolean {
    if (this.#body !== undefined) return this.#body.push(chunk);
    this.#taken.push(chunk);
    this.#takenBytes += chunk.length;
    return this.#takenBytes < TAKEN_BYTES;
  }

  end(): void {
    this.#isWhole = true;
    this.#body?.end();
  }

  breakOff(error: Error): void {
    this.#error = error;
    this.#body?.destroy(error);
  }
}

/** The body of an answer that takes longer, as fast as it is read. */
class ReceivedBody extends Readable {
  readonly #controller: Dispatcher.DispatchController;
  #isWhole = false;

  constructor(controller: Dispatcher.DispatchController) {
    super();
    this.#controller = controller;
    // One that breaks off before anybody reads it is no fault of ours.
    this.on('error', () => undefined);
  }

  end(): void {
    this.#isWhole = true;
    this.push(null);
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isWhole) this.#controller.abort(error ?? GIVEN_UP);
    callback(error);
  }
}

/** Headers as `node:http` has them, of which undici gives those that are repeated as lists. */
function joined(received: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name in received) {
    const value = received[name];
    if (!Array.isArray(value) || name === 'set-cookie') continue;
    received[name] = SINGLE_VALUED.has(name) ? value[0] : value.join(', ');
  }
  return received;
}
