import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatResult, runBench } from '../../bench/runBench.ts';

/** On a machine that does other things too, with so few calls, a ratio is only roughly what it is. */
const ROUGHLY = 4;

it('the bench measures the gateway beside a bare pass-through, and shows it', { timeout: 60_000 }, async () => {
  const result = await runBench({ blocks: 10, rounds: 3, bytes: 0, hasMcpRemote: false, isHosted: false });
  const { bare, connections, rows } = result;
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['direct', 'bare', 'bare again', 'gateway', 'gateway, tools chosen'],
  );
  for (const { latency, name, throughput } of rows) {
    assert.ok(latency.p50Ms > 0 && latency.p99Ms >= latency.p50Ms, name);
    assert.ok(latency.p50Ms < bare.latency.p50Ms * ROUGHLY, `${name}: ${latency.p50Ms} and ${bare.latency.p50Ms} ms`);
    assert.ok(throughput.perSecond > 0, name);
  }
  // Two clients with up to 17 calls under way at once.
  assert.ok(connections <= 34, `${connections} connections`);
  assert.match(formatResult(result), /\| gateway +\|(?: +[\d.]+ +\|){4}/);
});
