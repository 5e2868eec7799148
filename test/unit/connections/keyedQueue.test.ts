import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { KeyedQueue } from '../../../src/connections/keyedQueue.ts';

/** Lets everything run that can run without anything from outside. */
const settled = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('P29 tasks of one key', () => {
  it('run one after the other, in the order in which they came', async () => {
    const queue = new KeyedQueue();
    const gates = [deferred<string>(), deferred<string>(), deferred<string>()];
    const started: number[] = [];
    const results = gates.map(async ({ promise }, index) =>
      queue.run('key', async () => {
        started.push(index);
        return promise;
      }),
    );
    for (const [index, gate] of gates.entries()) {
      await settled();
      assert.deepEqual(started, [0, 1, 2].slice(0, index + 1));
      gate.resolve(`result ${index}`);
      assert.equal(await results[index], `result ${index}`);
    }
  });

  it('run though one before them failed, and only its caller hears of it', async () => {
    const queue = new KeyedQueue();
    const gate = deferred<never>();
    const failing = queue.run('key', async () => gate.promise);
    const after = queue.run('key', async () => 'done');
    gate.reject(new Error('lost'));
    await assert.rejects(failing, /^Error: lost$/);
    assert.equal(await after, 'done');
  });

  it('wait for all that came before, not only for the first', async () => {
    const queue = new KeyedQueue();
    const first = deferred<void>();
    const second = deferred<void>();
    const order: string[] = [];
    const one = queue.run('key', async () => first.promise);
    const two = queue.run('key', async () => second.promise.then(() => order.push('second')));
    first.resolve();
    await one;
    const three = queue.run('key', async () => order.push('third'));
    await settled();
    second.resolve();
    await Promise.all([two, three]);
    assert.deepEqual(order, ['second', 'third']);
  });

  it('do not wait for those of another', async () => {
    const queue = new KeyedQueue();
    const gate = deferred<void>();
    const waiting = queue.run('one', async () => gate.promise);
    assert.equal(await queue.run('other', async () => 'done'), 'done');
    gate.resolve();
    await waiting;
  });
});

describe('a deferred promise', () => {
  it('is settled from outside, once', async () => {
    const good = deferred<number>();
    good.resolve(1);
    good.reject(new Error('too late'));
    assert.equal(await good.promise, 1);
    const bad = deferred<number>();
    bad.reject(new Error('no'));
    await assert.rejects(bad.promise, /no/);
  });
});
