import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type ConnectionSecret, formatConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { SecretVault } from '../../../src/connections/secretVault.ts';
import { MemoryLog, MemorySecretStore } from '../../headless/memoryPorts.ts';

function secret(generation: number): ConnectionSecret {
  return { version: 1, generation, serverUrl: 'https://example.com/mcp' };
}

const locked = (error: unknown): boolean => isConnectionError(error, 'keychain_locked');
const unavailable = (error: unknown): boolean => isConnectionError(error, 'keychain_unavailable');
const unreadable = (error: unknown): boolean => isConnectionError(error, 'secret_unreadable');

let keychain: MemorySecretStore;
let editor: MemorySecretStore;
let log: MemoryLog;
let fallbacks: unknown[];
let vault: SecretVault;
let vaultWithoutEditor: SecretVault;

beforeEach(() => {
  keychain = new MemorySecretStore('keychain');
  editor = new MemorySecretStore('editor');
  log = new MemoryLog();
  fallbacks = [];
  const onFallback = (error: unknown): number => fallbacks.push(error);
  vault = new SecretVault({ keychain, editor, log, onFallback });
  vaultWithoutEditor = new SecretVault({ keychain, editor: undefined, log, onFallback });
});

/** The ids that the keychain lists, with which a locked one is told from an empty one. */
function listed(): unknown {
  return JSON.parse(keychain.entries.get('connections') ?? 'null');
}

describe('a secret that is written', () => {
  it('is in the keychain, listed before it is stored, and read from there', async () => {
    assert.equal(await vault.write('a', secret(1), undefined), 'keychain');
    assert.equal(await vault.write('b', secret(2), undefined), 'keychain');
    assert.equal(await vault.write('a', secret(3), 'keychain'), 'keychain');
    assert.deepEqual(listed(), { version: 1, ids: ['a', 'b'] });
    assert.deepEqual([...keychain.entries.keys()], ['connections', 'connection:a', 'connection:b']);
    assert.deepEqual(await vault.read('a', 'keychain'), secret(3));
    assert.deepEqual(await vault.read('b', 'keychain'), secret(2));
    assert.equal(editor.entries.size, 0);
    assert.deepEqual(fallbacks, []);
  });

  it('goes to the editor’s storage when the keychain refuses it, which is told once', async () => {
    keychain.state = 'unavailable';
    assert.equal(await vault.write('a', secret(1), undefined), 'editor');
    assert.deepEqual(fallbacks.map(unavailable), [true]);
    assert.equal(await vault.write('a', secret(2), 'editor'), 'editor');
    assert.equal(fallbacks.length, 1);
    assert.deepEqual(await vault.read('a', 'editor'), secret(2));
    assert.ok(!log.lines.join().includes(secret(2).serverUrl));
  });

  it('leaves the editor’s storage when the keychain takes it again', async () => {
    keychain.state = 'locked';
    assert.equal(await vault.write('a', secret(1), undefined), 'editor');
    keychain.state = 'open';
    assert.equal(await vault.write('a', secret(2), 'editor'), 'keychain');
    assert.equal(editor.entries.size, 0);
  });

  it('is refused, with the keychain’s error, when nothing else can take it', async () => {
    keychain.state = 'locked';
    await assert.rejects(vaultWithoutEditor.write('a', secret(1), undefined), locked);
    assert.deepEqual(fallbacks, []);
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
      new SecretVault({ keychain: new MemorySecretStore(), editor, log, onFallback: () => {} }).read('a', 'keychain'),
      locked,
    );
  });

  for (const list of ['no JSON', '{}', '{"version":2,"ids":[]}', '{"version":1,"ids":[7]}']) {
    it(`is missing, and not hidden, when the list is there but says ${list}`, async () => {
      keychain.entries.set('connections', list);
      assert.equal(await vault.read('a', 'keychain'), undefined);
      await vault.write('a', secret(1), undefined);
      assert.deepEqual(listed(), { version: 1, ids: ['a'] });
    });
  }

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
    ['is missing when neither place has it', undefined, undefined, undefined],
  ] as const) {
    it(`P30 ${title}`, async () => {
      for (const [store, generation] of [
        [keychain, inKeychain],
        [editor, inEditor],
      ] as const) {
        if (generation !== undefined) store.entries.set('connection:a', formatConnectionSecret(secret(generation)));
      }
      assert.equal((await vault.read('a', 'editor'))?.generation, expected);
    });
  }

  it('is the editor’s while the keychain is away, and nothing else hides a fault', async () => {
    keychain.state = 'unavailable';
    await vault.write('a', secret(1), undefined);
    assert.deepEqual(await vault.read('a', 'editor'), secret(1));
    assert.equal(await vaultWithoutEditor.read('a', 'editor'), undefined);
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
