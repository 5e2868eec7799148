import type { IncomingHttpHeaders } from 'node:http';

/** Those of one connection only, whatever its `Connection` header says (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/** What a client's request never takes to the server: credentials of our side, and where the request comes from. */
const KEPT_FROM_SERVER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'expect',
  'authorization',
  'dpop',
  'cookie',
  'cookie2',
  'origin',
  'referer',
  'forwarded',
  'via',
  'from',
  'client-ip',
  'true-client-ip',
  'x-real-ip',
  'x-client-ip',
]);

/**
 * What a server's answer never takes to the client: its own credentials and challenges, which are answered here, and
 * what would rule over everything at our origin, where other servers are too.
 */
const KEPT_FROM_CLIENT: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
  'authentication-info',
  'dpop-nonce',
  'location',
  'content-location',
  'refresh',
  'link',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'clear-site-data',
  'service-worker-allowed',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'nel',
]);

/**
 * The headers of a client's request that go on to the server, names and values in turn.
 * @param headers as Node has parsed them, with names in lower case: what was judged is what is sent.
 */
export function toServer(headers: IncomingHttpHeaders): string[] {
  return forwarded(headers, isKeptFromServer);
}

function isKeptFromServer(name: string): boolean {
  return (
    KEPT_FROM_SERVER.has(name) ||
    name.startsWith('proxy-') ||
    name.startsWith('sec-') ||
    name.startsWith('x-forwarded-')
  );
}

/** The headers of a server's answer that go on to the client, likewise. */
export function toClient(headers: IncomingHttpHeaders): string[] {
  return forwarded(headers, isKeptFromClient);
}

function isKeptFromClient(name: string): boolean {
  return KEPT_FROM_CLIENT.has(name) || name.startsWith('proxy-') || name.startsWith('access-control-');
}

function forwarded(headers: IncomingHttpHeaders, isKept: (name: string) => boolean): string[] {
  const named = namedByConnection(headers.connection);
  const passed: string[] = [];
  for (const name in headers) {
    if (isKept(name) || named?.has(name) === true) continue;
    const value = headers[name];
    // Only Set-Cookie has several, and is kept.
    if (typeof value === 'string') passed.push(name, value);
  }
  return passed;
}

/** The value of one of these headers, which are there once. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
  return undefined;
}

/** The same headers without these. */
export function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const left: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (!names.has(name)) left.push(name, value);
  }
  return left;
}

/** What the sender says is for this connection only; undefined for what it mostly says. */
function namedByConnection(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}
