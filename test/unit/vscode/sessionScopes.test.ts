import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionOfScopes } from '../../../src/vscode/sessionScopes.ts';
import { connectionIn } from '../connectionFixture.ts';

const notes = connectionIn({ type: 'disconnected' }, { id: '1', name: 'My Notes', slug: 'notes' });
const other = connectionIn({ type: 'disconnected' }, { id: '2', name: 'notes', slug: 'notes-2' });
const urlOf = (slug: string) => `http://127.0.0.1:4100/${slug}/mcp`;

const cases: readonly (readonly [scopes: readonly string[], found: string | undefined])[] = [
  [['notes'], '1'],
  [['My Notes'], '1'],
  [['notes-2'], '2'],
  [['http://127.0.0.1:4100/notes-2/mcp'], '2'],
  [['notes', 'My Notes', 'http://127.0.0.1:4100/notes/mcp'], '1'],
  [['notes', 'notes-2'], undefined],
  [['http://127.0.0.1:4101/notes/mcp'], undefined],
  [['https://127.0.0.1:4100/notes/mcp'], undefined],
  [['repo'], undefined],
  [[], undefined],
];

for (const [scopes, found] of cases) {
  test(`an extension that asks for [${scopes.join(', ')}] means ${found ?? 'no connection'}`, () => {
    assert.equal(connectionOfScopes(scopes, [notes, other], urlOf)?.id, found);
  });
}

test('a name that two connections share by slug and by name means the one with the slug, which never changes', () => {
  assert.equal(connectionOfScopes(['notes'], [other, notes], urlOf)?.id, '1');
});
