// The modules as whole objects, and never a function taken from them: see createGuardedFetch.
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { object, optional, safeParse, string, unknown } from 'valibot';
import { deferred } from '../connections/deferred.ts';

/** The proxy gave no way to the server: nothing of the request has left this machine's network. */
export class ProxyFailure extends Error {
  override readonly name = 'ProxyFailure';
  /** What it answered instead of opening a tunnel; undefined when it gave no answer at all. */
  readonly status: number | undefined;

  constructor(status?: number) {
    super('the proxy gave no way to the server');
    this.status = status;
  }
}

/**
 * Whether a request would reach its server without a proxy. Nothing is sent: the request is dropped when its way is
 * known. A direct connection asks `lookup` for the server's name, a proxy is asked to do so itself.
 */
export async function isDirect(options: https.RequestOptions, timeoutMs: number): Promise<boolean> {
  const { hostname, protocol } = options;
  return new Promise((resolve) => {
    const decide = (answer: boolean): void => {
      clearTimeout(timer);
      resolve(answer);
      // Not at once: a lookup is asked for while the request is still being made.
      queueMicrotask(() => outgoing.destroy());
    };
    const timer = setTimeout(() => decide(false), timeoutMs);
    const outgoing = (protocol === 'https:' ? https : http).request({
      ...options,
      lookup: (name, _options, callback) => {
        decide(name === hostname);
        callback(new Error('only the way was asked for'), []);
      },
    });
    outgoing.on('proxy', (event: unknown) => {
      const told = safeParse(proxyEvent, event);
      decide(told.success && told.output.error === undefined && told.output.proxy === 'DIRECT');
    });
    // An address is not looked up.
    outgoing.on('socket', () => decide(isIP(hostname ?? '') !== 0));
    outgoing.on('error', () => decide(false));
  });
}

/** What `@vscode/proxy-agent` tells of a request before it has a socket; `DIRECT` is no proxy. */
const proxyEvent = object({ proxy: string(), error: optional(unknown()) });

/**
 * How far a request has come.
 * - `looking`: no way was found yet: the proxy was not yet found out, or has not yet answered.
 * - `noTunnel`: the proxy was not reached, or answered CONNECT with something else than a tunnel.
 * - `open`: the server is, or would be, at the other end.
 */
type Way = 'looking' | 'noTunnel' | 'open';

/** A request that was begun: its body is still to be written. */
export interface OpenRequest {
  readonly request: http.ClientRequest;
  /** The head of the answer. Rejects with a {@link ProxyFailure}, with what it was aborted for, or as `node:http` does. */
  readonly answer: Promise<http.IncomingMessage>;
  readonly abort: (reason: unknown) => void;
}

/**
 * Begins one request.
 *
 * The agent that VS Code puts in (`@vscode/proxy-agent`, with Node's `https-proxy-agent`) has three ways of its own,
 * seen in its 0.45:
 * - A proxy that is not reached is an error without a code, which names the proxy, in older versions with its
 *   password. A `proxy` event before it says so reliably.
 * - What a proxy answers to CONNECT instead of a tunnel is handed on as if the server had sent it, over a socket that
 *   is not encrypted. Nobody has vouched for it, so none of it may be taken for the server's.
 * - While it waits for the proxy the request has no socket, and a request without one never tells that it was aborted.
 */
export function openRequest(options: https.RequestOptions): OpenRequest {
  const isSecure = options.protocol === 'https:';
  let way: Way = 'looking';
  const request = (isSecure ? https : http).request(options);
  const { promise: answer, reject, resolve } = deferred<http.IncomingMessage>();
  request.on('proxy', (event: unknown) => {
    const told = safeParse(proxyEvent, event);
    if (!told.success) return;
    if (told.output.error !== undefined) way = 'noTunnel';
    else if (told.output.proxy === 'DIRECT') way = 'open';
  });
  request.on('socket', (socket) => {
    way = isSecure && !('encrypted' in socket) ? 'noTunnel' : 'open';
  });
  request.on('response', (incoming) => {
    if (way !== 'noTunnel') {
      resolve(incoming);
      return;
    }
    incoming.destroy();
    reject(new ProxyFailure(incoming.statusCode));
  });
  request.on('error', (error) => reject(way === 'noTunnel' ? new ProxyFailure() : error));
  return {
    request,
    answer,
    abort(reason) {
      reject(way === 'looking' ? new ProxyFailure() : reason);
      request.destroy();
    },
  };
}

/**
 * Sends one request and gives the head of its answer; the body is still to be read.
 * Rejects as {@link openRequest} does, with `signal.reason` when it was aborted.
 */
export async function sendRequest(
  options: https.RequestOptions,
  body: string | undefined,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { abort, answer, request } = openRequest(options);
  const giveUp = (): void => abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  // Its body may take longer than its head.
  request.on('close', () => signal.removeEventListener('abort', giveUp));
  request.end(body);
  return answer;
}
