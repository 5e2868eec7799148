import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CompletionItem } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { connectionList, documentOf, statusWith } from './documents.ts';
import { completionPlace } from '../../../src/languageServer/completionPlace.ts';
import { completionsAt } from '../../../src/languageServer/completion.ts';
import type { ClientId } from '../../../src/mcpConfig/configClient.ts';

const list = connectionList(
  statusWith(),
  statusWith({
    id: 'c2',
    name: 'My "$notes"',
    gatewayUrl: 'http://127.0.0.1:41999/notes/mcp',
    health: 'off',
    text: 'signed out',
  }),
);

/** The items at `|`, and what each makes of the text. */
function completions(id: ClientId, marked: string): { item: CompletionItem; after: string }[] {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const document = documentOf(id, text);
  const place = completionPlace(document, offset);
  const items = place === undefined ? [] : completionsAt(document, list, place, true);
  return items.map((item) => {
    const { textEdit } = item;
    assert.ok(textEdit && 'range' in textEdit);
    // Editors leave out what is not like what is there, quotes and brackets included.
    const typed = text.slice(document.document.offsetAt(textEdit.range.start), offset);
    assert.ok(
      (item.filterText ?? '').startsWith(/^["[]/.exec(typed)?.[0] ?? ''),
      `${item.filterText} does not begin like ${typed}`,
    );
    return { item, after: TextDocument.applyEdits(document.document, [textEdit]) };
  });
}

function labels(id: ClientId, marked: string): string[] {
  return completions(id, marked).map(({ item }) => item.label);
}

/** The text once an item is chosen; snippets are left as they are. */
function chosen(id: ClientId, marked: string, label: string): string {
  const found = completions(id, marked).find(({ item }) => item.label === label);
  assert.ok(found, `${label} is not among ${labels(id, marked).join(', ')}`);
  return found.after;
}

const GATEWAY = 'http://127.0.0.1:41999/sentry/mcp';

describe('completion', () => {
  for (const [title, client, marked, label, expected] of [
    [
      'a known server',
      'cursor',
      '{"mcpServers":{|}}',
      'Sentry',
      `{"mcpServers":{"Sentry": {\n  "url": "${GATEWAY}"\n\\}}}`,
    ],
    [
      'a known server, in quotes',
      'cursor',
      '{\n\t"mcpServers": {\n\t\t"|"\n\t}\n}',
      'Sentry',
      `{\n\t"mcpServers": {\n\t\t"Sentry": {\n\t"url": "${GATEWAY}"\n\\}\n\t}\n}`,
    ],
    [
      'a known server before another',
      'gemini',
      '{\n  "mcpServers": {\n    "se|"\n    "b": { "httpUrl": "https://b.example" }\n  }\n}',
      'Sentry',
      `{\n  "mcpServers": {\n    "Sentry": {\n  "httpUrl": "${GATEWAY}"\n\\},\n    "b": { "httpUrl": "https://b.example" }\n  }\n}`,
    ],
    ['the name of a known server', 'cursor', '{"mcpServers":{"|":{}}}', 'Sentry', '{"mcpServers":{"Sentry":{}}}'],
    [
      'a known server, by the bridge',
      'claude-desktop',
      '{"mcpServers":{"a":|}}',
      'Sentry',
      `{"mcpServers":{"a":{\n  "command": "npx",\n  "args": [\n    "-y",\n    "mcp-remote",\n    "${GATEWAY}"\n  ]\n\\}}}`,
    ],
    [
      'a name that JSON and snippets write in their way',
      'cursor',
      '{"mcpServers":{"|":{}}}',
      'My "$notes"',
      '{"mcpServers":{"My \\\\"\\$notes\\\\"":{}}}',
    ],
    [
      'the URL of a known server',
      'windsurf',
      '{"mcpServers":{"a":{"serverUrl":"|"}}}',
      'Sentry',
      `{"mcpServers":{"a":{"serverUrl":"${GATEWAY}"}}}`,
    ],
    [
      'the URL of a known server, without quotes',
      'cursor',
      '{"mcpServers":{"a":{"url": |}}}',
      'Sentry',
      `{"mcpServers":{"a":{"url": "${GATEWAY}"}}}`,
    ],
    ['a key', 'cursor', '{"mcpServers":{"a":{|}}}', 'headers', '{"mcpServers":{"a":{"headers": {$1}}}}'],
    ['a key, in quotes', 'claude-code', '{"mcpServers":{"a":{"|"}}}', 'url', '{"mcpServers":{"a":{"url": "$1"}}}'],
    [
      'a key that has a value',
      'claude-code',
      '{"mcpServers":{"a":{"u|":"x"}}}',
      'url',
      '{"mcpServers":{"a":{"url":"x"}}}',
    ],
    [
      'a key before another',
      'claude-code',
      '{"mcpServers":{"a":{"|" "url":"x"}}}',
      'timeout',
      '{"mcpServers":{"a":{"timeout": $1, "url":"x"}}}',
    ],
    [
      'a key of oauth',
      'claude-code',
      '{"mcpServers":{"a":{"oauth":{"|"}}}}',
      'callbackPort',
      '{"mcpServers":{"a":{"oauth":{"callbackPort": $1}}}}',
    ],
    [
      'a key of oauth of VS Code',
      'vscode',
      '{"servers":{"a":{"oauth":{"|"}}}}',
      'clientId',
      '{"servers":{"a":{"oauth":{"clientId": "$1"}}}}',
    ],
    [
      'a header that names an input',
      'vscode',
      '{"servers":{"a":{"headers":{"|"}}}}',
      'Authorization',
      '{"servers":{"a":{"headers":{"Authorization": "Bearer \\${input:token\\}"}}}}',
    ],
    [
      'a header that names a variable',
      'windsurf',
      '{"mcpServers":{"a":{"headers":{|}}}}',
      'Authorization',
      '{"mcpServers":{"a":{"headers":{"Authorization": "Bearer \\${env:TOKEN\\}"}}}}',
    ],
    ['a type', 'claude-code', '{"mcpServers":{"a":{"type":"|"}}}', 'http', '{"mcpServers":{"a":{"type":"http"}}}'],
    [
      'a truth',
      'zed',
      '{"context_servers":{"a":{"enabled":|}}}',
      'false',
      '{"context_servers":{"a":{"enabled":false}}}',
    ],
    [
      'a server of a folder',
      'claude-code',
      '{"projects":{"/s":{"mcpServers":{"|"}}}}',
      'Sentry',
      `{"projects":{"/s":{"mcpServers":{"Sentry": {\n  "type": "http",\n  "url": "${GATEWAY}"\n\\}}}}}`,
    ],
    ['a table', 'codex', 'model = "x"\n[|]\n', 'Sentry', `model = "x"\n[mcp_servers.Sentry]\nurl = "${GATEWAY}"\n`],
    [
      'a key of a table',
      'codex',
      '[mcp_servers.a]\nbea|\n',
      'bearer_token_env_var',
      '[mcp_servers.a]\nbearer_token_env_var = "$1"\n',
    ],
    [
      'a key of a table below',
      'codex',
      '[mcp_servers.a.oauth]\n|\n',
      'client_id',
      '[mcp_servers.a.oauth]\nclient_id = "$1"\n',
    ],
    ['a URL in a table', 'codex', '[mcp_servers.a]\nurl = "|"\n', 'Sentry', `[mcp_servers.a]\nurl = "${GATEWAY}"\n`],
  ] as const) {
    test(`${client}: ${title}`, () => assert.equal(chosen(client, marked, label), expected));
  }

  test('does not offer what is there, nor what the editor offers itself', () => {
    assert.deepEqual(labels('cursor', '{"mcpServers":{"Sentry":{},"|"}}'), ['My "$notes"']);
    assert.ok(!labels('cursor', '{"mcpServers":{"a":{"url":"x",|}}}').includes('url'));
    assert.ok(!labels('codex', '[mcp_servers.a]\nurl = "x"\n|\n').includes('url'));
    assert.deepEqual(labels('vscode', '{"servers":{"a":{"|"}}}'), []);
  });

  for (const [client, marked] of [
    ['cursor', '|'],
    ['cursor', '{|}'],
    ['cursor', '{"mcpServers":{"a":{"env":{"|"}}}}'],
    ['cursor', '{"mcpServers":{"a":{"args":["|"]}}}'],
    ['cursor', '{"mcpServers":{"a":{"command":"|"}}}'],
    ['zed', '{"context_servers":{"a":{"headers":{"|"}}}}'],
    ['codex', 'model = "|"'],
    ['codex', '[other]\n|'],
  ] as const) {
    test(`${client}: nothing is known of ${marked}`, () => assert.deepEqual(labels(client, marked), []));
  }

  test('tells of a known server how it is connected, and which it is', () => {
    const [first] = completions('cursor', '{"mcpServers":{|}}');
    assert.equal(first?.item.detail, '● connected · expires in 42 min · 2 scopes');
    assert.equal(first.item.documentation, 'Through Scopekeeper, to https://mcp.sentry.dev/mcp');
  });

  test('is asked for anywhere in a broken file', () => {
    const text = '{"mcpServers":{"a":{"url":"x","headers":{"A":';
    for (let at = 0; at <= text.length; at += 1) {
      completions('cursor', `${text.slice(0, at)}|${text.slice(at)}`);
      completions('cursor', `${text.slice(0, at)}|`);
    }
  });
});
