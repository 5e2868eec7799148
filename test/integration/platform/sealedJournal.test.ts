import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import type { ExchangeKey } from '../../../src/connections/exchangeJournal.ts';
import type { KeyRing } from '../../../src/connections/sealingKeys.ts';
import { writeFlushed } from '../../../src/platform/atomicFile.ts';
import { identityOf, isAlive } from '../../../src/platform/processIdentity.ts';
import { SealedJournal } from '../../../src/platform/sealedJournal.ts';

const newKey = (): string => randomBytes(32).toString('base64url');
const exchange: ExchangeKey = { connectionId: '../an id', generation: 5, refreshToken: 'rt-canary' };
const answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: '{"a":"at-canary"}', answeredAt: 17 };
const soon = (): number => Date.now() + 60_000;
const failed = (error: unknown): boolean => isConnectionError(error, 'storage_failed');
const isBroken = (error: unknown): boolean => isConnectionError(error, 'journal_broken');

describe('the sealed journal', () => {
  let top = '';
  let folder = '';
  let ring: KeyRing;
  let journal: SealedJournal;
  const open = (more: Partial<ConstructorParameters<typeof SealedJournal>[0]> = {}): SealedJournal =>
    new SealedJournal({ folder, loadKeys: async () => ring, ...more });

  beforeEach(async () => {
    top = await mkdtemp(path.join(tmpdir(), 'scopekeeper-journal-'));
    folder = path.join(top, 'journal');
    ring = { key: newKey() };
    journal = open();
  });
  afterEach(async () => rm(top, { recursive: true, force: true }));

  it('P31 has nothing at first, and makes nothing by being looked at', async () => {
    assert.equal(await journal.find(exchange), undefined);
    await journal.forget('x');
    assert.deepEqual(await readdir(top), []);
  });

  it('P31 gives an answer back as it was, and after what was sent', async () => {
    await journal.begin(exchange, soon());
    assert.deepEqual(await journal.find(exchange), { type: 'sent', isUnderWay: true });
    await journal.record(exchange, answer);
    assert.deepEqual(await journal.find(exchange), { type: 'answered', generation: 5, answer });
    await journal.end(exchange);
    assert.deepEqual(await open().find(exchange), { type: 'answered', generation: 5, answer });
    assert.equal((await readdir(folder)).length, 1);
  });

  it('P31 is about one token of one connection, in this or a later generation', async () => {
    await journal.record(exchange, answer);
    assert.equal(await journal.find({ ...exchange, refreshToken: 'another' }), undefined);
    assert.equal(await journal.find({ ...exchange, connectionId: 'another' }), undefined);
    assert.equal(await journal.find({ ...exchange, generation: 6 }), undefined);
    assert.deepEqual(await journal.find({ ...exchange, generation: 4 }), { type: 'answered', generation: 5, answer });
    await journal.record({ ...exchange, generation: 12 }, { ...answer, body: 'newest' });
    assert.equal(
      await journal.find(exchange).then((found) => found?.type === 'answered' && found.answer.body),
      'newest',
    );
  });

  it('P36 has no secret in a name or a file', async () => {
    await journal.begin(exchange, soon());
    await journal.record(exchange, answer);
    const names = await readdir(folder);
    const texts = await Promise.all(names.map(async (name) => readFile(path.join(folder, name), 'latin1')));
    assert.equal(texts.length, 2);
    assert.doesNotMatch([...names, ...texts].join('\n'), /canary|an id/);
  });

  it('P31 a temporary file that was written in full is as good as the whole one', async () => {
    const crash = new Error('killed before renaming');
    const killed = open({
      write: async (file, text) => {
        await writeFlushed(`${file}.new`, text);
        throw crash;
      },
    });
    await journal.begin(exchange, soon());
    await assert.rejects(killed.record(exchange, answer));
    assert.deepEqual(await journal.find(exchange), { type: 'answered', generation: 5, answer });
    await journal.forget(exchange.connectionId, 6);
    assert.deepEqual(await readdir(folder), []);
  });

  it('P31 a temporary file that was cut short is nothing', async () => {
    await journal.record(exchange, answer);
    const [name = ''] = await readdir(folder);
    const text = await readFile(path.join(folder, name), 'utf8');
    await rm(path.join(folder, name));
    await writeFile(path.join(folder, `${name}.new`), text.slice(0, -3));
    assert.equal(await journal.find(exchange), undefined);
    await journal.record(exchange, answer);
    assert.equal((await journal.find(exchange))?.type, 'answered');
  });

  for (const [title, spoil] of [
    ['was changed', (text: string) => text.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))],
    ['was cut', (text: string) => text.slice(0, 40)],
    ['is empty', () => ''],
    ['is something else', () => '{"status":200}'],
  ] as const) {
    it(`P31 an entry that ${title} is put aside and told once, and the rest works`, async () => {
      const other = { ...exchange, connectionId: 'other' };
      await journal.record(exchange, answer);
      const [name = ''] = await readdir(folder);
      await journal.record(other, answer);
      const file = path.join(folder, name);
      const spoilt = spoil(await readFile(file, 'utf8'));
      await writeFile(file, spoilt);
      await assert.rejects(journal.find(exchange), isBroken);
      assert.equal(await journal.find(exchange), undefined);
      assert.equal((await journal.find(other))?.type, 'answered');
      await journal.forget(exchange.connectionId, 99);
      const aside = (await readdir(folder)).find((found) => found.startsWith(`${name}.broken-`)) ?? assert.fail();
      assert.equal(await readFile(path.join(folder, aside), 'utf8'), spoilt, 'the bytes are kept');
      await journal.forget(exchange.connectionId);
      assert.equal((await readdir(folder)).length, 1, 'until the connection goes');
    });
  }

  it('P31 an entry under another name does not open', async () => {
    for (const [from, to] of [
      [exchange, { ...exchange, generation: 6 }],
      [exchange, { ...exchange, refreshToken: 'another' }],
      [exchange, { ...exchange, connectionId: 'another' }],
    ] as const) {
      await journal.record(to, answer);
      const [target = ''] = await readdir(folder);
      await rm(path.join(folder, target));
      await journal.record(from, answer);
      const [source = ''] = await readdir(folder);
      await rename(path.join(folder, source), path.join(folder, target));
      await assert.rejects(journal.find(to), isBroken);
      await rm(folder, { recursive: true });
    }
  });

  it('P31 what was sent does not open as an answer', async () => {
    await journal.begin(exchange, soon());
    const [name = ''] = await readdir(folder);
    await rename(path.join(folder, name), path.join(folder, name.replace(/intent$/, 'answer')));
    await assert.rejects(journal.find(exchange), isBroken);
  });

  it('P31 an entry of another key is put aside, but not while the keychain hides its keys', async () => {
    await journal.record(exchange, answer);
    const first = ring.key;
    const hidden = new ConnectionError('keychain_locked', {});
    ring = { key: newKey(), hidden };
    await assert.rejects(journal.find(exchange), hidden);
    ring = { key: newKey(), other: async () => first };
    assert.equal((await journal.find(exchange))?.type, 'answered');
    ring = { key: newKey() };
    await assert.rejects(journal.find(exchange), isBroken);
  });

  it('P31 a temporary file of another key is waited for while the keychain hides its keys', async () => {
    const killed = open({ write: async (file, text) => writeFlushed(`${file}.new`, text) });
    await journal.begin(exchange, soon());
    await killed.record(exchange, answer);
    await journal.end(exchange);
    const { key } = ring;
    const hidden = new ConnectionError('keychain_timeout', { operation: 'read', timeoutMs: 5000 });
    ring = { key: newKey(), hidden };
    await assert.rejects(journal.find(exchange), hidden);
    ring = { key };
    assert.equal((await journal.find(exchange))?.type, 'answered');
  });

  for (const [title, spoil] of [
    ['was changed', (text: string) => text.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))],
    ['was cut', (text: string) => text.slice(0, 60)],
    ['is empty', () => ''],
  ] as const) {
    it(`P31 an entry that ${title} is put aside also where there never is a keychain`, async () => {
      ring = { key: newKey(), hidden: new ConnectionError('keychain_unavailable', { problem: 'no service' }) };
      await journal.record(exchange, answer);
      const file = path.join(folder, (await readdir(folder))[0] ?? '');
      await writeFile(file, spoil(await readFile(file, 'utf8')));
      await assert.rejects(journal.find(exchange), isBroken);
      assert.equal(await journal.find(exchange), undefined);
    });
  }

  it('P28 entries leave below a generation, and with their connection', async () => {
    const later = { ...exchange, generation: 6 };
    const other = { ...exchange, connectionId: 'other' };
    for (const key of [exchange, later, other]) {
      await journal.begin(key, soon());
      await journal.record(key, answer);
    }
    await journal.forget(exchange.connectionId, 6);
    assert.equal((await readdir(folder)).length, 4);
    assert.equal((await journal.find(later))?.type, 'answered');
    await journal.forget(exchange.connectionId);
    assert.equal((await readdir(folder)).length, 2);
    assert.equal((await journal.find(other))?.type, 'answered');
  });

  it('P31 of the answers of no use the last one of a connection is kept', async () => {
    for (const body of ['first', 'second']) {
      await journal.record(exchange, { ...answer, body });
      await journal.setAside(exchange);
      assert.equal(await journal.find(exchange), undefined);
    }
    assert.deepEqual(
      (await readdir(folder)).map((name) => name.replace(/^.*\.answer/, '')),
      ['.unusable'],
    );
  });

  it('P30 tells a sender that lives from one that is gone, is another process, or is late', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const sender = identityOf(child.pid ?? assert.fail());
    const isUnderWay = async (): Promise<boolean> => {
      const found = await journal.find(exchange);
      return found?.type === 'sent' && found.isUnderWay;
    };
    await journal.begin(exchange, soon(), sender);
    assert.ok(await isUnderWay());
    await journal.begin(exchange, Date.now() - 1, sender);
    assert.ok(!(await isUnderWay()), 'its time is over');
    await journal.begin(exchange, soon(), { ...sender, started: 'another time' });
    assert.ok(!(await isUnderWay()), 'another process has its number');
    await journal.begin(exchange, soon(), sender);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(!(await isUnderWay()));
    assert.ok(isAlive(identityOf(process.pid)));
  });

  it('P31 a folder that cannot be written to is told', async () => {
    await writeFile(folder, 'in the way');
    await assert.rejects(journal.begin(exchange, soon()), failed);
    await assert.rejects(journal.record(exchange, answer), failed);
    await assert.rejects(journal.find(exchange), failed);
  });
});
