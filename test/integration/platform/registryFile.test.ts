import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isConnectionError, type ConnectionErrorCode } from '../../../src/connections/errors.ts';
import { LocalAccessRegistry } from '../../../src/gateway/authorization/localAccessRegistry.ts';
import { hashOf } from '../../../src/gateway/authorization/tokens.ts';
import { createRegistryFile } from '../../../src/platform/registryFile.ts';
import { createRegistryFixture } from '../../headless/localAccess.ts';
import { withFileSizeLimit } from '../../stand/fullDisk.ts';

const TOKEN = 'an-old-token-of-version-1';
const VERSION_1 = JSON.stringify({
  version: 1,
  tokens: {
    'tok-1': {
      id: 'tok-1',
      hash: hashOf(TOKEN),
      prefix: 'an-o',
      allowed_tools: ['*'],
      created_at: '2026-01-02T03:04:05.123456789Z',
      revoked: false,
    },
  },
});
const BY_HAND = { label: 'x', connection: 'notes', allowedTools: '*' } as const;

let folder = '';
let file = '';

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'scopekeeper-registry-')), 'user');
  file = path.join(folder, 'gateway.json');
});
afterEach(async () => rm(path.dirname(folder), { recursive: true, force: true }));

/** A registry over the file, which is not read yet. */
async function registryOver(): Promise<LocalAccessRegistry> {
  const { clock, connections, lifetimes, loadKeys, log } = await createRegistryFixture();
  const over = createRegistryFile(file);
  return new LocalAccessRegistry({ file: over, clock, connections, log, loadKeys, lifetimes: () => lifetimes });
}

async function put(text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(file, text);
}

async function refusesWith(code: ConnectionErrorCode, text: string): Promise<void> {
  await put(text);
  const registry = await registryOver();
  await assert.rejects(registry.load(), (error) => isConnectionError(error, code));
  assert.equal(registry.problem?.code, code);
  assert.equal(registry.use(TOKEN, 'notes'), undefined);
  await assert.rejects(registry.createToken(BY_HAND), (error) => isConnectionError(error, code));
  await registry.dispose();
  assert.equal(await readFile(file, 'utf8'), text);
}

describe('registryFile', () => {
  it('P41 is for this user alone, and makes nothing before the first change', async () => {
    const registry = await registryOver();
    await registry.load();
    await assert.rejects(stat(folder));
    const token = await registry.createToken(BY_HAND);
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['gateway.json']);
    const again = await registryOver();
    await again.load();
    assert.notEqual(again.use(token, 'notes'), undefined);
  });

  it('P42 of version 1 is left with a backup, and becomes version 2 with the next change', async () => {
    await put(VERSION_1);
    const registry = await registryOver();
    await registry.load();
    assert.notEqual(registry.use(TOKEN, 'files'), undefined);
    assert.equal(await readFile(file, 'utf8'), VERSION_1);
    await registry.createToken(BY_HAND);
    assert.equal(await readFile(`${file}.v1`, 'utf8'), VERSION_1);
    if (process.platform !== 'win32') assert.equal((await stat(`${file}.v1`)).mode & 0o777, 0o600);
    assert.match(await readFile(file, 'utf8'), /"version": 2/);
    const again = await registryOver();
    await again.load();
    assert.notEqual(again.use(TOKEN, 'files'), undefined);
    assert.deepEqual((await readdir(folder)).toSorted(), ['gateway.json', 'gateway.json.v1']);
  });

  it('P42 never overwrites an earlier backup', async () => {
    await put(VERSION_1);
    await writeFile(`${file}.v1`, 'earlier');
    const registry = await registryOver();
    await registry.load();
    await registry.createToken(BY_HAND);
    assert.equal(await readFile(`${file}.v1`, 'utf8'), 'earlier');
    assert.match(await readFile(file, 'utf8'), /"version": 2/);
  });

  it('P42 of version 1 that cannot be backed up is not overwritten', async () => {
    await put(VERSION_1);
    const registry = await registryOver();
    await registry.load();
    await withFileSizeLimit(0, async () => {
      await assert.rejects(registry.createToken(BY_HAND), (error) => isConnectionError(error, 'storage_failed'));
    });
    assert.equal(await readFile(file, 'utf8'), VERSION_1);
    assert.deepEqual(await readdir(folder), ['gateway.json']);
    await registry.createToken(BY_HAND);
    assert.equal(await readFile(`${file}.v1`, 'utf8'), VERSION_1);
  });

  it('P42 of a higher version is left alone, and gives no access', async () => {
    await refusesWith('storage_too_new', VERSION_1.replace('"version":1', '"version":3'));
    assert.deepEqual(await readdir(folder), ['gateway.json']);
  });

  const broken: Readonly<Record<string, string>> = {
    'no JSON': '{"version":2',
    'an array': '[]',
    'no tokens': '{"version":2}',
    'version 0': VERSION_1.replace('"version":1', '"version":0'),
    'a hash that is none': VERSION_1.replace(/"hash":"[^"]+"/, '"hash":"x"'),
    'a time that is none': VERSION_1.replace(/"created_at":"[^"]+"/, '"created_at":"yesterday"'),
    'revoked by a word': VERSION_1.replace('"revoked":false', '"revoked":"no"'),
    'a tool that is no name': VERSION_1.replace('["*"]', '[7]'),
  };
  for (const [name, text] of Object.entries(broken)) {
    it(`P42 with ${name} is left and kept aside, and gives no access`, async () => {
      await refusesWith('storage_broken', text);
      const copy = (await readdir(folder)).find((each) => each.startsWith('gateway.json.broken-'));
      assert.equal(await readFile(path.join(folder, copy ?? ''), 'utf8'), text);
    });
  }

  it('P41 on a full disk changes nothing, in the file and in memory', async () => {
    const registry = await registryOver();
    await registry.load();
    const token = await registry.createToken(BY_HAND);
    const before = await readFile(file, 'utf8');
    await withFileSizeLimit(0, async () => {
      await assert.rejects(registry.revoke(registry.accesses.map(({ id }) => id)), (error) =>
        isConnectionError(error, 'storage_failed'),
      );
    });
    assert.equal(await readFile(file, 'utf8'), before);
    assert.notEqual(registry.use(token, 'notes'), undefined);
    await registry.revoke(registry.accesses.map(({ id }) => id));
    assert.equal(registry.use(token, 'notes'), undefined);
  });
});
