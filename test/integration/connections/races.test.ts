import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { createHeadlessManager, type StartOptions, startWithFaults } from '../../headless/headlessManager.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { MemorySecretStore } from '../../headless/memoryPorts.ts';

/** Resolves as soon as the server has got a revocation request, which it answers later. */
async function revocationBegan(server: FaultyServer): Promise<void> {
  while (server.requestsTo('revocation').length === 0) await nextTurn();
}

/** A server that takes our metadata document, so that a sign-in begins without a registration. */
async function startUnregistered(t: TestContext, faults: Partial<Faults>, options: StartOptions = {}) {
  const clientMetadataUrl = 'https://client.example/metadata.json';
  return startWithFaults(t, { clientMetadata: 'accepted', ...faults }, { clientMetadataUrl, ...options });
}

describe('what runs at the same time', () => {
  it('P28 P29 a refresh and a sign-in: the sign-in’s tokens stay', async (t) => {
    const { server, headless } = await startWithFaults(t, { strictRotation: false });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.delayMs = { token: 40 };
    const refreshed = headless.manager.refresh(id);
    await headless.manager.authorize(id);
    await refreshed;
    const token = await headless.manager.accessToken(id);
    assert.ok(server.isActive(token));
    assert.equal(currentGrant(headless.manager.get(id) ?? assert.fail())?.generation, 3);
    await headless.manager.refresh(id);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
  });

  it('P32 a refresh that ends in invalid_grant does not end the sign-in that came meanwhile', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, { invalidGrant: true, delayMs: { token: 40 } });
    const refreshed = headless.manager.refresh(id).catch(() => 'rejected');
    const authorized = headless.manager.authorize(id).catch(() => 'rejected');
    assert.equal(await refreshed, 'rejected');
    server.faults.invalidGrant = false;
    if ((await authorized) === 'rejected') await headless.manager.authorize(id);
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
  });

  it('a refresh that starts while a connection is disconnected does not bring it back', async (t) => {
    const { server, headless } = await startWithFaults(t, { revocation: 'error', delayMs: { revocation: 40 } });
    const { id } = await headless.connect(server.mcpUrl);
    const disconnected = headless.manager.disconnect(id);
    await revocationBegan(server);
    await assert.rejects(headless.manager.refresh(id), (error) => isConnectionError(error, 'sign_in_required'));
    await disconnected;
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
    assert.ok(![...headless.keychain.entries.values()].some((text) => text.includes('accessToken')));
  });

  it('a refresh that starts while a connection is removed leaves no secret behind', async (t) => {
    const { server, headless } = await startWithFaults(t, { revocation: 'error', delayMs: { revocation: 40 } });
    const { id } = await headless.connect(server.mcpUrl);
    const removed = headless.manager.remove(id);
    await revocationBegan(server);
    await assert.rejects(headless.manager.refresh(id));
    await removed;
    assert.deepEqual([...headless.keychain.entries.keys()], ['connections', 'journal-key']);
  });

  it('P35 a sign-in that begins while a connection is removed gives its tokens back', async (t) => {
    const { server, headless } = await startUnregistered(t, { delayMs: { revocation: 200 } });
    const { id } = await headless.connect(server.mcpUrl);
    const removed = headless.manager.remove(id);
    await revocationBegan(server);
    const outcome: unknown = await headless.manager.authorize(id).catch((error: unknown) => error);
    assert.ok(isConnectionError(outcome, 'connection_unknown'), JSON.stringify(outcome));
    await removed;
    assert.equal(server.requestsTo('token').length, 2);
    assert.equal(server.requestsTo('revocation').length, 4, 'both tokens of both sign-ins');
    assert.deepEqual([...headless.keychain.entries.keys()], ['connections', 'journal-key']);
  });

  it('P12 a registration that is made while a connection is removed is deleted', async (t) => {
    const { server, headless } = await startWithFaults(t, {
      registrationManagement: 'ok',
      delayMs: { revocation: 40 },
    });
    const { id } = await headless.connect(server.mcpUrl);
    const removed = headless.manager.remove(id);
    await revocationBegan(server);
    const outcome: unknown = await headless.manager.authorize(id).catch((error: unknown) => error);
    assert.ok(isConnectionError(outcome, 'connection_unknown'), JSON.stringify(outcome));
    await removed;
    await headless.manager.dispose();
    const methods = server.requestsTo('registration').map(({ method }) => method);
    assert.deepEqual(methods.toSorted(), ['DELETE', 'DELETE', 'POST', 'POST']);
    assert.deepEqual([...headless.keychain.entries.keys()], ['connections', 'journal-key']);
  });

  it('a sign-in that waits for the person ends when the connection is removed', async (t) => {
    const { server, headless } = await startUnregistered(
      t,
      { delayMs: { revocation: 40 } },
      { wrapBrowser: (browser) => async (url) => (server.requestsTo('token').length === 0 ? browser(url) : undefined) },
    );
    const { id } = await headless.connect(server.mcpUrl);
    const removed = headless.manager.remove(id);
    await revocationBegan(server);
    const outcome = headless.manager.authorize(id);
    await removed;
    assert.deepEqual(await outcome, { type: 'cancelled' });
  });

  it('a client secret that is entered during a refresh is kept', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 40 } });
    const { id } = await headless.connect(server.mcpUrl);
    const refreshed = headless.manager.refresh(id);
    await headless.manager.configure(
      id,
      { client: { issuer: server.issuer, clientId: 'mine' } },
      { clientSecret: 'my-secret' },
    );
    await refreshed;
    assert.match(headless.keychain.entries.get(`connection:${id}`) ?? '', /my-secret/);
  });

  it('P28 P31 a refresh that was sent is waited for and stored when the window closes', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 40 } });
    const { id } = await headless.connect(server.mcpUrl);
    const refreshed = headless.manager.refresh(id);
    await headless.manager.dispose();
    await refreshed;
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
  });

  it('a token that is good is given while a refresh fails', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, { tokenStatus: 503, delayMs: { token: 20 } });
    const refreshed = headless.manager.refresh(id).catch(() => 'rejected');
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    assert.equal(await refreshed, 'rejected');
  });

  it('events arrive in the order in which things happened', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    // As after a night: the token ended long ago.
    headless.file.text = headless.file.text
      ?.replace(/"expiresAt":\d+/, '"expiresAt":600000')
      .replace(/"issuedAt":\d+/, '"issuedAt":0');
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    const seen: string[] = [];
    restarted.manager.onDidChangeConnection(({ type, connection }) => seen.push(`${type} ${connection.state.type}`));
    await restarted.manager.start();
    await restarted.until(id, (connection) => (currentGrant(connection)?.generation ?? 0) > 1);
    assert.deepEqual(seen.slice(0, 2), ['added ready', 'changed refreshing']);
  });
});

/** A server that registers nobody and knows no client, so a code is made up: what matters is what is sent with it. */
async function startWithUnknownClients(t: TestContext) {
  const started = await startWithFaults(
    t,
    { noRegistration: true },
    {
      wrapBrowser: () => async (url) => {
        const { searchParams } = new URL(url);
        const callback = new URL(searchParams.get('redirect_uri') ?? '');
        const state = searchParams.get('state') ?? '';
        callback.search = String(new URLSearchParams({ code: 'made-up', state, iss: started.server.issuer }));
        return callback;
      },
    },
  );
  return started;
}

describe('what was stored before', () => {
  it('P11 a client secret goes to its own issuer and client ID alone', async (t) => {
    const { server, headless } = await startWithUnknownClients(t);
    const { id } = await headless.manager.add(server.mcpUrl);
    const sentWith = async (): Promise<string> => {
      await assert.rejects(headless.manager.authorize(id));
      return JSON.stringify(server.requestsTo('token').at(-1));
    };
    await headless.manager.configure(
      id,
      { client: { issuer: server.issuer, clientId: 'old' } },
      { clientSecret: 'old-secret' },
    );
    assert.match(await sentWith(), new RegExp(Buffer.from('old:old-secret').toString('base64')));
    await headless.manager.configure(id, { client: { issuer: server.issuer, clientId: 'new' } });
    const sent = await sentWith();
    assert.match(sent, /"client_id":"new"/);
    assert.doesNotMatch(sent, /old-secret|"authorization":/);
  });

  it('P11 a client whose secret cannot be read does not sign in without it, and keeps it', async (t) => {
    const { server, headless } = await startWithUnknownClients(t);
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(
      id,
      { client: { issuer: server.issuer, clientId: 'mine' } },
      { clientSecret: 'my-secret' },
    );
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    headless.keychain.state = 'locked';
    await assert.rejects(restarted.manager.authorize(id), (error) => isConnectionError(error, 'keychain_locked'));
    assert.equal(server.requestsTo('token').length, 0);
    assert.match(headless.keychain.entries.get(`connection:${id}`) ?? '', /my-secret/);
  });

  it('a client can be entered anew when what was stored is broken', async (t) => {
    const { server, headless } = await startWithUnknownClients(t);
    const { id } = await headless.manager.add(server.mcpUrl);
    const client = { issuer: server.issuer, clientId: 'mine' };
    await headless.manager.configure(id, { client }, { clientSecret: 'first-secret' });
    await headless.dispose();
    headless.keychain.entries.set(`connection:${id}`, '{"version":1');
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await restarted.manager.configure(id, { client }, { clientSecret: 'second-secret' });
    assert.match(headless.keychain.entries.get(`connection:${id}`) ?? '', /second-secret/);
  });

  it('a sign-in under a locked keychain outlives the older document that the keychain still has', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { server, headless } = await startWithFaults(t, {}, { editor });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    server.faults.invalidGrant = true;
    await assert.rejects(headless.manager.refresh(id));
    server.faults.invalidGrant = false;
    await headless.dispose();
    const restarted = createHeadlessManager({
      ...headless,
      editor,
      browser: async (url) => server.authorize(url),
    });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    headless.keychain.state = 'locked';
    await restarted.manager.authorize(id);
    headless.keychain.state = 'open';
    assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
  });

  it('P18a signing in again after signing out uses the registration again', async (t) => {
    const { server, headless } = await startWithFaults(t, { asScopesSupported: ['files:read', 'offline_access'] });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.disconnect(id);
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1);
  });

  it('a secret that cannot be read needs a sign-in and is not asked for over and over', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    headless.keychain.entries.set(`connection:${id}`, '{"version":1');
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await assert.rejects(restarted.manager.refresh(id), (error) => isConnectionError(error, 'secret_unreadable'));
    const state = restarted.manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'secret_unreadable');
  });

  it('a connection whose keychain was reset can be removed', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    headless.keychain.entries.clear();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await assert.rejects(restarted.manager.remove(id), (error) => isConnectionError(error, 'keychain_locked'));
    assert.deepEqual(await restarted.manager.remove(id, { leaveSecret: true }), { revocation: 'failed' });
    assert.deepEqual(restarted.manager.connections, []);
  });

  it('what could not be stored is stored at the latest when the window closes', async (t) => {
    const { server, headless } = await startWithFaults(t);
    headless.keychain.state = 'locked';
    const { id } = await headless.connect(server.mcpUrl);
    headless.keychain.state = 'open';
    await headless.manager.dispose();
    assert.match(headless.keychain.entries.get(`connection:${id}`) ?? '', /accessToken/);
  });

  it('what the disk refused is written at the latest when the window closes', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.manager.add(server.mcpUrl);
    headless.file.isFull = true;
    await headless.manager.authorize(id);
    headless.file.isFull = false;
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
  });

  it('P35 tokens that a locked keychain would not give up are deleted later', async (t) => {
    const { server, headless } = await startWithFaults(
      t,
      { clientMetadata: 'accepted' },
      { clientMetadataUrl: 'https://client.example/metadata.json' },
    );
    const { id } = await headless.connect(server.mcpUrl);
    headless.keychain.state = 'locked';
    await headless.manager.disconnect(id);
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
    headless.keychain.state = 'open';
    await headless.dispose();
    assert.doesNotMatch(headless.keychain.entries.get(`connection:${id}`) ?? '', /accessToken/);
  });
});
