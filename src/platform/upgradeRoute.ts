import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** What connections may be upgraded to (RFC 9110 section 7.8), for programs that are no browsers. */
export interface UpgradeRoute {
  readonly path: string;
  readonly token: string;
  /** Takes the connection, and answers on it. Everything about the peer is still to be proved. */
  readonly accept: (stream: Duplex, port: number) => void;
}

/**
 * Lets a request through that asks for our upgrade at our address, and refuses all others: one with an `Origin` comes
 * from a page in a browser, one with another `Host` from a name that rebinds to 127.0.0.1.
 * @param port that the requests came in at
 * @param onUpgraded told of each connection that is let through
 */
export function createUpgradeListener(
  { accept, path, token }: UpgradeRoute,
  port: number,
  onUpgraded: (stream: Duplex) => void,
): (request: IncomingMessage, stream: Duplex, head: Buffer) => void {
  return ({ headers, method, url }, stream, head) => {
    stream.on('error', () => stream.destroy());
    if (headers.origin !== undefined || headers.host !== `127.0.0.1:${port}`) return refuse(stream, '403 Forbidden');
    if (method !== 'GET' || url !== path || headers.upgrade !== token) return refuse(stream, '404 Not Found');
    if (head.length > 0) stream.unshift(head);
    onUpgraded(stream);
    accept(stream, port);
  };
}

function refuse(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
}
