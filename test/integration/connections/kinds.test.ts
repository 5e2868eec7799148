import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { CONNECTION_KINDS, type ConnectionKind } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { entryFor, startForKinds } from '../../headless/connectionOfKind.ts';
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
});
