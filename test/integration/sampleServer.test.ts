import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UnauthorizedError, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import * as oauth from 'openid-client';
import { createPerson } from '../sample/person.ts';
import { startSampleServer, type SampleServer } from '../sample/sampleServer.ts';

const REDIRECT_URI = 'http://127.0.0.1:45678/callback';

async function register(issuer: string, metadata: Record<string, unknown> = {}): Promise<oauth.Configuration> {
  const client = {
    client_name: 'A <b>test</b> client',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...metadata,
  };
  return oauth.dynamicClientRegistration(new URL(issuer), client, oauth.None(), {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
  });
}

interface SignInOptions {
  readonly scope?: string;
  readonly resource?: string | undefined;
  readonly person?: ReturnType<typeof createPerson>;
}

async function signIn(sample: SampleServer, config: oauth.Configuration, options: SignInOptions = {}) {
  const verifier = oauth.randomPKCECodeVerifier();
  const resource = 'resource' in options ? options.resource : sample.mcpUrl;
  const url = oauth.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: options.scope ?? 'notes:read notes:write',
    state: 'a-state',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(resource === undefined ? {} : { resource }),
  });
  const person = options.person ?? createPerson(sample);
  const callback = await person.authorize(url);
  // Throws unless `iss` and `state` are right (RFC 9207).
  const checks = { pkceCodeVerifier: verifier, expectedState: 'a-state' };
  const tokens = await oauth.authorizationCodeGrant(
    config,
    callback,
    checks,
    resource === undefined ? undefined : { resource },
  );
  return { tokens, person };
}

async function connect(mcpUrl: string, accessToken: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${accessToken}` };
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit: { headers } });
  await client.connect(transport);
  return client;
}

/** Asserts that `actual` has the members of `expected`; others do not matter. */
function assertHas(actual: unknown, expected: Record<string, unknown>): void {
  assert.ok(typeof actual === 'object' && actual !== null);
  const wanted = Object.entries(actual).filter(([name]) => name in expected);
  assert.deepEqual(Object.fromEntries(wanted), expected);
}

async function post(url: string, accessToken: string | undefined, message: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify(message),
  });
}

const callOf = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

describe('the sample server', () => {
  let sample: SampleServer;
  before(async () => {
    sample = await startSampleServer();
  });
  after(async () => sample.close());

  test('P1 a 401 names the metadata, and the metadata names the authorization server', async () => {
    const response = await post(sample.mcpUrl, undefined, {});
    assert.equal(response.status, 401);
    const header = response.headers.get('www-authenticate') ?? '';
    assert.match(header, /^Bearer resource_metadata="([^"]+)", scope="notes:read notes:write"$/);
    const metadataUrl = new URL('/.well-known/oauth-protected-resource/mcp', sample.mcpUrl).href;
    assert.ok(header.includes(metadataUrl));
    const metadata: unknown = await (await fetch(metadataUrl)).json();
    assertHas(metadata, {
      resource: sample.mcpUrl,
      authorization_servers: [sample.issuer],
      scopes_supported: ['notes:read', 'notes:write'],
    });
  });

  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    test(`P4 serves its metadata as ${name}`, async () => {
      const metadata: unknown = await (await fetch(`${sample.issuer}/.well-known/${name}`)).json();
      assertHas(metadata, {
        issuer: sample.issuer,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        revocation_endpoint: `${sample.issuer}/revoke`,
        scopes_supported: ['openid', 'offline_access', 'profile', 'email', 'notes:read', 'notes:write', 'notes:admin'],
      });
    });
  }

  test('P9 refuses a registration whose scope is an array', async () => {
    await assert.rejects(register(sample.issuer, { scope: ['notes:read'] }), { error: 'invalid_client_metadata' });
  });

  test('a native client signs in, and the MCP SDK client uses the token', async () => {
    const { tokens, person } = await signIn(sample, await register(sample.issuer));
    assert.deepEqual(person.seen, ['signIn', 'consent']);
    assert.match(person.html, /A &lt;b&gt;test&lt;\/b&gt; client/);
    assert.equal(tokens.scope, 'notes:read notes:write');
    assert.equal(tokens.expires_in, 120);

    const client = await connect(sample.mcpUrl, tokens.access_token);
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['list_notes', 'add_note', 'delete_all_notes'],
    );
    await client.callTool({ name: 'add_note', arguments: { text: 'Buy milk' } });
    const notes = await client.callTool({ name: 'list_notes' }, CallToolResultSchema);
    assert.deepEqual(notes['content'], [{ type: 'text', text: 'Welcome to the sample notes.\nBuy milk' }]);
    await client.close();
  });

  test('the MCP SDK client signs in by itself, as a client that does not say that it is native', async () => {
    const person = createPerson(sample);
    const saved: { client?: OAuthClientInformationMixed; tokens?: OAuthTokens; verifier?: string; callback?: URL } = {};
    const authProvider: OAuthClientProvider = {
      redirectUrl: REDIRECT_URI,
      clientMetadata: {
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      },
      clientInformation: () => saved.client,
      saveClientInformation: (client) => void (saved.client = client),
      tokens: () => saved.tokens,
      saveTokens: (tokens) => void (saved.tokens = tokens),
      redirectToAuthorization: async (url) => void (saved.callback = await person.authorize(url)),
      saveCodeVerifier: (verifier) => void (saved.verifier = verifier),
      codeVerifier: () => saved.verifier ?? '',
    };
    const open = () => new StreamableHTTPClientTransport(new URL(sample.mcpUrl), { authProvider });
    const first = open();
    await assert.rejects(new Client({ name: 'test', version: '1' }).connect(first), UnauthorizedError);
    await first.finishAuth(saved.callback?.searchParams.get('code') ?? '');
    assert.equal(saved.tokens?.scope, 'notes:read notes:write');
    assert.ok(saved.tokens.refresh_token);
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(open());
    assert.equal((await client.callTool({ name: 'list_notes' })).isError, undefined);
    await client.close();
  });

  test('P24 a missing scope is a 403 challenge, also inside a batch', async () => {
    const { tokens } = await signIn(sample, await register(sample.issuer), { scope: 'notes:read' });
    const batch = [callOf('list_notes'), callOf('add_note'), callOf('delete_all_notes')];
    for (const [message, scope] of [
      [callOf('delete_all_notes'), 'notes:admin'],
      [batch, 'notes:write notes:admin'],
    ] as const) {
      const response = await post(sample.mcpUrl, tokens.access_token, message);
      assert.equal(response.status, 403);
      const header = response.headers.get('www-authenticate') ?? '';
      assert.match(header, /^Bearer error="insufficient_scope", resource_metadata="http:/);
      assert.ok(header.endsWith(`scope="${scope}"`), header);
    }
  });

  test('P22 step-up asks for consent again, even where the registration named fewer scopes', async () => {
    const config = await register(sample.issuer, { scope: 'notes:read' });
    const { person } = await signIn(sample, config, { scope: 'notes:read' });
    const { tokens } = await signIn(sample, config, { scope: 'notes:read notes:admin', person });
    assert.deepEqual(person.seen, ['signIn', 'consent', 'consent']);
    assert.match(person.html, /new<\/span>Delete all your notes/);
    assert.doesNotMatch(person.html, /new<\/span>Read your notes/);
    assert.equal(tokens.scope, 'notes:read notes:admin');
  });

  test('P27 a refresh rotates, keeps the scopes, and is recorded with scope and resource', async () => {
    const config = await register(sample.issuer);
    const { tokens } = await signIn(sample, config);
    const scope = 'notes:read notes:write';
    const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token ?? '', {
      scope,
      resource: sample.mcpUrl,
    });
    assert.notEqual(renewed.refresh_token, tokens.refresh_token);
    assert.equal(renewed.scope, scope);
    const recorded = sample.requests.at(-1);
    assert.equal(recorded?.endpoint, 'token');
    assertHas(recorded.body, { grant_type: 'refresh_token', scope, resource: sample.mcpUrl });
  });

  test('P28 a refresh token that is used twice ends the grant', async () => {
    const config = await register(sample.issuer);
    const { tokens } = await signIn(sample, config);
    const used = tokens.refresh_token ?? '';
    const renewed = await oauth.refreshTokenGrant(config, used);
    await assert.rejects(oauth.refreshTokenGrant(config, used), { error: 'invalid_grant' });
    await assert.rejects(oauth.refreshTokenGrant(config, renewed.refresh_token ?? ''), { error: 'invalid_grant' });
    assert.equal((await post(sample.mcpUrl, renewed.access_token, callOf('list_notes'))).status, 401);
  });

  test('P29 two refreshes at the same moment end the grant', async () => {
    const config = await register(sample.issuer);
    const { tokens } = await signIn(sample, config);
    const used = tokens.refresh_token ?? '';
    const results = await Promise.allSettled([1, 2].map(async () => oauth.refreshTokenGrant(config, used)));
    const won = results.find((result) => result.status === 'fulfilled')?.value;
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 1);
    await assert.rejects(oauth.refreshTokenGrant(config, won?.refresh_token ?? ''), { error: 'invalid_grant' });
  });

  test('P14 a token without the resource is not taken', async () => {
    const { tokens } = await signIn(sample, await register(sample.issuer), { resource: undefined });
    assert.equal((await post(sample.mcpUrl, tokens.access_token, callOf('list_notes'))).status, 401);
  });

  test('P14 another resource is refused', async () => {
    const config = await register(sample.issuer);
    const resource = `${sample.mcpUrl}/other`;
    await assert.rejects(signIn(sample, config, { resource }), { error: 'invalid_target' });
  });

  test('a person can say no', async () => {
    const config = await register(sample.issuer);
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'notes:read',
      resource: sample.mcpUrl,
      code_challenge: await oauth.calculatePKCECodeChallenge('v'.repeat(43)),
      code_challenge_method: 'S256',
    });
    const callback = await createPerson(sample).authorize(url, 'deny');
    assert.equal(callback.searchParams.get('error'), 'access_denied');
    assert.equal(callback.searchParams.get('iss'), sample.issuer);
  });

  test('P13 an authorization without PKCE is refused', async () => {
    const config = await register(sample.issuer);
    const parameters = { redirect_uri: REDIRECT_URI, scope: 'notes:read', resource: sample.mcpUrl };
    const callback = await createPerson(sample).authorize(oauth.buildAuthorizationUrl(config, parameters));
    assert.equal(callback.searchParams.get('error'), 'invalid_request');
  });

  test('P35 a revoked refresh token ends the access token too', async () => {
    const config = await register(sample.issuer);
    const { tokens } = await signIn(sample, config);
    await oauth.tokenRevocation(config, tokens.refresh_token ?? '');
    assert.equal(sample.requests.at(-1)?.endpoint, 'revocation');
    assert.equal((await post(sample.mcpUrl, tokens.access_token, callOf('list_notes'))).status, 401);
  });

  test('a foreign Host or Origin is refused', async () => {
    const { tokens } = await signIn(sample, await register(sample.issuer));
    const headers = { authorization: `Bearer ${tokens.access_token}`, origin: 'https://evil.example' };
    assert.equal((await fetch(sample.mcpUrl, { method: 'POST', headers })).status, 403);
  });
});

test('the sample server keeps connections over a restart, with a state file', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sample-'));
  t.after(async () => rm(folder, { recursive: true }));
  const stateFile = path.join(folder, 'state', 'sample.json');
  const first = await startSampleServer({ stateFile });
  const config = await register(first.issuer);
  const { tokens } = await signIn(first, config, { scope: 'openid profile notes:read' });
  assert.equal(tokens.claims()?.['name'], 'Ada Lovelace');
  await first.close();

  const second = await startSampleServer({
    stateFile,
    authorizationServerPort: Number(new URL(first.issuer).port),
    mcpServerPort: Number(new URL(first.mcpUrl).port),
  });
  t.after(async () => second.close());
  assert.equal((await post(second.mcpUrl, tokens.access_token, {})).status, 400);
  const resource = { resource: second.mcpUrl };
  const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token ?? '', resource);
  const client = await connect(second.mcpUrl, renewed.access_token);
  await client.close();
  assert.deepEqual(await readdir(path.dirname(stateFile)), ['sample.json']);
});

test('P34 access tokens end when they say', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 1 });
  t.after(async () => sample.close());
  const { tokens } = await signIn(sample, await register(sample.issuer));
  assert.equal(tokens.expires_in, 1);
  // Nothing announces the end of a token, so the test asks until it is there.
  while ((await post(sample.mcpUrl, tokens.access_token, callOf('list_notes'))).status !== 401);
});
