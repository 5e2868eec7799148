import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { resourceMetadataUrl } from '../../../src/gateway/authorization/metadata.ts';
import { type AuthorizationFixture, serveAuthorization } from '../../headless/gatewayAuthorization.ts';
import {
  createGatewayClient,
  errorOf,
  type GatewayClient,
  REDIRECT_URI,
  tokensOf,
} from '../../headless/gatewayClient.ts';

let gateway: AuthorizationFixture;
let client: GatewayClient;
let origin: string;

beforeEach(async () => {
  gateway = await serveAuthorization();
  ({ origin } = gateway);
  client = createGatewayClient(origin);
});
afterEach(async () => gateway.stop());

function isIn(accessToken: string, connection = 'notes'): boolean {
  return gateway.registry.use(accessToken, connection) !== undefined;
}

const JSON_BODY = { 'content-type': 'application/json' };

/** Posts a body as it is, as a form unless the headers say otherwise. */
async function send(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(origin + path, { method: 'POST', body, headers: { ...type, ...headers } });
}

describe('the metadata', () => {
  it('P38 of the authorization server say what it does', async () => {
    const response = await fetch(`${origin}/.well-known/oauth-authorization-server`);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), {
      issuer: origin,
      authorization_endpoint: `${origin}/oauth/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      registration_endpoint: `${origin}/oauth/register`,
      revocation_endpoint: `${origin}/oauth/revoke`,
      scopes_supported: ['mcp'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  it('P38 of each connection name it and the authorization server', async () => {
    const url = resourceMetadataUrl(origin, 'notes');
    assert.equal(url, `${origin}/.well-known/oauth-protected-resource/notes/mcp`);
    assert.deepEqual(await (await fetch(url)).json(), {
      resource: `${origin}/notes/mcp`,
      authorization_servers: [origin],
      scopes_supported: ['mcp'],
      bearer_methods_supported: ['header'],
    });
  });

  const absent = [
    '',
    '/',
    '/none/mcp',
    '/notes',
    '/notes/',
    '/notes/mcp/',
    '/notes/mcp/x',
    '/NOTES/mcp',
    '/notes%2Fmcp',
  ];
  for (const path of absent) {
    it(`P38 are not there for “${path}”`, async () => {
      const response = await fetch(`${origin}/.well-known/oauth-protected-resource${path}`);
      assert.equal(response.status, 404);
      assert.notEqual(await response.text(), 'not mine');
    });
  }

  const others = [
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/notes/mcp',
    '/.well-known/oauth-protected-resourcex',
    '/oauth',
    '/oauth/',
    '/oauth/token/',
    '/oauth/authorize/',
    '/oauth/authorize/a/b',
    '/notes/mcp',
    '/callback',
    '/',
  ];
  for (const path of others) {
    it(`P38 leave ${path} to others`, async () => {
      const response = await fetch(origin + path);
      assert.equal(await response.text(), 'not mine');
    });
  }

  const routes: Readonly<Record<string, string>> = {
    '/.well-known/oauth-authorization-server': 'GET',
    '/.well-known/oauth-protected-resource/notes/mcp': 'GET',
    '/oauth/authorize': 'GET',
    '/oauth/register': 'POST',
    '/oauth/token': 'POST',
    '/oauth/revoke': 'POST',
  };
  for (const [path, allowed] of Object.entries(routes)) {
    it(`P38 ${path} takes ${allowed} only`, async () => {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
        if (method === allowed) continue;
        const response = await fetch(origin + path, { method });
        assert.equal(response.status, 405, method);
        assert.equal(response.headers.get('allow'), allowed);
      }
    });
  }
});

describe('every answer', () => {
  it('P36 is kept nowhere, is what it says, runs nothing, and is for no page of another origin', async () => {
    await client.register();
    const callback = await client.authorize();
    const answers = [
      await fetch(`${origin}/.well-known/oauth-authorization-server`),
      await fetch(`${origin}/.well-known/oauth-protected-resource/none/mcp`),
      await fetch(`${origin}/oauth/register`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      }),
      await fetch(client.authorizationUrl(), { redirect: 'manual' }),
      await fetch(client.authorizationUrl({ client_id: 'x' })),
      await client.exchange(callback),
      await client.exchange(callback),
      await client.post('/oauth/revoke', { client_id: client.id, token: 'x' }),
      await fetch(`${origin}/oauth/token`),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 404, 400, 302, 400, 200, 400, 200, 405],
    );
    for (const { headers, url } of answers) {
      assert.equal(headers.get('cache-control'), 'no-store', url);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', url);
      assert.equal(headers.get('referrer-policy'), 'no-referrer', url);
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none';.*frame-ancestors 'none'/);
      assert.doesNotMatch(headers.get('content-security-policy') ?? '', /script/);
      assert.equal(headers.get('access-control-allow-origin'), null, url);
      assert.equal(headers.get('set-cookie'), null, url);
    }
  });
});

describe('a registration', () => {
  it('P38 says what it is good for', async () => {
    const { answer, status } = await client.register({
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'a b',
    });
    assert.equal(status, 201);
    assert.deepEqual(answer, {
      client_id: client.id,
      client_id_issued_at: gateway.clock.now() / 1000,
      client_name: 'Plain',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp',
    });
  });

  it('P44 keeps the redirect URIs that lead to this machine, and says which', async () => {
    const good = ['http://localhost/', 'http://127.0.0.1:33418/', 'vscode://vscode.mcp/callback'];
    const { answer } = await client.register({
      redirect_uris: ['https://vscode.dev/redirect', ...good, 'https://insiders.vscode.dev/redirect'],
    });
    assert.deepEqual(answer['redirect_uris'], good);
    const callback = await client.authorize({ redirect_uri: 'https://vscode.dev/redirect' });
    assert.equal(callback.href, 'none:400');
    assert.deepEqual(gateway.questions, []);
  });

  const bad: readonly [string, unknown, string][] = [
    ['no redirect URI', [], '400 invalid_redirect_uri'],
    ['one of the web', ['https://example.com/callback'], '400 invalid_redirect_uri'],
    ['one that is no text', [7], '400 invalid_redirect_uri'],
    ['a text for the list', REDIRECT_URI, '400 invalid_redirect_uri'],
  ];
  for (const [name, redirectUris, expected] of bad) {
    it(`P44 with ${name} is refused`, async () => {
      const { answer, status } = await client.register({ redirect_uris: redirectUris });
      assert.equal(`${status} ${String(answer['error'])}`, expected);
    });
  }

  it('P38 for other grants and responses is refused', async () => {
    for (const metadata of [
      { grant_types: ['client_credentials'] },
      { response_types: ['token'] },
      { grant_types: 'x' },
    ]) {
      const { answer, status } = await client.register(metadata);
      assert.equal(`${status} ${String(answer['error'])}`, '400 invalid_client_metadata');
    }
  });

  it('P44 is JSON of 64 KiB at most', async () => {
    const registration = JSON.stringify({ redirect_uris: [REDIRECT_URI] });
    assert.equal(await errorOf(await send('/oauth/register', '{', JSON_BODY)), '400 invalid_client_metadata');
    assert.equal(await errorOf(await send('/oauth/register', 'null', JSON_BODY)), '400 invalid_client_metadata');
    assert.equal(
      await errorOf(await send('/oauth/register', registration, { 'content-type': 'text/plain' })),
      '400 invalid_request',
    );
    const long = JSON.stringify({ redirect_uris: [REDIRECT_URI], padding: 'x'.repeat(64 * 1024) });
    assert.equal(await errorOf(await send('/oauth/register', long, JSON_BODY)), '413 invalid_request');
    assert.equal(Object.keys(gateway.file.text === undefined ? {} : (gateway.file.document.clients ?? {})).length, 0);
  });

  it('P44 comes 30 times a minute at most', async () => {
    for (let count = 1; count <= 30; count += 1) assert.equal((await client.register()).status, 201);
    assert.equal((await client.register()).status, 429);
    gateway.clock.advance(60_000);
    assert.equal((await client.register()).status, 201);
  });

  it('P44 a name is the client’s own claim: cut, and without what would turn a text around', async () => {
    const { answer } = await client.register({ client_name: `A\u202Eb\n${'c'.repeat(300)}` });
    assert.match(String(answer['client_name']), /^A b c{95}…$/);
    assert.equal((await client.register({ client_name: { a: 1 } })).status, 201);
    await client.authorize();
    assert.equal(gateway.questions[0]?.clientName, '127.0.0.1:45678');
  });
});

describe('an authorization', () => {
  it('P44 asks the person each time, and gives a code to the redirect URI', async () => {
    await client.register();
    const callback = await client.authorize();
    assert.equal(callback.origin + callback.pathname, REDIRECT_URI);
    assert.deepEqual([...callback.searchParams.keys()], ['code', 'state', 'iss']);
    assert.equal(callback.searchParams.get('state'), 'a state');
    assert.equal(callback.searchParams.get('iss'), origin);
    await client.exchange(callback);
    await client.authorize();
    const question = { clientName: 'Plain', redirectUri: REDIRECT_URI, connection: 'notes' };
    assert.deepEqual(gateway.questions, [question, { ...question, remembered: '*' }]);
  });

  it('P44 remembers what the person allowed last, for that connection and client alone', async () => {
    await client.register();
    gateway.askConsent = async () => ({ type: 'allowed', connection: 'notes', allowedTools: ['list'] });
    await client.exchange(await client.authorize());
    await client.authorize();
    await client.authorize({ resource: `${origin}/files/mcp` });
    await client.register();
    await client.authorize();
    assert.deepEqual(
      gateway.questions.map(({ remembered }) => remembered),
      [undefined, ['list'], undefined, undefined],
    );
  });

  it('P44 a code that was not exchanged is nothing to remember', async () => {
    await client.register();
    await client.authorize();
    await client.authorize();
    assert.equal(gateway.questions[1]?.remembered, undefined);
  });

  it('P43 without a resource is for the connection that the person chooses', async () => {
    await client.register();
    gateway.askConsent = async () => ({ type: 'allowed', connection: 'files', allowedTools: ['read'] });
    const callback = await client.authorize({ resource: '' });
    assert.equal(gateway.questions[0]?.connection, undefined);
    const { access_token: token } = await tokensOf(await client.exchange(callback));
    assert.equal(isIn(token), false);
    assert.deepEqual(gateway.registry.use(token, 'files')?.allowedTools, ['read']);
  });

  it('P44 for one connection cannot be answered with another, nor with one that was removed', async () => {
    await client.register();
    gateway.askConsent = async () => ({ type: 'allowed', connection: 'files', allowedTools: '*' });
    assert.equal((await client.authorize()).searchParams.get('error'), 'server_error');
    gateway.askConsent = async () => {
      gateway.connections.remove('notes');
      return { type: 'allowed', connection: 'notes', allowedTools: '*' };
    };
    assert.equal((await client.authorize()).searchParams.get('error'), 'server_error');
  });

  it('P44 that the person denies tells the client so', async () => {
    await client.register();
    gateway.askConsent = async () => ({ type: 'denied' });
    const { searchParams } = await client.authorize();
    assert.equal(searchParams.get('error'), 'access_denied');
    assert.equal(searchParams.get('state'), 'a state');
    assert.equal(searchParams.get('iss'), origin);
    assert.equal(searchParams.get('code'), null);
  });

  it('P44 takes another port on the loopback interface, and nothing else of another redirect URI', async () => {
    await client.register({ redirect_uris: ['http://127.0.0.1/callback', 'http://localhost:1/x?y=1', 'cursor://a/b'] });
    const cases: readonly [string, boolean][] = [
      ['http://127.0.0.1/callback', true],
      ['http://127.0.0.1:65000/callback', true],
      ['http://127.0.0.1:65000/callback/', false],
      ['http://127.0.0.1:65000/Callback', false],
      ['http://127.0.0.1:65000/callback?x=1', false],
      ['http://localhost:65000/callback', false],
      ['http://[::1]:65000/callback', false],
      ['http://127.0.0.2/callback', false],
      ['https://127.0.0.1/callback', false],
      ['http://127.0.0.1:99999/callback', false],
      ['http://127.0.0.1:1@example.com/callback', false],
      ['http://localhost:2/x?y=1', true],
      ['http://localhost:2/x', false],
      ['cursor://a/b', true],
      ['cursor://a:1/b', false],
      ['CURSOR://a/b', false],
      ['', false],
    ];
    for (const [uri, isGood] of cases) {
      const response = await fetch(client.authorizationUrl({ redirect_uri: uri }), { redirect: 'manual' });
      assert.equal(response.status, isGood ? 302 : 400, uri);
      const location = response.headers.get('location');
      assert.equal(location?.startsWith(`${uri}${uri.includes('?') ? '&' : '?'}code=`) ?? false, isGood, uri);
    }
    assert.equal(gateway.questions.length, 4);
  });

  const toClient: readonly [string, Readonly<Record<string, string>>, string][] = [
    ['no response type', { response_type: '' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['another response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['no challenge', { code_challenge: '' }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no challenge method', { code_challenge_method: '' }, 'invalid_request'],
    ['a short challenge', { code_challenge: 'x' }, 'invalid_request'],
    ['another resource', { resource: 'https://example.com/mcp' }, 'invalid_target'],
    ['the gateway as the resource', { resource: 'http://127.0.0.1/' }, 'invalid_target'],
  ];
  for (const [name, changes, expected] of toClient) {
    it(`P38 with ${name} is refused without asking anybody`, async () => {
      await client.register();
      const { searchParams } = await client.authorize(changes);
      assert.equal(searchParams.get('error'), expected);
      assert.equal(searchParams.get('state'), 'a state');
      assert.equal(searchParams.get('iss'), origin);
      assert.deepEqual(gateway.questions, []);
    });
  }

  it('P38 with a parameter twice is refused', async () => {
    await client.register();
    for (const name of ['state', 'code_challenge', 'resource', 'x']) {
      const url = client.authorizationUrl({ x: '1' });
      url.searchParams.append(name, 'again');
      const response = await fetch(url, { redirect: 'manual' });
      const expected = name === 'resource' ? 'invalid_target' : 'invalid_request';
      assert.equal(new URL(response.headers.get('location') ?? '').searchParams.get('error'), expected, name);
    }
    for (const name of ['client_id', 'redirect_uri']) {
      const url = client.authorizationUrl();
      url.searchParams.append(name, url.searchParams.get(name) ?? '');
      assert.equal((await fetch(url, { redirect: 'manual' })).status, 400, name);
    }
    assert.deepEqual(gateway.questions, []);
  });

  it('P44 of an unknown client is shown to the person alone', async () => {
    const response = await fetch(client.authorizationUrl({ client_id: '<b>' }), { redirect: 'manual' });
    assert.equal(response.status, 400);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    const page = await response.text();
    assert.match(page, /not known here/);
    assert.doesNotMatch(page, /<b>|<script/);
  });
});

describe('the token endpoint', () => {
  it('P38 gives tokens for a code', async () => {
    const tokens = await client.signIn();
    assert.equal(tokens.expires_in, 86_400);
    assert.equal(isIn(tokens.access_token), true);
    assert.equal(isIn(tokens.access_token, 'files'), false);
    assert.equal(isIn(tokens.refresh_token), false);
  });

  it('P38 has one scope, whatever a client asks for', async () => {
    const { refresh_token: token } = await client.signIn({ scope: 'openid offline_access notes:read' });
    await tokensOf(await client.refresh(token, { scope: 'admin' }));
  });

  it('P38 needs no redirect_uri, as OAuth 2.1 sends none', async () => {
    await client.register();
    assert.equal((await client.exchange(await client.authorize(), { redirect_uri: '' })).status, 200);
  });

  const badExchanges: readonly [string, Readonly<Record<string, string>>, string][] = [
    ['another client', { client_id: 'other' }, '400 invalid_grant'],
    ['an unknown client', { client_id: 'x' }, '401 invalid_client'],
    ['no client', { client_id: '' }, '400 invalid_request'],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:1/callback' }, '400 invalid_grant'],
    ['another verifier', { code_verifier: 'w'.repeat(43) }, '400 invalid_grant'],
    ['the challenge as the verifier', { code_verifier: 'CHALLENGE' }, '400 invalid_grant'],
    ['no verifier', { code_verifier: '' }, '400 invalid_grant'],
    ['another code', { code: 'x' }, '400 invalid_grant'],
    ['no code', { code: '' }, '400 invalid_request'],
    ['another resource', { resource: 'FILES' }, '400 invalid_target'],
    ['another grant type', { grant_type: 'client_credentials' }, '400 unsupported_grant_type'],
    ['no grant type', { grant_type: '' }, '400 invalid_request'],
  ];
  for (const [name, changes, expected] of badExchanges) {
    it(`P38 refuses a code with ${name}, and it stays good for its owner`, async () => {
      const other = createGatewayClient(origin);
      await other.register();
      await client.register();
      const callback = await client.authorize();
      const words: Record<string, string> = {
        other: other.id,
        FILES: `${origin}/files/mcp`,
        CHALLENGE: client.authorizationUrl().searchParams.get('code_challenge') ?? '',
      };
      const sent = Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, words[value] ?? value]));
      assert.equal(await errorOf(await client.exchange(callback, sent)), expected);
      assert.deepEqual(gateway.registry.accesses, []);
      assert.equal((await client.exchange(callback)).status, 200);
    });
  }

  it('P38 takes a code for 60 seconds', async () => {
    await client.register();
    const [soon, late] = [await client.authorize(), await client.authorize()];
    gateway.clock.advance(59_999);
    assert.equal((await client.exchange(soon)).status, 200);
    gateway.clock.advance(1);
    assert.equal(await errorOf(await client.exchange(late)), '400 invalid_grant');
  });

  it('P38 takes a code once, and a second time ends what came of it', async () => {
    await client.register();
    const callback = await client.authorize();
    const tokens = await tokensOf(await client.exchange(callback));
    const renewed = await tokensOf(await client.refresh(tokens.refresh_token));
    assert.equal(isIn(renewed.access_token), true);
    gateway.clock.advance(5 * 60_000);
    assert.equal(await errorOf(await client.exchange(callback)), '400 invalid_grant');
    assert.equal(isIn(renewed.access_token), false);
    assert.equal(await errorOf(await client.refresh(renewed.refresh_token)), '400 invalid_grant');
  });

  it('P38 of a code that comes twice at the same moment leaves nothing', async () => {
    await client.register();
    const callback = await client.authorize();
    const answers = await Promise.all([client.exchange(callback), client.exchange(callback)]);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 400],
    );
    assert.deepEqual(gateway.registry.accesses, []);
  });

  it('P41 keeps the code good when the tokens could not be written down', async () => {
    await client.register();
    const callback = await client.authorize();
    gateway.file.isFull = true;
    assert.equal(await errorOf(await client.exchange(callback)), '503 temporarily_unavailable');
    gateway.file.isFull = false;
    assert.equal((await client.exchange(callback)).status, 200);
  });

  it('P39, P40 renews, repeats, and ends the family', async () => {
    const first = await client.signIn();
    const second = await tokensOf(await client.refresh(first.refresh_token, { scope: 'mcp offline_access' }));
    gateway.clock.advance(10_000);
    const again = await tokensOf(await client.refresh(first.refresh_token, { resource: `${origin}/notes/mcp` }));
    assert.deepEqual(again, { ...second, expires_in: second.expires_in - 10 });
    assert.equal(isIn(second.access_token), true);
    assert.equal(await errorOf(await client.refresh(first.refresh_token)), '400 invalid_grant');
    assert.equal(isIn(second.access_token), false);
  });

  it('P38 refuses to renew for another resource, and the token stays good', async () => {
    const tokens = await client.signIn();
    for (const resource of [`${origin}/files/mcp`, 'https://example.com/']) {
      assert.equal(await errorOf(await client.refresh(tokens.refresh_token, { resource })), '400 invalid_target');
    }
    assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
  });

  it('P41 keeps the refresh token good when its successor could not be written down', async () => {
    const tokens = await client.signIn();
    gateway.file.isFull = true;
    assert.equal(await errorOf(await client.refresh(tokens.refresh_token)), '503 temporarily_unavailable');
    assert.equal(isIn(tokens.access_token), true);
    gateway.file.isFull = false;
    assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
  });

  it('P38 takes forms of 64 KiB at most, without a secret or a parameter twice', async () => {
    const { refresh_token: token } = await client.signIn();
    const body = `grant_type=refresh_token&client_id=${client.id}&refresh_token=${token}`;
    assert.equal(
      await errorOf(await send('/oauth/token', body, { 'content-type': 'application/json' })),
      '400 invalid_request',
    );
    assert.equal(
      await errorOf(await send('/oauth/token', `${body}&x=${'x'.repeat(64 * 1024)}`)),
      '413 invalid_request',
    );
    assert.equal(await errorOf(await send('/oauth/token', `${body}&client_id=${client.id}`)), '400 invalid_request');
    const basic = { authorization: `Basic ${Buffer.from(`${client.id}:`).toString('base64')}` };
    const refused = await send('/oauth/token', body, basic);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic /);
    assert.equal(await errorOf(refused), '401 invalid_client');
    assert.equal(
      (await send('/oauth/token', body, { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' })).status,
      200,
    );
  });
});

describe('the revocation endpoint', () => {
  for (const which of ['refresh_token', 'access_token'] as const) {
    it(`P38 ends all that belongs to the ${which}`, async () => {
      const tokens = await client.signIn();
      const form = { client_id: client.id, token: tokens[which], token_type_hint: 'nonsense' };
      assert.equal((await client.post('/oauth/revoke', form)).status, 200);
      assert.equal(isIn(tokens.access_token), false);
      assert.equal(await errorOf(await client.refresh(tokens.refresh_token)), '400 invalid_grant');
      assert.equal((await client.post('/oauth/revoke', form)).status, 200);
    });
  }

  it('P38 takes nothing from another client', async () => {
    const tokens = await client.signIn();
    const other = createGatewayClient(origin);
    await other.register();
    const revoke = async (form: Record<string, string>) => errorOf(await client.post('/oauth/revoke', form));
    assert.equal(await revoke({ client_id: other.id, token: tokens.refresh_token }), '400 invalid_grant');
    assert.equal(await revoke({ client_id: 'x', token: tokens.refresh_token }), '401 invalid_client');
    assert.equal(await revoke({ token: tokens.refresh_token }), '400 invalid_request');
    assert.equal(await revoke({ client_id: client.id }), '400 invalid_request');
    assert.equal(isIn(tokens.access_token), true);
  });

  it('P41 says that it could not when it could not', async () => {
    const tokens = await client.signIn();
    gateway.file.isFull = true;
    const form = { client_id: client.id, token: tokens.refresh_token };
    assert.equal(await errorOf(await client.post('/oauth/revoke', form)), '503 temporarily_unavailable');
    assert.equal(isIn(tokens.access_token), true);
  });
});

describe('a gateway without its registry', () => {
  it('P42 tells no client that it is unknown', async () => {
    const tokens = await client.signIn();
    await gateway.registry.dispose();
    assert.equal(await errorOf(await client.refresh(tokens.refresh_token)), '503 temporarily_unavailable');
    const form = { client_id: client.id, token: tokens.refresh_token };
    assert.equal(await errorOf(await client.post('/oauth/revoke', form)), '503 temporarily_unavailable');
    const { answer, status } = await client.register();
    assert.equal(`${status} ${String(answer['error'])}`, '503 temporarily_unavailable');
    const response = await fetch(client.authorizationUrl(), { redirect: 'manual' });
    assert.equal(response.status, 503);
    assert.match(await response.text(), /cannot let anybody in/);
    await gateway.registry.load();
    assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
  });
});

describe('secrets', () => {
  it('P36, P41 are in no log, no file and no redirect', async () => {
    const callback = await (await client.register(), client.authorize());
    const code = callback.searchParams.get('code') ?? '';
    const tokens = await tokensOf(await client.exchange(callback));
    gateway.file.isFull = true;
    await client.refresh(tokens.refresh_token);
    await client.exchange(callback);
    gateway.file.isFull = false;
    gateway.askConsent = async () => {
      throw new Error('the editor failed');
    };
    assert.equal((await fetch(client.authorizationUrl(), { redirect: 'manual' })).status, 503);
    const kept = `${gateway.file.text}${gateway.log.lines.join()}${JSON.stringify(gateway.questions)}`;
    assert.ok(gateway.log.lines.length >= 2);
    for (const secret of [code, tokens.access_token, tokens.refresh_token]) {
      assert.ok(secret.length > 40);
      assert.equal(kept.includes(secret.slice(6)), false);
    }
  });
});
