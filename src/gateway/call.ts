import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { UpstreamExchange } from './ports.ts';
import type { Refusal } from './requestGuard.ts';

/** Of all that the gateway itself answers. */
const OWN_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** One request of a local client, and what has to end when the client goes away. */
export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  #exchange: UpstreamExchange | undefined;
  #cancelWait: (() => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    response.on('close', () => {
      if (response.writableFinished) return;
      this.#exchange?.abort();
      this.#cancelWait?.();
    });
  }

  /** Whether nobody takes an answer any more. */
  get isOver(): boolean {
    return this.response.closed || this.response.destroyed;
  }

  /** Takes the exchange that goes on now, which ends with the client. */
  readonly onExchange = (exchange: UpstreamExchange): void => {
    this.#exchange = exchange;
    if (this.isOver) exchange.abort();
  };

  /** Takes what ends the waiting that goes on now. */
  readonly onCancel = (cancel: () => void): void => {
    this.#cancelWait = cancel;
    if (this.isOver) cancel();
  };

  /** Calls back when the client has its answer, or is gone. */
  onClose(callback: () => void): void {
    if (this.isOver) callback();
    else this.response.once('close', callback);
  }

  /** Ends an answer in its middle, so that the client does not take it for whole. */
  readonly breakOff = (): void => {
    this.response.destroy();
  };

  /** Passes a body on as fast as the client takes it; what breaks it off breaks the answer off. */
  pour(body: Readable): void {
    const { response } = this;
    // Not by `pipe`, which costs a small answer more than all else that is done with it.
    body.on('data', (chunk: Buffer) => {
      if (response.write(chunk)) return;
      body.pause();
      response.once('drain', () => body.resume());
    });
    body.on('end', () => response.end());
  }
}

/** Answers shortly, and closes: what is left of the request is not read. */
export function refuse(
  response: ServerResponse,
  { allow, status, text }: Refusal | { readonly status: 401 | 500; readonly text: string; readonly allow?: undefined },
  challenge?: string,
): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    ...OWN_HEADERS,
    ...(allow !== undefined && { allow }),
    ...(challenge !== undefined && { 'www-authenticate': challenge }),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}

/** Answers with a JSON text, unless nobody is there any more. */
export function sendJson(
  response: ServerResponse,
  { body, status }: { readonly status: number; readonly body: string },
): void {
  if (response.closed || response.destroyed) return;
  response.writeHead(status, {
    ...OWN_HEADERS,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
