import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Editor } from './editor.ts';
import { statusWith } from '../../unit/languageServer/documents.ts';

const MINE = 'file:///home/me/.cursor/mcp.json';
const TWO = `{
  "mcpServers": {
    "sentry": { "url": "https://mcp.sentry.dev/mcp" },
    "local": { "command": "node" },
    "plain": { "url": "http://mcp.example.com/mcp" }
  }
}`;

test('the bundle is under 400 KB', () => {
  assert.ok(statSync('out/test/languageServer.cjs').size < 400_000);
});

describe('the language server', () => {
  test('shows how the remote servers of a file are connected, and what can be done', async () => {
    const editor = await Editor.start();
    await editor.open(MINE, TWO);
    const titles = async () =>
      (await editor.lenses(MINE)).map(({ range, command }) => [range.start.line, command?.title]);
    assert.deepEqual(await titles(), [
      [2, 'Connect'],
      [4, 'Connect'],
    ]);
    await editor.tell([statusWith()]);
    await editor.until(() => editor.lensRefreshes === 1);
    assert.deepEqual(await titles(), [
      [2, '● connected · expires in 42 min · 2 scopes'],
      [2, 'Use through Scopekeeper'],
      [4, 'Connect'],
    ]);
    assert.equal(await editor.stop(), 0);
    assert.equal(editor.stderr, '');
  });

  test('warns of what is written in a file, as it is now, and no more once it is closed', async () => {
    const editor = await Editor.start();
    await editor.open(MINE, TWO);
    const [warning, ...others] = await editor.diagnostics(MINE);
    assert.deepEqual(others, []);
    assert.deepEqual(warning?.range, { start: { line: 4, character: 23 }, end: { line: 4, character: 30 } });
    assert.equal(warning?.code, 'plain-http');
    assert.equal(warning?.source, 'Scopekeeper');
    const colon = { start: { line: 4, character: 27 }, end: { line: 4, character: 27 } };
    await editor.change(MINE, { range: colon, text: 's' });
    assert.deepEqual(await editor.diagnostics(MINE), []);
    await editor.change(MINE, { text: TWO });
    assert.equal((await editor.diagnostics(MINE)).length, 1);
    await editor.close(MINE);
    assert.deepEqual(await editor.nextDiagnostics(MINE), []);
    assert.equal(await editor.stop(), 0);
  });

  test('leaves other files alone', async () => {
    const editor = await Editor.start();
    const other = 'file:///home/me/site/package.json';
    await editor.open(other, TWO);
    await editor.open(MINE, TWO);
    await editor.diagnostics(MINE);
    assert.deepEqual(await editor.lenses(other), []);
    assert.equal(editor.lastDiagnostics(other), undefined);
    assert.equal(await editor.stop(), 0);
  });
});
