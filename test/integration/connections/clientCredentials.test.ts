import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { EnteredSecrets } from '../../../src/connections/configuration.ts';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';

const CLIENT_ID = 'robot';
/** With what the form encoding of Basic has to carry. */
const SECRET = 'a+b/c%d:e=ü -._~*';

const noBrowser = async (): Promise<never> => assert.fail('a browser was opened');

/** A connection of a client that the server knows, not yet signed in. */
async function startRobot(
  t: TestContext,
  faults: Partial<Faults> = {},
  { entered = { clientSecret: SECRET }, ...options }: StartOptions & { readonly entered?: EnteredSecrets } = {},
) {
  const all = { grantTypes: ['client_credentials'], authMethods: ['client_secret_basic'], ...faults };
  const { server, headless } = await startWithFaults(t, all, { wrapBrowser: () => noBrowser, ...options });
  const authMethod = server.faults.authMethods.find((method) => method.startsWith('client_secret')) ?? 'none';
  server.addClient({ id: CLIENT_ID, secret: SECRET, authMethod });
  const { id } = await headless.manager.add(server.mcpUrl, 'Robot', 'client_credentials');
  await headless.manager.configure(id, { client: { issuer: server.issuer, clientId: CLIENT_ID } }, entered);
  return { server, headless, manager: headless.manager, id };
}

describe('client credentials', () => {
  for (const [name, authMethods, isBasic] of [
    ['as HTTP Basic', ['client_secret_basic'], true],
    ['in the body', ['client_secret_post'], false],
    ['as HTTP Basic where both are taken', ['client_secret_basic', 'client_secret_post', 'none'], true],
  ] as const) {
    it(`RFC 6749 section 4.4 P10 sends its secret ${name}, and needs no browser and no registration`, async (t) => {
      const { server, manager, id } = await startRobot(t, { authMethods });
      assert.equal((await manager.authorize(id)).type, 'authorized');
      const [request] = server.requestsTo('token');
      assert.equal(request?.form?.['grant_type'], 'client_credentials');
      assert.equal(request.headers.authorization?.startsWith('Basic ') === true, isBasic);
      assert.equal(request.form['client_secret'], isBasic ? undefined : SECRET);
      assert.equal((await callTool(manager, id)).status, 200);
      assert.equal(server.requestsTo('registration').length + server.requestsTo('authorization').length, 0);
      assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
    });
  }

  for (const [name, faults, settings, scope] of [
    ['all of the resource metadata', {}, {}, 'files:read files:write'],
    ['the challenge', { challengeScope: 'files:read' }, {}, 'files:read'],
    ['the settings', { scopesSupported: undefined }, { scopes: ['a', 'b'] }, 'a b'],
    ['nowhere', { scopesSupported: undefined }, {}, undefined],
    ['anywhere but offline_access', { asScopesSupported: ['offline_access'] }, {}, 'files:read files:write'],
  ] as const) {
    it(`P14 P15 asks for the resource, and for scopes from ${name}`, async (t) => {
      const { server, manager, id } = await startRobot(t, faults);
      await manager.configure(id, settings);
      await manager.authorize(id);
      await manager.refresh(id);
      for (const { form } of server.requestsTo('token')) {
        assert.equal(form?.['scope'], scope);
        assert.equal(form?.['resource'], server.mcpUrl);
      }
      assert.equal(server.requestsTo('token').length, 2);
    });
  }

  it('P34 asks again before the end, after a restart too', async (t) => {
    const clock = new ManualClock();
    const { server, headless, id } = await startRobot(t, { now: () => clock.now() }, { clock });
    await headless.manager.authorize(id);
    for (const generation of [3, 4]) {
      clock.advance(50 * 60_000);
      await headless.until(id, ({ state }) => state.type === 'ready' && state.grant.generation === generation);
    }
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, clock, browser: noBrowser });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    clock.advance(3 * 60 * 60_000);
    assert.equal((await callTool(restarted.manager, id)).status, 200);
    assert.ok(server.requestsTo('token').every(({ form }) => form?.['grant_type'] === 'client_credentials'));
    assert.equal(currentGrant(restarted.manager.get(id) ?? assert.fail())?.generation, 5);
  });

  it('P29 asks once for all who need a token', async (t) => {
    const { server, manager, id } = await startRobot(t, { expiresIn: 5, delayMs: { token: 20 } });
    await manager.authorize(id);
    const tokens = await Promise.all([1, 2, 3, 4].map(async () => manager.accessToken(id)));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(server.requestsTo('token').length, 2);
  });

  it('needs a client that the person registered, and says for which issuer', async (t) => {
    const { server, headless, manager } = await startRobot(t);
    const { id } = await manager.add(server.mcpUrl, 'Other', 'client_credentials');
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isConnectionError(error, 'credentials_missing'));
      assert.deepEqual(error.details, { missing: 'client', issuer: server.issuer });
      return true;
    });
    assert.equal(server.requestsTo('token').length, 0);
    assert.equal(headless.pages.length, 0);
  });

  it('P11 sends its secret to no other issuer than the one that it was entered for', async (t) => {
    const { server, manager, id } = await startRobot(t);
    server.faults.issuers = 'second';
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'client_issuer_mismatch'));
    assert.equal(server.requestsTo('token').length, 0);
    // Nor with another client of the same issuer.
    server.faults.issuers = 'first';
    await manager.configure(id, { client: { issuer: server.issuer, clientId: 'other' } });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'client_rejected'));
    assert.equal(server.requestsTo('token').at(-1)?.headers.authorization, undefined);
  });
});

describe('a client secret that is wrong', () => {
  it('P12 is told, loses nothing, and gives way to the right one', async (t) => {
    const { server, headless, manager, id } = await startRobot(t, {}, { entered: { clientSecret: 'wrong' } });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'client_rejected'));
    assert.equal(server.requestsTo('token').length, 1);
    assert.equal(server.requestsTo('registration').length, 0);
    const { state, settings } = manager.get(id) ?? assert.fail();
    assert.equal(state.type, 'disconnected');
    assert.deepEqual(settings.client, { issuer: server.issuer, clientId: CLIENT_ID });
    assert.match(headless.keychain.entries.get(`connection:${id}`) ?? '', /wrong/);
    await manager.configure(id, {}, { clientSecret: ` ${SECRET}\n` });
    assert.doesNotMatch(headless.keychain.entries.get(`connection:${id}`) ?? '', /wrong/);
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('P12 P32 at a renewal needs the person, and then goes on with the new one', async (t) => {
    const { server, manager, id } = await startRobot(t);
    await manager.authorize(id);
    server.addClient({ id: CLIENT_ID, secret: 'changed', authMethod: 'client_secret_basic' });
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
    const { state } = manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'needsSignIn' && state.reason === 'client_rejected');
    await manager.configure(id, {}, { clientSecret: 'changed' });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal((await manager.refresh(id)).state.type, 'ready');
  });

  for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
    it(`that is replaced in time costs nothing: the renewal has the new one (${authMethod})`, async (t) => {
      const { server, manager, id } = await startRobot(t, { authMethods: [authMethod] });
      await manager.authorize(id);
      server.addClient({ id: CLIENT_ID, secret: 'changed', authMethod });
      await manager.configure(id, {}, { clientSecret: 'changed' });
      assert.equal((await manager.refresh(id)).state.type, 'ready');
      assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
    });
  }
});

describe('a challenge to client credentials', () => {
  it('P24 P22 for more scopes is met by asking for them, without a person', async (t) => {
    const { server, manager, id } = await startRobot(t, { challengeScope: 'files:read' });
    await manager.authorize(id);
    const call = await callTool(manager, id, { tool: 'write_file' });
    assert.deepEqual(call, { status: 200, outcomes: ['retry'] });
    assert.equal(server.requestsTo('token').at(-1)?.form?.['scope'], 'files:read files:write');
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal((await callTool(manager, id, { tool: 'write_file' })).status, 200);
  });

  it('P25 that never ends is stopped', async (t) => {
    const { server, manager, id } = await startRobot(t);
    await manager.authorize(id);
    Object.assign(server.faults, { forbidden: 'insufficient_scope', challengeScope: 'files:admin' });
    const call = await callTool(manager, id, { mayAuthorize: true });
    assert.equal(call.status, 403);
    assert.equal(call.outcomes.at(-1), 'stop');
    assert.ok(server.requestsTo('token').length <= 4);
    const requests = server.requests.length;
    assert.deepEqual((await callTool(manager, id, { mayAuthorize: true })).outcomes, ['stop']);
    assert.equal(server.requests.length, requests + 1);
  });

  it('P24 that refuses the token is met by a new one', async (t) => {
    const { server, manager, id } = await startRobot(t);
    await manager.authorize(id);
    await manager.accessToken(id);
    server.faults.rejectTokens = true;
    const refused = await callTool(manager, id, { mayAuthorize: true });
    assert.deepEqual(refused.outcomes, ['retry', 'authorize', 'stop']);
    server.faults.rejectTokens = false;
    assert.equal((await callTool(manager, id)).status, 200);
  });
});
