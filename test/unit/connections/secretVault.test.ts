import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type ConnectionSecret, formatConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { SecretVault } from '../../../src/connections/secretVault.ts';
import { MemoryLog, MemorySecretStore } from '../../headless/memoryPorts.ts';

function secret(generation: number): ConnectionSecret {
  return { version: 1, generation, serverUrl: 'https://example.com/mcp' };
}

const locked = (error: unknown): boolean => isConnectionError(error, 'keychain_locked');
const unavailable = (error: unknown): boolean => isConnectionError(error, 'keychain_unavailable');
const tooNew = (error: unknown): boolean => isConnectionError(error, 'secret_too_new');
const elsewhere = (error: unknown): boolean => isConnectionError(error, 'secret_elsewhere');
const unreadable = (error: unknown): boolean => isConnectionError(error, 'secret_unreadable');

let keychain: MemorySecretStore;
let editor: MemorySecretStore;
let log: MemoryLog;
let answers: string[];
let vault: SecretVault;
let vaultWithoutEditor: SecretVault;

beforeEach(() => {
  keychain = new MemorySecretStore('keychain');
  editor = new MemorySecretStore('editor');
  log = new MemoryLog();
  answers = [];
  vault = new SecretVault({ keychain, editor, log });
  vault.onAnswer = (operation) => answers.push(operation);
  vaultWithoutEditor = new SecretVault({ keychain, editor: undefined, log });
});

/** A keychain that is unlocked right after a read found it locked. */
class UnlockedMeanwhile extends MemorySecretStore {
  override async get(key: string): Promise<string | undefined> {
    const found = await super.get(key);
    if (this.state === 'locked') this.state = 'open';
    return found;
  }
}

/** The ids that the keychain lists, with which a locked one is told from an empty one. */
function listed(): unknown {
  return JSON.parse(keychain.entries.get('connections') ?? 'null');
}

describe('a secret that is written', () => {
  it('is in the keychain, listed before it is stored, and read from there', async () => {
    assert.deepEqual(await vault.write('a', secret(1), undefined), { place: 'keychain' });
    assert.deepEqual(await vault.write('b', secret(2), undefined), { place: 'keychain' });
    assert.deepEqual(await vault.write('a', secret(3), 'keychain'), { place: 'keychain' });
    assert.deepEqual(answers, ['write', 'write', 'write']);
    assert.deepEqual(listed(), { version: 1, ids: ['a', 'b'] });
    assert.deepEqual([...keychain.entries.keys()], ['connections', 'connection:a', 'connection:b']);
    assert.deepEqual(await vault.read('a', 'keychain'), secret(3));
    assert.deepEqual(await vault.read('b', 'keychain'), secret(2));
    assert.equal(editor.entries.size, 0);
  });

  it('goes to the editor’s storage when the keychain refuses it, with the reason', async () => {
    keychain.state = 'unavailable';
    const { place, refusal } = await vault.write('a', secret(1), undefined);
    assert.ok(place === 'editor' && unavailable(refusal));
    assert.equal((await vault.write('a', secret(2), 'editor')).place, 'editor');
    assert.deepEqual(answers, []);
    assert.deepEqual(await vault.read('a', 'editor'), secret(2));
    assert.ok(!log.lines.join().includes(secret(2).serverUrl));
  });

  it('leaves the editor’s storage when the keychain takes it again', async () => {
    keychain.state = 'locked';
    assert.equal((await vault.write('a', secret(1), undefined)).place, 'editor');
    keychain.state = 'open';
    assert.equal((await vault.write('a', secret(2), 'editor')).place, 'keychain');
    assert.equal(editor.entries.size, 0);
  });

  it('is in the keychain though the editor keeps an older copy that it does not give up', async () => {
    keychain.state = 'locked';
    await vault.write('a', secret(1), undefined);
    keychain.state = 'open';
    editor.state = 'unavailable';
    assert.deepEqual(await vault.write('a', secret(2), 'editor'), { place: 'keychain' });
    editor.state = 'open';
    assert.deepEqual(await vault.read('a', 'editor', 2), secret(2));
  });

  it('is refused, with the keychain’s error, when nothing else can take it', async () => {
    keychain.state = 'locked';
    await assert.rejects(vaultWithoutEditor.write('a', secret(1), undefined), locked);
    editor.state = 'unavailable';
    await assert.rejects(vault.write('a', secret(1), undefined), locked);
  });

  for (const [title, text] of [
    ['is no JSON', '{"version":1,"tok'],
    ['is no document of ours', '{"version":1,"generation":"7"}'],
    ['is for another server', formatConnectionSecret({ ...secret(1), serverUrl: 'https://other.example/mcp' })],
  ] as const) {
    it(`keeps what ${title} before it is written over, once`, async () => {
      for (const [store, place] of [
        [keychain, 'keychain'],
        [editor, 'editor'],
      ] as const) {
        keychain.state = place === 'editor' ? 'unavailable' : 'open';
        store.entries.set('connection:a', text);
        assert.equal((await vault.write('a', secret(2), place)).place, place);
        store.entries.set('connection:a', text);
        await vault.write('a', secret(3), place);
        assert.equal(store.entries.get('connection:a:unreadable-1'), text);
        assert.equal(store.entries.has('connection:a:unreadable-2'), false);
        assert.deepEqual(await vault.read('a', place), secret(3));
      }
      assert.doesNotMatch(log.lines.join(), /other\.example|generation/);
    });
  }

  it('keeps the first and the last of several that cannot be read, and no more', async () => {
    for (const text of ['one', 'two', 'three']) {
      keychain.entries.set('connection:a', text);
      await vault.write('a', secret(1), 'keychain');
    }
    const kept = [...keychain.entries].filter(([key]) => key.includes('unreadable'));
    assert.deepEqual(kept, [
      ['connection:a:unreadable-1', 'one'],
      ['connection:a:unreadable-2', 'three'],
    ]);
    await vault.delete('a', 'keychain');
    assert.deepEqual([...keychain.entries.keys()], ['connections']);
  });

  it('is not written over what cannot be kept: it goes to the editor’s storage', async () => {
    keychain.entries.set('connections', '{"version":1,"ids":["a"]}');
    keychain.entries.set('connection:a', 'broken');
    const set = keychain.set.bind(keychain);
    keychain.set = async (key, value) => {
      if (key.includes('unreadable'))
        throw new ConnectionError('keychain_failed', { operation: 'write', problem: 'full' });
      await set(key, value);
    };
    assert.equal((await vault.write('a', secret(2), 'keychain')).place, 'editor');
    assert.equal(keychain.entries.get('connection:a'), 'broken');
    assert.deepEqual(await vault.read('a', 'editor', 2), secret(2), 'and what cannot be read hides no other');
  });

  it('is not written over what a newer version wrote, neither here nor there', async () => {
    const newer = '{"version":2,"all":"new"}';
    keychain.entries.set('connection:a', newer);
    await assert.rejects(vault.read('a', 'keychain'), tooNew);
    await assert.rejects(vault.write('a', secret(2), 'keychain'), tooNew);
    assert.equal(keychain.entries.get('connection:a'), newer);
    assert.equal(editor.entries.size, 0);
  });

  it('stays out of the editor’s storage when the keychain fails in a way that nobody knows', async () => {
    keychain.set = async () => Promise.reject(new TypeError('a fault of ours'));
    await assert.rejects(vault.write('a', secret(1), undefined), TypeError);
    assert.equal(editor.entries.size, 0);
  });
});

describe('a secret that is read', () => {
  it('is not looked for when none was ever written', async () => {
    keychain.state = 'unavailable';
    assert.equal(await vault.read('a', undefined), undefined);
  });

  it('is missing when the keychain is open and has none', async () => {
    await vault.write('other', secret(1), undefined);
    assert.equal(await vault.read('a', 'keychain'), undefined);
  });

  it('is hidden, and not missing, when the keychain does not show its own list either', async () => {
    await vault.write('a', secret(1), undefined);
    keychain.state = 'locked';
    await assert.rejects(vault.read('a', 'keychain'), locked);
    await assert.rejects(
      new SecretVault({ keychain: new MemorySecretStore(), editor, log }).read('a', 'keychain'),
      locked,
    );
  });

  for (const list of ['no JSON', '{}', '{"version":1,"ids":[7]}']) {
    it(`is missing, and not hidden, when the list is there but says ${list}, which is kept`, async () => {
      keychain.entries.set('connections', list);
      assert.equal(await vault.read('a', 'keychain'), undefined);
      await vault.write('a', secret(1), undefined);
      assert.deepEqual(listed(), { version: 1, ids: ['a'] });
      assert.equal(keychain.entries.get('connections:unreadable-1'), list);
    });
  }

  it('is missing, and not hidden, when a newer version wrote the list, which is left as it is', async () => {
    const list = '{"version":2,"ids":{}}';
    keychain.entries.set('connections', list);
    assert.equal(await vault.read('a', 'keychain'), undefined);
    await vault.write('a', secret(1), undefined);
    await vault.delete('a', 'keychain');
    assert.deepEqual([...keychain.entries], [['connections', list]]);
  });

  it('is what the store holds, and nothing else', async () => {
    await vault.write('a', secret(1), undefined);
    keychain.entries.set('connection:a', 'broken');
    await assert.rejects(vault.read('a', 'keychain'), unreadable);
    keychain.state = 'unavailable';
    await assert.rejects(vault.read('a', 'keychain'), unavailable);
  });

  for (const [title, inKeychain, inEditor, expected] of [
    ['of both places is the newer, in the editor', 1, 2, 2],
    ['of both places is the newer, in the keychain', 3, 2, 3],
    ['is the one in the editor when the keychain has none', undefined, 2, 2],
    ['is the one in the keychain when the editor has lost its own', 1, undefined, 1],
  ] as const) {
    it(`P30 ${title}`, async () => {
      keychain.entries.set('connections', '{"version":1,"ids":["a"]}');
      for (const [store, generation] of [
        [keychain, inKeychain],
        [editor, inEditor],
      ] as const) {
        if (generation !== undefined) store.entries.set('connection:a', formatConnectionSecret(secret(generation)));
      }
      assert.equal((await vault.read('a', 'editor'))?.generation, expected);
    });
  }

  for (const [title, older, state] of [
    ['neither place has it', undefined, 'open'],
    ['the keychain has an older one', 1, 'open'],
    ['the keychain is locked', 1, 'locked'],
    ['there is no keychain', undefined, 'unavailable'],
  ] as const) {
    it(`P30 P32 is elsewhere, and no older one is used, when this editor has not got it and ${title}`, async () => {
      keychain.entries.set('connections', '{"version":1,"ids":["a"]}');
      if (older !== undefined) keychain.entries.set('connection:a', formatConnectionSecret(secret(older)));
      keychain.state = state;
      await assert.rejects(vault.read('a', 'editor', 2), elsewhere);
    });
  }

  it('P30 is the editor’s when the window ended before it could note that the keychain had refused it', async () => {
    await vault.write('a', secret(1), undefined);
    keychain.state = 'locked';
    await vault.write('a', secret(2), 'keychain');
    assert.deepEqual(await vault.read('a', 'keychain', 2), secret(2));
    await assert.rejects(vault.read('a', 'keychain', 3), locked, 'an older one says nothing of a newer one');
  });

  it('is the keychain’s, though older than it once was, when there is no other', async () => {
    await vault.write('a', secret(1), undefined);
    assert.deepEqual(await vault.read('a', 'keychain', 5), secret(1));
  });

  it('is the editor’s while the keychain is away, and nothing else hides a fault', async () => {
    keychain.state = 'unavailable';
    await vault.write('a', secret(1), undefined);
    assert.deepEqual(await vault.read('a', 'editor'), secret(1));
    await assert.rejects(vaultWithoutEditor.read('a', 'editor'), elsewhere);
    keychain.get = async () => Promise.reject(new TypeError('a fault of ours'));
    await assert.rejects(vault.read('a', 'editor'), TypeError);
  });
});

describe('a secret that is deleted', () => {
  it('is neither in the keychain nor in its list, and the others stay', async () => {
    await vault.write('a', secret(1), undefined);
    await vault.write('b', secret(1), undefined);
    await vault.delete('a', 'keychain');
    assert.deepEqual([...keychain.entries.keys()], ['connections', 'connection:b']);
    assert.deepEqual(listed(), { version: 1, ids: ['b'] });
    await vault.delete('unlisted', 'keychain');
    assert.deepEqual(listed(), { version: 1, ids: ['b'] });
  });

  it('is none where none was ever written', async () => {
    keychain.state = 'unavailable';
    await vault.delete('a', undefined);
  });

  it('P35 is not said to be gone while the keychain is locked', async () => {
    await vault.write('a', secret(1), undefined);
    keychain.state = 'locked';
    await assert.rejects(vault.delete('a', 'keychain'), locked);
    keychain.state = 'open';
    assert.deepEqual(await vault.read('a', 'keychain'), secret(1));
  });

  it('is in neither place when it was in the editor’s', async () => {
    await vault.write('a', secret(1), undefined);
    editor.entries.set('connection:a', formatConnectionSecret(secret(2)));
    await vault.delete('a', 'editor');
    assert.ok(![...keychain.entries.keys(), ...editor.entries.keys()].includes('connection:a'));
  });

  it('is gone from the editor’s storage where there is no keychain; another fault is told', async () => {
    keychain.state = 'unavailable';
    await vault.write('a', secret(1), undefined);
    await vault.delete('a', 'editor');
    assert.equal(editor.entries.size, 0);
    await vaultWithoutEditor.delete('a', 'editor');
    keychain.delete = async () => Promise.reject(new TypeError('a fault of ours'));
    await assert.rejects(vault.delete('a', 'editor'), TypeError);
  });
});

describe('a keychain that is unlocked while it is read', () => {
  it('has lost nothing', async () => {
    keychain = new UnlockedMeanwhile('keychain');
    vault = new SecretVault({ keychain, editor, log });
    await vault.write('a', secret(1), undefined);
    keychain.state = 'locked';
    assert.deepEqual(await vault.read('a', 'keychain', 1), secret(1));
  });
});
