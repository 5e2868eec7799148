import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import type { Range } from 'vscode-languageserver/node';
import { Editor } from './editor.ts';
import { statusWith } from '../../unit/languageServer/documents.ts';

const CURSOR = 'file:///home/me/site/.cursor/mcp.json';
const TOKEN = 'sk-live-1234567890abcdef';
const TEXT = `{
  "mcpServers": {
    "sentry": { "url": "https://mcp.sentry.dev/mcp", "headers": { "Authorization": "Bearer ${TOKEN}" } },
    "a": { "url": "https://a.example/mcp" },
    "b": { "url": "https://a.example/mcp" },
    ""
  }
}
`;

function wholeLine(line: number): Range {
  return { start: { line, character: 0 }, end: { line, character: 200 } };
}

describe('the language server, asked by an editor', () => {
  test('mends, explains, completes and links', async () => {
    const editor = await Editor.start();
    await editor.tell([statusWith({ name: 'Notes', gatewayUrl: 'http://127.0.0.1:41999/notes/mcp' })]);
    await editor.open(CURSOR, TEXT, 'jsonc');
    const diagnostics = await editor.diagnostics(CURSOR);
    assert.deepEqual(
      diagnostics.map(({ code, range }) => [code, range.start.line]),
      [
        ['token-in-file', 2],
        ['same-server-twice', 4],
        ['not-routed', 2],
      ],
    );

    const titles = async (number: number) =>
      (await editor.actions(CURSOR, wholeLine(number))).map(({ title }) => title);
    assert.deepEqual(await titles(2), ['Move the Token to the Keychain…', 'Use through Scopekeeper']);
    assert.deepEqual(await titles(3), []);
    assert.deepEqual(await titles(4), ['Remove b']);

    const hover = await editor.hover(CURSOR, { line: 2, character: 7 });
    assert.match(JSON.stringify(hover), /Notes.*org.*read/);
    const items = await editor.completions(CURSOR, { line: 5, character: 5 });
    assert.deepEqual(
      items.map(({ label }) => label),
      ['Notes'],
    );
    assert.deepEqual(
      (await editor.links(CURSOR)).map(({ target }) => target),
      ['https://mcp.sentry.dev/mcp', 'https://a.example/mcp', 'https://a.example/mcp'],
    );
    // The token is in the document, and in nothing that comes back.
    for (const answer of [
      diagnostics,
      hover,
      items,
      await editor.lenses(CURSOR),
      await editor.actions(CURSOR, wholeLine(2)),
    ]) {
      assert.ok(!JSON.stringify(answer).includes(TOKEN));
    }
    assert.equal(await editor.stop(), 0);
    assert.equal(editor.stderr, '');
  });

  test('works out an edit that takes a while once it is chosen', async () => {
    const editor = await Editor.start();
    const text = TEXT.replace(',\n    ""', '');
    await editor.open(CURSOR, text, 'jsonc');
    await editor.diagnostics(CURSOR);
    const [action] = await editor.actions(CURSOR, { start: { line: 4, character: 5 }, end: { line: 4, character: 5 } });
    assert.ok(action);
    assert.equal(action.edit, undefined);
    const { edit } = await editor.resolve(action);
    assert.equal(edit?.changes?.[CURSOR]?.length, 1);
    assert.equal(await editor.stop(), 0);
  });

  test('speaks the language of the editor', async () => {
    const messages = v.parse(
      v.record(v.string(), v.string()),
      JSON.parse(readFileSync('l10n/bundle.l10n.de.json', 'utf8')),
    );
    const editor = await Editor.start({
      language: 'de',
      messages,
      environment: { platform: 'linux', home: '/home/me' },
    });
    await editor.open(CURSOR, '{ "mcpServers": { "a": { "url": "https://a.example" } } }');
    const [lens] = await editor.lenses(CURSOR);
    assert.equal(lens?.command?.title, messages['Connect']);
    assert.notEqual(lens?.command?.title, 'Connect');
    assert.equal(await editor.stop(), 0);
  });

  test('goes on after a message that is not as agreed', async () => {
    const editor = await Editor.start();
    await editor.open(CURSOR, TEXT, 'jsonc');
    await editor.tellAnything({ connections: [{ id: 1 }] });
    await editor.tellAnything(undefined);
    assert.equal((await editor.diagnostics(CURSOR)).length, 2);
    await editor.tell([statusWith()]);
    await editor.until(() => editor.lensRefreshes === 1);
    assert.equal(await editor.stop(), 0);
  });

  test('does not start without what it needs to know', async () => {
    // @ts-expect-error: what the type forbids is sent on purpose, since another program's message knows no types.
    await assert.rejects(Editor.start({ language: 'en' }));
  });
});
