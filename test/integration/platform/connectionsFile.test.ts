import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isConnectionError, type ConnectionErrorCode } from '../../../src/connections/errors.ts';
import type { StoredConnections } from '../../../src/connections/storedConnections.ts';
import { createConnectionsFile } from '../../../src/platform/connectionsFile.ts';
import { withFileSizeLimit } from '../../stand/fullDisk.ts';

const NOBODY = 65_534;

function connectionNamed(name: string): StoredConnections['connections'][number] {
  return {
    id: name,
    name,
    serverUrl: 'https://example.com/mcp',
    kind: 'authorization_code',
    requested: [],
    challenged: [],
    settings: {},
    generation: 0,
    activity: [],
  };
}

function documentNamed(...names: readonly string[]): StoredConnections {
  return { version: 1, connections: names.map(connectionNamed) };
}

async function rejectsWith(promise: Promise<unknown>, code: ConnectionErrorCode, details: object): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isConnectionError(error), String(error));
    assert.equal(error.code, code);
    assert.deepEqual(error.details, details);
    return true;
  });
}

describe('connectionsFile', () => {
  let top = '';
  let folder = '';
  let file = '';
  beforeEach(async () => {
    top = await mkdtemp(path.join(tmpdir(), 'scopekeeper-file-'));
    folder = path.join(top, 'deep', 'scopekeeper');
    file = path.join(folder, 'connections.json');
  });
  afterEach(async () => rm(top, { recursive: true, force: true }));

  it('is undefined before the first write, and makes nothing', async () => {
    assert.equal(await createConnectionsFile(file).read(), undefined);
    assert.deepEqual(await readdir(top), []);
  });

  it('P23 gives back what was written, for this user alone', async () => {
    const issuers = [
      { issuer: 'https://as.example', refresh: { scope: 'requested', omitsResource: true } as const },
      { issuer: 'https://other.example', refresh: {} },
    ];
    const document = { ...documentNamed('a', 'b'), issuers };
    await createConnectionsFile(file).write(document);
    assert.deepEqual(await createConnectionsFile(file).read(), document);
    assert.deepEqual(await readdir(folder), ['connections.json']);
    if (process.platform !== 'win32') {
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
    }
  });

  it('writes in the order of the calls; a reader sees a whole document at any time', async () => {
    const store = createConnectionsFile(file);
    await store.write(documentNamed('0'));
    const writing = new AbortController();
    const reading = (async () => {
      let count = 0;
      for (; !writing.signal.aborted; count++) assert.equal((await store.read())?.connections.length, 1);
      return count;
    })();
    await Promise.all(Array.from({ length: 20 }, async (_value, index) => store.write(documentNamed(String(index)))));
    writing.abort();
    assert.ok((await reading) > 0);
    assert.equal((await store.read())?.connections[0]?.name, '19');
  });

  it('what a killed writer left is no obstacle', async () => {
    const store = createConnectionsFile(file);
    await store.write(documentNamed('a'));
    await writeFile(`${file}.new`, '{"vers', { mode: 0o644 });
    assert.equal((await store.read())?.connections[0]?.name, 'a');
    await store.write(documentNamed('b'));
    assert.deepEqual(await readdir(folder), ['connections.json']);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  for (const [text, problem] of [
    ['{"version":1,"conn', 'not JSON'],
    ['', 'not JSON'],
    ['null', 'not as expected at the top'],
    ['{"version":0,"connections":[]}', 'not as expected at version'],
    ['{"version":1,"connections":[{"id":1}]}', 'not as expected at connections.0.id'],
    ['{"version":1,"connections":[],"issuers":[{}]}', 'not as expected at issuers.0.issuer'],
  ] as const) {
    it(`a broken file is kept, and copied aside once: ${JSON.stringify(text)}`, async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(file, text);
      const store = createConnectionsFile(file);
      await rejectsWith(store.read(), 'storage_broken', { path: file, problem });
      await rejectsWith(store.read(), 'storage_broken', { path: file, problem });
      const [, copy = '', ...others] = (await readdir(folder)).toSorted();
      assert.match(copy, /^connections\.json\.broken-\d{4}-\d\d-\d\dT[\d-]+Z$/);
      assert.deepEqual(others, []);
      await store.write(documentNamed('a'));
      assert.equal(await readFile(path.join(folder, copy), 'utf8'), text);
      assert.equal((await store.read())?.connections[0]?.name, 'a');
    });
  }

  for (const [title, spoil, names] of [
    ['one connection', (text) => text.replace('"id": "b"', '"id": 7'), ['a', 'c']],
    ['one of two with the same id', (text) => text.replace('"id": "b"', '"id": "a"'), ['a', 'c']],
    ['what was learnt of issuers', (text) => text.replace('"issuer": "https', '"issuers": "https'), ['a', 'b', 'c']],
  ] as readonly (readonly [string, (text: string) => string, readonly string[]])[]) {
    it(`${title} that cannot be read is left out, told once and kept in a copy, and the others go on`, async () => {
      const issuers = [{ issuer: 'https://as.example', refresh: {} }];
      await createConnectionsFile(file).write({ ...documentNamed('a', 'b', 'c'), issuers });
      const text = spoil(await readFile(file, 'utf8'));
      await writeFile(file, text);
      const told: unknown[] = [];
      const store = createConnectionsFile(file, ({ code, details }) => told.push({ code, ...details }));
      const document = (await store.read()) ?? assert.fail();
      assert.deepEqual(
        document.connections.map(({ name }) => name),
        names,
      );
      await store.read();
      const [, copy = '', ...others] = (await readdir(folder)).toSorted();
      assert.deepEqual(others, []);
      assert.deepEqual(told, [{ code: 'storage_salvaged', path: path.join(folder, copy), lost: 1 }]);
      await store.write(document);
      assert.equal(await readFile(path.join(folder, copy), 'utf8'), text);
      assert.deepEqual(await createConnectionsFile(file).read(), document);
    });
  }

  it('P42 a file of a newer version is left alone', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(file, '{"version":2,"connections":{}}');
    await rejectsWith(createConnectionsFile(file).read(), 'storage_too_new', { path: file, version: 2 });
    assert.deepEqual(await readdir(folder), ['connections.json']);
    assert.equal(await readFile(file, 'utf8'), '{"version":2,"connections":{}}');
  });

  it('a write that cannot be finished leaves no temporary file', async () => {
    await mkdir(path.join(file, 'in-the-way'), { recursive: true });
    await assert.rejects(createConnectionsFile(file).write(documentNamed('a')), { code: 'storage_failed' });
    assert.deepEqual(await readdir(folder), ['connections.json']);
  });

  it('a write after one that failed goes on', async () => {
    await writeFile(path.join(top, 'deep'), 'a file where the folder should be');
    const store = createConnectionsFile(file);
    await rejectsWith(store.write(documentNamed('a')), 'storage_failed', {
      operation: 'write',
      path: file,
      problem: 'ENOTDIR',
    });
    await rm(path.join(top, 'deep'));
    await store.write(documentNamed('b'));
    assert.equal((await store.read())?.connections[0]?.name, 'b');
  });

  it('a folder without permission leaves the old file as it was', async () => {
    const store = createConnectionsFile(file);
    await store.write(documentNamed('old'));
    const isRoot = process.geteuid?.() === 0;
    // Root may write anywhere, so it becomes somebody who may only read here.
    await chmod(top, 0o755);
    await chmod(path.dirname(folder), 0o755);
    await chmod(folder, 0o555);
    if (isRoot) {
      await chown(file, NOBODY, NOBODY);
      process.seteuid?.(NOBODY);
    }
    try {
      await rejectsWith(store.write(documentNamed('new')), 'storage_failed', {
        operation: 'write',
        path: file,
        problem: isRoot ? 'EPERM' : 'EACCES',
      });
      assert.equal((await store.read())?.connections[0]?.name, 'old');
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(folder, 0o700);
    }
    assert.deepEqual(await readdir(folder), ['connections.json']);
  });

  it('a full disk leaves the old file as it was', async () => {
    const store = createConnectionsFile(file);
    await store.write(documentNamed('old'));
    const names = Array.from({ length: 2000 }, (_value, index) => `connection ${index}`);
    await withFileSizeLimit(65_536, async () => {
      await rejectsWith(store.write(documentNamed(...names)), 'storage_failed', {
        operation: 'write',
        path: file,
        problem: 'EFBIG',
      });
    });
    assert.deepEqual(await readdir(folder), ['connections.json']);
    assert.equal((await store.read())?.connections[0]?.name, 'old');
  });
});
