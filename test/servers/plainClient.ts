import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { FaultyServer } from './faultyServer.ts';

/** What the plain client registers. */
export const REDIRECT_URI = 'http://127.0.0.1:45678/callback';
/** Its PKCE code verifier, and the S256 challenge of it. */
export const VERIFIER = 'v'.repeat(43);
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
/** What it asks for. */
export const SCOPE = 'files:read files:write';

export const json = v.record(v.string(), v.unknown());
export const tokens = v.object({
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  scope: v.optional(v.string()),
  expires_in: v.optional(v.number()),
});
export type Tokens = v.InferOutput<typeof tokens>;

/**
 * A client as plain as can be: it checks nothing, so it sees what the server does.
 * @param issuer asked before each request; the first authorization server unless it says otherwise
 */
export function createPlainClient(server: FaultyServer, issuer = () => server.issuer) {
  let id = '';
  const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(issuer() + path, { method: 'POST', body: new URLSearchParams(form), headers });
  const client = {
    post,
    /** Goes on as a client that was not registered here. */
    use: (clientId: string) => void (id = clientId),
    async register(metadata: Record<string, unknown> = {}) {
      const body = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', scope: SCOPE, ...metadata };
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${issuer()}/register`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      const answer = v.parse(json, await response.json());
      id = typeof answer['client_id'] === 'string' ? answer['client_id'] : '';
      return { status: response.status, answer };
    },
    async authorize(changes: Record<string, string> = {}, options?: { deny?: boolean }) {
      const url = new URL(`${issuer()}/authorize`);
      const base = {
        response_type: 'code',
        client_id: id,
        redirect_uri: REDIRECT_URI,
        state: 'a-state',
        scope: SCOPE,
        resource: server.mcpUrl,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
        ...changes,
      };
      for (const [name, value] of Object.entries(base)) if (value !== '') url.searchParams.set(name, value);
      return server.authorize(url, options);
    },
    async exchange(callback: URL, changes: Record<string, string> = {}, headers: Record<string, string> = {}) {
      const form = { grant_type: 'authorization_code', client_id: id, redirect_uri: REDIRECT_URI };
      const code = callback.searchParams.get('code') ?? '';
      return post('/token', { ...form, code, code_verifier: VERIFIER, ...changes }, headers);
    },
    async refresh(
      refreshToken: string | undefined,
      form: Record<string, string> = {},
      headers: Record<string, string> = {},
    ) {
      const base = { grant_type: 'refresh_token', client_id: id, refresh_token: refreshToken ?? '' };
      return post('/token', { ...base, ...form }, headers);
    },
    async signIn(): Promise<Tokens> {
      await client.register();
      return v.parse(tokens, await (await client.exchange(await client.authorize())).json());
    },
    /** @param more headers to add, or to send instead */
    async callTool(accessToken: string | undefined, tool: string, more: Record<string, string> = {}) {
      const authorization = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } };
      const headers = { 'content-type': 'application/json', ...authorization, ...more };
      return fetch(server.mcpUrl, { method: 'POST', headers, body: JSON.stringify(message) });
    },
  };
  return client;
}

export type PlainClient = ReturnType<typeof createPlainClient>;
