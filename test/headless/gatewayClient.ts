// A client of the gateway's authorization server that is as plain as can be: it checks nothing, so it sees what is sent.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import * as v from 'valibot';

export const REDIRECT_URI = 'http://127.0.0.1:45678/callback';
export const VERIFIER = 'v'.repeat(43);
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

export const json = v.record(v.string(), v.unknown());
export const tokenAnswer = v.strictObject({
  access_token: v.string(),
  token_type: v.literal('Bearer'),
  expires_in: v.number(),
  refresh_token: v.string(),
  scope: v.literal('mcp'),
});
export type TokenAnswer = v.InferOutput<typeof tokenAnswer>;

/** What a test sends otherwise; an empty text leaves the parameter out. */
type Changes = Readonly<Record<string, string>>;

function withChanges(base: Changes, changes: Changes): URLSearchParams {
  const kept = Object.entries({ ...base, ...changes }).filter(([, value]) => value !== '');
  return new URLSearchParams(Object.fromEntries(kept));
}

export function createGatewayClient(origin: string) {
  let id = '';
  const client = {
    get id() {
      return id;
    },
    async post(path: string, form: Changes | URLSearchParams, headers: Changes = {}) {
      return fetch(origin + path, { method: 'POST', body: new URLSearchParams(form), headers });
    },
    async register(metadata: Readonly<Record<string, unknown>> = {}, headers: Changes = {}) {
      const response = await fetch(`${origin}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ client_name: 'Plain', redirect_uris: [REDIRECT_URI], ...metadata }),
      });
      const answer = v.parse(json, await response.json());
      if (typeof answer['client_id'] === 'string') id = answer['client_id'];
      return { status: response.status, answer };
    },
    authorizationUrl(changes: Changes = {}): URL {
      const url = new URL(`${origin}/oauth/authorize`);
      const base = {
        response_type: 'code',
        client_id: id,
        redirect_uri: REDIRECT_URI,
        state: 'a state',
        resource: `${origin}/notes/mcp`,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
      };
      url.search = withChanges(base, changes).toString();
      return url;
    },
    /** Waits for the person, and gives where the browser is sent. */
    async authorize(changes: Changes = {}): Promise<URL> {
      const response = await fetch(client.authorizationUrl(changes), { redirect: 'manual' });
      return new URL(response.headers.get('location') ?? `none:${response.status}`);
    },
    async exchange(callback: URL, changes: Changes = {}) {
      const code = callback.searchParams.get('code') ?? '';
      const base = { grant_type: 'authorization_code', client_id: id, redirect_uri: REDIRECT_URI, code };
      return client.post('/oauth/token', withChanges({ ...base, code_verifier: VERIFIER }, changes));
    },
    async refresh(refreshToken: string, changes: Changes = {}) {
      const base = { grant_type: 'refresh_token', client_id: id, refresh_token: refreshToken };
      return client.post('/oauth/token', withChanges(base, changes));
    },
    /** Registers, has the person say yes, and gives the tokens. */
    async signIn(changes: Changes = {}): Promise<TokenAnswer> {
      if (id === '') await client.register();
      return tokensOf(await client.exchange(await client.authorize(changes)));
    },
  };
  return client;
}

export type GatewayClient = ReturnType<typeof createGatewayClient>;

export async function tokensOf(response: Response): Promise<TokenAnswer> {
  return v.parse(tokenAnswer, await response.json());
}

/** The status and the `error` of an answer. */
export async function errorOf(response: Response): Promise<string> {
  const answer = v.parse(json, await response.json());
  return `${response.status} ${String(answer['error'])}`;
}

/** What a browser says of a page that the person opened. */
export const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };

/** A GET with headers that `fetch` does not let a program choose; aborting closes the connection, as closing a tab does. */
export async function browse(
  url: URL | string,
  headers: Changes = NAVIGATION,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers']; readonly text: string }> {
  const sent = request(url, { headers, ...(signal !== undefined && { signal }) }).end();
  const answers: unknown[] = await once(sent, 'response');
  const [answer] = v.parse(v.tuple([v.custom<IncomingMessage>((value) => value instanceof IncomingMessage)]), answers);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() };
}
