import { literal, looseObject, safeParse } from 'valibot';
import { shownUrl } from './addressPolicy.ts';
import { type BearerChallenge, findBearerChallenge } from './challenge.ts';
import { OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { readJson } from './readJson.ts';

/** What the server's answer to an unauthenticated request says. */
export interface Probe {
  readonly status: number;
  readonly contentType: string | null;
  readonly challenge?: BearerChallenge;
}

interface ProbeOptions {
  readonly reach: Reach;
  readonly signal?: AbortSignal | undefined;
  readonly accessToken?: string;
}

const PROBE_BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'Scopekeeper', version: '1' },
  },
});

/** Asks the server without a token, and reads what it says of authorization (P7). Throws what `fetch` throws. */
export async function probeServer(
  fetch: Fetch,
  server: URL,
  options: Omit<ProbeOptions, 'accessToken'>,
): Promise<Probe> {
  const response = await sendProbe(fetch, server, options);
  const challenge = findBearerChallenge(response.headers.get('www-authenticate'));
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    ...(challenge !== undefined && { challenge }),
  };
}

/**
 * Asks the server whether it takes a token that the person brought. One that then answers with an error of JSON-RPC has
 * taken it: the 2026-07-28 revision has no `initialize`.
 * Throws `access_token_refused`, `not_an_mcp_server`, and what `fetch` throws.
 */
export async function checkAccessToken(
  fetch: Fetch,
  server: URL,
  options: ProbeOptions & { readonly accessToken: string },
): Promise<void> {
  const response = await sendProbe(fetch, server, options);
  const { status } = response;
  const contentType = response.headers.get('content-type');
  const url = shownUrl(server);
  if (status === 401 || status === 403) throw new OAuthError('access_token_refused', { url, status });
  const isAnswer = status >= 200 && status < 300 && isProtocolType(contentType);
  const isRefusal = status >= 400 && status < 500 && (await isJsonRpc(response));
  if (!isAnswer && !isRefusal) throw new OAuthError('not_an_mcp_server', { url, status, contentType });
  await endSession(fetch, server, response.headers.get('mcp-session-id'), options);
}

/** Whether a body of this type can be one of MCP. */
export function isProtocolType(contentType: string | null): boolean {
  return contentType?.includes('json') === true || contentType?.includes('event-stream') === true;
}

/**
 * Sends the server one request, with a token or without: `initialize` as a POST, or a GET to a server
 * of the older HTTP+SSE transport, which takes no POST at its URL.
 */
async function sendProbe(fetch: Fetch, server: URL, { accessToken, reach, signal }: ProbeOptions): Promise<Response> {
  const authorization = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
  const posted = await fetch(server.href, {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...authorization },
    body: PROBE_BODY,
    headersOnly: accessToken === undefined ? true : 'unless_error',
    reach,
    signal,
  });
  const takesNoPost = (posted.status === 404 || posted.status === 405) && !(await isJsonRpc(posted));
  if (!takesNoPost) return posted;
  return fetch(server.href, {
    method: 'GET',
    headers: { accept: 'text/event-stream', ...authorization },
    headersOnly: true,
    reach,
    signal,
  });
}

const jsonRpcSchema = looseObject({ jsonrpc: literal('2.0') });

/** Whether a body is a message of JSON-RPC; leaves it to be read. */
async function isJsonRpc(response: Response): Promise<boolean> {
  return safeParse(jsonRpcSchema, await readJson(response.clone())).success;
}

/** Ends the session that a server of the 2025-11-25 revision or earlier began for the probe. Never rejects. */
async function endSession(
  fetch: Fetch,
  server: URL,
  sessionId: string | null,
  { accessToken, reach, signal }: ProbeOptions & { readonly accessToken: string },
): Promise<void> {
  if (sessionId === null) return;
  const headers = { authorization: `Bearer ${accessToken}`, 'mcp-session-id': sessionId };
  const request = { method: 'DELETE', headers, headersOnly: true, reach, signal } as const;
  // A server need not let sessions be ended; they end by themselves then.
  await fetch(server.href, request).catch(() => undefined);
}
