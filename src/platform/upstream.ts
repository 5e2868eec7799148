import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Readable } from 'node:stream';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import type { Clock } from '../connections/ports.ts';
import type { Upstream, UpstreamAnswer, UpstreamExchange, UpstreamHead } from '../gateway/ports.ts';
import { isOAuthError } from '../oauth/errors.ts';
import type { GuardedFetch } from './guardedFetch.ts';
import { IdleConnections } from './idleConnections.ts';
import { idleMsOf, type KeptRequest } from './keptConnection.ts';
import type { KeptExchange } from './keptExchange.ts';
import { unreachable } from './networkFailure.ts';
import { openRequest } from './sendRequest.ts';

export interface UpstreamOptions {
  readonly guardedFetch: Pick<GuardedFetch, 'resolveReach' | 'wayTo'>;
  /** As the guarded fetch has it. */
  readonly extraCaFile?: () => string | undefined;
  readonly clock: Clock;
  /** How long connecting may take, through a proxy too. 10 s by default. */
  readonly connectTimeoutMs?: number;
}

/** How requests to one server are connected, found out once. */
interface Way {
  readonly serverUrl: URL;
  /** The connection's URL as it is written there, and the target of requests to it. */
  readonly href: string;
  readonly path: string;
  /** What it was found out for. */
  readonly key: string;
  readonly options: RequestOptions;
  readonly idle: IdleConnections;
}

/**
 * Sends requests to MCP servers, on connections that are kept alive.
 *
 * What VS Code does to `http.request` and `https.request` in an extension host (`@vscode/proxy-agent` 0.45, `createHttpPatch`;
 * the desktop's default is `http.proxySupport: override`) would cost most of that:
 * - It makes an agent of its own for each request, a `PacProxyAgent` without `keepAlive`, so that Node sends
 *   `Connection: close`, unless the request itself has that header.
 * - An agent that the request brings is used for `localhost` and `127.0.0.1`, with `http.proxySupport: fallback`, or `on`,
 *   and ignored for all other hosts: those that are reached directly share the global agent, which keeps them for 5 s.
 * - Through a proxy a connection is never used twice: a CONNECT and a TLS handshake for each request.
 *
 * So the first request of a connection goes VS Code's way, with no agent and with `Connection: keep-alive`; it finds the
 * proxy, adds the certificates and connects. Then the connection is taken from its agent and kept here, where the next
 * request uses it without asking anybody. A change of the proxy's settings counts when it is idle for some seconds.
 */
export function createUpstream({
  clock,
  connectTimeoutMs = 10_000,
  extraCaFile,
  guardedFetch,
}: UpstreamOptions): Upstream {
  const ways = new Map<ConnectionId, Way>();
  let extra: { readonly file: string | undefined; readonly askedAt: number } = { file: undefined, askedAt: -Infinity };
  /** Those that are being found out, so that many first requests find one. */
  const finding = new Map<ConnectionId, { readonly key: string; readonly way: Promise<Way> }>();

  /** The person's own file, asked for again after a second: the editor's settings are slow to ask. */
  function extraCaFileNow(): string | undefined {
    const now = clock.now();
    if (now - extra.askedAt >= SETTINGS_FRESH_MS || now < extra.askedAt)
      extra = { file: extraCaFile?.(), askedAt: now };
    return extra.file;
  }

  function keyOf({ serverUrl, settings: { caFile } }: Connection): string {
    // Plain http needs no certificates.
    const extra = serverUrl.startsWith('https:') ? extraCaFileNow() : undefined;
    return caFile === undefined && extra === undefined ? serverUrl : JSON.stringify([serverUrl, caFile, extra]);
  }

  async function findWay(connection: Connection, key: string): Promise<Way> {
    const { id } = connection;
    const found = finding.get(id);
    if (found?.key === key) return found.way;
    const way = newWay(connection, key).finally(() => {
      if (finding.get(id)?.way === way) finding.delete(id);
    });
    finding.set(id, { key, way });
    return way;
  }

  async function newWay({ id, serverUrl, settings }: Connection, key: string): Promise<Way> {
    const reach = await guardedFetch.resolveReach(serverUrl);
    const options = await guardedFetch.wayTo(serverUrl, { reach, caFile: settings.caFile });
    forget(id, undefined);
    const url = new URL(serverUrl);
    // Not before it is needed: it takes longer to load than all the rest.
    const { default: UndiciClient } = await import('undici/lib/dispatcher/client.js');
    const idle = new IdleConnections(UndiciClient, url.origin, clock);
    const way = { serverUrl: url, key, path: targetOf(url), href: serverUrl, options, idle };
    ways.set(id, way);
    return way;
  }

  /** @param failed forgotten only if it is the one in use; undefined for any. */
  function forget(id: ConnectionId, failed: Way | undefined): void {
    const way = ways.get(id);
    if (way === undefined || (failed !== undefined && way !== failed)) return;
    ways.delete(id);
    way.idle.dispose();
  }

  function begin(way: Way, id: ConnectionId, head: UpstreamHead, body: Buffer | Readable): UpstreamExchange {
    const headers = ['host', way.serverUrl.host, ...head.headers];
    const request = { method: head.method, path: pathOf(way, head.url), headers, body };
    const exchange = way.idle.take()?.send(request) ?? open(way, request);
    return {
      answer: exchange.answer.catch((error: unknown) => {
        // The server's name may mean something else by now, or a file with certificates may.
        if (error !== ABORTED) forget(id, way);
        throw isOAuthError(error) ? error : unreachable(way.serverUrl, error, error === LATE);
      }),
      abort: () => exchange.abort(ABORTED),
    };
  }

  /** Sends a request on a connection that is opened for it. */
  function open(way: Way, { body, headers, method, path }: KeptRequest): Pick<KeptExchange, 'abort' | 'answer'> {
    // As an object: through an http proxy they are written anew, which Node can only do with that.
    const named = Object.fromEntries(pairs([...headers, 'connection', 'keep-alive']));
    const opened = openRequest({ ...way.options, method, path, headers: named });
    const { request } = opened;
    const timer = clock.after(connectTimeoutMs, () => opened.abort(LATE));
    const stop = (): void => timer.dispose();
    request.once('close', stop);
    request.once('socket', (socket) => {
      const kept = way.idle.adopt(socket);
      // undici takes a go-ahead that nobody has asked for as a fault of the server, which it is.
      let saysContinue = false;
      request.once('continue', () => (saysContinue = true));
      request.once('response', (answer) => {
        stop();
        kept.idleMs = saysContinue ? 0 : idleMsOf(answer.headers);
      });
      socket.setNoDelay(true);
      // So that a stream whose server is gone without a word comes to its end.
      socket.setKeepAlive(true, PROBE_AFTER_MS);
      if (isConnected(socket)) stop();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', stop);
    });
    write(request, body);
    return { answer: opened.answer.then(unread), abort: opened.abort };
  }

  return {
    send(connection, head, body): UpstreamExchange {
      const key = keyOf(connection);
      const way = ways.get(connection.id);
      if (way?.key === key) return begin(way, connection.id, head, body);

      let exchange: UpstreamExchange | undefined;
      let isAborted = false;
      const answer = findWay(connection, key).then(async (found) => {
        if (isAborted) throw unreachable(found.serverUrl, undefined, false);
        exchange = begin(found, connection.id, head, body);
        return exchange.answer;
      });
      return {
        answer,
        abort() {
          isAborted = true;
          exchange?.abort();
        },
      };
    },
    dispose() {
      for (const { idle } of ways.values()) idle.dispose();
      ways.clear();
    },
  };
}

const SETTINGS_FRESH_MS = 1000;
const PROBE_AFTER_MS = 60_000;
const LATE = new Error('connecting took too long');
const ABORTED = new Error('aborted');

/** An answer of Node's, which comes piece by piece. */
function unread(incoming: IncomingMessage): UpstreamAnswer {
  return { statusCode: incoming.statusCode ?? 0, headers: incoming.headers, whole: undefined, body: incoming };
}

function pairs(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : []));
}

function write(request: ClientRequest, body: Buffer | Readable): void {
  if (Buffer.isBuffer(body)) {
    request.end(body);
    return;
  }
  // Its sender went away: what was sent of it may not pass for a whole.
  body.once('close', () => {
    if (!body.readableEnded) request.destroy();
  });
  body.pipe(request);
}

function isConnected(socket: { readonly connecting: boolean } & Partial<Pick<TLSSocket, 'encrypted'>>): boolean {
  return (
    !socket.connecting &&
    (socket.encrypted !== true || !('secureConnecting' in socket && socket.secureConnecting === true))
  );
}

/** The target of a request; as the connection's URL has it, which is most often the one. */
function pathOf({ href, path }: Way, url: string): string {
  return url === href ? path : targetOf(new URL(url));
}

function targetOf({ pathname, search }: URL): string {
  return pathname + search;
}
