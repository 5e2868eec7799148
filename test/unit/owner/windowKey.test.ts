import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SealingKeys } from '../../../src/connections/sealingKeys.ts';
import { GuestKey, keysOf, WINDOW_KEY } from '../../../src/owner/windowKey.ts';
import { MemoryLog, MemorySecretStore } from '../../headless/memoryPorts.ts';

/** Two windows over the same keychain and the same editor. */
function twoWindows(state: MemorySecretStore['state'] = 'open') {
  const keychain = new MemorySecretStore('keychain');
  keychain.state = state;
  const editor = new MemorySecretStore('editor');
  const newOwner = () => {
    const keys = new SealingKeys({ keychain, editor, log: new MemoryLog() });
    return { keys: async () => keysOf(await keys.load(WINDOW_KEY)) };
  };
  return { keychain, editor, newOwner, owner: newOwner(), guest: new GuestKey({ keychain, editor }) };
}

describe('the key by which windows know each other', () => {
  it('is made by the owner when a guest comes, and never by a guest', async () => {
    const { keychain, owner, guest } = twoWindows();
    const keyNow = await guest.look();
    assert.equal(keychain.entries.size, 0);
    const [key] = await owner.keys();
    assert.equal(key?.length, 32);
    assert.deepEqual(await keyNow(), key);
    assert.deepEqual(await owner.keys(), [key]);
    const { reads } = keychain;
    await Promise.all([owner.keys(), guest.look()]);
    assert.equal(keychain.reads, reads, 'it is kept in memory');
  });

  it('is the only entry that a guest reads', async () => {
    const { keychain, owner, guest } = twoWindows();
    await owner.keys();
    const asked: string[] = [];
    const get = keychain.get.bind(keychain);
    keychain.get = async (key) => {
      asked.push(key);
      return get(key);
    };
    await (
      await guest.look()
    )();
    assert.deepEqual([...new Set(asked)], ['owner-key']);
  });

  for (const state of ['locked', 'unavailable'] as const) {
    it(`is in the editor’s storage while the keychain is ${state}`, async () => {
      const { keychain, editor, owner, guest } = twoWindows(state);
      const [key] = await owner.keys();
      assert.equal(keychain.entries.size, 0);
      assert.ok(editor.entries.has('owner-key'));
      assert.deepEqual(await (await guest.look())(), key);
    });
  }

  it('may be either while a keychain comes and goes, so that no window takes another for a stranger', async () => {
    const { keychain, newOwner, owner, guest } = twoWindows('locked');
    const [inEditor] = await owner.keys();
    assert.deepEqual(await (await guest.look())(), inEditor);
    keychain.state = 'open';
    const later = newOwner();
    const keys = await later.keys();
    assert.equal(keys.length, 2);
    assert.deepEqual(keys[1], inEditor);
    assert.deepEqual((await owner.keys())[0], keys[0], 'one that made do asks again');
    assert.deepEqual(await (await guest.look())(), keys[0]);
  });

  it('that a guest cannot read is a locked keychain, and nothing is made or lost', async () => {
    const { keychain, owner, guest } = twoWindows();
    const [key] = await owner.keys();
    keychain.state = 'locked';
    await assert.rejects(await guest.look(), { code: 'keychain_locked' });
    keychain.state = 'unavailable';
    const keyNow = await guest.look();
    const { reads } = keychain;
    await assert.rejects(keyNow, { code: 'keychain_unavailable' });
    assert.equal(keychain.reads, reads, 'a keychain that failed is not asked a second time');
    keychain.state = 'open';
    assert.deepEqual(await (await guest.look())(), key);
  });

  for (const broken of ['', 'x', Buffer.alloc(31).toString('base64url'), '{"version":1}']) {
    it(`that is broken (${broken.slice(0, 13)}) is made anew`, async () => {
      const { keychain, owner, guest } = twoWindows();
      keychain.entries.set('owner-key', broken);
      const [key] = await owner.keys();
      assert.deepEqual(await (await guest.look())(), key);
    });
  }
});
