import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ConnectionError } from '../connections/errors.ts';
import type { PortNews } from '../connections/ports.ts';
import { errorCode } from './atomicFile.ts';
import { createRequestListener, type LoopbackRoutes } from './callbackRoute.ts';
import { createPortFiles } from './portFiles.ts';
import { createUpgradeListener } from './upgradeRoute.ts';

export interface LoopbackServerOptions {
  /** The user's folder, in which the port is kept. */
  readonly folder: string;
  readonly routes: LoopbackRoutes;
  /** The port that the person set; 0, the default, for the one that was chosen at the first start. */
  readonly wantedPort?: () => number;
  /** Hears what became of it, while the one before is still served. */
  readonly onPort?: (news: PortNews) => Promise<void>;
  /** How long a callback may take to be judged. 30 s by default. */
  readonly answerTimeoutMs?: number;
}

/** `taken`: another window has the port, or a stranger; asking there tells. */
export interface LoopbackRole {
  readonly role: 'owner' | 'taken';
  readonly port: number;
}

export interface LoopbackServer {
  /**
   * Makes this window the owner of the user's port, unless it is taken. May be called again at any time: an owner
   * stays one. The port is chosen at the first start and never changes by itself.
   * Throws `storage_failed` when the user's folder cannot be used, `storage_broken` when the file that keeps the
   * port is no such file.
   */
  acquire(): Promise<LoopbackRole>;
  /**
   * Moves an owner to the port that is set by now; gives the one that it is at then, undefined when it is no owner.
   * Throws as {@link acquire}; nothing has changed then.
   */
  follow(): Promise<number | undefined>;
  /**
   * Leaves a port that a stranger holds for the one that is set. Gives false when no other one is: a port never changes
   * by itself. Throws as {@link acquire}.
   */
  forsake(port: number): Promise<boolean>;
  /** Closes the port and all connections to it, those of guests too. */
  release(): Promise<void>;
}

interface Bound {
  readonly server: Server;
  readonly port: number;
  /** Connections that speak HTTP no longer. */
  readonly upgraded: ReadonlySet<Duplex>;
}

const LOOPBACK = '127.0.0.1';
const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request: MCP messages are short, but a client that is slow to read a file sends it slowly. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Local clients call again and again; they hear of it in the `Keep-Alive` header. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/**
 * Each guest holds one for as long as its window is open, and each MCP client one for its stream and one for each call
 * that is under way. A browser, for whose pages nothing is here, opens no more than 256.
 */
const CONNECTIONS_AT_MOST = 1000;
/** With more than these, those of clients that call no more are closed, so that windows still get in. */
const CONNECTIONS_UNTIL_CLOSING = 800;

/**
 * The one port of this user on the loopback interface. Who binds it owns the connections: the operating system
 * gives it to one process and takes it back the moment that one dies.
 */
export function createLoopbackServer(options: LoopbackServerOptions): LoopbackServer {
  const { folder, routes, answerTimeoutMs = 30_000, onPort = async () => undefined, wantedPort = () => 0 } = options;
  const files = createPortFiles(folder);
  let held: Bound | undefined;
  // Acquiring and releasing take turns.
  let lastTurn: Promise<unknown> = Promise.resolve();

  async function acquireNow(): Promise<LoopbackRole> {
    if (held !== undefined) return { role: 'owner', port: held.port };
    const kept = await files.readPort();
    if (kept !== undefined) return acquirePort(kept);

    // The first start. It is bound before it is written down, so that no other program can be on it.
    const wanted = wantedPort();
    const chosen = await tryToBind(wanted);
    if (chosen === undefined) return { role: 'taken', port: wanted };
    const holding = await files.keepPort(chosen.port);
    if (holding === chosen.port) return own(chosen);
    await close(chosen);
    return acquirePort(holding);
  }

  async function acquirePort(port: number): Promise<LoopbackRole> {
    const bound = await tryToBind(port);
    if (bound === undefined) return { role: 'taken', port };
    // Whoever moves to another port has written it down before this one was free.
    const kept = await files.readPort();
    if (kept !== undefined && kept !== port) {
      await close(bound);
      return acquirePort(kept);
    }
    own(bound);
    return { role: 'owner', port: await moveNow(bound) };
  }

  /** Binds the port that is set, if it is another one, before the one that is held is given up. */
  async function moveNow(before: Bound): Promise<number> {
    const from = before.port;
    const to = wantedPort();
    if (to === 0 || to === from) return from;
    const next = await tryToBind(to);
    if (next === undefined) {
      await onPort({ type: 'refused', wanted: to, kept: from });
      return from;
    }
    try {
      await files.replacePort(to);
    } catch (error) {
      await close(next);
      throw error;
    }
    own(next);
    await onPort({ type: 'moved', from, to });
    await close(before);
    return to;
  }

  /** Undefined when the port is taken. */
  async function tryToBind(port: number): Promise<Bound | undefined> {
    try {
      return await bind(port);
    } catch (error) {
      // EACCES: Windows has reserved a range that the port is in.
      const code = errorCode(error);
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      return undefined;
    }
  }

  function own(bound: Bound): LoopbackRole {
    held = bound;
    return { role: 'owner', port: bound.port };
  }

  async function bind(wanted: number): Promise<Bound> {
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      noDelay: true,
    });
    server.maxConnections = CONNECTIONS_AT_MOST;
    let connections = 0;
    server.on('connection', (socket) => {
      connections += 1;
      socket.once('close', () => (connections -= 1));
      if (connections > CONNECTIONS_UNTIL_CLOSING) server.closeIdleConnections();
    });
    server.listen({ host: LOOPBACK, port: wanted, exclusive: true });
    await once(server, 'listening');
    // A connection that could not be accepted (no file handles left) ends no other.
    server.on('error', () => undefined);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : wanted;
    server.on('request', createRequestListener(routes, port, answerTimeoutMs));
    const upgraded = new Set<Duplex>();
    server.on(
      'upgrade',
      createUpgradeListener(routes.upgrade, port, (stream) => {
        upgraded.add(stream);
        stream.once('close', () => upgraded.delete(stream));
      }),
    );
    return { server, port, upgraded };
  }

  async function releaseNow(): Promise<void> {
    if (held === undefined) return;
    const bound = held;
    held = undefined;
    await close(bound);
  }

  async function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(action);
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Throws what went wrong with the user's folder as one of our errors. */
  async function inOurWords<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await inTurn(action);
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      const problem = errorCode(error);
      // What has no system's code comes from reading what is in the port's file.
      if (problem === undefined) {
        throw new ConnectionError('storage_broken', { path: files.portFile, problem: 'not a port' });
      }
      throw new ConnectionError('storage_failed', { operation: 'write', path: folder, problem });
    }
  }

  return {
    async acquire() {
      return inOurWords(acquireNow);
    },
    async follow() {
      return inOurWords(async () => (held === undefined ? undefined : moveNow(held)));
    },
    async forsake(port) {
      return inOurWords(async () => {
        const to = wantedPort();
        if (held !== undefined || to === 0 || to === port || (await files.readPort()) !== port) return false;
        await files.replacePort(to);
        await onPort({ type: 'moved', from: port, to });
        return true;
      });
    },
    async release() {
      await inTurn(releaseNow);
    },
  };
}

async function close({ server, upgraded }: Bound): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  // The server no longer counts these as its own, yet waits for them.
  for (const stream of upgraded) stream.destroy();
  await closed;
}
