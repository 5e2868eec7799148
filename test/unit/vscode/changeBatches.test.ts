import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ConnectionChange } from '../../../src/connections/connectionService.ts';
import { Emitter } from '../../../src/connections/emitter.ts';
import { type ChangeBatch, ChangeBatches } from '../../../src/vscode/changeBatches.ts';
import { Ticker } from '../../../src/vscode/ticker.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { connectionIn } from '../connectionFixture.ts';

function fail(error: unknown): never {
  throw error;
}

it('tells changes that come at once as one, and what became of each connection in the end', () => {
  const clock = new ManualClock();
  const changes = new Emitter<ConnectionChange>(fail);
  const ticker = new Ticker(clock);
  const batches = new ChangeBatches({ onDidChangeConnection: (listener) => changes.listen(listener) }, ticker, fail);
  const told: ChangeBatch[] = [];
  batches.onDidChange((batch) => void told.push(batch));
  const tell = (type: ConnectionChange['type'], id: string): void =>
    changes.fire({ type, connection: connectionIn({ type: 'disconnected' }, { id }) });

  for (let index = 0; index < 1000; index += 1) tell('added', `c${index}`);
  tell('changed', 'c1');
  tell('removed', 'c2');
  assert.equal(told.length, 0);
  clock.advance(20);
  assert.equal(told.length, 1);
  assert.deepEqual([told[0]?.size, told[0]?.get('c1'), told[0]?.get('c2')], [1000, 'added', 'removed']);

  tell('changed', 'c1');
  clock.advance(20);
  assert.deepEqual(told[1], new Map([['c1', 'changed']]));
  tell('removed', 'c1');
  tell('added', 'c1');
  batches.dispose();
  clock.advance(60_000);
  assert.equal(told.length, 2);
});
