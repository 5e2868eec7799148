import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { CONNECTION_KINDS, type ConnectionKind } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { entryFor, startForKinds } from '../../headless/connectionOfKind.ts';
import { ScopekeeperError } from '../../../src/oauth/errors.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { restart, stored } from './refreshing.ts';

/** A connection of a kind with all that is entered for it, not signed in yet. */
async function startKind(t: TestContext, kind: ConnectionKind) {
  const started = await startForKinds(t, { registrationManagement: 'ok' });
  const { id } = await started.manager.add(started.server.mcpUrl, undefined, kind);
  const { settings, entered } = await entryFor(started.server, kind);
  await started.manager.configure(id, settings, entered);
  return { ...started, id, settings, entered };
}

/** What a document holds of one kind alone: gone when the connection is of another. */
const OF_ITS_KIND: Readonly<Record<ConnectionKind, RegExp>> = {
  authorization_code: /"tokens"|"clients"|"source":"registered"/,
  device_code: /"tokens"|"clients"|"source":"registered"/,
  client_credentials: /"tokens"/,
  workload_identity: /"tokens"|"assertion"/,
  enterprise_managed: /"tokens"|"idToken"|"refreshToken"/,
  static_token: /"tokens"|"accessToken"/,
};

const PAIRS = CONNECTION_KINDS.flatMap((from) =>
  CONNECTION_KINDS.flatMap((to) => (from === to ? [] : [[from, to] as const])),
);

describe('a connection whose kind changes', () => {
  for (const [from, to] of PAIRS) {
    it(`P35 from ${from} to ${to} leaves nothing of the old kind, and signs in as the new one`, async (t) => {
      const { server, headless, manager, id, settings } = await startKind(t, from);
      await manager.authorize(id);
      await manager.accessToken(id);
      assert.match(stored(headless, id), OF_ITS_KIND[from]);
      const tokens = /"accessToken":"([^"]+)"/.exec(stored(headless, id))?.[1] ?? assert.fail();

      await manager.changeKind(id, to);
      assert.doesNotMatch(stored(headless, id), OF_ITS_KIND[from]);
      assert.equal(server.isActive(tokens), from === 'static_token', 'what was issued to us is revoked');
      const { account, kind, lastError, settings: kept, state } = manager.get(id) ?? assert.fail();
      assert.deepEqual(
        { account, lastError, kind, kept, state: state.type },
        {
          account: undefined,
          lastError: undefined,
          kind: to,
          kept: settings,
          state: 'disconnected',
        },
      );
      await assert.rejects(manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));

      const entry = await entryFor(server, to);
      await manager.configure(id, entry.settings, entry.entered);
      assert.equal((await manager.authorize(id)).type, 'authorized');
      const restarted = await restart(t, headless);
      assert.equal(restarted.manager.get(id)?.kind, to);
      assert.equal((await callTool(restarted.manager, id)).status, 200);
    });
  }

  for (const from of CONNECTION_KINDS) {
    it(`P35 from ${from} leaves nothing that was entered for it and never used`, async (t) => {
      const { headless, manager, id } = await startKind(t, from);
      const to = from === 'device_code' ? 'authorization_code' : 'device_code';
      await manager.changeKind(id, to);
      assert.doesNotMatch(stored(headless, id), OF_ITS_KIND[from]);
    });
  }

  it('P11 keeps what proves the person’s own client, and the provider’s', async (t) => {
    const { headless, manager, id, entered } = await startKind(t, 'enterprise_managed');
    await manager.authorize(id);
    for (const kind of ['authorization_code', 'static_token', 'enterprise_managed'] as const) {
      await manager.changeKind(id, kind);
      assert.ok(stored(headless, id).includes(entered.clientSecret ?? assert.fail()), kind);
      assert.ok(stored(headless, id).includes(entered.identityProvider?.clientSecret ?? assert.fail()), kind);
    }
    assert.equal((await manager.authorize(id)).type, 'authorized', 'nothing has to be entered again');
  });

  it('keeps what was entered for the new kind before it', async (t) => {
    const { server, headless, manager, id } = await startKind(t, 'client_credentials');
    const { entered } = await entryFor(server, 'static_token');
    await manager.configure(id, {}, entered);
    await manager.changeKind(id, 'static_token');
    assert.ok(stored(headless, id).includes(entered.accessToken ?? assert.fail()));
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('has no entry in the keychain when there is nothing left to keep', async (t) => {
    const { headless, manager, id } = await startKind(t, 'static_token');
    await manager.changeKind(id, 'authorization_code');
    assert.equal(headless.keychain.entries.get(`connection:${id}`), undefined);
  });

  it('changes nothing when the keychain fails', async (t) => {
    const { headless, manager, id, entered } = await startKind(t, 'static_token');
    headless.keychain.state = 'unavailable';
    await assert.rejects(manager.changeKind(id, 'device_code'), (error) =>
      isConnectionError(error, 'keychain_unavailable'),
    );
    headless.keychain.state = 'open';
    assert.equal(manager.get(id)?.kind, 'static_token');
    assert.ok(stored(headless, id).includes(entered.accessToken ?? assert.fail()));
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('P35 is of the new kind with all that is entered for it in one step', async (t) => {
    const { server, headless, manager, id } = await startKind(t, 'authorization_code');
    await manager.authorize(id);
    const token = await manager.accessToken(id);
    const { settings, entered } = await entryFor(server, 'client_credentials');
    const changes: string[] = [];
    manager.onDidChangeConnection(({ connection }) => changes.push(`${connection.kind} ${connection.state.type}`));
    await manager.changeKind(id, 'client_credentials', settings, entered);
    assert.ok(!server.isActive(token));
    const expected = ['authorization_code ready', 'authorization_code disconnected', 'client_credentials disconnected'];
    assert.deepEqual([...new Set(changes)], expected);
    assert.deepEqual(manager.get(id)?.settings, settings);
    assert.ok(stored(headless, id).includes(entered.clientSecret ?? assert.fail()));
    assert.equal((await manager.authorize(id)).type, 'authorized');
  });

  it('is configured when it is of that kind already, and keeps its tokens', async (t) => {
    const { manager, id, settings, entered } = await startKind(t, 'client_credentials');
    await manager.authorize(id);
    const token = await manager.accessToken(id);
    await manager.changeKind(id, 'client_credentials', { ...settings, omitResource: true }, entered);
    assert.equal(manager.get(id)?.settings.omitResource, true);
    assert.equal(await manager.accessToken(id), token);
  });

  for (const [title, entered, code, breakKeychain] of [
    ['the keychain does not take it', { clientSecret: 'secret' }, 'keychain_unavailable', true],
    ['what is entered is no key', { privateKey: 'not a key' }, 'signing_key_invalid', false],
  ] as const) {
    it(`P28 keeps its login when ${title}`, async (t) => {
      const { server, headless, manager, id } = await startKind(t, 'authorization_code');
      await manager.authorize(id);
      await manager.accessToken(id);
      const before = stored(headless, id);
      if (breakKeychain) headless.keychain.state = 'unavailable';
      const settings = { client: { issuer: server.issuer, clientId: 'mine' } };
      await assert.rejects(manager.changeKind(id, 'client_credentials', settings, entered), (error) => {
        assert.ok(error instanceof ScopekeeperError);
        assert.equal(error.code, code);
        return true;
      });
      headless.keychain.state = 'open';
      const connection = manager.get(id);
      assert.deepEqual(
        { kind: connection?.kind, state: connection?.state.type, settings: connection?.settings },
        { kind: 'authorization_code', state: 'ready', settings: {} },
      );
      assert.equal(stored(headless, id), before);
      assert.deepEqual(server.requestsTo('revocation'), []);
      assert.deepEqual(
        server.requestsTo('registration').map(({ method }) => method),
        ['POST'],
      );
      assert.equal((await manager.refresh(id)).state.type, 'ready');
    });
  }

  it('P35 gives back the tokens of a sign-in the old way that began meanwhile', async (t) => {
    const { server, manager, id } = await startKind(t, 'authorization_code');
    await manager.authorize(id);
    server.faults.delayMs = { revocation: 200 };
    const entry = await entryFor(server, 'static_token');
    const changed = manager.changeKind(id, 'static_token', entry.settings, entry.entered);
    const outcome = await manager.authorize(id).catch((error: unknown) => error);
    await changed;
    assert.deepEqual(outcome, { type: 'cancelled' });
    const { kind, state } = manager.get(id) ?? assert.fail();
    assert.deepEqual({ kind, state }, { kind: 'static_token', state: { type: 'disconnected' } });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal(await manager.accessToken(id), entry.entered.accessToken);
  });
});
