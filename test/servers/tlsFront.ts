import { createServer, type Server } from 'node:https';
import { request as forward, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Certificate } from './certificates.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';

export interface TlsFront {
  /** On 127.0.0.1; for all origins. */
  readonly port: number;
  /** A URL of the outside as the server behind knows it. */
  inside(url: string): string;
  /** A URL of the server behind as the outside knows it. */
  outside(url: string): string;
  close(): Promise<void>;
}

/**
 * Serves http origins of this machine as https origins: it ends the encryption, and writes each origin in headers and
 * bodies as the other side knows it, as it is and percent-encoded.
 * @param origins from https origin to http origin
 */
export async function startTlsFront(certificate: Certificate, origins: ReadonlyMap<string, string>): Promise<TlsFront> {
  const inside = rewriter([...origins]);
  const outside = rewriter(Array.from(origins, ([from, to]) => [to, from] as const));
  const server = createServer({ ...certificate });

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const upstream = origins.get(`https://${incoming.headers.host ?? ''}`);
    if (upstream === undefined) {
      response.writeHead(421).end();
      return;
    }
    const body = inside(await text(incoming));
    const headers = rewriteHeaders(incoming.headers, inside);
    const outgoing = forward(upstream + inside(incoming.url ?? '/'), {
      method: incoming.method,
      headers: { ...headers, host: new URL(upstream).host, 'content-length': Buffer.byteLength(body) },
    });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve).on('error', reject).end(body);
    });
    const answered = outside(await text(answer));
    const { 'transfer-encoding': _chunked, ...answerHeaders } = rewriteHeaders(answer.headersDistinct, outside);
    response
      .writeHead(answer.statusCode ?? 502, { ...answerHeaders, 'content-length': Buffer.byteLength(answered) })
      .end(answered);
  };
  server.on('request', (incoming, response) => {
    // Whoever asked sees the connection break, as when the server behind breaks it.
    serve(incoming, response).catch(() => response.destroy());
  });

  await listenOnLoopback(server);
  return {
    port: portOf(server),
    inside,
    outside,
    close: async () => stopServer(server),
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return address.port;
}

type Rewrite = (text: string) => string;

function rewriter(origins: readonly (readonly [string, string])[]): Rewrite {
  const pairs = origins.flatMap(([from, to]) => [
    [from, to] as const,
    [encodeURIComponent(from), encodeURIComponent(to)] as const,
  ]);
  return (original) =>
    pairs.reduce(
      // A port may begin with the digits of another one.
      (all, [from, to]) => all.replaceAll(new RegExp(`${from.replaceAll('.', '\\.')}(?!\\d)`, 'g'), () => to),
      original,
    );
}

function rewriteHeaders(headers: NodeJS.Dict<string | string[]>, rewrite: Rewrite): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [
      name,
      typeof value === 'string' ? rewrite(value) : value.map(rewrite),
    ]),
  );
}
