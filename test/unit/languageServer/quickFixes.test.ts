import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CodeAction } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { connectionList, documentOf, statusWith } from './documents.ts';
import { findingsOf } from '../../../src/languageServer/findings.ts';
import { quickFixesOf, withEdit } from '../../../src/languageServer/quickFixes.ts';
import type { ClientId } from '../../../src/mcpConfig/configClient.ts';

const list = connectionList(statusWith());
const whole = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

function actionsOf(id: ClientId, text: string, only?: string[]): CodeAction[] {
  const document = documentOf(id, text);
  const context = { diagnostics: [], ...(only !== undefined && { only }) };
  const actions = quickFixesOf(document, findingsOf(document, list), { range: whole, context });
  return actions.map((action) => withEdit(action, (uri) => (uri === document.document.uri ? document : undefined)));
}

/** The text after the first action of that title. */
function after(id: ClientId, text: string, title: string): string {
  const actions = actionsOf(id, text);
  const action = actions.find((one) => one.title === title);
  assert.ok(action, `${title} is not among ${actions.map((one) => one.title).join(', ')}`);
  assert.equal(action.diagnostics?.length, 1);
  const [edits] = Object.values(action.edit?.changes ?? {});
  return TextDocument.applyEdits(TextDocument.create('file:///a', 'json', 1, text), edits ?? []);
}

describe('a quick fix', () => {
  for (const [title, client, text, action, expected] of [
    [
      'makes http https',
      'cursor',
      '{ "mcpServers": { "a": { "url": "HTTP://a.example/mcp" } } } // http://b',
      'Use https',
      '{ "mcpServers": { "a": { "url": "https://a.example/mcp" } } } // http://b',
    ],
    [
      'makes http https in TOML',
      'codex',
      "[mcp_servers.a]\nurl = 'http://a.example/mcp'\n",
      'Use https',
      "[mcp_servers.a]\nurl = 'https://a.example/mcp'\n",
    ],
    [
      'writes a key as it is meant',
      'windsurf',
      '{ "mcpServers": { "a": { "httpUrl": "https://a.example" } } }',
      'Change to “serverUrl”',
      '{ "mcpServers": { "a": { "serverUrl": "https://a.example" } } }',
    ],
    [
      'writes a bare key as it is meant',
      'codex',
      '[mcp_servers.a]\nurl = "https://a.example"\nheaders = { X = "1" }\n',
      'Change to “http_headers”',
      '[mcp_servers.a]\nurl = "https://a.example"\nhttp_headers = { X = "1" }\n',
    ],
    [
      'removes one of two',
      'cursor',
      '{\n  "mcpServers": {\n    "a": { "url": "https://a.example" },\n    // the same\n    "b": { "url": "https://a.example" }\n  }\n}\n',
      'Remove b',
      '{\n  "mcpServers": {\n    "a": { "url": "https://a.example" }\n    // the same\n  }\n}\n',
    ],
    [
      'removes one of two of a folder',
      'claude-code',
      '{"projects":{"/s":{"mcpServers":{"a":{"url":"https://a.example"},"b":{"url":"https://a.example"}}}},"mcpServers":{"b":{"url":"https://b.example"}}}',
      'Remove b',
      '{"projects":{"/s":{"mcpServers":{"a":{"url":"https://a.example"}}}},"mcpServers":{"b":{"url":"https://b.example"}}}',
    ],
    [
      'removes a comment with its line',
      'claude-code',
      '{\n  // mine\n  "mcpServers": {}\n}\n',
      'Remove the Comment',
      '{\n  "mcpServers": {}\n}\n',
    ],
    ['removes a comma', 'gemini', '{\n  "mcpServers": { },\n}\n', 'Remove the Comma', '{\n  "mcpServers": { }\n}\n'],
  ] as const) {
    test(title, () => assert.equal(after(client, text, action), expected));
  }

  const tokens =
    '{ "mcpServers": { "a": { "url": "https://mcp.sentry.dev/mcp", "headers": { "Authorization": "Bearer abcdef0123456789" } } } }';

  test('has the extension move a token, and lead a server through the gateway', () => {
    const reference = { uri: 'file:///home/me/cursor', client: 'cursor', name: 'a' };
    assert.deepEqual(
      actionsOf('cursor', tokens).map(({ command }) => [command?.command, command?.arguments]),
      [
        ['scopekeeper.moveTokenToKeychain', [reference]],
        ['scopekeeper.useThroughGateway', [reference]],
      ],
    );
  });

  test('names the folder that a server of Claude Code is for', () => {
    const text = '{"projects":{"/s":{"mcpServers":{"a":{"url":"https://mcp.sentry.dev/mcp"}}}}}';
    assert.deepEqual(actionsOf('claude-code', text)[0]?.command?.arguments, [
      { uri: 'file:///home/me/claude-code', client: 'claude-code', name: 'a', folder: '/s' },
    ]);
  });

  test('is not given when something else is asked for', () => {
    assert.deepEqual(actionsOf('cursor', tokens, ['source.organizeImports']), []);
    assert.equal(actionsOf('cursor', tokens, ['quickfix']).length, 2);
    assert.equal(actionsOf('cursor', tokens, ['']).length, 2);
  });

  test('does nothing to a text that has changed since', () => {
    const text = '{"mcpServers":{"a":{"url":"https://a.example"},"b":{"url":"https://a.example"}}}';
    const document = documentOf('cursor', text);
    const [action] = quickFixesOf(document, findingsOf(document, list), { range: whole, context: { diagnostics: [] } });
    assert.ok(action);
    const changed = { ...document, document: TextDocument.create(document.document.uri, 'jsonc', 2, text) };
    assert.equal(withEdit(action, () => changed).edit, undefined);
    assert.equal(withEdit(action, () => undefined).edit, undefined);
    assert.equal(withEdit({ title: 'x', data: { uri: 1 } }, () => document).edit, undefined);
  });
});
