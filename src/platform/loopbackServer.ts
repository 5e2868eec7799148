import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionError } from '../connections/errors.ts';
import { errorCode } from './atomicFile.ts';
import { createRequestListener, type LoopbackRoutes } from './callbackRoute.ts';
import { createPortFiles, isAlive } from './portFiles.ts';

export interface LoopbackServerOptions {
  /** The user's folder, in which the port is kept. */
  readonly folder: string;
  /** A name of this window for the others, such as its workspace. */
  readonly describeWindow: () => string;
  readonly routes: LoopbackRoutes;
  /** How long a busy port is tried again when it seems to be on its way out. 2 s by default. */
  readonly retryMs?: number;
  /** How long a callback may take to be judged. 30 s by default. */
  readonly answerTimeoutMs?: number;
}

export type LoopbackRole =
  | { readonly role: 'owner'; readonly port: number }
  | { readonly role: 'guest'; readonly windowName?: string };

export interface LoopbackServer {
  /**
   * Makes this window the owner of the user's port, unless another window is. May be called again at any time:
   * an owner stays one, a guest tries anew. The port is chosen at the first start and never changes by itself.
   * Throws `port_busy` when a stranger holds it, `storage_failed` when the user's folder cannot be
   * used, `storage_broken` when the file that keeps the port is no such file.
   */
  acquire(): Promise<LoopbackRole>;
  /** Closes the port and all connections to it. */
  release(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const RETRY_EVERY_MS = 100;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_AT_MOST = 50;

/**
 * The one port of this user on the loopback interface. Who binds it owns the connections: the operating system
 * gives it to one process and takes it back the moment that one dies.
 */
export function createLoopbackServer(options: LoopbackServerOptions): LoopbackServer {
  const { folder, describeWindow, routes, retryMs = 2000, answerTimeoutMs = 30_000 } = options;
  const files = createPortFiles(folder);
  let held: { readonly server: Server; readonly port: number } | undefined;
  // Acquiring and releasing take turns.
  let lastTurn: Promise<unknown> = Promise.resolve();

  async function acquireNow(): Promise<LoopbackRole> {
    if (held !== undefined) return { role: 'owner', port: held.port };
    const kept = await files.readPort();
    if (kept !== undefined) return acquirePort(kept);

    // The first start. It is bound before it is written down, so that no other program can be on it.
    const chosen = await bind(0);
    const holding = await files.keepPort(chosen.port);
    if (holding === chosen.port) return own(chosen);
    await close(chosen.server);
    return acquirePort(holding);
  }

  async function acquirePort(port: number): Promise<LoopbackRole> {
    const giveUpAt = performance.now() + retryMs;
    for (;;) {
      try {
        return await own(await bind(port));
      } catch (error) {
        // EACCES: Windows has reserved a range that the port is in.
        const code = errorCode(error);
        if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      }
      const owner = await files.readOwner();
      const isOther = owner !== undefined && owner.port === port && owner.pid !== process.pid && isAlive(owner.pid);
      // A window of the same name may be this one before it was reloaded: its host ends in a moment.
      if (isOther && owner.window !== describeWindow()) return { role: 'guest', windowName: owner.window };
      if (performance.now() >= giveUpAt) {
        if (isOther) return { role: 'guest', windowName: owner.window };
        throw new ConnectionError('port_busy', { port });
      }
      await delay(RETRY_EVERY_MS);
    }
  }

  async function own(bound: { readonly server: Server; readonly port: number }): Promise<LoopbackRole> {
    try {
      await files.writeOwner({ pid: process.pid, window: describeWindow(), port: bound.port });
    } catch (error) {
      await close(bound.server);
      throw error;
    }
    held = bound;
    return { role: 'owner', port: bound.port };
  }

  async function bind(wanted: number): Promise<{ readonly server: Server; readonly port: number }> {
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 1000,
    });
    server.maxConnections = CONNECTIONS_AT_MOST;
    server.listen({ host: LOOPBACK, port: wanted, exclusive: true });
    await once(server, 'listening');
    // A connection that could not be accepted (no file handles left) ends no other.
    server.on('error', () => undefined);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : wanted;
    server.on('request', createRequestListener(routes, port, answerTimeoutMs));
    return { server, port };
  }

  async function releaseNow(): Promise<void> {
    if (held === undefined) return;
    const { server } = held;
    held = undefined;
    try {
      // First, so that nobody who finds the port free is told that this window has it.
      await files.removeOwner(process.pid);
    } finally {
      await close(server);
    }
  }

  async function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(action);
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  return {
    async acquire() {
      try {
        return await inTurn(acquireNow);
      } catch (error) {
        if (error instanceof ConnectionError) throw error;
        const problem = errorCode(error);
        // What has no system's code comes from reading what is in the port's file.
        if (problem === undefined) {
          throw new ConnectionError('storage_broken', { path: files.portFile, problem: 'not a port' });
        }
        throw new ConnectionError('storage_failed', { operation: 'write', path: folder, problem });
      }
    },
    async release() {
      await inTurn(releaseNow);
    },
  };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
