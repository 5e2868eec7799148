import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import type { Client } from 'undici';
import { KeptExchange } from './keptExchange.ts';

/** A server that says nothing of it may close a connection that was idle for 5 s (uvicorn): ours goes before. */
const IDLE_MS = 4000;
/** However long a server would keep one. */
const LONGEST_IDLE_MS = 60_000;

export interface KeptRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn, `host` among them. */
  readonly headers: string[];
  readonly body: Buffer | Readable;
}

/** What is told of a connection to who keeps it. */
export interface KeptListener {
  /** An answer has come to its end, and another request may be sent. */
  readonly onFree: () => void;
  readonly onClose: () => void;
}

/**
 * A connection to a server that was opened for a first request, whoever opened it, and carries more of them, one after
 * the other. They go by undici's client, which costs half of what `node:http` does.
 */
export class KeptConnection {
  readonly socket: Socket;
  /** How long it may be idle, in ms: as the server said with its last answer. */
  idleMs = IDLE_MS;
  /** When it is closed, by the clock; 0 while it is in use. */
  endsAt = 0;
  readonly #client: Client;
  readonly #listener: KeptListener;

  /**
   * @param socket as the first request has got it from an agent, which lets go of it
   * @param origin of its server
   */
  constructor(UndiciClient: typeof Client, origin: string, socket: Socket, listener: KeptListener) {
    this.socket = socket;
    this.#listener = listener;
    // What a server says unasked answers nothing, and might be taken for the answer to the next request.
    const onUnasked = (): void => {
      if (this.endsAt > 0) socket.destroy();
    };
    let isTaken = false;
    this.#client = new UndiciClient(origin, {
      connect: (_options, callback) => {
        // Not at once: undici asks from within its round of sending, and passes over what is told in it, so that the
        // request would wait for ever.
        queueMicrotask(() => {
          if (isTaken || socket.destroyed) return callback(closedError(), null);
          isTaken = true;
          // From here on the client judges what comes.
          socket.off('data', onUnasked);
          callback(null, socket);
        });
      },
      allowH2: false,
      // A tool may work for long, and a stream has no end.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Longer than ours: who keeps the connection counts the time.
      keepAliveTimeout: 2 * LONGEST_IDLE_MS,
      keepAliveMaxTimeout: 2 * LONGEST_IDLE_MS,
    });
    // The documented way to take a connection from its agent.
    socket.emit('agentRemove');
    // Node says it when the first answer was read to its end and the server keeps the connection, and else closes it.
    socket.on('free', listener.onFree);
    socket.on('error', () => undefined);
    socket.on('data', onUnasked);
    socket.on('close', listener.onClose);
  }

  /** Sends a request; not before the last one is over. */
  send(request: KeptRequest): KeptExchange {
    const exchange = new KeptExchange({
      onHead: (headers) => {
        this.idleMs = idleMsOf(headers);
      },
      // By then the client has closed the connection if it cannot stay.
      onEnd: () => queueMicrotask(this.#listener.onFree),
      // What is still on its way in it is nobody's.
      onError: () => void this.socket.destroy(),
    });
    const { body } = request;
    this.#client.dispatch({ ...request, body: Buffer.isBuffer(body) ? body : copyOf(body) }, exchange);
    return exchange;
  }
}

/** As Node has it for a connection that the server has closed meanwhile. */
function closedError(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

/**
 * What undici destroys when it is done with a body: that of a client's request would take the client's connection along,
 * by which it still waits for its answer.
 */
function copyOf(body: Readable): Readable {
  const copy = body.pipe(new PassThrough());
  // Its sender went away: what was sent of it may not pass for a whole.
  body.once('close', () => {
    if (!body.readableEnded) copy.destroy();
  });
  return copy;
}

/**
 * How long a connection may be idle, by an answer's `Keep-Alive` header, in ms: less than the server says by the time
 * that a request needs to get there.
 */
export function idleMsOf(headers: IncomingHttpHeaders): number {
  const seconds = /(?:^|[\s,])timeout=(\d+)/.exec(String(headers['keep-alive'] ?? ''))?.[1];
  return seconds === undefined ? IDLE_MS : Math.min(Number(seconds) * 1000 - 1000, LONGEST_IDLE_MS);
}
