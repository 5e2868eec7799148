import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionCommands, commandOf } from '../../../src/vscode/errorActions.ts';
import { connectionIn } from '../connectionFixture.ts';

test('a page may run the commands that help, and none that opens what it likes', () => {
  const connection = connectionIn({ type: 'disconnected' });
  for (const action of ['try_again', 'fix_scopes', 'open_proxy_settings', 'reload_window', 'show_log'] as const) {
    assert.ok(actionCommands.includes(commandOf(action, connection)?.command ?? ''), action);
  }
  assert.equal(commandOf('open_file', connection), undefined);
  assert.ok(!actionCommands.includes('vscode.open'));
});
