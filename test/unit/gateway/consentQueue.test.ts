import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { ConsentQueue } from '../../../src/gateway/authorization/consentQueue.ts';
import type { ConsentAnswer, ConsentRequest } from '../../../src/gateway/ports.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const request = (clientName: string): ConsentRequest => ({ clientName, redirectUri: 'http://127.0.0.1/' });
const here = new AbortController().signal;

describe('the queue of questions', () => {
  it('P44 asks nothing for one that left before its turn', async () => {
    const asked: string[] = [];
    const first = deferred<ConsentAnswer>();
    const queue = new ConsentQueue(async ({ clientName }) => {
      asked.push(clientName);
      return clientName === 'first' ? first.promise : { type: 'denied' };
    }, new ManualClock());
    const leaving = new AbortController();
    const outcomes = [
      queue.ask('a', request('first'), here),
      queue.ask('b', request('left'), leaving.signal),
      queue.ask('c', request('last'), here),
    ];
    leaving.abort();
    first.resolve({ type: 'denied' });
    assert.deepEqual(await Promise.all(outcomes), [{ type: 'denied' }, { type: 'gone' }, { type: 'denied' }]);
    assert.deepEqual(asked, ['first', 'last']);
  });

  it('P44 goes on after a question that was taken back, although the editor never answers it', async () => {
    const leaving = new AbortController();
    const shown = deferred<void>();
    const queue = new ConsentQueue(async ({ clientName }) => {
      if (clientName !== 'first') return { type: 'denied' };
      shown.resolve();
      return new Promise(() => undefined);
    }, new ManualClock());
    const first = queue.ask('a', request('first'), leaving.signal);
    const next = queue.ask('b', request('next'), here);
    await shown.promise;
    leaving.abort();
    assert.deepEqual(await first, { type: 'gone' });
    assert.deepEqual(await next, { type: 'denied' });
  });

  it('P44 gives a client its place back after each question', async () => {
    const queue = new ConsentQueue(async () => {
      throw new Error('the editor failed');
    }, new ManualClock());
    for (let round = 1; round <= 5; round += 1) await assert.rejects(queue.ask('a', request('one'), here));
    const answering = new ConsentQueue(async () => ({ type: 'denied' }), new ManualClock());
    for (let round = 1; round <= 5; round += 1) {
      const both = [answering.ask('a', request('one'), here), answering.ask('a', request('two'), here)];
      const third = answering.ask('a', request('three'), here);
      assert.deepEqual(await third, { type: 'busy' });
      assert.deepEqual(await Promise.all(both), [{ type: 'denied' }, { type: 'denied' }]);
    }
  });
});
