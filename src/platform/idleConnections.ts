import type { Socket } from 'node:net';
import type { Client } from 'undici';
import type { Clock } from '../connections/ports.ts';
import { KeptConnection } from './keptConnection.ts';

const MOST_IDLE = 32;
/** Nothing is closed later than this after its time. */
const SWEEP_MS = 1000;

/**
 * Connections to one server that were used and can be used again, whoever opened them. Node's own agents only keep what
 * they have opened, and those of VS Code's proxy keep nothing (see `createUpstream`).
 */
export class IdleConnections {
  readonly #UndiciClient: typeof Client;
  readonly #origin: string;
  readonly #clock: Clock;
  /** The one used last at the end: it is the least likely to be closed by the server soon. */
  #idle: KeptConnection[] = [];
  #isSweeping = false;
  #isDisposed = false;

  /** @param origin of the server */
  constructor(UndiciClient: typeof Client, origin: string, clock: Clock) {
    this.#UndiciClient = UndiciClient;
    this.#origin = origin;
    this.#clock = clock;
  }

  /** Takes one out, to be used. */
  take(): KeptConnection | undefined {
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
   * Keeps the connection of a first request, from now on and for good, whenever an answer has come to its end.
   * @param socket as the request has got it from an agent, which lets go of it.
   */
  adopt(socket: Socket): KeptConnection {
    const kept: KeptConnection = new KeptConnection(this.#UndiciClient, this.#origin, socket, {
      onFree: () => this.#keep(kept),
      onClose: () => {
        const index = this.#idle.indexOf(kept);
        if (index !== -1) this.#idle.splice(index, 1);
      },
    });
    return kept;
  }

  #keep(kept: KeptConnection): void {
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
