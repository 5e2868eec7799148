import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toolRows } from '../../../src/vscode/toolRows.ts';

const TOOLS = [
  { name: 'list_notes', title: 'List notes', description: 'Lists\nall notes of $(x) the person.' },
  { name: 'write_note' },
];

test('each tool is a row of its name, with what the server says of it as plain text', () => {
  assert.deepEqual(toolRows(TOOLS, undefined), [
    {
      name: 'list_notes',
      label: 'list_notes',
      description: 'List notes',
      detail: 'Lists all notes of $ (x) the person.',
      isTicked: false,
    },
    { name: 'write_note', label: 'write_note', description: '', detail: '', isTicked: false },
  ]);
});

test('P44 what was allowed before is ticked and says so', () => {
  const [list, write] = toolRows(TOOLS, ['write_note']);
  assert.equal(list?.isTicked, false);
  assert.equal(write?.isTicked, true);
  assert.equal(write.description, 'allowed before');
});

test('P43 all tools allowed before are all that there are now', () => {
  assert.ok(toolRows(TOOLS, '*').every(({ isTicked }) => isTicked));
});

test('P43 a tool that was allowed and that the server no longer lists stays, and says so', () => {
  const rows = toolRows(TOOLS, ['gone', 'write_note']);
  assert.deepEqual(
    rows.map(({ name, isTicked }) => [name, isTicked]),
    [
      ['list_notes', false],
      ['write_note', true],
      ['gone', true],
    ],
  );
  assert.equal(rows.at(-1)?.description, 'allowed before · not there now');
});

test('a tool that is listed twice is one row', () => {
  assert.equal(toolRows([...TOOLS, ...TOOLS], undefined).length, 2);
});
