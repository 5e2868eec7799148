import type { GenericSchema, InferOutput } from 'valibot';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { describeError, isConnectionError } from '../connections/errors.ts';
import type { Clock, Log } from '../connections/ports.ts';
import type { ByteReader } from './byteReader.ts';
import { messageConnection } from './messageStream.ts';
import { ownerRequests, type WindowNotification, type WindowRequest } from './windowProtocol.ts';
import { ask, parsed, type Sent, serve } from './windowRpc.ts';

/**
 * How often a guest asks whether its owner is still at work, and how many of these times may pass without an answer.
 * A number of times and not a time: after a sleep both windows need a moment.
 */
const PING_EVERY_MS = 10_000;
const SILENT_AT_MOST = 3;

export interface OwnerChannelParts {
  readonly clock: Clock;
  readonly log: Log;
}

/** A guest's side of its connection to the owner. What has to be answered or heard is said before {@link listen}. */
export class OwnerChannel {
  readonly #rpc: MessageConnection;
  readonly #reader: ByteReader;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #end = new AbortController();
  readonly #closed: Promise<void>;

  constructor(reader: ByteReader, { clock, log }: OwnerChannelParts) {
    this.#reader = reader;
    this.#clock = clock;
    this.#log = log;
    this.#rpc = messageConnection(reader, log);
    this.#closed = new Promise((resolve) => this.#end.signal.addEventListener('abort', () => resolve()));
    this.#rpc.onClose(() => this.#end.abort());
  }

  /** Resolves when the owner has ended or was left. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Begins to take messages, and to look whether the owner is at work. */
  listen(): void {
    this.#rpc.listen();
    this.#watch();
  }

  /** Leaves the owner. What waits for an answer throws `owner_gone`. */
  dispose(): void {
    this.#rpc.dispose();
    this.#reader.stream.destroy();
    this.#end.abort();
  }

  /** As {@link ask}; when the owner is gone, no later request waits for it. */
  async ask<P extends GenericSchema, R extends GenericSchema>(
    request: WindowRequest<P, R>,
    params: Sent<P>,
    signal?: AbortSignal,
  ): Promise<InferOutput<R>> {
    try {
      return await ask(this.#rpc, request, params, signal);
    } catch (error) {
      if (isConnectionError(error, 'owner_gone')) this.dispose();
      throw error;
    }
  }

  /** As {@link serve}; what the owner asks is taken back, too, when the owner ends. */
  serve<P extends GenericSchema, R extends GenericSchema>(
    request: WindowRequest<P, R>,
    answer: (params: InferOutput<P>, signal: AbortSignal) => Promise<Sent<R> & object>,
  ): void {
    serve(this.#rpc, request, async (params, signal) => answer(params, AbortSignal.any([signal, this.#end.signal])));
  }

  /** Hears what the owner tells. What cannot be read is logged. */
  hear<P extends GenericSchema>(
    { method, params }: WindowNotification<P>,
    listener: (told: InferOutput<P>) => void,
  ): void {
    this.#rpc.onNotification(method, (told: unknown) => {
      try {
        listener(parsed(params, told));
      } catch (error) {
        this.#log.error(`What the owner told could not be read: ${describeError(error)}`);
      }
    });
  }

  /** Tells the owner something that needs no answer; what is not heard is made up for by the next. */
  tell(method: string): void {
    const tell = async (): Promise<void> => this.#rpc.sendNotification(method);
    void tell().catch(() => undefined); // see above
  }

  /**
   * Leaves an owner that does not answer any more, though its process is there: what waits for it would wait for ever, and
   * this window would show as current what it was told last.
   */
  #watch(): void {
    let unanswered = 0;
    const look = (): void => {
      if (unanswered >= SILENT_AT_MOST) {
        this.#log.warn('The window that keeps the connections does not answer any more.');
        this.dispose();
        return;
      }
      if (unanswered === 0) {
        const answered = (): void => {
          unanswered = 0;
        };
        // An error is an answer too; when the connection has ended nobody looks any more.
        void ask(this.#rpc, ownerRequests.ping, {}).then(answered, answered);
      }
      unanswered += 1;
      next = this.#clock.after(PING_EVERY_MS, look);
    };
    let next = this.#clock.after(PING_EVERY_MS, look);
    void this.closed.then(() => next.dispose()); // it never rejects
  }
}
