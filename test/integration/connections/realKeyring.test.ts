import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isKeychainError } from '../../../src/connections/errors.ts';
import { createKeytarStore } from '../../../src/platform/keytarStore.ts';
import { createHeadlessManager, type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { type Keyring, lockKeyring, startKeyring } from '../../stand/keyring.ts';
import { PREBUILDS } from '../platform/keychainSession.ts';

const processFile = fileURLToPath(new URL('../platform/keytarProcess.main.mjs', import.meta.url));

let keyring: Keyring;

/** A window of its own: over the real keychain, in this process, which has no other. */
function realKeychain() {
  return createKeytarStore({ prebuildsFolder: PREBUILDS, processFile });
}

interface Stand {
  readonly server: FaultyServer;
  readonly window: Headless;
  readonly id: string;
}

async function connected(t: TestContext): Promise<Stand> {
  const { server, headless: window } = await startWithFaults(t, {}, { realKeychain: realKeychain() });
  const { id } = await window.connect(server.mcpUrl);
  assert.deepEqual(window.troubles, []);
  return { server, window, id };
}

const noBrowser = async (): Promise<never> => assert.fail('no browser is opened by itself');

/** The next window over the same file and keychain. Nobody signs in there. */
async function nextWindow(t: TestContext, { window }: Stand): Promise<Headless> {
  await window.dispose();
  const next = createHeadlessManager({ file: window.file, realKeychain: realKeychain(), browser: noBrowser });
  t.after(async () => next.dispose());
  await next.manager.start();
  return next;
}

describe('a real keyring', () => {
  before(async () => {
    keyring = await startKeyring();
    // Before the first call: libsecret looks at it once.
    Object.assign(process.env, keyring.env);
  });
  after(async () => keyring.dispose());

  it('that is locked at the start hides the token until it is unlocked', async (t) => {
    const stand = await connected(t);
    lockKeyring();
    const window = await nextWindow(t, stand);
    for (let count = 0; count < 3; count++) {
      await assert.rejects(window.manager.accessToken(stand.id), { code: 'keychain_locked' });
    }
    await assert.rejects(window.manager.refresh(stand.id), { code: 'keychain_locked' });
    assert.deepEqual(window.troubles, ['hidden keychain_locked']);
    await keyring.unlock();
    window.manager.retryKeychain();
    await window.until(stand.id, ({ state }) => state.type === 'ready');
    assert.ok(stand.server.isActive(await window.manager.accessToken(stand.id)));
  });

  it('that is locked midway gets what was renewed meanwhile when it is unlocked', async (t) => {
    const stand = await connected(t);
    lockKeyring();
    for (let count = 0; count < 2; count++) await stand.window.manager.refresh(stand.id);
    assert.deepEqual(stand.window.troubles, ['in_memory keychain_locked']);
    const token = await stand.window.manager.accessToken(stand.id);
    await keyring.unlock();
    stand.window.manager.retryKeychain();
    await stand.window.until(stand.id, ({ lastError }) => lastError === undefined);
    const window = await nextWindow(t, stand);
    assert.equal(await window.manager.accessToken(stand.id), token);
  });

  for (const state of ['unlocked', 'locked'] as const) {
    it(`that ends midway gets what was renewed meanwhile when it is started anew, ${state}`, async (t) => {
      const stand = await connected(t);
      await keyring.kill();
      await stand.window.manager.refresh(stand.id);
      assert.deepEqual(stand.window.troubles, ['in_memory keychain_unavailable']);
      await keyring.restart(state);
      const token = await stand.window.manager.accessToken(stand.id);
      if (state === 'locked') {
        await stand.window.manager.refresh(stand.id);
        assert.deepEqual(stand.window.troubles, ['in_memory keychain_unavailable', 'in_memory keychain_locked']);
        await keyring.unlock();
      }
      stand.window.manager.retryKeychain();
      await stand.window.until(stand.id, ({ lastError }) => !isKeychainError(lastError));
      const newest = await stand.window.manager.accessToken(stand.id);
      const window = await nextWindow(t, stand);
      assert.equal(await window.manager.accessToken(stand.id), newest);
      assert.equal(newest === token, state === 'unlocked');
      assert.ok(stand.server.isActive(newest));
    });
  }

  it('that is away at the start is waited for', async (t) => {
    const stand = await connected(t);
    await keyring.kill();
    const window = await nextWindow(t, stand);
    await assert.rejects(window.manager.accessToken(stand.id), { code: 'keychain_unavailable' });
    await keyring.restart('unlocked');
    window.manager.retryKeychain();
    await window.until(stand.id, ({ state }) => state.type === 'ready');
    assert.ok(stand.server.isActive(await window.manager.accessToken(stand.id)));
    await window.manager.remove(stand.id);
    assert.equal(await realKeychain().get(`connection:${stand.id}`), undefined);
  });

  it('with an entry that something else has spoilt keeps the bytes, and signing in works', async (t) => {
    const stand = await connected(t);
    await stand.window.dispose();
    const keychain = realKeychain();
    await keychain.set(`connection:${stand.id}`, '{"version":1,"spoilt');
    const next = createHeadlessManager({
      file: stand.window.file,
      realKeychain: realKeychain(),
      browser: async (url) => stand.server.authorize(url),
    });
    t.after(async () => next.dispose());
    await next.manager.start();
    await assert.rejects(next.manager.accessToken(stand.id), { code: 'secret_unreadable' });
    await next.manager.authorize(stand.id);
    assert.equal(await keychain.get(`connection:${stand.id}:unreadable-1`), '{"version":1,"spoilt');
    assert.ok(stand.server.isActive(await next.manager.accessToken(stand.id)));
  });
});
