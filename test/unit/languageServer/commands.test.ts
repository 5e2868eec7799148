import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandIds as own } from '../../../src/languageServer/commands.ts';
import { commandIds } from '../../../src/vscode/ids.ts';

test('the extension has each command that lenses and quick fixes run', () => {
  const known = new Set<string>(Object.values(commandIds));
  assert.deepEqual(
    Object.values(own).filter((command) => !known.has(command)),
    [],
  );
});
