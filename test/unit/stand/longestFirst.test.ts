import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestFirst } from '../../stand/longestFirst.ts';

test('tests are begun with the longest source, in whatever form they are bundled, and what has none comes last', async () => {
  const names = ['gone.test.mjs', 'stand/ruleNames.test.mjs', 'connections/connectionManager.test.mjs'];
  assert.deepEqual(await longestFirst('unit', names), names.toReversed());
  const inHost = ['settings.test.cjs', 'proxy.test.cjs'];
  assert.deepEqual(await longestFirst('host', inHost), inHost.toReversed());
});
