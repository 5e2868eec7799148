import http from 'node:http';
import type { Socket } from 'node:net';

/** A server that says nothing of it may close a connection that was idle for 5 s (uvicorn): ours goes before. */
const IDLE_MS = 4000;
/** However long a server would keep one. */
const LONGEST_IDLE_MS = 60_000;
const MOST_IDLE = 32;

/** A connection that is kept. What it hears while it is idle is heard by listeners that stay, since there are many requests. */
interface Kept {
  readonly socket: Socket;
  isIdle: boolean;
  /** What the server said of keeping it, when it answered last. */
  hint: string;
}

/**
 * Connections to one server that were used and can be used again, whoever opened them. Node's own agents only keep what
 * they have opened, and those of VS Code's proxy keep nothing (see `createUpstream`).
 */
export class IdleSockets {
  /** The one used last at the end: it is the least likely to be closed by the server soon. */
  readonly #idle: Kept[] = [];
  readonly #kept = new WeakMap<Socket, Kept>();
  #isDisposed = false;

  /** Takes one out, to be used. */
  take(): Socket | undefined {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      const { socket } = kept;
      kept.isIdle = false;
      socket.setTimeout(0);
      socket.ref();
      if (!socket.destroyed && socket.writable && socket.readable) return socket;
      socket.destroy();
    }
    return undefined;
  }

  /**
   * Keeps the connection of a request, from now on and for good, when its answer has come to its end.
   * @param socket as the request has got it from an agent, which lets go of it; or from {@link take}.
   */
  adopt(request: http.ClientRequest, socket: Socket): void {
    const kept = this.#kept.get(socket) ?? this.#begin(socket);
    kept.hint = '';
    request.once('response', ({ headers }) => (kept.hint = String(headers['keep-alive'] ?? '')));
  }

  #begin(socket: Socket): Kept {
    const kept: Kept = { socket, isIdle: false, hint: '' };
    this.#kept.set(socket, kept);
    const end = (): void => {
      if (kept.isIdle) socket.destroy();
    };
    // What a server says unasked is of no use, and the connection with it.
    socket.on('data', end).on('timeout', end).on('end', end).on('error', end);
    socket.on('close', () => {
      const index = this.#idle.indexOf(kept);
      if (index !== -1) this.#idle.splice(index, 1);
    });
    // Node says it when the answer was read to its end and the server keeps the connection, and else closes it.
    socket.on('free', () => this.#keep(kept));
    // The documented way to take a connection from its agent.
    socket.emit('agentRemove');
    return kept;
  }

  #keep(kept: Kept): void {
    const { hint, socket } = kept;
    const idleMs = idleMsOf(hint);
    if (this.#isDisposed || idleMs <= 0 || this.#idle.length >= MOST_IDLE || socket.destroyed) {
      socket.destroy();
      return;
    }
    kept.isIdle = true;
    socket.setTimeout(idleMs);
    socket.unref();
    this.#idle.push(kept);
  }

  /** Closes what is idle, and keeps nothing more. */
  dispose(): void {
    this.#isDisposed = true;
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }
}

/** What a server says of how long it keeps an idle connection, less the time that a request needs to get there. */
function idleMsOf(hint: string | undefined): number {
  const seconds = /(?:^|[\s,])timeout=(\d+)/.exec(hint ?? '')?.[1];
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

const reusingAgent = new ReusingAgent({ keepAlive: true });

/**
 * Begins a request on a connection that is there already. It does not go through `http.request`, which VS Code replaces:
 * the way to the server has been found, and its proxy would look for it anew.
 */
export function requestOn(socket: Socket, options: http.RequestOptions): http.ClientRequest {
  const reused: http.RequestOptions & ReuseOptions = {
    ...options,
    // Of the agent; what the connection is, it is.
    protocol: 'http:',
    agent: reusingAgent,
    reuse: socket,
  };
  return new http.ClientRequest(reused);
}
