import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { SealingKeys } from '../../../src/connections/sealingKeys.ts';
import { MemoryLog, MemorySecretStore } from '../../headless/memoryPorts.ts';

let keychain: MemorySecretStore;
let editor: MemorySecretStore;
let log: MemoryLog;

function newKeys(): SealingKeys {
  return new SealingKeys({ keychain, editor, log });
}

beforeEach(() => {
  keychain = new MemorySecretStore('keychain');
  editor = new MemorySecretStore('editor');
  log = new MemoryLog();
});

describe('the keys that files are sealed with', () => {
  it('are made when first asked for, one for each name, in the keychain alone', async () => {
    const { key } = await newKeys().load('one');
    assert.equal(Buffer.from(key, 'base64url').length, 32);
    assert.notEqual((await newKeys().load('other')).key, key);
    assert.equal((await newKeys().load('one')).key, key);
    assert.deepEqual([...keychain.entries.keys()], ['one', 'other']);
    assert.equal(editor.reads + editor.entries.size, 0);
  });

  it('are read from the keychain once', async () => {
    const keys = newKeys();
    await keys.load('one');
    const { reads } = keychain;
    await keys.load('one');
    assert.equal(keychain.reads, reads);
  });

  it('are read once also for several that ask at the same moment', async () => {
    await newKeys().load('one');
    const before = keychain.reads;
    const keys = newKeys();
    const rings = await Promise.all([keys.load('one'), keys.load('one'), keys.load('one')]);
    assert.equal(new Set(rings.map(({ key }) => key)).size, 1);
    assert.equal(keychain.reads, before + 1);
  });

  it('are the same for two processes that ask at the same moment', async () => {
    const [one, other] = await Promise.all([newKeys().load('one'), newKeys().load('one')]);
    assert.equal(one.key, other.key);
  });

  it('P31 are not made anew while the keychain merely hides them', async () => {
    const { key } = await newKeys().load('one');
    keychain.state = 'locked';
    const away = newKeys();
    const meanwhile = await away.load('one');
    assert.ok(isConnectionError(meanwhile.hidden, 'keychain_locked'));
    assert.notEqual(meanwhile.key, key);
    keychain.state = 'open';
    const back = await away.load('one');
    assert.equal(back.key, key);
    assert.equal(back.hidden, undefined);
    assert.equal(await back.other?.(), meanwhile.key);
    assert.equal(log.lines.length, 1);
    assert.doesNotMatch(log.lines.join(), new RegExp(`${key}|${meanwhile.key}`));
  });

  it('P31 are not made anew when the write that they wait for unlocks the keychain', async () => {
    const { key } = await newKeys().load('one');
    keychain = new (class extends MemorySecretStore {
      override state: MemorySecretStore['state'] = 'locked';
      override async set(name: string, value: string): Promise<void> {
        this.state = 'open';
        await super.set(name, value);
      }
    })();
    keychain.entries.set('one', key);
    assert.equal((await newKeys().load('one')).key, key);
  });

  it('are not asked for by writing while the keychain refuses, which could ask the person each time', async () => {
    await newKeys().load('one');
    let writes = 0;
    const { entries } = keychain;
    keychain = new (class extends MemorySecretStore {
      override readonly entries = entries;
      override state: MemorySecretStore['state'] = 'locked';
      override async set(key: string, value: string): Promise<void> {
        writes += 1;
        await super.set(key, value);
      }
    })();
    const keys = newKeys();
    for (let round = 1; round <= 3; round += 1) await keys.load('one');
    assert.equal(writes, 1);
  });

  it('are made anew when what is stored is no key, which is kept for a repair', async () => {
    keychain.entries.set('one', 'changed by somebody');
    const { key } = await newKeys().load('one');
    assert.equal(keychain.entries.get('one'), key);
    assert.equal(keychain.entries.get('one:unreadable-1'), 'changed by somebody');
  });

  it('are not there when no store takes them', async () => {
    keychain.state = 'unavailable';
    editor.state = 'unavailable';
    await assert.rejects(newKeys().load('one'), (error) => isConnectionError(error, 'keychain_unavailable'));
    const withoutEditor = new SealingKeys({ keychain, editor: undefined, log });
    await assert.rejects(withoutEditor.load('one'), (error) => isConnectionError(error, 'keychain_unavailable'));
  });
});
