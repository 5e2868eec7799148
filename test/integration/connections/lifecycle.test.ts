import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import { MemorySecretStore } from '../../headless/memoryPorts.ts';
import { restart } from './refreshing.ts';

/** Refuses one write: of the list of entries, when an entry is deleted. */
class KeychainThatFailsOnce extends MemorySecretStore {
  failsNext = false;

  override async set(key: string, value: string): Promise<void> {
    if (this.failsNext) {
      this.failsNext = false;
      throw new ConnectionError('keychain_unavailable', { problem: 'gone for a moment' });
    }
    await super.set(key, value);
  }
}

describe('a connection over restarts', () => {
  it('is listed at once, and its token comes from the keychain', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const token = await headless.manager.accessToken(id);
    await headless.dispose();
    headless.keychain.reads = 0;
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.equal(restarted.manager.get(id)?.state.type, 'ready');
    assert.equal(headless.keychain.reads, 0, 'starting reads no secret');
    assert.equal(await restarted.manager.accessToken(id), token);
    assert.deepEqual(
      restarted.manager.activity(id).map(({ type }) => type),
      ['added', 'connected'],
    );
  });

  it('P21 what was asked for, granted and demanded at a sign-in is known later too, and until when each token was', async (t) => {
    const { server, headless } = await startWithFaults(t, { grantOnly: ['files:read'] });
    const { id, requested, state } = await headless.connect(server.mcpUrl);
    const first = 'grant' in state ? state.grant?.expiresAt : undefined;
    const { state: renewed } = await headless.manager.refresh(id);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    const [, connected, lost, refreshed] = restarted.manager.activity(id);
    assert.ok(connected?.type === 'connected' && lost?.type === 'scopes_dropped' && refreshed?.type === 'refreshed');
    assert.ok(requested.length > 1 && connected.scopes?.length === 1);
    assert.deepEqual(connected.requested, requested);
    assert.ok(first !== undefined && connected.expiresAt === first);
    assert.ok(renewed.type === 'ready' && refreshed.expiresAt === renewed.grant.expiresAt);
  });

  it('is never taken for signed out while the keychain is locked', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    headless.keychain.state = 'locked';
    await assert.rejects(restarted.manager.accessToken(id), (error) => isConnectionError(error, 'keychain_locked'));
    const state = restarted.manager.get(id)?.state;
    assert.ok(state?.type === 'unreachable' && state.error.code === 'keychain_locked');
    headless.keychain.state = 'open';
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
    assert.equal(restarted.manager.get(id)?.state.type, 'ready');
  });

  it('needs a sign-in when its secret is not on this machine', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    headless.keychain.entries.delete(`connection:${id}`);
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await assert.rejects(restarted.manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));
    const state = restarted.manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'secret_missing');
  });

  it('P36 never sends its token to another server that the public file was made to name', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    headless.file.text = headless.file.text?.replaceAll(server.mcpUrl, 'https://evil.example/mcp');
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await assert.rejects(restarted.manager.accessToken(id), (error) => isConnectionError(error, 'secret_unreadable'));
  });
});

describe('a keychain that cannot be used', () => {
  it('is told once, and the editor keeps the secret until the keychain is back', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { server, headless } = await startWithFaults(t, {}, { editor });
    headless.keychain.state = 'unavailable';
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    assert.deepEqual(headless.troubles, ['in_editor keychain_unavailable']);
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    assert.ok(editor.entries.has(`connection:${id}`));
    headless.keychain.state = 'open';
    await headless.manager.refresh(id);
    assert.ok(!editor.entries.has(`connection:${id}`), 'moved back to the keychain');
    assert.ok(headless.keychain.entries.has(`connection:${id}`));
  });

  it('of two stored documents the higher generation wins', async (t) => {
    const editor = new MemorySecretStore('editor');
    const { server, headless } = await startWithFaults(t, {}, { editor });
    const { id } = await headless.connect(server.mcpUrl);
    headless.keychain.state = 'unavailable';
    await headless.manager.refresh(id);
    const token = await headless.manager.accessToken(id);
    await headless.dispose();
    headless.keychain.state = 'open';
    const restarted = createHeadlessManager({ ...headless, editor, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.equal(await restarted.manager.accessToken(id), token);
    assert.ok(server.isActive(token));
  });

  it('without any other place leaves the tokens usable and says so', async (t) => {
    const { server, headless } = await startWithFaults(t);
    headless.keychain.state = 'locked';
    const connection = await headless.connect(server.mcpUrl);
    assert.equal(connection.state.type, 'ready');
    assert.equal(connection.lastError?.code, 'keychain_locked');
    assert.ok(server.isActive(await headless.manager.accessToken(connection.id)));
  });
});

describe('ending a connection', () => {
  it('P35 revokes the refresh token, then the access token, and forgets both', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const token = await headless.manager.accessToken(id);
    assert.deepEqual(await headless.manager.disconnect(id), { revocation: 'revoked' });
    assert.deepEqual(
      server.requestsTo('revocation').map(({ form }) => form?.['token_type_hint']),
      ['refresh_token', 'access_token'],
    );
    assert.ok(!server.isActive(token));
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
    assert.doesNotMatch(headless.keychain.entries.get(`connection:${id}`) ?? '', /accessToken|refreshToken/);
    await assert.rejects(headless.manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));
  });

  for (const [revocation, expected] of [
    ['error', 'failed'],
    ['absent', 'unsupported'],
  ] as const) {
    it(`P35 forgets the secret though revocation is ${expected}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { revocation });
      const { id } = await headless.connect(server.mcpUrl);
      assert.deepEqual(await headless.manager.disconnect(id), { revocation: expected });
      assert.doesNotMatch(headless.keychain.entries.get(`connection:${id}`) ?? '', /accessToken|refreshToken/);
    });
  }

  it('P23 keeps what was asked for, so that signing in again asks for it again', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.disconnect(id);
    server.faults.scopesSupported = ['files:read'];
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('authorization')[1]?.query['scope'], 'files:read files:write');
  });

  it('removing leaves nothing behind', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.remove(id);
    assert.deepEqual(headless.manager.connections, []);
    assert.equal(headless.file.text, JSON.stringify({ version: 1, connections: [] }));
    assert.deepEqual([...headless.keychain.entries.keys()], ['connections', 'journal-key']);
  });

  it('a locked keychain keeps the connection, so that its secret is not orphaned', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    headless.keychain.state = 'locked';
    await assert.rejects(headless.manager.remove(id), (error) => isConnectionError(error, 'keychain_locked'));
    assert.equal(headless.manager.connections.length, 1);
  });

  it('P35 a removal that the keychain stops has revoked nothing: what looks alive is alive', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.accessToken(id);
    headless.keychain.state = 'locked';
    await assert.rejects(headless.manager.remove(id), (error) => isConnectionError(error, 'keychain_locked'));
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    assert.deepEqual(server.requestsTo('revocation'), []);
    assert.deepEqual(await headless.manager.remove(id, { leaveSecret: true }), { revocation: 'revoked' });
  });

  it('P28 a removal that the keychain stops half-way loses no login', async (t) => {
    const { server, headless } = await startWithFaults(t, {}, { keychain: new KeychainThatFailsOnce() });
    const { id } = await headless.connect(server.mcpUrl);
    const { keychain } = headless;
    assert.ok(keychain instanceof KeychainThatFailsOnce);
    keychain.failsNext = true;
    await assert.rejects(headless.manager.remove(id), (error) => isConnectionError(error, 'keychain_unavailable'));
    const restarted = await restart(t, headless);
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
  });
});

describe('the list of connections', () => {
  it('gives names of their own to servers of one host', async (t) => {
    const { headless } = await startWithFaults(t);
    for (const path of ['a', 'b', 'c']) await headless.manager.add(`https://mcp.example.com/${path}`);
    const names = headless.manager.connections.map(({ name }) => name);
    assert.deepEqual(names, ['example.com', 'example.com 2', 'example.com 3']);
    const [first] = headless.manager.connections;
    await assert.rejects(headless.manager.rename(first?.id ?? '', 'example.com 2'), (error) =>
      isConnectionError(error, 'connection_exists'),
    );
  });

  it('holds names that fit into a row', async (t) => {
    const { headless } = await startWithFaults(t);
    const { id } = await headless.manager.add('https://mcp.example.com', 'My\u202Eserver\n');
    assert.equal(headless.manager.get(id)?.name, 'My server');
    await headless.manager.rename(id, 'x'.repeat(3000));
    assert.equal(headless.manager.get(id)?.name.length, 80);
    await headless.manager.rename(id, '  ');
    assert.equal(headless.manager.get(id)?.name.length, 80);
  });

  it('a full disk adds nothing, loses nothing, and is caught up with', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    headless.file.isFull = true;
    await assert.rejects(headless.manager.add('https://example.com'), (error) =>
      isConnectionError(error, 'storage_failed'),
    );
    assert.equal(headless.manager.connections.length, 1);
    await headless.manager.refresh(id);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    headless.file.isFull = false;
    await headless.manager.rename(id, 'Files');
    assert.ok(headless.file.text?.includes('"generation":2'));
  });
});

describe('secrets', () => {
  it('P36 are in no log, public file, change, activity or error', async (t) => {
    const { server, headless } = await startWithFaults(t, { clientSecret: { expiresAt: 0 } });
    const seen: unknown[] = [];
    headless.manager.onDidChangeConnection((change) =>
      seen.push(structuredClone({ ...change.connection, lastError: 0 })),
    );
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    const errors: unknown[] = [];
    for (const faults of [{ invalidGrant: true }, { tokenBody: () => '{"access_token":' }, { tokenStatus: 400 }]) {
      Object.assign(server.faults, { invalidGrant: false, tokenBody: undefined, tokenStatus: 200 }, faults);
      await headless.manager.refresh(id).catch((error: unknown) => errors.push(error));
      await headless.manager.authorize(id).catch((error: unknown) => errors.push(error));
    }
    await headless.manager.disconnect(id);
    const secrets = server.requests.flatMap(({ form, query }) =>
      [
        form?.['refresh_token'],
        form?.['code'],
        form?.['code_verifier'],
        form?.['client_secret'],
        form?.['token'],
        query['state'],
      ].flatMap((value) => value ?? []),
    );
    assert.ok(secrets.length > 10);
    const told = [
      ...headless.log.lines,
      headless.file.text ?? '',
      JSON.stringify(seen),
      JSON.stringify(headless.manager.activity(id)),
      ...errors.map(
        (error) => `${String(error)} ${JSON.stringify(error)} ${error instanceof Error ? error.stack : ''}`,
      ),
    ].join('\n');
    for (const secret of secrets) assert.ok(!told.includes(secret), 'a secret was told');
  });
});
