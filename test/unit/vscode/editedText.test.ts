import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editedText } from '../../../src/vscode/configActions/editedText.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';

describe('what is said of a file that was edited', () => {
  for (const [saved, words] of [
    ['saved', undefined],
    ['left', 'The file is not saved yet, since it had other changes.'],
    ['failed', 'The file could not be saved: save it yourself.'],
  ] as const) {
    test(saved, () => {
      const edited = {
        name: 'it',
        client: clientOf('cursor'),
        shown: '~/mcp.json',
        token: 'none',
        isVersioned: false,
      } as const;
      const text = editedText({ ...edited, saved });
      assert.ok(text.startsWith('it goes through Scopekeeper now in ~/mcp.json.'));
      assert.equal(/ The file .*?\./.exec(text)?.[0].trim(), words);
    });
  }
});
