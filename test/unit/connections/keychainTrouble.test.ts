import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { KeychainTrouble } from '../../../src/connections/keychainTrouble.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const locked = new ConnectionError('keychain_locked', {});
const failed = new ConnectionError('keychain_failed', { operation: 'write', problem: 'refused' });

let clock: ManualClock;
let told: (string | undefined)[];
let tries: number[];
/** What a retry does. */
let retry: () => void;
let jitter: number;
let trouble: KeychainTrouble;

beforeEach(() => {
  clock = new ManualClock(0);
  told = [];
  tries = [];
  retry = () => undefined;
  jitter = 0;
  trouble = new KeychainTrouble({
    clock,
    random: () => jitter,
    retry: async () => {
      tries.push(clock.now());
      retry();
    },
    tell: (news) => told.push(news && `${news.effect} ${news.error.code}`),
  });
});

/** Lets a retry end. */
async function settled(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

/** Advances to each next retry, which fails again, and gives after how long each came. */
async function waits(count: number): Promise<readonly number[]> {
  const waited: number[] = [];
  for (let time = 1; time <= count; time += 1) {
    const before = clock.now();
    clock.advance(trouble.retryAt - before);
    waited.push(clock.now() - before);
    await settled();
  }
  return waited;
}

describe('a keychain that does not answer', () => {
  it('is asked again after 5 s, then twice as long each time, up to 15 minutes, half of it by chance', async () => {
    retry = () => trouble.note('hidden', locked);
    trouble.note('hidden', locked);
    assert.deepEqual(await waits(10), [2500, 5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 450_000, 450_000]);
    jitter = 1;
    assert.deepEqual(await waits(2), [450_000, 900_000]);
    assert.deepEqual(told, ['hidden keychain_locked']);
  });

  it('is left alone for up to an hour while the editor has what it does not take', async () => {
    jitter = 1;
    retry = () => trouble.note('in_editor', failed);
    trouble.note('in_editor', failed);
    assert.deepEqual((await waits(12)).slice(-4), [1_280_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  it('is told of once for each effect and cause, however often it fails, and has one timer', () => {
    for (let time = 1; time <= 3; time += 1) trouble.note('hidden', locked);
    trouble.note('in_memory', locked);
    trouble.note('in_memory', failed);
    trouble.note('hidden', locked);
    assert.deepEqual(told, ['hidden keychain_locked', 'in_memory keychain_locked', 'in_memory keychain_failed']);
    assert.deepEqual(trouble.current, { effect: 'hidden', error: locked });
    assert.equal(trouble.retryAt, 2500);
    clock.advance(2499);
    assert.deepEqual(tries, []);
    clock.advance(1);
    assert.deepEqual(tries, [2500]);
  });

  it('is over when a retry fails no more; then a later one is told of and begins anew', async () => {
    trouble.note('in_memory', failed);
    clock.advance(2500);
    await settled();
    assert.equal(trouble.current, undefined);
    assert.deepEqual(told, ['in_memory keychain_failed', undefined]);
    clock.advance(60_000_000);
    assert.equal(tries.length, 1);
    const now = clock.now();
    trouble.note('in_memory', failed);
    assert.equal(trouble.retryAt, now + 2500);
    assert.equal(told.length, 3);
  });

  it('that answers while there is no trouble is no news', async () => {
    trouble.noteAnswer('write');
    trouble.hasten(true);
    await settled();
    assert.deepEqual([...tries, ...told], []);
  });

  for (const [effect, error, operation, isTried] of [
    ['hidden', locked, 'read', true],
    ['hidden', failed, 'read', true],
    ['in_memory', locked, 'read', true],
    ['in_memory', failed, 'read', false],
    ['in_editor', failed, 'read', false],
    ['in_editor', locked, 'read', true],
    ['in_memory', failed, 'write', true],
    ['in_editor', failed, 'write', true],
  ] as const) {
    it(`${effect} ${error.code}, and then answers a ${operation}: ${isTried ? 'is tried at once' : 'has not changed'}`, async () => {
      trouble.note(effect, error);
      trouble.noteAnswer(operation);
      assert.deepEqual(tries, isTried ? [0] : []);
      assert.equal(trouble.current === undefined, isTried);
      await settled();
      assert.deepEqual(told.slice(1), isTried ? [undefined] : []);
      clock.advance(2500);
      assert.equal(tries.length, 1, 'the timer is set no more, or still is');
    });
  }

  it('and takes a secret meanwhile is told of anew when it fails again, and by reading alone is not', () => {
    trouble.note('hidden', locked);
    trouble.noteAnswer('read');
    trouble.note('hidden', locked);
    assert.deepEqual(told, ['hidden keychain_locked']);
    trouble.noteAnswer('write');
    trouble.note('hidden', locked);
    assert.deepEqual(told, ['hidden keychain_locked', undefined, 'hidden keychain_locked']);
  });

  it('is asked at once when the person wishes it, and by itself only a minute after the last time', async () => {
    retry = () => trouble.note('hidden', locked);
    for (let failures = 1; failures <= 8; failures += 1) {
      trouble.note('hidden', locked);
      clock.advance(trouble.retryAt - clock.now());
      await settled();
    }
    const before = tries.length;
    clock.advance(59_999);
    trouble.hasten(false);
    assert.equal(tries.length, before);
    trouble.hasten(true);
    assert.equal(tries.length, before + 1);
    await settled();
    clock.advance(60_000);
    trouble.hasten(false);
    assert.equal(tries.length, before + 2);
    await settled();
    const { retryAt } = trouble;
    clock.advance(retryAt - clock.now() - 1);
    assert.equal(tries.length, before + 2, 'what was to come before has given way');
  });

  it('is nobody’s business after the end', async () => {
    trouble.note('hidden', locked);
    trouble.dispose();
    clock.advance(10_000);
    trouble.note('in_memory', failed);
    assert.deepEqual(tries, []);
    assert.deepEqual(told, ['hidden keychain_locked']);
    assert.deepEqual(trouble.current, { effect: 'hidden', error: locked });
  });

  it('is not said to be well by a retry that the end came in between of', async () => {
    trouble.note('hidden', locked);
    retry = () => trouble.dispose();
    clock.advance(2500);
    await settled();
    assert.deepEqual(told, ['hidden keychain_locked']);
  });
});
