import type { IncomingMessage, ServerResponse } from 'node:http';

/** What every answer says: it is kept nowhere, is what it says it is, and runs and loads nothing. */
const HEADERS = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;

type Headers = Readonly<Record<string, string>>;

export function sendJson(response: ServerResponse, status: number, body: object, headers?: Headers): void {
  send(response, status, 'application/json', JSON.stringify(body), headers);
}

/** An error as RFC 6749 section 5.2 has it. `description` is ours; nothing of the request is in it. */
export function sendError(
  response: ServerResponse,
  status: number,
  error: string,
  description: string,
  headers?: Headers,
): void {
  sendJson(response, status, { error, error_description: description }, headers);
}

export function sendPage(response: ServerResponse, status: number, html: string, headers?: Headers): void {
  send(response, status, 'text/html; charset=utf-8', html, headers);
}

/** Sends the browser on. `location` was judged before. */
export function sendRedirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { ...HEADERS, location, 'content-length': 0 });
  response.end();
}

function send(response: ServerResponse, status: number, type: string, body: string, headers?: Headers): void {
  response.writeHead(status, {
    ...HEADERS,
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** A registration or a form is far shorter. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** A text from the body of a request, or why it is not taken, which was answered then. */
type Body = { readonly type: 'text'; readonly text: string } | { readonly type: 'answered' };

/**
 * Reads a request's body, of this media type and at most 64 KiB; answers one that is not so.
 * Rejects when the client breaks off.
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, mediaType: string): Promise<Body> {
  const [sent = ''] = (request.headers['content-type'] ?? '').split(';', 1);
  if (sent.trim().toLowerCase() !== mediaType) {
    request.resume();
    sendError(response, 400, 'invalid_request', `The body has to be ${mediaType}.`);
    return { type: 'answered' };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection is still needed for the answer when the loop is left.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_LIMIT_BYTES) {
      sendError(response, 413, 'invalid_request', 'The body is too large.', { connection: 'close' });
      return { type: 'answered' };
    }
    chunks.push(bytes);
  }
  return { type: 'text', text: Buffer.concat(chunks).toString('utf8') };
}

/** The parameters of a form; undefined when it was no form, or has one twice (RFC 6749 section 3.2), and was answered. */
export async function readForm(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ReadonlyMap<string, string> | undefined> {
  const body = await readBody(request, response, 'application/x-www-form-urlencoded');
  if (body.type === 'answered') return undefined;
  const form = singleParameters(new URLSearchParams(body.text));
  if (form === undefined) sendError(response, 400, 'invalid_request', 'A parameter is there more than once.');
  return form;
}

/** The parameters that have a value; undefined when one is there twice, which RFC 6749 section 3.1 forbids. */
export function singleParameters(parameters: URLSearchParams): ReadonlyMap<string, string> | undefined {
  const single = new Map(parameters);
  if (single.size !== [...parameters.keys()].length) return undefined;
  // RFC 6749 section 3.1: without a value it is as if it were not there.
  return new Map([...single].filter(([, value]) => value !== ''));
}
