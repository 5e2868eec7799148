import type { IncomingMessage } from 'node:http';

/** What a request that is let no further is answered. */
export interface Refusal {
  readonly status: 403 | 404 | 405;
  readonly text: string;
  /** Of a 405: the methods that are there. */
  readonly allow?: string;
}

/** Where on the loopback port a request goes. */
export type GatewayRoute =
  | { readonly type: 'mcp'; readonly slug: string }
  /** The URL for messages of a stream of the older transport. */
  | { readonly type: 'messages'; readonly slug: string; readonly stream: string }
  /** All else: the authorization server's, or nobody's. */
  | { readonly type: 'other' };

/**
 * As the request line has it, byte for byte: nothing is decoded, folded or resolved first, so that two ways of writing
 * a path never lead to two judgements. A query is no part of any of these URLs, so that no token can stand in it.
 */
const ROUTE = /^\/([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)\/mcp(?:\/messages\/([\w-]{22}))?$/;

const OTHER: GatewayRoute = { type: 'other' };

/** Finds where a request goes by its target (RFC 9112 section 3.2), which is matched exactly. */
export function routeOf(target: string | undefined): GatewayRoute {
  const match = ROUTE.exec(target ?? '');
  const slug = match?.[1];
  if (slug === undefined) return OTHER;
  const stream = match?.[2];
  return stream === undefined ? { type: 'mcp', slug } : { type: 'messages', slug, stream };
}

/**
 * Refuses what cannot come from a program of this machine's user that means us; undefined for what may go on.
 *
 * - A name that rebinds to 127.0.0.1 has another `Host`.
 * - A page in a browser has an `Origin` in all but plain navigations. None is allowed: MCP clients are programs, of which
 *   those that run in a browser (the MCP Inspector) have a process of their own to speak from, and our consent is asked
 *   in the editor, not on a page. For the same reason no answer ever has a CORS header.
 * - What a page loads without an `Origin` (`no-cors`, an image, a frame) says so in `Sec-Fetch-Site`, which programs do
 *   not send; a navigation, by which a browser comes to the authorization endpoint, is let through.
 * @param port that the request came in at
 */
export function refusalOf({ headers }: Pick<IncomingMessage, 'headers'>, port: number): Refusal | undefined {
  const { host } = headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) return { status: 403, text: 'Wrong host' };
  if (headers.origin !== undefined) return { status: 403, text: 'Wrong origin' };
  if (headers['sec-fetch-site'] !== undefined && headers['sec-fetch-mode'] !== 'navigate') {
    return { status: 403, text: 'Not for pages' };
  }
  return undefined;
}

const METHODS = { mcp: 'GET, POST, DELETE', messages: 'POST' } as const;

/** Refuses a method that an MCP URL has not (P37); OPTIONS too, since there is no CORS. */
export function methodRefusalOf(method: string | undefined, route: 'mcp' | 'messages'): Refusal | undefined {
  const allow = METHODS[route];
  const isThere = method === 'POST' || (route === 'mcp' && (method === 'GET' || method === 'DELETE'));
  return isThere ? undefined : { status: 405, text: `${allow} only`, allow };
}
