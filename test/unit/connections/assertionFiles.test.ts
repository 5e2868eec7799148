import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { AssertionFiles } from '../../../src/connections/assertionFiles.ts';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const HOUR_MS = 60 * 60_000;
const refusal = new OAuthError('grant_rejected', { issuer: 'https://as.example', of: 'assertion_file' });
const unreadable = new ConnectionError('assertion_unreadable', { path: '/token', problem: 'missing' });

let clock: ManualClock;
let text: string;
let files: AssertionFiles;

beforeEach(() => {
  clock = new ManualClock(0);
  text = 'one';
  files = new AssertionFiles({ clock, readAssertion: async (path) => `${path} ${text}` });
});

describe('P32 the file of a workload', () => {
  it('is not sent again while what is in it was refused, is looked at every half minute, and the next one is sent', async () => {
    const read = files.readerFor('c');
    assert.equal(await read('/token'), '/token one');
    assert.equal(files.note('c', refusal, HOUR_MS), 30_000);
    await assert.rejects(read('/token'), refusal);
    assert.equal(files.lookAgainAt('c', refusal), 30_000);
    clock.advance(HOUR_MS - 10_000);
    assert.equal(files.lookAgainAt('c', refusal), HOUR_MS, 'no later than it is sent again anyway');
    text = 'two';
    assert.equal(await read('/token'), '/token two');
    text = 'one';
    await assert.rejects(read('/token'), refusal);
    clock.advance(10_000);
    assert.equal(await read('/token'), '/token one');
  });

  it('is waited for no longer than a refusal may last, when the clock was set back', async () => {
    const read = files.readerFor('c');
    await read('/token');
    files.note('c', refusal, HOUR_MS);
    clock.jump(-24 * HOUR_MS);
    assert.equal(await read('/token'), '/token one');
  });

  it('is each connection’s own', async () => {
    await files.readerFor('c')('/token');
    files.note('c', refusal, HOUR_MS);
    assert.equal(await files.readerFor('d')('/token'), '/token one');
    assert.equal(files.lookAgainAt('d', refusal), undefined);
    await files.readerFor('d')('/token');
    files.forget('c');
    assert.equal(await files.readerFor('c')('/token'), '/token one');
    assert.equal(files.lookAgainAt('c', refusal), undefined);
  });

  it('has nothing to do with another refusal, nor with one of what was never read', async () => {
    assert.equal(files.note('c', refusal, HOUR_MS), HOUR_MS);
    const read = files.readerFor('c');
    await read('/token');
    for (const error of [
      new OAuthError('grant_rejected', { issuer: 'https://as.example' }),
      new OAuthError('token_request_failed', { issuer: 'https://as.example', status: 503 }),
    ]) {
      assert.equal(files.note('c', error, HOUR_MS), HOUR_MS);
      assert.equal(files.lookAgainAt('c', error), undefined);
      await read('/token');
    }
    files.forget('c');
    assert.equal(files.note('c', refusal, HOUR_MS), HOUR_MS, 'what was read is forgotten too');
  });

  it('that cannot be read is looked for every half minute', () => {
    assert.equal(files.note('c', unreadable, HOUR_MS), 30_000);
    assert.equal(files.note('c', unreadable, 5000), 5000);
  });

  it('that is refused for another reason than before is looked at for the newer one', async () => {
    await files.readerFor('c')('/token');
    files.note('c', refusal, HOUR_MS);
    assert.equal(files.lookAgainAt('c', unreadable), undefined);
  });
});
