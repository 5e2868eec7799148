import http from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../connections/ports.ts';

/** A server that says nothing of it may close a connection that was idle for 5 s (uvicorn): ours goes before. */
const IDLE_MS = 4000;
/** However long a server would keep one. */
const LONGEST_IDLE_MS = 60_000;
const MOST_IDLE = 32;
/** Nothing is closed later than this after its time. */
const SWEEP_MS = 1000;

/** A connection that is kept, whether it is idle or in use. */
export interface KeptSocket {
  readonly socket: Socket;
  /** How long it may be idle: as the server said with its last answer. */
  idleMs: number;
  /** When it is closed, by the clock; 0 while it is in use. */
  endsAt: number;
}

/**
 * Connections to one server that were used and can be used again, whoever opened them. Node's own agents only keep what
 * they have opened, and those of VS Code's proxy keep nothing (see `createUpstream`).
 */
export class IdleSockets {
  readonly #clock: Clock;
  /** The one used last at the end: it is the least likely to be closed by the server soon. */
  #idle: KeptSocket[] = [];
  #isSweeping = false;
  #isDisposed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one out, to be used. */
  take(): KeptSocket | undefined {
    const now = this.#clock.now();
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      const { endsAt, socket } = kept;
      // Also after a sleep of the machine, when the server has long closed it.
      kept.endsAt = 0;
      if (endsAt > now && !socket.destroyed && socket.writable && !socket.readableEnded) return kept;
      socket.destroy();
    }
    return undefined;
  }

  /**
   * Keeps the connection of a request, from now on and for good, whenever an answer has come to its end.
   * @param socket as the request has got it from an agent, which lets go of it.
   */
  adopt(socket: Socket): KeptSocket {
    const kept: KeptSocket = { socket, idleMs: IDLE_MS, endsAt: 0 };
    // The documented way to take a connection from its agent.
    socket.emit('agentRemove');
    // Node says it when an answer was read to its end and the server keeps the connection, and else closes it.
    socket.on('free', () => this.#keep(kept));
    socket.on('error', () => undefined);
    // What a server says unasked answers nothing, and might be taken for the answer to the next request.
    socket.on('data', () => {
      if (kept.endsAt > 0) socket.destroy();
    });
    socket.on('close', () => {
      const index = this.#idle.indexOf(kept);
      if (index !== -1) this.#idle.splice(index, 1);
    });
    return kept;
  }

  #keep(kept: KeptSocket): void {
    const { idleMs, socket } = kept;
    if (this.#isDisposed || idleMs <= 0 || this.#idle.length >= MOST_IDLE || socket.destroyed) {
      socket.destroy();
      return;
    }
    kept.endsAt = this.#clock.now() + idleMs;
    this.#idle.push(kept);
    this.#sweepLater();
  }

  /** One timer for all of them, since each is idle many times a second. */
  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#isSweeping = false;
      const now = this.#clock.now();
      const over = this.#idle.filter(({ endsAt }) => endsAt <= now);
      this.#idle = this.#idle.filter(({ endsAt }) => endsAt > now);
      for (const { socket } of over) socket.destroy();
      if (this.#idle.length > 0) this.#sweepLater();
    });
  }

  /** Closes what is idle, and keeps nothing more. */
  dispose(): void {
    this.#isDisposed = true;
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }
}

/**
 * How long a connection may be idle, by the answer's `Keep-Alive` header: less than the server says by the time that a
 * request needs to get there.
 */
export function idleMsOf({ headers }: http.IncomingMessage): number {
  const seconds = /(?:^|[\s,])timeout=(\d+)/.exec(String(headers['keep-alive'] ?? ''))?.[1];
  return seconds === undefined ? IDLE_MS : Math.min(Number(seconds) * 1000 - 1000, LONGEST_IDLE_MS);
}

interface ReuseOptions {
  readonly reuse: Socket;
}

/** The agent of requests whose connection is there already. */
class ReusingAgent extends http.Agent {
  addRequest(request: http.ClientRequest, { reuse }: ReuseOptions): void {
    request.reusedSocket = true;
    request.onSocket(reuse);
  }
}

/** Made when it is first needed: a module that is loaded does nothing. */
let reusingAgent: ReusingAgent | undefined;

/**
 * Begins a request on a connection that is there already. It does not go through `http.request`, which VS Code replaces:
 * the way to the server has been found, and its proxy would look for it anew.
 */
export function requestOn(
  socket: Socket,
  { headers, method, path }: Pick<http.RequestOptions, 'method' | 'path'> & { readonly headers: readonly string[] },
): http.ClientRequest {
  reusingAgent ??= new ReusingAgent({ keepAlive: true });
  const options: http.RequestOptions & ReuseOptions = { method, path, headers, agent: reusingAgent, reuse: socket };
  return new http.ClientRequest(options);
}
