import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as v from 'valibot';
import type { FaultyServer } from '../servers/faultyServer.ts';
import { documentAt, holds, parsed, refused } from '../servers/faultyServerTest.ts';
import { CHALLENGE, createPlainClient, json, REDIRECT_URI, SCOPE, VERIFIER } from '../servers/plainClient.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

type Changes = Record<string, string>;

const postToIdp = async (server: FaultyServer, form: Changes, headers: Changes = {}) =>
  fetch(`${server.identityProvider.issuer}/token`, { method: 'POST', body: new URLSearchParams(form), headers });

const signOn = async (server: FaultyServer, changes: Changes = {}, options?: { deny: boolean }) => {
  const url = new URL(`${server.identityProvider.issuer}/authorize`);
  const parameters = {
    response_type: 'code',
    client_id: server.identityProvider.clientId,
    redirect_uri: REDIRECT_URI,
    scope: 'openid offline_access',
    state: 'a-state',
    nonce: 'a-nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  };
  url.search = new URLSearchParams(parameters).toString();
  return server.authorize(url, options);
};

const redeem = async (server: FaultyServer, callback: URL, changes: Changes = {}) =>
  postToIdp(server, {
    grant_type: 'authorization_code',
    client_id: server.identityProvider.clientId,
    code: callback.searchParams.get('code') ?? '',
    code_verifier: VERIFIER,
    redirect_uri: REDIRECT_URI,
    ...changes,
  });

const exchangeForm = async (server: FaultyServer, changes: Changes = {}): Promise<Changes> => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client_id: server.identityProvider.clientId,
  requested_token_type: ID_JAG,
  subject_token_type: ID_TOKEN,
  subject_token: await server.identityProvider.idToken(),
  audience: server.issuer,
  resource: server.mcpUrl,
  scope: SCOPE,
  ...changes,
});

const idJagOf = async (server: FaultyServer, changes: Changes = {}) =>
  (await parsed(postToIdp(server, await exchangeForm(server, changes)))).access_token;

describe('the identity provider of the faulty server', () => {
  holds('has OpenID Connect metadata', {}, async (_client, server) => {
    const { issuer } = server.identityProvider;
    const metadata = await documentAt(`${issuer}/.well-known/openid-configuration`);
    assert.deepEqual([metadata['issuer'], metadata['token_endpoint']], [issuer, `${issuer}/token`]);
    assert.deepEqual(metadata['identity_chaining_requested_token_types_supported'], [ID_JAG]);
    const endpoints = server.identityProvider.requests.map(({ endpoint }) => endpoint);
    assert.deepEqual(endpoints, ['idpMetadata']);
  });

  holds('signs a person on, with PKCE, nonce and a refresh token', {}, async (_client, server) => {
    const { issuer, clientId } = server.identityProvider;
    const callback = await signOn(server);
    assert.deepEqual([callback.searchParams.get('state'), callback.searchParams.get('iss')], ['a-state', issuer]);
    const body = v.parse(json, await (await redeem(server, callback)).json());
    const keys = createRemoteJWKSet(new URL(`${issuer}/keys`));
    const { payload } = await jwtVerify(String(body['id_token']), keys, { issuer, audience: clientId });
    assert.equal(payload['nonce'], 'a-nonce');
    const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(body['refresh_token']) };
    const renewed = v.parse(json, await (await postToIdp(server, form)).json());
    assert.equal(decodeJwt(String(renewed['id_token'])).aud, clientId);
    server.faults.idpRefuses = 'invalid_grant';
    await refused(postToIdp(server, form), 400, 'invalid_grant');
  });

  holds('gives a refresh token only for offline_access', { idTokenExpiresIn: 7 }, async (_client, server) => {
    const body = v.parse(json, await (await redeem(server, await signOn(server, { scope: 'openid' }))).json());
    assert.equal(body['refresh_token'], undefined);
    const { exp = 0, iat = 0 } = decodeJwt(String(body['id_token']));
    assert.equal(exp - iat, 7);
  });

  holds('refuses a bad request', {}, async (_client, server) => {
    for (const [changes, error] of [
      [{ scope: 'email' }, 'invalid_scope'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ response_type: 'token' }, 'invalid_request'],
    ] as const) {
      assert.equal((await signOn(server, changes)).searchParams.get('error'), error);
    }
    assert.equal((await signOn(server, {}, { deny: true })).searchParams.get('error'), 'access_denied');
    await assert.rejects(signOn(server, { client_id: 'other' }), /unknown client_id/);
    const callback = await signOn(server);
    await refused(redeem(server, callback, { code_verifier: 'other' }), 400, 'invalid_grant');
    await refused(redeem(server, callback), 400, 'invalid_grant');
    await refused(redeem(server, callback, { grant_type: 'password' }), 400, 'unsupported_grant_type');
  });

  for (const idpAuthMethod of ['none', 'client_secret_basic', 'client_secret_post'] as const) {
    holds(`idpAuthMethod ${idpAuthMethod}`, { idpAuthMethod }, async (_client, server) => {
      const { clientId, clientSecret } = server.identityProvider;
      assert.equal(clientSecret === undefined, idpAuthMethod === 'none');
      const form = await exchangeForm(server);
      const secret = clientSecret ?? '';
      const basic = { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
      const answers = {
        none: await postToIdp(server, form),
        client_secret_basic: await postToIdp(server, form, basic),
        client_secret_post: await postToIdp(server, { ...form, client_secret: secret }),
      };
      for (const [method, { status }] of Object.entries(answers)) {
        assert.equal(status, method === idpAuthMethod ? 200 : 401, method);
      }
    });
  }
});

describe('token exchange at the faulty server (RFC 8693)', () => {
  holds('gives an ID-JAG for an ID token', { idJagClientId: 'c' }, async (_client, server) => {
    const { issuer } = server.identityProvider;
    const { access_token: idJag, ...rest } = v.parse(
      json,
      await (await postToIdp(server, await exchangeForm(server))).json(),
    );
    assert.deepEqual(rest, { issued_token_type: ID_JAG, token_type: 'N_A', expires_in: 300, scope: SCOPE });
    const keys = createRemoteJWKSet(new URL(`${issuer}/keys`));
    const checks = { issuer, audience: server.issuer, typ: 'oauth-id-jag+jwt', requiredClaims: ['jti', 'exp', 'iat'] };
    const { payload } = await jwtVerify(String(idJag), keys, checks);
    const { sub, client_id: clientId, resource, scope } = payload;
    assert.deepEqual([sub, clientId, resource, scope], ['person', 'c', server.mcpUrl, SCOPE]);
  });

  holds('refuses what it should', {}, async (_client, server) => {
    const old = await server.identityProvider.idToken({ expiresInSeconds: -1 });
    for (const [changes, error] of [
      [{ subject_token: old }, 'invalid_grant'],
      [{ subject_token: await server.workloadAssertion() }, 'invalid_grant'],
      [{ subject_token: await idJagOf(server) }, 'invalid_grant'],
      [{ audience: 'https://o.example' }, 'invalid_target'],
      [{ requested_token_type: ID_TOKEN }, 'invalid_request'],
      [{ subject_token_type: ID_JAG }, 'invalid_request'],
    ] as const) {
      await refused(postToIdp(server, await exchangeForm(server, changes)), 400, error);
    }
  });

  for (const idpRefuses of ['invalid_grant', 'access_denied'] as const) {
    holds(`idpRefuses ${idpRefuses}`, { idpRefuses }, async (_client, server) => {
      await refused(postToIdp(server, await exchangeForm(server)), 400, idpRefuses);
    });
  }
});

describe('an ID-JAG at the faulty server', () => {
  const faults = { grantTypes: [JWT_BEARER], idJagClientId: 'c' };
  const form = { grant_type: JWT_BEARER, client_id: 'c', client_secret: 's' };
  const secret = { secret: 's', authMethod: 'client_secret_post' } as const;

  holds('is good for an access token, once', faults, async (client, server) => {
    server.addClient({ id: 'c', ...secret });
    const assertion = await idJagOf(server);
    const got = await parsed(client.post('/token', { ...form, assertion }));
    assert.deepEqual([got.scope, got.refresh_token], [SCOPE, undefined]);
    assert.equal((await client.callTool(got.access_token, 'write_file')).status, 200);
    await refused(client.post('/token', { ...form, assertion }), 400, 'invalid_grant');
  });

  holds('allows no more scopes than it names', faults, async (client, server) => {
    server.addClient({ id: 'c', ...secret });
    const assertion = await idJagOf(server, { scope: 'files:read' });
    assert.equal((await parsed(client.post('/token', { ...form, assertion, scope: SCOPE }))).scope, 'files:read');
  });

  holds('is refused where it was not made for', faults, async (client, server) => {
    server.addClient({ id: 'c', ...secret });
    server.addClient({ id: 'd', ...secret });
    server.addClient({ id: 'c', ...secret, at: 'second' });
    await refused(
      client.post('/token', { ...form, client_id: 'd', assertion: await idJagOf(server) }),
      400,
      'invalid_grant',
    );
    await refused(
      client.post('/token', { grant_type: JWT_BEARER, assertion: await idJagOf(server) }),
      400,
      'invalid_grant',
    );
    const forOther = await idJagOf(server, { resource: 'https://o.example' });
    await refused(client.post('/token', { ...form, assertion: forOther }), 400, 'invalid_grant');
    const forSecond = await idJagOf(server, { audience: server.secondIssuer });
    await refused(client.post('/token', { ...form, assertion: forSecond }), 400, 'invalid_grant');
    const second = createPlainClient(server, () => server.secondIssuer);
    assert.equal((await second.post('/token', { ...form, assertion: forSecond })).status, 200);
    const idToken = await server.identityProvider.idToken();
    await refused(client.post('/token', { ...form, assertion: idToken }), 400, 'invalid_grant');
    const old = await idJagOf(server);
    server.faults.now = () => Date.now() + 301_000;
    await refused(client.post('/token', { ...form, assertion: old }), 400, 'invalid_grant');
  });

  const document = 'https://client.example/client.json';
  const withDocuments = { ...faults, clientMetadata: 'accepted', idJagClientId: document } as const;
  holds('P8 is taken from a client with a metadata document', withDocuments, async (client, server) => {
    const taken = { grant_type: JWT_BEARER, client_id: document, assertion: await idJagOf(server) };
    assert.equal((await client.post('/token', taken)).status, 200);
  });
});
