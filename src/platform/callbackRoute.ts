import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { UpgradeRoute } from './upgradeRoute.ts';

export interface CallbackAnswer {
  readonly status: number;
  readonly html: string;
}

export interface LoopbackRoutes {
  /** Judges `GET /callback`; what it gives is the page in the browser. The URL is on the loopback port. */
  readonly onCallback: (url: URL) => Promise<CallbackAnswer>;
  /** Answers every request that is not to `/callback`; without it there is nothing else here. Never throws. */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse, port: number) => void;
  /** Where other windows come in. */
  readonly upgrade: UpgradeRoute;
}

const CALLBACK_PATH = '/callback';

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
} as const;

/**
 * Serves the callback route to browsers on this machine, and leaves all else to `routes.onRequest`.
 * A name that rebinds to 127.0.0.1 fails on `Host`, a page of another site on `Origin` or `Sec-Fetch-Mode`;
 * only a GET reaches the callback, so that a link checker's HEAD does not use it up.
 * @param port that the requests came in at
 * @param answerTimeoutMs after which the browser is told to look into the editor
 */
export function createRequestListener(routes: LoopbackRoutes, port: number, answerTimeoutMs: number): RequestListener {
  const origin = `http://127.0.0.1:${port}`;
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers, url: target = '' } = request;
    const mode = headers['sec-fetch-mode'];
    if (headers.host === undefined || !hosts.has(headers.host)) return sendText(response, 403, 'Wrong host');
    if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
      return sendText(response, 403, 'Wrong origin');
    }
    if (!isCallback(target)) {
      return sendText(response, 404, 'Scopekeeper: nothing here');
    }
    if (method !== 'GET') return sendText(response, 405, 'GET only', { allow: 'GET' });
    if (mode !== undefined && mode !== 'navigate') return sendText(response, 403, 'Not a navigation');
    const result = await withTimeout(routes.onCallback(new URL(origin + target)), answerTimeoutMs);
    if (result === undefined) return sendText(response, 504, 'Scopekeeper is still at work. Go back to the editor.');
    send(response, result.status, 'text/html; charset=utf-8', result.html);
  }

  return (request, response) => {
    if (routes.onRequest !== undefined && !isCallback(request.url)) {
      routes.onRequest(request, response, port);
      return;
    }
    answer(request, response).catch(() => {
      // What failed is told in the editor; a text of an error does not belong into a browser.
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Scopekeeper could not finish. Go back to the editor.');
    });
  };
}

function isCallback(target: string | undefined): boolean {
  return target === CALLBACK_PATH || target?.startsWith(`${CALLBACK_PATH}?`) === true;
}

function sendText(response: ServerResponse, status: number, text: string, headers?: Record<string, string>): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`, headers);
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers?: Record<string, string>,
): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Undefined when it takes longer. */
async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
