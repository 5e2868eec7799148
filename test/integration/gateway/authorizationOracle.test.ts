// The same bad requests to the gateway's authorization server and to oidc-provider, which is certified: where an RFC
// says what the error is, both say it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as v from 'valibot';
import { serveAuthorization } from '../../headless/gatewayAuthorization.ts';
import { CHALLENGE, errorOf, json, REDIRECT_URI, VERIFIER } from '../../headless/gatewayClient.ts';
import { createPerson } from '../../sample/person.ts';
import { startSampleServer } from '../../sample/sampleServer.ts';

type Form = Readonly<Record<string, string>>;

/** An authorization server under test, with a person who says yes. */
interface Peer {
  readonly issuer: string;
  readonly paths: {
    readonly authorize: string;
    readonly token: string;
    readonly register: string;
    readonly revoke: string;
  };
  readonly resource: string;
  readonly scope: string;
  /** Where the browser lands; undefined when it stays on a page of the server. */
  browse(url: URL): Promise<URL | undefined>;
  clientId: string;
  otherClientId: string;
}

const peers: Peer[] = [];
const stops: (() => Promise<void>)[] = [];

before(async () => {
  const gateway = await serveAuthorization();
  const sample = await startSampleServer();
  stops.push(
    async () => gateway.stop(),
    async () => sample.close(),
  );
  peers.push(
    {
      issuer: gateway.origin,
      paths: {
        authorize: '/oauth/authorize',
        token: '/oauth/token',
        register: '/oauth/register',
        revoke: '/oauth/revoke',
      },
      resource: `${gateway.origin}/notes/mcp`,
      scope: 'mcp',
      async browse(url) {
        const location = (await fetch(url, { redirect: 'manual' })).headers.get('location');
        return location === null ? undefined : new URL(location);
      },
      clientId: '',
      otherClientId: '',
    },
    {
      issuer: sample.issuer,
      paths: { authorize: '/authorize', token: '/token', register: '/register', revoke: '/revoke' },
      resource: sample.mcpUrl,
      scope: 'notes:read',
      browse: async (url) =>
        createPerson(sample)
          .authorize(url)
          .catch(() => undefined),
      clientId: '',
      otherClientId: '',
    },
  );
  for (const peer of peers) {
    peer.clientId = await registered(peer);
    peer.otherClientId = await registered(peer);
  }
});
after(async () => {
  for (const stop of stops) await stop();
});

async function register({ issuer, paths }: Peer, metadata: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(issuer + paths.register, { method: 'POST', headers, body: JSON.stringify(metadata) });
}

const GOOD_CLIENT = {
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

async function registered(peer: Peer): Promise<string> {
  const answer = v.parse(json, await (await register(peer, GOOD_CLIENT)).json());
  return v.parse(v.string(), answer['client_id']);
}

function changed(base: Form, changes: Form): URLSearchParams {
  return new URLSearchParams(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== ''));
}

async function authorize(peer: Peer, changes: Form = {}, twice?: string): Promise<URL | undefined> {
  const url = new URL(peer.issuer + peer.paths.authorize);
  const base = {
    response_type: 'code',
    client_id: peer.clientId,
    redirect_uri: REDIRECT_URI,
    scope: peer.scope,
    state: 'state',
    resource: peer.resource,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  };
  url.search = changed(base, changes).toString();
  if (twice !== undefined) url.searchParams.append(twice, 'again');
  return peer.browse(url);
}

/** What the client is told in the redirect, or that the person is told on a page. */
async function authorizationError(peer: Peer, changes: Form, twice?: string): Promise<string> {
  const callback = await authorize(peer, changes, twice);
  if (callback === undefined) return 'page';
  assert.equal(callback.searchParams.get('iss'), peer.issuer);
  return `redirect ${callback.searchParams.get('error') ?? 'no error'}`;
}

async function token(peer: Peer, form: URLSearchParams): Promise<Response> {
  return fetch(peer.issuer + peer.paths.token, { method: 'POST', body: form });
}

async function exchange(peer: Peer, code: string, changes: Form = {}): Promise<Response> {
  const base = { grant_type: 'authorization_code', client_id: peer.clientId, redirect_uri: REDIRECT_URI, code };
  return token(peer, changed({ ...base, code_verifier: VERIFIER }, changes));
}

async function codeOf(peer: Peer): Promise<string> {
  return (await authorize(peer))?.searchParams.get('code') ?? '';
}

async function refreshTokenOf(peer: Peer): Promise<string> {
  const answer = v.parse(json, await (await exchange(peer, await codeOf(peer))).json());
  return v.parse(v.string(), answer['refresh_token']);
}

async function refresh(peer: Peer, refreshToken: string, changes: Form = {}): Promise<Response> {
  const base = { grant_type: 'refresh_token', client_id: peer.clientId, refresh_token: refreshToken };
  return token(peer, changed(base, changes));
}

async function revoke({ clientId, issuer, paths }: Peer, form: Form): Promise<string> {
  const response = await fetch(issuer + paths.revoke, { method: 'POST', body: changed({ client_id: clientId }, form) });
  return response.status === 200 ? '200' : errorOf(response);
}

const rows: readonly [string, string, (peer: Peer) => Promise<string>][] = [
  // RFC 6749 section 4.1.2.1, RFC 7636 section 4.4.1, RFC 8707 section 2.
  ['an unknown client', 'page', async (peer) => authorizationError(peer, { client_id: 'unknown' })],
  ['no client', 'page', async (peer) => authorizationError(peer, { client_id: '' })],
  ['a foreign redirect URI', 'page', async (peer) => authorizationError(peer, { redirect_uri: 'http://127.0.0.1/x' })],
  [
    'a redirect URI of the web',
    'page',
    async (peer) => authorizationError(peer, { redirect_uri: 'https://example.com/' }),
  ],
  [
    'another port',
    'redirect no error',
    async (peer) => authorizationError(peer, { redirect_uri: 'http://127.0.0.1:1/callback' }),
  ],
  ['no response type', 'redirect invalid_request', async (peer) => authorizationError(peer, { response_type: '' })],
  [
    'another response type',
    'redirect unsupported_response_type',
    async (peer) => authorizationError(peer, { response_type: 'x' }),
  ],
  [
    'no challenge',
    'redirect invalid_request',
    async (peer) => authorizationError(peer, { code_challenge: '', code_challenge_method: '' }),
  ],
  [
    'a plain challenge',
    'redirect invalid_request',
    async (peer) => authorizationError(peer, { code_challenge_method: 'plain' }),
  ],
  [
    'a challenge without a method',
    'redirect invalid_request',
    async (peer) => authorizationError(peer, { code_challenge_method: '' }),
  ],
  [
    'a malformed challenge',
    'redirect invalid_request',
    async (peer) => authorizationError(peer, { code_challenge: 'short' }),
  ],
  [
    'a foreign resource',
    'redirect invalid_target',
    async (peer) => authorizationError(peer, { resource: 'https://example.com/mcp' }),
  ],
  ['a parameter twice', 'redirect invalid_request', async (peer) => authorizationError(peer, {}, 'code_challenge')],
  // RFC 6749 section 5.2.
  ['no grant type', '400 invalid_request', async (peer) => errorOf(await exchange(peer, 'x', { grant_type: '' }))],
  [
    'an unknown grant type',
    '400 unsupported_grant_type',
    async (peer) => errorOf(await exchange(peer, 'x', { grant_type: 'x' })),
  ],
  [
    'a token for an unknown client',
    '401 invalid_client',
    async (peer) => errorOf(await exchange(peer, 'x', { client_id: 'x' })),
  ],
  [
    'a token for no client',
    '400 invalid_request',
    async (peer) => errorOf(await exchange(peer, 'x', { client_id: '' })),
  ],
  ['an unknown code', '400 invalid_grant', async (peer) => errorOf(await exchange(peer, 'x'))],
  ['no code', '400 invalid_request', async (peer) => errorOf(await exchange(peer, ''))],
  [
    'a code of another client',
    '400 invalid_grant',
    async (peer) => errorOf(await exchange(peer, await codeOf(peer), { client_id: peer.otherClientId })),
  ],
  [
    'a code for another redirect URI',
    '400 invalid_grant',
    async (peer) => errorOf(await exchange(peer, await codeOf(peer), { redirect_uri: 'http://127.0.0.1:1/callback' })),
  ],
  [
    'a code with another verifier',
    '400 invalid_grant',
    async (peer) => errorOf(await exchange(peer, await codeOf(peer), { code_verifier: 'w'.repeat(43) })),
  ],
  [
    'a code without a verifier',
    '400 invalid_grant',
    async (peer) => errorOf(await exchange(peer, await codeOf(peer), { code_verifier: '' })),
  ],
  [
    'a code for another resource',
    '400 invalid_target',
    async (peer) => errorOf(await exchange(peer, await codeOf(peer), { resource: 'https://example.com/' })),
  ],
  [
    'a code once more',
    '400 invalid_grant',
    async (peer) => {
      const code = await codeOf(peer);
      assert.equal((await exchange(peer, code)).status, 200);
      return errorOf(await exchange(peer, code));
    },
  ],
  [
    'a refresh token after its code was used once more',
    '400 invalid_grant',
    async (peer) => {
      const code = await codeOf(peer);
      const answer = v.parse(json, await (await exchange(peer, code)).json());
      await exchange(peer, code);
      return errorOf(await refresh(peer, v.parse(v.string(), answer['refresh_token'])));
    },
  ],
  ['no refresh token', '400 invalid_request', async (peer) => errorOf(await refresh(peer, ''))],
  ['an unknown refresh token', '400 invalid_grant', async (peer) => errorOf(await refresh(peer, 'x'))],
  [
    'a refresh token of another client',
    '400 invalid_grant',
    async (peer) => errorOf(await refresh(peer, await refreshTokenOf(peer), { client_id: peer.otherClientId })),
  ],
  [
    'a refresh for another resource',
    '400 invalid_target',
    async (peer) => errorOf(await refresh(peer, await refreshTokenOf(peer), { resource: 'https://example.com/' })),
  ],
  [
    'a refresh token that was revoked',
    '400 invalid_grant',
    async (peer) => {
      const refreshToken = await refreshTokenOf(peer);
      assert.equal(await revoke(peer, { token: refreshToken }), '200');
      return errorOf(await refresh(peer, refreshToken));
    },
  ],
  [
    'a refresh token after the one that came of it was used',
    '400 invalid_grant',
    async (peer) => {
      const first = await refreshTokenOf(peer);
      const answer = v.parse(json, await (await refresh(peer, first)).json());
      const second = v.parse(v.string(), answer['refresh_token']);
      assert.equal((await refresh(peer, second)).status, 200);
      return errorOf(await refresh(peer, first));
    },
  ],
  // RFC 7009 section 2.2.
  ['the revocation of an unknown token', '200', async (peer) => revoke(peer, { token: 'x' })],
  ['the revocation of no token', '400 invalid_request', async (peer) => revoke(peer, {})],
  [
    'the revocation by an unknown client',
    '401 invalid_client',
    async (peer) => revoke(peer, { token: 'x', client_id: 'x' }),
  ],
  // RFC 7591 section 3.2.2.
  [
    'a registration without redirect URIs',
    '400 invalid_redirect_uri',
    async (peer) => errorOf(await register(peer, { ...GOOD_CLIENT, redirect_uris: [] })),
  ],
  [
    'a registration with a URI that is none',
    '400 invalid_redirect_uri',
    async (peer) => errorOf(await register(peer, { ...GOOD_CLIENT, redirect_uris: ['x'] })),
  ],
  [
    'a registration with a fragment',
    '400 invalid_redirect_uri',
    async (peer) => errorOf(await register(peer, { ...GOOD_CLIENT, redirect_uris: ['http://127.0.0.1/#x'] })),
  ],
  [
    'a native registration with http elsewhere',
    '400 invalid_redirect_uri',
    async (peer) => errorOf(await register(peer, { ...GOOD_CLIENT, redirect_uris: ['http://example.com/'] })),
  ],
  [
    'a registration with an unknown response type',
    '400 invalid_client_metadata',
    async (peer) => errorOf(await register(peer, { ...GOOD_CLIENT, response_types: ['x'] })),
  ],
];

describe('the gateway and oidc-provider', () => {
  for (const [name, expected, run] of rows) {
    it(`P38 say the same to ${name}`, async () => {
      const answers = [];
      for (const peer of peers) answers.push(await run(peer));
      assert.deepEqual(answers, [expected, expected]);
    });
  }
});
