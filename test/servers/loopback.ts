import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Server as TcpServer } from 'node:net';

/**
 * Binds 127.0.0.1 and gives the origin.
 * @param port 0 for a free one
 */
export async function listenOnLoopback(server: TcpServer, port = 0): Promise<string> {
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Stops a server and breaks its connections. */
export async function stopServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A port of this computer that nobody holds by now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const origin = await listenOnLoopback(server);
  await stopServer(server);
  return Number(new URL(origin).port);
}
