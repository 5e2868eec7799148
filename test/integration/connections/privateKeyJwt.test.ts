import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { ecKey, ed25519Key, type PersonsKey, rsaKey } from '../../headless/privateKeys.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';

const CLIENT_ID = 'robot';
const ec = ecKey();
const rsa = rsaKey();
const ed25519 = ed25519Key();
const JWT_ONLY = { authMethods: ['private_key_jwt'] };

/** A connection with client credentials whose server knows this key, not yet signed in. */
async function startWithKey(
  t: TestContext,
  key: PersonsKey,
  faults: Partial<Faults> = {},
  { entered = key.pem, ...options }: StartOptions & { readonly entered?: string } = {},
) {
  const all = { grantTypes: ['client_credentials'], ...JWT_ONLY, ...faults };
  const { server, headless } = await startWithFaults(t, all, options);
  server.addClient({ id: CLIENT_ID, authMethod: 'private_key_jwt', jwks: { keys: [key.publicJwk] } });
  const { id } = await headless.manager.add(server.mcpUrl, 'Robot', 'client_credentials');
  const client = { issuer: server.issuer, clientId: CLIENT_ID };
  await headless.manager.configure(id, { client }, { privateKey: entered });
  return { server, headless, manager: headless.manager, id };
}

/** The client assertions that were sent, oldest first. */
function assertionsTo(server: FaultyServer): readonly string[] {
  return server.requests.flatMap(({ form }) => form?.['client_assertion'] ?? []);
}

describe('RFC 7523 private_key_jwt with a key of the person', () => {
  for (const [name, key, entered, authSigningAlgs, algorithm] of [
    ['P-256 as PEM', ec, ec.pem, undefined, 'ES256'],
    ['P-256 as JWK', ec, JSON.stringify(ec.jwk), ['RS256', 'ES256'], 'ES256'],
    ['Ed25519 at a server of today', ed25519, ed25519.pem, ['EdDSA'], 'EdDSA'],
    ['Ed25519 as JWK', ed25519, JSON.stringify(ed25519.jwk), undefined, 'EdDSA'],
    ['RSA at a server that names nothing', rsa, rsa.pem, undefined, 'RS256'],
    ['RSA at a server that wants PSS', rsa, rsa.pem, ['PS256', 'ES256'], 'PS256'],
    ['RSA as a JWK for PSS', rsa, JSON.stringify({ ...rsa.jwk, alg: 'PS256' }), ['RS256', 'PS256'], 'PS256'],
    ['P-384', ecKey('P-384'), undefined, ['ES384'], 'ES384'],
  ] as const) {
    it(`${name} signs with ${algorithm}`, async (t) => {
      const faults = { authSigningAlgs };
      const { server, manager, id } = await startWithKey(t, key, faults, { entered: entered ?? key.pem });
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.equal((await callTool(manager, id)).status, 200);
      assert.equal((await manager.refresh(id)).state.type, 'ready');
      assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
      const algorithms = assertionsTo(server).map((assertion) => decodeProtectedHeader(assertion).alg);
      assert.deepEqual(algorithms, [algorithm, algorithm, algorithm]);
    });
  }

  it('is made out to the issuer alone, short-lived, and another at each request', async (t) => {
    const { server, manager, id } = await startWithKey(t, ec, { assertionAudience: 'issuer', expiresIn: 5 });
    await manager.authorize(id);
    await manager.accessToken(id);
    await manager.accessToken(id);
    await manager.disconnect(id);
    const claims = assertionsTo(server).map((assertion) => decodeJwt(assertion));
    assert.equal(claims.length, 4);
    assert.equal(new Set(claims.map(({ jti }) => jti)).size, 4);
    for (const { iss, sub, aud, exp = 0, iat = 0 } of claims) {
      assert.deepEqual([iss, sub, aud], [CLIENT_ID, CLIENT_ID, server.issuer]);
      assert.ok(exp - iat > 0 && exp - iat <= 300);
    }
    for (const { headers, form } of server.requestsTo('token')) {
      assert.equal(headers.authorization, undefined);
      assert.equal(form?.['client_secret'], undefined);
    }
  });

  it('RFC 9449 section 8 is another at the second request too, that has the nonce', async (t) => {
    const dpop = { algs: ['ES256'], required: true, nonce: 'server', challengeScheme: 'DPoP' } as const;
    const { server, manager, id } = await startWithKey(t, ec, { dpop });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    const assertions = assertionsTo(server);
    assert.equal(assertions.length, 2);
    assert.equal(new Set(assertions.map((assertion) => decodeJwt(assertion).jti)).size, 2);
  });

  it('RFC 7517 names the key among those that the server knows of the client', async (t) => {
    const entered = JSON.stringify({ ...ec.jwk, kid: 'second' });
    const { server, manager, id } = await startWithKey(t, ec, {}, { entered });
    const keys = [
      { ...ecKey().publicJwk, kid: 'first' },
      { ...ec.publicJwk, kid: 'second' },
    ];
    server.addClient({ id: CLIENT_ID, authMethod: 'private_key_jwt', jwks: { keys } });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal(decodeProtectedHeader(assertionsTo(server)[0] ?? '').kid, 'second');
  });

  it('P10 sends nothing to a server that takes no algorithm of the key, and says so', async (t) => {
    const { server, manager, id } = await startWithKey(t, ec, { authSigningAlgs: ['RS256', 'EdDSA'] });
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isOAuthError(error, 'signing_key_invalid'));
      assert.equal(error.details.problem, 'algorithm');
      return true;
    });
    assert.equal(server.requestsTo('token').length, 0);
    server.faults.authSigningAlgs = ['ES256'];
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('P12 with another key than the server knows is refused, and gives way to the right one', async (t) => {
    const { server, manager, id } = await startWithKey(t, ec, {}, { entered: ecKey().pem });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'client_rejected'));
    assert.equal(server.requestsTo('token').length, 1);
    await manager.configure(id, {}, { privateKey: ec.pem });
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('that is no key changes nothing', async (t) => {
    const { headless, manager, id } = await startWithKey(t, ec);
    const before = [headless.file.text, headless.keychain.entries.get(`connection:${id}`)];
    const changed = manager.configure(id, { scopes: ['a'] }, { privateKey: 'no key' });
    await assert.rejects(changed, (error) => isOAuthError(error, 'signing_key_invalid'));
    assert.deepEqual([headless.file.text, headless.keychain.entries.get(`connection:${id}`)], before);
    assert.equal(manager.get(id)?.settings.scopes, undefined);
  });

  it('of another kind than before is used at the next renewal', async (t) => {
    const { server, manager, id } = await startWithKey(t, ec, { authSigningAlgs: ['ES256', 'PS256', 'EdDSA'] });
    await manager.authorize(id);
    server.addClient({ id: CLIENT_ID, authMethod: 'private_key_jwt', jwks: { keys: [ed25519.publicJwk] } });
    await manager.configure(id, {}, { privateKey: ed25519.pem });
    assert.equal((await manager.refresh(id)).state.type, 'ready');
  });

  it('of the same kind signs at the next renewal as the one before did', async (t) => {
    const { server, manager, id } = await startWithKey(t, rsa, { authSigningAlgs: ['PS256'] });
    await manager.authorize(id);
    const next = rsaKey();
    server.addClient({ id: CLIENT_ID, authMethod: 'private_key_jwt', jwks: { keys: [next.publicJwk] } });
    await manager.configure(id, {}, { privateKey: next.pem });
    assert.equal((await manager.refresh(id)).state.type, 'ready');
  });

  it('P18 P13 authenticates a person’s sign-in in the browser as well', async (t) => {
    const grantTypes = ['authorization_code', 'refresh_token'];
    const { server, manager, id } = await startWithKey(t, ec, { grantTypes });
    await manager.changeKind(id, 'authorization_code');
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal(assertionsTo(server).length, 2);
    assert.equal(server.requestsTo('registration').length, 0);
  });
});

describe('P10 a client that is registered for private_key_jwt', () => {
  for (const [authSigningAlgs, algorithm] of [
    [undefined, 'ES256'],
    [['RS256', 'PS256'], 'RS256'],
  ] as const) {
    it(`has a new ${algorithm} key, of which only the public half is sent`, async (t) => {
      const { server, headless } = await startWithFaults(t, { ...JWT_ONLY, authSigningAlgs });
      assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
      const [registration] = server.requestsTo('registration');
      const sent = JSON.stringify(registration?.json);
      assert.match(sent, /"token_endpoint_auth_method":"private_key_jwt"/);
      assert.match(sent, new RegExp(`"jwks":{"keys":\\[{[^}]*"alg":"${algorithm}"`));
      assert.doesNotMatch(sent, /"(?:d|p|q|dp|dq|qi)":/);
      assert.equal(decodeProtectedHeader(assertionsTo(server)[0] ?? '').alg, algorithm);
    });
  }

  it('P18a keeps it in the keychain: renewal, revocation and the next sign-in have it, after a restart too', async (t) => {
    const { server, headless } = await startWithFaults(t, JWT_ONLY);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async (url) => server.authorize(url) });
    t.after(async () => restarted.dispose());
    const { manager } = restarted;
    await manager.start();
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal((await callTool(manager, id)).status, 200);
    assert.equal(server.requestsTo('registration').length, 1);
    assert.ok(server.requestsTo('revocation').every(({ form }) => form?.['client_assertion'] !== undefined));
    assert.doesNotMatch(headless.file.text ?? '', /"d":|PRIVATE/);
  });

  it('P12 is registered anew, with another key, when the server has forgotten it', async (t) => {
    const { server, headless } = await startWithFaults(t, JWT_ONLY);
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    server.forgetClients();
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
    assert.equal((await manager.authorize(id)).type, 'authorized');
    const keys = server.requestsTo('registration').map(({ json }) => /"x":"([^"]+)"/.exec(JSON.stringify(json))?.[1]);
    assert.equal(new Set(keys).size, 2);
  });
});
