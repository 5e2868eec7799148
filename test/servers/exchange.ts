import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import type { Endpoint } from './faults.ts';

/** The header by which {@link FaultyServer.authorize} says that the person denies. */
export const DENY_HEADER = 'x-test-deny';

/** A request that reached the faulty server. Holds secrets. */
export interface FaultyServerRequest {
  /** When it came, in milliseconds since the epoch by `faults.now`. */
  readonly at: number;
  /** Undefined when nothing is there, as when well-known URLs are tried. */
  readonly endpoint: Endpoint | undefined;
  readonly method: string;
  /** With origin and query. */
  readonly url: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** The body, when it is a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** The body, when it is JSON. */
  readonly json?: unknown;
  /** Parameters that were sent more than once, which RFC 6749 section 3.1 forbids. */
  readonly repeated: readonly string[];
}

/** An answer; `body` is sent as it is when it is a string, else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Breaks the connection instead. */
  readonly drop?: boolean;
}

/**
 * Reads the body and gives the request as it is recorded.
 * @param now milliseconds since the epoch, asked when the body is whole
 */
export async function receive(
  request: IncomingMessage,
  origin: string,
  now: () => number,
  endpointOf: (url: URL) => Endpoint | undefined,
): Promise<FaultyServerRequest> {
  const url = new URL(request.url ?? '/', origin);
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  const type = request.headers['content-type'] ?? '';
  const form = type.startsWith('application/x-www-form-urlencoded') ? new URLSearchParams(text) : undefined;
  const json = type.startsWith('application/json') ? v.safeParse(v.pipe(v.string(), v.parseJson()), text) : undefined;
  const names = [...(form ?? url.searchParams).keys()];
  return {
    at: now(),
    endpoint: endpointOf(url),
    method: request.method ?? '',
    url: url.href,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    ...(form === undefined ? {} : { form: Object.fromEntries(form) }),
    ...(json?.success === true ? { json: json.output } : {}),
    repeated: names.filter((name, index) => names.indexOf(name) !== index),
  };
}

export function send(response: ServerResponse, answer: Answer): void {
  const { status, body, headers } = answer;
  if (answer.drop === true) {
    response.destroy();
    return;
  }
  if (body !== undefined && typeof body !== 'string') response.setHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.writeHead(status).end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
}

/** An OAuth error answer (RFC 6749 section 5.2). */
export function oauthError(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description }, headers: { 'cache-control': 'no-store' } };
}

/** A web page where something else was expected. */
export function webPage(status: number): Answer {
  return { status, body: '<!doctype html><p>Hello', headers: { 'content-type': 'text/html' } };
}

/** The values of a space-delimited parameter. */
export function words(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}
