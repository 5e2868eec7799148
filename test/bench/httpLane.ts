import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Lane } from './targets.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = '0\r\n\r\n';

/**
 * One connection that sends the same request again and again. Node's own client would cost as much as the proxies that
 * are measured; this one knows only what the bench's upstream answers: 200, with a length or in chunks.
 */
export class HttpLane implements Lane {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('close', () => this.#waiting?.reject(new Error('The connection was closed.')));
    socket.on('error', () => undefined); // 'close' follows.
  }

  /** @param headers besides `host` and those of the body. */
  static async open(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<HttpLane> {
    const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
    await once(socket, 'connect');
    const all = { host: url.host, ...headers, 'content-length': String(Buffer.byteLength(body)) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return new HttpLane(socket, Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`));
  }

  async call(): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(this.#request);
    await answered;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const size = this.#received.length - headEnd - HEAD_END.length;
    const isWhole =
      length === undefined ? this.#received.toString('latin1').endsWith(LAST_CHUNK) : size >= Number(length);
    if (!isWhole) return;
    this.#received = Buffer.alloc(0);
    const { resolve, reject } = this.#waiting ?? {};
    this.#waiting = undefined;
    if (head.startsWith('HTTP/1.1 200 ')) resolve?.();
    else reject?.(new Error(`An answer that is no good: ${head.split('\r\n', 1)[0]}`));
  }
}
