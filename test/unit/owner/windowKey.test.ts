import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { WindowKey } from '../../../src/owner/windowKey.ts';
import { MemorySecretStore } from '../../headless/memoryPorts.ts';

/** Two windows over the same keychain and the same editor. */
function twoWindows(state: MemorySecretStore['state'] = 'open', withEditor = true) {
  const keychain = new MemorySecretStore('keychain');
  keychain.state = state;
  const editor = withEditor ? new MemorySecretStore('editor') : undefined;
  return { keychain, editor, owner: new WindowKey({ keychain, editor }), guest: new WindowKey({ keychain, editor }) };
}

describe('the key by which windows know each other', () => {
  it('is not asked for before a guest comes, and then made once for all windows', async () => {
    const { keychain, owner, guest } = twoWindows();
    const keyNow = await guest.look();
    assert.deepEqual([...keychain.entries.keys()], [], 'a guest makes none');
    const [key] = await owner.forOwner();
    assert.equal(key?.length, 32);
    assert.deepEqual(await keyNow(), key);
    assert.deepEqual(await owner.forOwner(), [key]);
    const reads = keychain.reads;
    await Promise.all([owner.forOwner(), guest.look()]);
    assert.equal(keychain.reads, reads, 'it is kept in memory');
  });

  it('is the only entry that a guest reads', async () => {
    const { keychain, owner, guest } = twoWindows();
    await owner.forOwner();
    keychain.entries.set('connection:x', 'secret');
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
    it(`is in the editor’s storage while the keychain is ${state}, and moves when it is back`, async () => {
      const { keychain, editor, owner, guest } = twoWindows(state);
      const [key] = await owner.forOwner();
      assert.equal(keychain.entries.size, 0);
      assert.equal(editor?.entries.size, 1);
      assert.deepEqual(await (await guest.look())(), key);
      keychain.state = 'open';
      assert.deepEqual(await owner.forOwner(), [key]);
      assert.equal(keychain.entries.size, 1);
    });
  }

  it('may be either while a guest’s keychain is locked and the owner’s is not', async () => {
    const { keychain, editor, owner } = twoWindows('locked');
    const [inEditor] = await owner.forOwner();
    keychain.state = 'open';
    keychain.entries.set('owner-key', Buffer.alloc(32, 7).toString('base64url'));
    const restarted = new WindowKey({ keychain, editor });
    assert.deepEqual(await restarted.forOwner(), [Buffer.alloc(32, 7), inEditor]);
  });

  it('that a guest cannot read is a locked keychain, and nothing is made or lost', async () => {
    const { keychain, owner, guest } = twoWindows();
    const [key] = await owner.forOwner();
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

  it('that can be kept nowhere is an error', async () => {
    const { owner } = twoWindows('locked', false);
    await assert.rejects(
      owner.forOwner(),
      (error) => error instanceof ConnectionError && error.code === 'keychain_locked',
    );
  });

  for (const broken of ['', 'x', Buffer.alloc(31).toString('base64url'), '{"version":1}']) {
    it(`that is broken (${broken.slice(0, 13)}) is made anew`, async () => {
      const { keychain, owner, guest } = twoWindows();
      keychain.entries.set('owner-key', broken);
      const [key] = await owner.forOwner();
      assert.deepEqual(await (await guest.look())(), key);
    });
  }
});
