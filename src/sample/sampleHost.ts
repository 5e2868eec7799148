import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectionService } from '../connections/connectionService.ts';
import { ConnectionError, describeError } from '../connections/errors.ts';
import { KeyedQueue } from '../connections/keyedQueue.ts';
import type { Disposable, Log } from '../connections/ports.ts';
import type { SampleServer } from './sampleServer.ts';
import { sampleUrl } from './sampleResource.ts';

/** The port of the sample server, which is kept as long as its folder is. */
export interface SamplePort {
  /** Throws `storage_failed` or `storage_broken`. */
  acquire(): Promise<{ readonly role: 'owner' | 'taken'; readonly port: number }>;
  release(): Promise<void>;
}

/** A sample server with all that it has to keep. */
export interface KeptSample extends SampleServer {
  /** Reads what was kept. Throws why it cannot be used. */
  load(): Promise<void>;
  /** Resolves when all is kept. */
  dispose(): Promise<void>;
}

export interface SampleHostParts {
  readonly connections: Pick<ConnectionService, 'connections' | 'onDidChangeConnection'>;
  /** The server URLs of the stored connections, before they are loaded. Throws `storage_failed` or `storage_too_new`. */
  readonly storedUrls: () => Promise<readonly string[]>;
  /** The port that was kept; undefined when there is none, or its file is broken. */
  readonly keptPort: () => Promise<number | undefined>;
  readonly createPort: (
    onRequest: (request: IncomingMessage, response: ServerResponse, port: number) => void,
  ) => SamplePort;
  /** Loads the bundle of the sample server and makes one. */
  readonly createServer: () => KeptSample;
  /** Deletes all that the sample server kept. */
  readonly forget: () => Promise<void>;
  readonly log: Log;
}

/** What runs. */
interface Serving {
  readonly url: string;
  readonly port: SamplePort;
  readonly server: KeptSample;
}

/**
 * Runs the sample server in the window that keeps the connections, while there is a connection to it. Without one there
 * is no file, no port, and not even its code.
 */
export class SampleHost {
  readonly #parts: SampleHostParts;
  readonly #turns = new KeyedQueue();
  #serving: Serving | undefined;
  #removals: Disposable | undefined;

  constructor(parts: SampleHostParts) {
    this.#parts = parts;
  }

  /**
   * Serves again what a connection was made to. Before the connections are loaded, since their tokens may be renewed at
   * once. Never rejects: without it that connection alone does not work, and says so.
   */
  async start(): Promise<void> {
    await this.#inTurn(async () => {
      this.#removals ??= this.#parts.connections.onDidChangeConnection(({ connection, type }) => {
        if (type === 'removed') void this.#endAfter(connection.serverUrl); // it never rejects
      });
      const port = await this.#parts.keptPort();
      if (port === undefined) return;
      if ((await this.#parts.storedUrls()).includes(sampleUrl(port))) await this.#serve();
      // It was tried, and no connection came of it.
      else await this.#parts.forget();
    }).catch((error: unknown) => this.#parts.log.warn(`The sample server does not run: ${describeError(error)}`));
  }

  /**
   * Serves the sample server, unless it is, and gives its URL.
   * Throws `port_busy` when another program has its port, `storage_failed`, `storage_broken`, `storage_too_new`.
   */
  async url(): Promise<string> {
    return this.#inTurn(async () => this.#serve());
  }

  /** Gives the port back. May be started again. Never rejects. */
  async dispose(): Promise<void> {
    this.#removals?.dispose();
    this.#removals = undefined;
    await this.#inTurn(async () => this.#stop()).catch((error: unknown) => this.#tell(error));
  }

  async #serve(): Promise<string> {
    if (this.#serving !== undefined) return this.#serving.url;
    const server = this.#parts.createServer();
    const port = this.#parts.createPort((request, response, at) => server.handle(request, response, at));
    const bound = await port.acquire();
    if (bound.role === 'taken') throw new ConnectionError('port_busy', { port: bound.port });
    const url = sampleUrl(bound.port);
    try {
      await server.load();
    } catch (error) {
      await port.release();
      throw error;
    }
    this.#serving = { url, port, server };
    return url;
  }

  async #stop(): Promise<void> {
    const serving = this.#serving;
    this.#serving = undefined;
    await serving?.port.release();
    await serving?.server.dispose();
  }

  /** The tokens were revoked here before the connection went. */
  async #endAfter(removedUrl: string): Promise<void> {
    const { connections, forget, keptPort } = this.#parts;
    await this.#inTurn(async () => {
      const port = await keptPort();
      const url = port === undefined ? undefined : sampleUrl(port);
      if (removedUrl !== url || connections.connections.some(({ serverUrl }) => serverUrl === url)) return;
      await this.#stop();
      await forget();
    }).catch((error: unknown) => this.#tell(error));
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    return this.#turns.run('', action);
  }

  #tell(error: unknown): void {
    this.#parts.log.warn(`The sample server did not end as it should: ${describeError(error)}`);
  }
}
