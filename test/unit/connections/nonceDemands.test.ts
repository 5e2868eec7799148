import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NonceDemands } from '../../../src/connections/nonceDemands.ts';
import { DpopNonces } from '../../../src/oauth/dpop.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const SERVER = 'https://mcp.example/mcp';

function start() {
  const clock = new ManualClock();
  const nonces = new DpopNonces();
  const demands = new NonceDemands({ nonces, clock });
  const answer = (id: string, attempt?: number): string =>
    demands.answer(id, SERVER, { attempt, dpopNonce: 'n-1' }).type;
  const answers = (id: string, count: number): Set<string> => new Set(Array.from({ length: count }, () => answer(id)));
  return { clock, nonces, demands, answer, answers };
}

describe('P25 another nonce that is demanded', () => {
  it('is taken, and the request is sent again', () => {
    const { nonces, answer } = start();
    assert.equal(answer('a', 0), 'retry');
    assert.equal(nonces.for(SERVER), 'n-1');
  });

  it('is none when the server gives none', () => {
    const { demands, nonces } = start();
    assert.deepEqual(demands.answer('a', SERVER, { attempt: 0, dpopNonce: undefined }), { type: 'stop' });
    assert.equal(nonces.for(SERVER), undefined);
  });

  it('is taken eight times for one request', () => {
    const { answer } = start();
    assert.deepEqual([answer('a', 7), answer('a', 8), answer('a', 7)], ['retry', 'stop', 'retry']);
  });

  it('is taken twenty times a minute for requests that are not counted, of each connection', () => {
    const { answer, answers, clock, demands } = start();
    assert.deepEqual(answers('a', 20), new Set(['retry']));
    assert.equal(answer('a'), 'stop');
    assert.equal(answer('b'), 'retry');
    clock.jump(59_999);
    assert.equal(answer('a'), 'stop');
    clock.jump(1);
    assert.deepEqual(answers('a', 20), new Set(['retry']));
    assert.equal(answer('a'), 'stop');
    demands.forget('a');
    assert.equal(answer('a'), 'retry');
  });
});
