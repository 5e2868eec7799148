import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isConnectionError, type ConnectionErrorCode } from '../../../src/connections/errors.ts';
import { loadKeytar, prebuildName, type Keytar } from '../../../src/platform/keytarAddon.ts';
import { createKeytarStore } from '../../../src/platform/keytarStore.ts';
import { BUS_WITHOUT_SERVICES } from '../../stand/keyring.ts';
import { PREBUILDS } from './keychainSession.ts';

const run = promisify(execFile);

function program(name: string): string {
  return fileURLToPath(new URL(`${name}.main.mjs`, import.meta.url));
}

async function rejectsWith(promise: Promise<unknown>, code: ConnectionErrorCode, details: object = {}): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isConnectionError(error), String(error));
    assert.equal(error.code, code);
    assert.deepEqual({ ...error.details, ...details }, error.details);
    return true;
  });
}

describe('keytarStore in a real keychain', () => {
  const service = `scopekeeper-test-${randomUUID()}`;
  const store = createKeytarStore({ prebuildsFolder: PREBUILDS, service });

  before(() => {
    assert.ok(process.env['DBUS_SESSION_BUS_ADDRESS'], 'these tests need a session bus with an unlocked keyring');
  });

  it('stores, gives back, replaces and deletes', async () => {
    assert.equal(await store.get('key'), undefined);
    await store.set('key', 'first');
    assert.equal(await store.get('key'), 'first');
    await store.set('key', '{"ünï":"🔑"}');
    assert.equal(await store.get('key'), '{"ünï":"🔑"}');
    await store.delete('key');
    assert.equal(await store.get('key'), undefined);
    await store.delete('key');
  });

  it('keeps a document of 64 KB whole', async () => {
    const value = randomBytes(32_768).toString('hex');
    await store.set('large', value);
    assert.equal(await store.get('large'), value);
    await store.delete('large');
  });

  it('counts the reads that reached the keychain', async () => {
    const counted = createKeytarStore({ prebuildsFolder: PREBUILDS, service });
    assert.equal(counted.reads, 0);
    await counted.set('count', 'x');
    await counted.get('count');
    await counted.get('nothing');
    assert.equal(counted.reads, 2);
    await counted.delete('count');
    assert.equal(counted.reads, 2);
  });

  it('calls take effect in the order in which they were made', async () => {
    const [, , value] = await Promise.all([store.set('order', 'one'), store.set('order', 'two'), store.get('order')]);
    assert.equal(value, 'two');
    const [, gone] = await Promise.all([store.delete('order'), store.get('order')]);
    assert.equal(gone, undefined);
  });

  it('refuses what the keychain would cut', async () => {
    await rejectsWith(store.set('key', ''), 'keychain_failed', { operation: 'write' });
    await rejectsWith(store.set('key', 'a\0b'), 'keychain_failed', { operation: 'write' });
  });

  it('splits what is longer than an entry may be, and leaves no part behind', async () => {
    const keytar = await loadKeytar(PREBUILDS);
    const keys = new Set<string>();
    const recorded: Keytar = {
      getPassword: async (...args) => keytar.getPassword(...args),
      setPassword: async (name, key, value) => {
        assert.ok(Buffer.byteLength(value) <= 2560);
        keys.add(key);
        await keytar.setPassword(name, key, value);
      },
      deletePassword: async (...args) => keytar.deletePassword(...args),
    };
    const options = { prebuildsFolder: PREBUILDS, service, maxEntryBytes: 2560, load: async () => recorded };
    const windows = createKeytarStore(options);
    for (const length of [10, 9000, 2560, 2561, 20_000, 5000]) {
      const value = 'é'.repeat(length / 2);
      await windows.set('split', value);
      assert.equal(await createKeytarStore(options).get('split'), value);
    }
    assert.ok(keys.size > 3);
    await windows.delete('split');
    for (const key of keys) assert.equal(await keytar.getPassword(service, key), null, key);
  });

  it('nothing is loaded before the first call', async () => {
    let loads = 0;
    const load = async (folder: string) => {
      loads++;
      return loadKeytar(folder);
    };
    const lazy = createKeytarStore({ prebuildsFolder: PREBUILDS, service, load });
    assert.equal(loads, 0);
    await Promise.all([lazy.get('a'), lazy.get('b')]);
    assert.equal(loads, 1);
  });

  it('the binary for each platform has a folder of its own', () => {
    assert.equal(prebuildName('linux', 'x64', false), 'linux-x64');
    assert.equal(prebuildName('linux', 'arm64', true), 'linuxmusl-arm64');
    assert.equal(prebuildName('darwin', 'arm64', false), 'darwin-arm64');
    assert.equal(prebuildName('win32', 'x64', false), 'win32-x64');
  });

  it('a missing binary is no keychain, and is looked for again', async () => {
    let calls = 0;
    const load = async (folder: string) => loadKeytar(calls++ === 0 ? path.join(folder, 'nowhere') : folder);
    const late = createKeytarStore({ prebuildsFolder: PREBUILDS, service, load });
    await rejectsWith(late.get('key'), 'keychain_unavailable');
    assert.equal(await late.get('key'), undefined);
  });
});

describe('keytarStore where the keychain does not play along', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-keyring-'));
  });
  after(async () => rm(folder, { recursive: true, force: true }));

  it('a locked keyring hides what it has, refuses what is new, and says nothing on deleting', async () => {
    const script = 'printf %s pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null; exec "$@"';
    const env = { ...process.env, XDG_DATA_HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CACHE_HOME: folder };
    const child = ['--', 'sh', '-c', script, 'sh', process.execPath, program('lockedKeyring')];
    const { stdout } = await run('dbus-run-session', child, { env, timeout: 30_000 });
    assert.deepEqual(JSON.parse(stdout), {
      before: [null, 'secret'],
      get: null,
      set: { code: 'keychain_locked' },
      setNew: { code: 'keychain_locked' },
      setSplit: { code: 'keychain_locked' },
      delete: null,
    });
  });

  it('a keyring that ends and is started anew is found again', async () => {
    const env = { ...process.env };
    delete env['DBUS_SESSION_BUS_ADDRESS'];
    const { stdout } = await run(process.execPath, [program('restartedKeyring')], { env, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), {
      'get while it is away': 'keychain_unavailable',
      'set of another when it is back': null,
      'get when it is back': 'first',
      set: null,
      get: 'second',
      'get locked': null,
      'set locked': 'keychain_locked',
      'get unlocked': 'second',
      delete: null,
      'get deleted': null,
    });
  });

  for (const [what, bus] of Object.entries({ 'no bus': undefined, 'a dead bus': 'unix:path=/nonexistent/bus' })) {
    it(`${what} is no keychain`, async () => {
      const env = { ...process.env };
      for (const name of ['DBUS_SESSION_BUS_ADDRESS', 'DISPLAY']) delete env[name];
      if (bus !== undefined) env['DBUS_SESSION_BUS_ADDRESS'] = bus;
      const { stdout } = await run(process.execPath, [program('noKeychain')], {
        env: { ...env, XDG_RUNTIME_DIR: folder },
        timeout: 30_000,
      });
      assert.deepEqual(JSON.parse(stdout), Array.from({ length: 3 }).fill('keychain_unavailable'));
    });
  }

  it('a bus with no secret service on it is no keychain', async () => {
    const config = path.join(folder, 'bus.conf');
    await writeFile(config, BUS_WITHOUT_SERVICES);
    const child = [`--config-file=${config}`, '--', process.execPath, program('noKeychain')];
    const { stdout } = await run('dbus-run-session', child, { timeout: 30_000 });
    assert.deepEqual(JSON.parse(stdout), Array.from({ length: 3 }).fill('keychain_unavailable'));
  });

  it('a prompt that nobody answers is a timeout; the next calls wait for it, and are made only if still wanted', async () => {
    const made: string[] = [];
    const prompt = new AbortController();
    const keytar: Keytar = {
      getPassword: async () => null,
      setPassword: async (_service, _key, value) => {
        made.push(value);
        if (value === 'prompted') await once(prompt.signal, 'abort');
      },
      deletePassword: async () => false,
    };
    const store = createKeytarStore({
      prebuildsFolder: '',
      load: async () => keytar,
      maxEntryBytes: Infinity,
      readTimeoutMs: 10,
      writeTimeoutMs: 20,
    });
    const calls = [store.set('key', 'prompted'), store.get('key'), store.set('key', 'late')];
    const [first, second, third] = await Promise.allSettled(calls);
    for (const result of [first, second, third]) assert.equal(result?.status, 'rejected');
    await rejectsWith(calls[0] ?? assert.fail(), 'keychain_timeout', { operation: 'write', timeoutMs: 20 });
    await rejectsWith(calls[1] ?? assert.fail(), 'keychain_timeout', { operation: 'read', timeoutMs: 10 });
    prompt.abort();
    await store.set('key', 'after');
    assert.deepEqual(made, ['prompted', 'after']);
    assert.equal(store.reads, 0);
  });

  it('while a prompt waits for the person the other calls do not wait for long', async () => {
    const prompt = new AbortController();
    const keytar: Keytar = {
      getPassword: async () => {
        await once(prompt.signal, 'abort');
        return null;
      },
      setPassword: async () => {},
      deletePassword: async () => false,
    };
    const options = { prebuildsFolder: '', load: async () => keytar, maxEntryBytes: Infinity };
    const store = createKeytarStore({ ...options, readTimeoutMs: 20, writeTimeoutMs: 60_000 });
    await rejectsWith(store.get('key'), 'keychain_timeout');
    const startedAt = performance.now();
    await rejectsWith(store.set('key', 'value'), 'keychain_timeout', { operation: 'write' });
    assert.ok(performance.now() - startedAt < 5000);
    prompt.abort();
    await store.set('key', 'value');
  });

  it('a keychain that is slower than the timeout is read: a late answer is the next one’s', async () => {
    const asked: string[] = [];
    const answer = new EventEmitter();
    const keytar: Keytar = {
      getPassword: async (_service, key) => {
        asked.push(key);
        const [value] = await once(answer, key);
        return String(value);
      },
      setPassword: async () => {},
      deletePassword: async () => true,
    };
    const store = createKeytarStore({ prebuildsFolder: '', load: async () => keytar, readTimeoutMs: 20 });
    await rejectsWith(store.get('slow'), 'keychain_timeout', { operation: 'read' });
    await rejectsWith(store.get('slow'), 'keychain_timeout', { operation: 'read' });
    answer.emit('slow', 'late');
    assert.equal(await store.get('slow'), 'late');
    assert.deepEqual(asked, ['slow'], 'one prompt, however often it is asked for');

    assert.equal(await store.get('slow'), 'late', 'nor is it asked again at once');
    assert.equal(asked.length, 1);

    // What was read before a change is not given after it.
    await rejectsWith(store.get('changed'), 'keychain_timeout');
    const change = store.set('changed', 'new');
    answer.emit('changed', 'old');
    await change;
    const fresh = store.get('changed');
    await once(answer, 'newListener');
    answer.emit('changed', 'new');
    assert.equal(await fresh, 'new');
    assert.deepEqual(asked, ['slow', 'changed', 'changed']);
  });

  it('errors are sorted by what the systems say', async () => {
    const table: readonly [string, ConnectionErrorCode][] = [
      ['Cannot create an item in a locked collection', 'keychain_locked'],
      ['User interaction is not allowed.', 'keychain_locked'],
      ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'keychain_unavailable'],
      ['The name org.freedesktop.secrets was not provided by any .service files', 'keychain_unavailable'],
      ['The stub received bad data.', 'keychain_failed'],
    ];
    for (const [message, code] of table) {
      const fail = async () => Promise.reject(new Error(message));
      const keytar: Keytar = { getPassword: fail, setPassword: fail, deletePassword: fail };
      await rejectsWith(createKeytarStore({ prebuildsFolder: '', load: async () => keytar }).get('key'), code);
    }
  });
});
