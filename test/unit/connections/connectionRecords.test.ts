import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ConnectionChange } from '../../../src/connections/connectionService.ts';
import { ConnectionRecords } from '../../../src/connections/connectionRecords.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

let parts: ConnectionParts;
let records: ConnectionRecords;
let changes: string[];

/** Another window's records, of the same file. */
function newRecords(): ConnectionRecords {
  const { clock, file, log, unsaved } = parts;
  const made = new ConnectionRecords(file, clock, log, (error) => void unsaved.push(error?.code));
  made.onDidChange(({ connection, type }: ConnectionChange) => void changes.push(`${type} ${connection.id}`));
  return made;
}

async function loaded(): Promise<ConnectionRecords> {
  const again = newRecords();
  await again.load();
  return again;
}

/** Lets the saves in the background end. */
async function settled(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

const error = new ConnectionError('keychain_locked', {});
const missing = (thrown: unknown): boolean =>
  isConnectionError(thrown, 'connection_unknown') && thrown.details.id === 'x';
const full = (thrown: unknown): boolean => isConnectionError(thrown, 'storage_failed');

beforeEach(() => {
  parts = connectionParts();
  changes = [];
  ({ records } = parts);
  records.onDidChange(({ connection, type }) => void changes.push(`${type} ${connection.id}`));
});

describe('the records of connections', () => {
  it('are none where there is no file, and nothing is written by reading it', async () => {
    const again = await loaded();
    assert.deepEqual(again.list(), []);
    assert.deepEqual(again.refreshMemory('https://as.example'), {});
    await again.dispose();
    assert.equal(parts.file.text, undefined);
    assert.deepEqual([...changes, ...parts.unsaved], []);
  });

  it('are told one by one when they are added, read, changed and removed', async () => {
    await parts.add('a');
    await parts.add('b');
    records.update('a', { name: 'A' });
    await records.remove('b');
    await settled();
    assert.deepEqual(changes, ['added a', 'added b', 'changed a', 'removed b']);
    changes = [];
    await loaded();
    assert.deepEqual(changes, ['added a']);
  });

  it('of one that is gone are an error to ask for, and no place for changes', async () => {
    assert.throws(() => records.get('x'), missing);
    assert.equal(records.find('x'), undefined);
    await assert.rejects(records.remove('x'), missing);
    records.update('x', { name: 'X' });
    records.update('x', () => assert.fail());
    assert.deepEqual([...changes, ...records.list()], []);
  });

  it('tell the other listeners when one fails, and the log', async () => {
    const { log } = parts;
    const failing = records.onDidChange(() => {
      throw new Error('listener');
    });
    await parts.add('a');
    assert.deepEqual(changes, ['added a']);
    assert.deepEqual(log.lines, ['A listener failed: Error: listener']);
    failing.dispose();
  });

  it('are saved with all that outlives the window, and with nothing else', async () => {
    const grant = someGrant(parts.clock);
    await parts.add('ready', { state: { type: 'ready', grant }, settings: { scopes: ['a'] } });
    await parts.add('busy', { state: { type: 'authorizing', step: 'exchanging', grant }, lastError: error });
    await parts.add('waits', { state: { type: 'needsSignIn', reason: 'expired', since: 7 } });
    await parts.add('new', { state: { type: 'authorizing', step: 'discovering' } });
    const activity = { at: 1, type: 'connected', scopes: ['a', 'b'] } as const;
    records.update('ready', {}, { secretIn: 'editor', generation: 5, activity });
    await records.save();
    const again = await loaded();
    assert.deepEqual(
      again.list().map(({ connection }) => [connection.id, connection.state]),
      [
        ['ready', { type: 'ready', grant }],
        ['busy', { type: 'ready', grant }],
        ['waits', { type: 'needsSignIn', reason: 'expired', since: 7 }],
        ['new', { type: 'disconnected' }],
      ],
    );
    assert.deepEqual(again.get('ready'), records.get('ready'));
    const { connection, ...rest } = again.get('busy');
    assert.equal(connection.lastError, undefined);
    assert.deepEqual(rest, { generation: 0, activity: [] });
    assert.doesNotMatch(parts.file.text ?? '', /keychain_locked|exchanging/);
  });

  it('keep their last error, place and generation until they are told otherwise', async () => {
    await parts.add('a');
    records.update('a', {}, { lastError: error, secretIn: 'keychain', generation: 4 });
    records.update('a', { name: 'A' });
    records.update('a', {}, { generation: 3 });
    assert.equal(records.get('a').connection.lastError, error);
    assert.equal(records.get('a').secretIn, 'keychain');
    assert.equal(records.get('a').generation, 4);
    records.update('a', {}, { generation: 6, secretIn: null, lastError: null });
    assert.ok(!('lastError' in records.get('a').connection));
    assert.ok(!('secretIn' in records.get('a')));
    assert.equal(records.get('a').generation, 6);
    records.update('a', ({ name }) => ({ ...records.get('a').connection, name: `${name}!` }));
    assert.equal(records.get('a').connection.name, 'A!');
    assert.ok(!('lastError' in records.get('a').connection), 'none is none, not undefined');
  });

  it('tell each activity in one line of the log', async () => {
    await parts.add('a', { name: 'A' });
    records.update('a', {}, { activity: { at: 1, type: 'scopes_dropped', scopes: ['x', 'y'] } });
    records.update('a', {}, { activity: { at: 1, type: 'refresh_failed', errorCode: 'server_unreachable' } });
    records.update('a', {}, { activity: { at: 1, type: 'refreshed' } });
    records.update('a', { name: 'B' });
    assert.deepEqual(parts.log.lines, [
      'A (a): scopes_dropped x y',
      'A (a): refresh_failed server_unreachable',
      'A (a): refreshed',
    ]);
    assert.equal(records.get('a').activity.length, 3);
  });
});

describe('P27 what is remembered of an issuer', () => {
  const issuer = 'https://as.example';

  it('stays for as long as a connection has it, over restarts too', async () => {
    await parts.add('a', { issuer });
    await parts.add('b', { issuer });
    records.rememberRefresh(issuer, { scope: 'omitted' });
    records.rememberRefresh('https://nobody.example', { scope: 'omitted' });
    assert.deepEqual(records.refreshMemory('https://nobody.example'), {});
    await records.save();
    const again = await loaded();
    assert.deepEqual(again.refreshMemory(issuer), { scope: 'omitted' });
    await again.remove('a');
    assert.deepEqual(again.refreshMemory(issuer), { scope: 'omitted' });
    again.update('b', { name: 'B' });
    assert.deepEqual(again.refreshMemory(issuer), { scope: 'omitted' });
    again.update('b', { issuer: 'https://other.example' });
    assert.deepEqual(again.refreshMemory(issuer), {});
    await again.save();
    assert.doesNotMatch(parts.file.text ?? '', /issuers/);
  });

  it('goes with its last connection, and when there is nothing to remember', async () => {
    await parts.add('a', { issuer });
    records.rememberRefresh(issuer, { scope: 'omitted' });
    await settled();
    assert.match(parts.file.text ?? '', /omitted/);
    records.rememberRefresh(issuer, {});
    await settled();
    assert.doesNotMatch(parts.file.text ?? '', /issuers/);
    records.rememberRefresh(issuer, { scope: 'omitted' });
    await records.remove('a');
    assert.deepEqual(records.refreshMemory(issuer), {});
    await parts.add('a', { issuer });
    assert.deepEqual(records.refreshMemory(issuer), {});
  });
});

describe('many changes at once', () => {
  it('are written once, and those that come meanwhile once more', async () => {
    await parts.add('a');
    const { file } = parts;
    const write = file.write.bind(file);
    const written: string[] = [];
    file.write = async (document) => {
      for (let index = 0; index < 100; index += 1) records.update('a', { account: `${index}` });
      written.push(document.connections[0]?.account ?? '');
      if (written.length === 1) await write(document);
    };
    for (let index = 0; index < 100; index += 1) records.update('a', { account: `before ${index}` });
    await settled();
    assert.deepEqual(written.slice(0, 2), ['before 99', '99']);
    assert.equal(written.length, 2);
  });
});

describe('a disk that takes nothing', () => {
  it('adds nothing', async () => {
    parts.file.isFull = true;
    await assert.rejects(parts.add('a'), full);
    assert.deepEqual([...records.list(), ...changes], []);
    assert.deepEqual(parts.unsaved, ['storage_failed']);
  });

  it('is told once, tried every half minute, and told when it is over', async () => {
    await parts.add('a');
    parts.file.isFull = true;
    records.update('a', { name: 'A' });
    await settled();
    await assert.rejects(records.save(), full);
    assert.deepEqual(parts.unsaved, ['storage_failed']);
    parts.clock.advance(29_999);
    await settled();
    parts.file.isFull = false;
    assert.doesNotMatch(parts.file.text ?? '', /"A"/);
    parts.clock.advance(1);
    await settled();
    assert.match(parts.file.text ?? '', /"A"/);
    assert.deepEqual(parts.unsaved, ['storage_failed', undefined]);
    records.update('a', { name: 'B' });
    await settled();
    assert.deepEqual(parts.unsaved, ['storage_failed', undefined]);

    parts.file.isFull = true;
    await assert.rejects(records.remove('a'), full);
    assert.deepEqual(records.list(), [], 'what is removed is gone all the same');
    assert.equal(parts.unsaved.length, 3);
  });

  it('tells in the log what is wrong', async () => {
    parts.file.write = async () => Promise.reject(new TypeError('odd'));
    await assert.rejects(parts.add('a'), TypeError);
    assert.equal(parts.log.lines.length, 1);
    assert.match(parts.log.lines[0] ?? '', /TypeError: odd/);
  });

  it('is asked once more at the end, and not after it', async () => {
    await parts.add('a');
    parts.file.isFull = true;
    records.update('a', { name: 'A' });
    await settled();
    parts.file.isFull = false;
    await records.dispose();
    assert.match(parts.file.text ?? '', /"A"/);
    records.update('a', { name: 'B' });
    await assert.rejects(records.save(), (thrown) => isConnectionError(thrown, 'owner_gone'));
    parts.clock.advance(60_000);
    await settled();
    assert.doesNotMatch(parts.file.text ?? '', /"B"/);
  });

  it('at the end is not tried again', async () => {
    await parts.add('a');
    parts.file.isFull = true;
    records.update('a', { name: 'A' });
    await settled();
    await records.dispose();
    parts.file.isFull = false;
    let writes = 0;
    parts.file.write = async () => void (writes += 1);
    parts.clock.advance(60_000);
    await settled();
    assert.equal(writes, 0);
  });
});

describe('a file of an older version, without slugs', () => {
  it('is saved with them at once; one that has them is not written', async () => {
    await parts.add('a', { name: 'Notes', slug: 'notes' });
    await parts.add('b', { name: 'Mail', slug: 'mail' });
    await records.save();
    const { text = '' } = parts.file;
    let writes = 0;
    const write = parts.file.write.bind(parts.file);
    parts.file.write = async (document) => {
      writes += 1;
      await write(document);
    };
    const same = await loaded();
    await same.save();
    assert.equal(writes, 0);
    parts.file.text = text.replace(',"slug":"mail"', '');
    const mended = await loaded();
    await settled();
    assert.equal(writes, 1);
    assert.deepEqual(JSON.parse(parts.file.text), JSON.parse(text));
    assert.equal(mended.get('b').connection.slug, 'mail');
  });
});
