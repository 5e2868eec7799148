import { createServer } from 'node:http';
import { connect } from 'node:net';
import { listenOnLoopback, stopServer } from './loopback.ts';

/** How the proxy answers CONNECT instead of opening a tunnel. */
export interface Refusal {
  readonly status: number;
  readonly headers?: readonly string[];
}

export interface ConnectProxy {
  /** For `http.proxy`. */
  readonly url: string;
  /** What tunnels were asked for, as `host:port`, oldest first. */
  readonly asked: readonly string[];
  /** May be changed at any time; `silent` never answers. */
  refusal: Refusal | 'silent' | undefined;
  close(): Promise<void>;
}

/**
 * Starts an HTTP proxy that does CONNECT and nothing else (RFC 9110 section 9.3.6).
 * @param hosts the names that it alone resolves, as `host:port`, each to a port of 127.0.0.1; others are a 502
 */
export async function startConnectProxy(hosts: ReadonlyMap<string, number>): Promise<ConnectProxy> {
  const server = createServer((_request, response) => response.writeHead(501).end());
  const tunnels = new Set<{ destroy(): void }>();
  const asked: string[] = [];
  const proxy: ConnectProxy = {
    url: await listenOnLoopback(server),
    asked,
    refusal: undefined,
    async close() {
      for (const tunnel of tunnels) tunnel.destroy();
      await stopServer(server);
    },
  };
  server.on('connect', (request, socket, head) => {
    const target = request.url ?? '';
    asked.push(target);
    tunnels.add(socket);
    // A client that goes away is its own affair.
    socket.on('error', () => socket.destroy());
    const port = hosts.get(target);
    const refusal = proxy.refusal ?? (port === undefined ? { status: 502 } : undefined);
    if (refusal === 'silent') return;
    if (refusal !== undefined) {
      const lines = [`HTTP/1.1 ${refusal.status} No`, 'content-length: 0', ...(refusal.headers ?? [])];
      // What it sends on is read and thrown away: unread, it would break the connection under the answer.
      socket.resume();
      socket.end(`${lines.join('\r\n')}\r\n\r\n`);
      return;
    }
    const onward = connect(port ?? 0, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    tunnels.add(onward);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  return proxy;
}
