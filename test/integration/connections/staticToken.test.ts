import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import type { Faults } from '../../servers/faults.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';
import { createPlainClient } from '../../servers/plainClient.ts';

/** A connection of kind `static_token` that has not signed in yet, and tokens that its server takes. */
async function startStatic(t: TestContext, faults: Partial<Faults> = {}) {
  const { server, headless } = await startWithFaults(t, faults);
  /** A token as a person has it: from the server's own settings page, so to speak. */
  const newToken = async (): Promise<string> => (await createPlainClient(server).signIn()).access_token;
  const { id } = await headless.manager.add(server.mcpUrl, undefined, 'static_token');
  return { server, headless, manager: headless.manager, id, newToken };
}

/** The same, connected with a token. */
async function startConnected(t: TestContext) {
  const started = await startStatic(t);
  const token = await started.newToken();
  await started.manager.configure(started.id, {}, { accessToken: token });
  await started.manager.authorize(started.id);
  return { ...started, token };
}

describe('a token that the person brings', () => {
  it('P36 connects when the server takes it, and nobody else is asked', async (t) => {
    const { server, manager, id, newToken } = await startStatic(t);
    const accessToken = await newToken();
    const before = server.requests.length;
    await manager.configure(id, {}, { accessToken });
    assert.equal(server.requests.length, before, 'entering it asks nobody');
    assert.equal((await manager.authorize(id)).type, 'authorized');
    const sent = server.requests.slice(before);
    assert.deepEqual(
      sent.map(({ endpoint, headers }) => [endpoint, headers.authorization]),
      [['mcp', `Bearer ${accessToken}`]],
    );
    assert.equal(await manager.accessToken(id), accessToken);
    const { headers } = await manager.authorizeRequest(id, { method: 'POST', url: server.mcpUrl });
    assert.deepEqual(headers, { authorization: `Bearer ${accessToken}` });
  });

  it('P34 has no end, no scopes and no renewal that are known', async (t) => {
    const { manager, id } = await startConnected(t);
    const connection = manager.get(id) ?? assert.fail();
    const { expiresAt, granted, refreshable } = currentGrant(connection) ?? assert.fail();
    assert.deepEqual({ expiresAt, granted, refreshable }, { expiresAt: undefined, granted: [], refreshable: false });
    assert.equal(connection.issuer, undefined);
    await assert.rejects(manager.refresh(id), (error) => isConnectionError(error, 'sign_in_required'));
    assert.equal(manager.get(id)?.state.type, 'ready', 'asking for what cannot be changes nothing');
  });

  it('is asked for when there is none', async (t) => {
    const { server, manager, id } = await startStatic(t);
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isConnectionError(error, 'credentials_missing'));
      assert.deepEqual(error.details, { missing: 'access_token' });
      return true;
    });
    assert.deepEqual(server.requests, []);
  });

  for (const [title, faults, code, details] of [
    ['refuses it', { rejectTokens: true }, 'access_token_refused', { status: 401 }],
    ['forbids it', { forbidden: 'plain' }, 'access_token_refused', { status: 403 }],
    [
      'wants scopes that it does not have',
      { forbidden: 'insufficient_scope', challengeScope: 'files:admin' },
      'access_token_refused',
      { status: 403 },
    ],
    ['is a web page', { html: true }, 'not_an_mcp_server', { status: 200, contentType: 'text/html' }],
    ['is not there', { notFound: true }, 'not_an_mcp_server', { status: 404, contentType: null }],
  ] as const satisfies readonly (readonly [string, Partial<Faults>, string, object])[]) {
    it(`does not connect when the server ${title}: ${code}`, async (t) => {
      const { server, manager, id, newToken } = await startStatic(t);
      await manager.configure(id, {}, { accessToken: await newToken() });
      Object.assign(server.faults, faults);
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isOAuthError(error, code));
        assert.deepEqual(error.details, { url: server.mcpUrl, ...details });
        return true;
      });
      assert.equal(manager.get(id)?.state.type, 'disconnected');
      assert.equal(manager.get(id)?.lastError?.code, code);
    });
  }

  it('does not connect when nobody answers', async (t) => {
    const { server, manager, id, newToken } = await startStatic(t);
    await manager.configure(id, {}, { accessToken: await newToken() });
    await server.close();
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'server_unreachable'));
  });

  it('is good at a server of the newest wire, which answers `initialize` with an error of JSON-RPC', async (t) => {
    const mcp = createServer((request, response) => {
      const isGood = request.headers.authorization === 'Bearer good';
      response.writeHead(isGood ? 400 : 401, { 'content-type': 'application/json' });
      response.end(isGood ? '{"jsonrpc":"2.0","id":0,"error":{"code":-32004,"message":"Unsupported version"}}' : '');
    });
    const origin = await listenOnLoopback(mcp);
    t.after(async () => stopServer(mcp));
    const { manager, ...headless } = createHeadlessManager({ browser: async () => undefined });
    t.after(async () => headless.dispose());
    const { id } = await manager.add(`${origin}/mcp`, undefined, 'static_token');
    await manager.configure(id, {}, { accessToken: 'bad' });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'access_token_refused'));
    await manager.configure(id, {}, { accessToken: 'good' });
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('P24 that the server refuses later needs another one', async (t) => {
    const { server, manager, id, token, newToken } = await startConnected(t);
    server.faults.rejectTokens = true;
    const refused = { status: 401, operation: 'tools/list', token, wwwAuthenticate: 'Bearer' } as const;
    assert.deepEqual(await manager.answerChallenge(id, refused), { type: 'authorize', scopes: [] });
    const state = manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'token_rejected');
    await assert.rejects(manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'access_token_refused'));

    server.faults.rejectTokens = false;
    const accessToken = await newToken();
    await manager.configure(id, {}, { accessToken });
    await manager.authorize(id);
    assert.equal(manager.get(id)?.state.type, 'ready');
    assert.equal(await manager.accessToken(id), accessToken);
  });

  it('P24 P25 that lacks scopes is good for the rest: nobody can ask for more, and nobody is asked again', async (t) => {
    const { manager, id, token } = await startConnected(t);
    const wwwAuthenticate = 'Bearer error="insufficient_scope", scope="files:admin"';
    const answer = async () =>
      (await manager.answerChallenge(id, { status: 403, operation: 'tools/call', token, wwwAuthenticate })).type;
    assert.deepEqual([await answer(), await answer()], ['authorize', 'stop']);
    assert.notEqual(manager.get(id)?.state.type, 'needsSignIn');
    assert.equal(await manager.accessToken(id), token);
  });

  it('P24 that the server refuses needs another one, and no scopes, each time that one ends', async (t) => {
    const { manager, id, newToken } = await startStatic(t);
    const wwwAuthenticate = 'Bearer scope="files:read", resource_metadata="https://x.example/prm"';
    for (const round of [1, 2, 3]) {
      const token = await newToken();
      await manager.configure(id, {}, { accessToken: token });
      await manager.authorize(id);
      await manager.answerChallenge(id, { status: 401, operation: 'tools/list', token, wwwAuthenticate });
      const state = manager.get(id)?.state;
      assert.ok(state?.type === 'needsSignIn' && state.reason === 'token_rejected', `round ${round}: ${state?.type}`);
    }
  });

  it('is not called good any more once it is checked again and refused', async (t) => {
    const { server, manager, id } = await startConnected(t);
    server.faults.rejectTokens = true;
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'access_token_refused'));
    const state = manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'token_rejected');
  });

  it('stays good when checked again it is forbidden something', async (t) => {
    const { server, manager, id } = await startConnected(t);
    server.faults.forbidden = 'plain';
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'access_token_refused'));
    assert.equal(manager.get(id)?.state.type, 'ready');
  });

  it('stays good when its server cannot be asked', async (t) => {
    const { server, manager, id } = await startConnected(t);
    await server.close();
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'server_unreachable'));
    assert.equal(manager.get(id)?.state.type, 'ready');
  });

  it('is replaced by another one only when the server takes that', async (t) => {
    const { server, headless, manager, id, token, newToken } = await startConnected(t);
    await manager.configure(id, {}, { accessToken: 'mistyped' });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'access_token_refused'));
    assert.equal(manager.get(id)?.state.type, 'ready');
    assert.equal(await manager.accessToken(id), token);

    const accessToken = await newToken();
    await manager.configure(id, {}, { accessToken });
    await manager.authorize(id);
    assert.equal(await manager.accessToken(id), accessToken);
    assert.ok(server.isActive(accessToken));
    assert.ok(!(headless.keychain.entries.get(`connection:${id}`) ?? '').includes(token), 'the old one is forgotten');
  });

  it('P6 came from no authorization server, whatever there was before it', async (t) => {
    const { server, headless } = await startWithFaults(t, { issuers: 'both', challengeScope: 'files:read' });
    const { manager } = headless;
    const { id, issuer, issuers, challenged } = await headless.connect(server.mcpUrl);
    assert.equal(issuer, server.issuer);
    assert.equal(issuers?.length, 2);
    assert.deepEqual(challenged, ['files:read']);
    await manager.changeKind(id, 'static_token');
    await manager.configure(id, {}, { accessToken: (await createPlainClient(server).signIn()).access_token });
    await manager.authorize(id);
    const now = manager.get(id) ?? assert.fail();
    assert.deepEqual(
      { issuer: now.issuer, issuers: now.issuers, challenged: now.challenged },
      { issuer: undefined, issuers: undefined, challenged: [] },
    );
  });

  it('P35 is forgotten when the connection ends, and the server is not asked to revoke it', async (t) => {
    const { server, headless, manager, id, token } = await startConnected(t);
    assert.deepEqual(await manager.disconnect(id), { revocation: 'nothing_to_revoke' });
    assert.equal(headless.keychain.entries.get(`connection:${id}`), undefined);
    assert.deepEqual(server.requestsTo('revocation'), []);
    assert.ok(server.isActive(token), 'it is the person who may need it elsewhere');
    await assert.rejects(manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));
    await assert.rejects(manager.authorize(id), (error) => isConnectionError(error, 'credentials_missing'));
  });

  it('P35 is forgotten when the connection is removed, or gets its tokens in another way', async (t) => {
    const { headless, manager, id, token } = await startConnected(t);
    await manager.changeKind(id, 'authorization_code');
    assert.ok(![...headless.keychain.entries.values()].join('').includes(token));
    await manager.authorize(id);
    assert.equal(manager.get(id)?.state.type, 'ready');
    await manager.changeKind(id, 'static_token');
    await manager.configure(id, {}, { accessToken: token });
    await manager.authorize(id);
    await manager.remove(id);
    assert.deepEqual([...headless.keychain.entries.keys()], ['connections', 'journal-key']);
  });

  it('is there after a restart', async (t) => {
    const { headless, manager, id, token } = await startConnected(t);
    assert.equal(await manager.accessToken(id), token);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.equal(restarted.manager.get(id)?.kind, 'static_token');
    assert.equal(await restarted.manager.accessToken(id), token);
  });

  it('is not overwritten while the keychain hides it', async (t) => {
    const { headless, id, token } = await startConnected(t);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    headless.keychain.state = 'locked';
    await assert.rejects(restarted.manager.authorize(id), (error) => isConnectionError(error, 'keychain_locked'));
    headless.keychain.state = 'open';
    assert.equal(await restarted.manager.accessToken(id), token);
  });
});
