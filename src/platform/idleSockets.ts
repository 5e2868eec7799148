import http from 'node:http';
import type { Socket } from 'node:net';

/** A server that says nothing of it may close a connection that was idle for 5 s (uvicorn): ours goes before. */
const IDLE_MS = 4000;
/** However long a server would keep one. */
const LONGEST_IDLE_MS = 60_000;
const MOST_IDLE = 32;

interface Idle {
  readonly socket: Socket;
  /** Takes it out of its idleness. */
  readonly wake: () => void;
}

/**
 * Connections to one server that were used and can be used again, whoever opened them. Node's own agents only keep what
 * they have opened, and those of VS Code's proxy keep nothing (see `createUpstream`).
 */
export class IdleSockets {
  /** The one used last at the end: it is the least likely to be closed by the server soon. */
  readonly #idle: Idle[] = [];
  #isDisposed = false;

  /** Takes one out, to be used. */
  take(): Socket | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.wake();
      const { socket } = idle;
      if (!socket.destroyed && socket.writable && socket.readable) return socket;
      socket.destroy();
    }
    return undefined;
  }

  /**
   * Keeps the connection of a request, from now on and for good, when its answer has come to its end.
   * @param socket as the request has got it from an agent, which lets go of it.
   */
  adopt(request: http.ClientRequest, socket: Socket): void {
    let hint: string | undefined;
    request.once('response', ({ headers }) => (hint = String(headers['keep-alive'] ?? '')));
    // Node says it when the answer was read to its end and the server keeps the connection, and else closes it.
    socket.once('free', () => this.#keep(socket, idleMsOf(hint)));
    // The documented way to take a connection from its agent.
    socket.emit('agentRemove');
  }

  #keep(socket: Socket, idleMs: number): void {
    if (this.#isDisposed || idleMs <= 0 || this.#idle.length >= MOST_IDLE || socket.destroyed) {
      socket.destroy();
      return;
    }
    const end = (): void => void socket.destroy();
    const leave = (): void => {
      const index = this.#idle.findIndex((idle) => idle.socket === socket);
      if (index !== -1) this.#idle.splice(index, 1);
    };
    // What a server says unasked is of no use, and the connection with it.
    socket.on('data', end).on('timeout', end).on('end', end).on('error', end).on('close', leave);
    socket.setTimeout(idleMs);
    socket.unref();
    const wake = (): void => {
      socket.off('data', end).off('timeout', end).off('end', end).off('error', end).off('close', leave);
      socket.setTimeout(0);
      socket.ref();
    };
    this.#idle.push({ socket, wake });
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

/** Made when it is first needed: a module that is loaded does nothing. */
let reusingAgent: ReusingAgent | undefined;

/**
 * Begins a request on a connection that is there already. It does not go through `http.request`, which VS Code replaces:
 * the way to the server has been found, and its proxy would look for it anew.
 */
export function requestOn(socket: Socket, options: http.RequestOptions): http.ClientRequest {
  reusingAgent ??= new ReusingAgent({ keepAlive: true });
  const reused: http.RequestOptions & ReuseOptions = {
    ...options,
    // Of the agent; what the connection is, it is.
    protocol: 'http:',
    agent: reusingAgent,
    reuse: socket,
  };
  return new http.ClientRequest(reused);
}
