import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionList, documentOf, statusWith } from './documents.ts';
import { diagnosticsOf } from '../../../src/languageServer/diagnostics.ts';
import { findingsOf } from '../../../src/languageServer/findings.ts';
import type { ClientId } from '../../../src/mcpConfig/configClient.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';
import { fileShapes } from '../mcpConfig/fileShapes.ts';

const TOKEN = 'sk-live-1234567890abcdef';
const list = connectionList(statusWith());

/** What is found, as its code and the text that it is about. */
function found(id: ClientId, text: string, languageId?: string): [string, string][] {
  const document = documentOf(id, text, languageId);
  const diagnostics = diagnosticsOf(document, findingsOf(document, list));
  return diagnostics.map(({ code, range, message }) => {
    assert.doesNotMatch(JSON.stringify(message), new RegExp(TOKEN));
    return [String(code), document.document.getText(range)];
  });
}

/** A file of the client with these entries, each on a line. */
function fileOf(id: ClientId, ...entries: readonly string[]): string {
  const { serversKey } = clientOf(id);
  return `{\n"${serversKey}": {\n${entries.map((entry, index) => `"s${index}": ${entry}`).join(',\n')}\n}\n}`;
}

const cases: readonly (readonly [
  title: string,
  client: ClientId,
  entry: string,
  ...found: (readonly [string, string])[],
])[] = [
  [
    'a token in a header',
    'cursor',
    `{ "url": "https://a.example", "headers": { "Authorization": "Bearer ${TOKEN}" } }`,
    ['token-in-file', TOKEN],
  ],
  [
    'an API key in another header',
    'vscode',
    `{ "url": "https://a.example", "headers": { "X-Api-Key": "${TOKEN}" } }`,
    ['token-in-file', TOKEN],
  ],
  [
    'an input in place of a token',
    'vscode',
    '{ "url": "https://a.example", "headers": { "Authorization": "Bearer ${input:token}" } }',
  ],
  [
    'a variable in place of a token',
    'claude-code',
    '{ "type": "http", "url": "https://a.example", "headers": { "Authorization": "Bearer ${TOKEN}" } }',
  ],
  [
    'a variable of Windsurf',
    'windsurf',
    '{ "serverUrl": "https://a.example", "headers": { "Authorization": "Bearer ${env:TOKEN}" } }',
  ],
  [
    'a token behind the bridge',
    'claude-desktop',
    `{ "command": "npx", "args": ["-y", "mcp-remote", "https://a.example", "--header", "Authorization:Bearer ${TOKEN}"] }`,
    ['token-in-file', TOKEN],
  ],
  ['a token in the URL', 'cursor', `{ "url": "https://a.example/mcp?api_key=${TOKEN}" }`, ['token-in-url', TOKEN]],
  ['a password in the URL', 'cursor', `{ "url": "https://me:${TOKEN}@a.example/mcp" }`, ['token-in-url', TOKEN]],
  ['plain http', 'gemini', '{ "httpUrl": "http://a.example/mcp" }', ['plain-http', 'http://']],
  ['plain http to a machine nearby', 'zed', '{ "url": "http://192.168.1.5:8080/mcp" }', ['plain-http', 'http://']],
  ['plain http to this machine', 'zed', '{ "url": "http://127.0.0.1:8080/mcp" }'],
  ['plain http to this machine by its name', 'zed', '{ "url": "http://localhost/mcp" }'],
  [
    'plain http behind the bridge',
    'claude-desktop',
    '{ "command": "npx", "args": ["mcp-remote", "http://a.example/mcp"] }',
    ['plain-http', 'http://'],
  ],
  ['no URL', 'cursor', '{ "url": "a.example/mcp" }', ['no-url', '"a.example/mcp"']],
  ['a URL that the client makes', 'claude-code', '{ "url": "${BASE}/mcp" }'],
  [
    'what another client calls the URL',
    'cursor',
    '{ "serverUrl": "https://a.example" }',
    ['unknown-key', '"serverUrl"'],
  ],
  [
    'a slip of the pen',
    'claude-code',
    '{ "type": "http", "url": "https://a.example", "haeders": {} }',
    ['unknown-key', '"haeders"'],
  ],
  [
    'a key that nobody knows',
    'claude-code',
    '{ "type": "http", "url": "https://a.example", "colour": "red" }',
    ['unknown-key', '"colour"'],
  ],
  ['a key that the editor itself tells of', 'vscode', '{ "url": "https://a.example", "colour": "red" }'],
  ['a key that the documentation may not have', 'claude-desktop', '{ "command": "a", "colour": "red" }'],
  ['a note', 'cursor', '{ "url": "https://a.example", "//": "mine", "_comment": "too" }'],
  [
    'an unknown key below oauth',
    'gemini',
    '{ "httpUrl": "https://a.example", "oauth": { "clientID": "x" } }',
    ['unknown-key', '"clientID"'],
  ],
  [
    'a text for a number',
    'claude-code',
    '{ "url": "https://a.example", "oauth": { "callbackPort": "8080" } }',
    ['wrong-type', '"8080"'],
  ],
  [
    'a list for a text',
    'claude-code',
    '{ "url": "https://a.example", "oauth": { "scopes": ["a"] } }',
    ['wrong-type', '["a"]'],
  ],
  [
    'a text for a list',
    'cursor',
    '{ "url": "https://a.example", "auth": { "CLIENT_ID": "x", "scopes": "a b" } }',
    ['wrong-type', '"a b"'],
  ],
  ['a number for a header', 'zed', '{ "url": "https://a.example", "headers": { "X-Team": 4 } }', ['wrong-type', '4']],
  [
    'headers as a list',
    'zed',
    '{ "url": "https://a.example", "headers": ["X-Team: 4"] }',
    ['wrong-type', '["X-Team: 4"]'],
  ],
  ['a number among arguments', 'cursor', '{ "command": "a", "args": ["--port", 80] }', ['wrong-type', '80']],
  ['a number for a variable, which VS Code takes', 'vscode', '{ "command": "a", "env": { "PORT": 80, "X": null } }'],
  [
    'a type that there is not',
    'claude-code',
    '{ "type": "htpp", "url": "https://a.example" }',
    ['unknown-value', '"htpp"'],
  ],
  [
    'a server with a connection',
    'cursor',
    '{ "url": "https://mcp.sentry.dev/mcp" }',
    ['not-routed', '"https://mcp.sentry.dev/mcp"'],
  ],
  [
    'a server with a connection, written in another way',
    'cursor',
    '{ "url": "HTTPS://MCP.sentry.dev:443/mcp#x" }',
    ['not-routed', '"HTTPS://MCP.sentry.dev:443/mcp#x"'],
  ],
  ['a server through the gateway', 'cursor', '{ "url": "http://127.0.0.1:41999/sentry/mcp" }'],
  ['an empty entry', 'cursor', '{}'],
  ['no entry', 'cursor', 'null'],
  ['a text for an entry', 'cursor', '"https://a.example"'],
];

describe('what is found in an entry', () => {
  for (const [title, client, entry, ...expected] of cases) {
    test(`${client}: ${title}`, () => assert.deepEqual(found(client, fileOf(client, entry)), expected));
  }

  test('Codex: a token, a key of others, a wrong type and an unknown key of an inline table', () => {
    const text = `[mcp_servers.a]
url = "https://a.example"
http_headers = { Authorization = "Bearer ${TOKEN}", X = 1 }
oauth = { clientId = "x" }
bearer_token_env_var = "${TOKEN}"
startup_timeout_sec = "10"
httpHeaders = {}

[mcp_servers.a.env]
A = 1
`;
    assert.deepEqual(found('codex', text), [
      ['token-in-file', TOKEN],
      ['token-in-file', TOKEN],
      ['wrong-type', '1'],
      ['unknown-key', 'clientId'],
      ['wrong-type', '"10"'],
      ['unknown-key', 'httpHeaders'],
      ['wrong-type', '1'],
    ]);
  });
});

describe('the same server twice', () => {
  const url = '"url": "https://a.example/mcp"';
  for (const [title, entries, names] of [
    ['under two names', [`{ ${url} }`, `{ ${url} }`], ['"s1"']],
    ['three times', [`{ ${url} }`, `{ ${url} }`, `{ ${url}, "timeout": 1 }`], ['"s1"', '"s2"']],
    ['in two spellings', [`{ ${url} }`, '{ "url": "https://A.example:443/mcp" }'], ['"s1"']],
    [
      'with headers of their own',
      [`{ ${url}, "headers": { "X-Team": "a" } }`, `{ ${url}, "headers": { "X-Team": "b" } }`],
      [],
    ],
    [
      'with the same headers',
      [`{ ${url}, "headers": { "X-Team": "a" } }`, `{ ${url}, "headers": { "X-Team": "a" } }`],
      ['"s1"'],
    ],
    ['with one that is off', [`{ ${url}, "disabled": true }`, `{ ${url} }`], []],
    [
      'directly and by the bridge',
      [`{ ${url} }`, '{ "command": "npx", "args": ["mcp-remote", "https://a.example/mcp"] }'],
      [],
    ],
  ] as const) {
    test(title, () => {
      const twice = found('windsurf', fileOf('windsurf', ...entries)).filter(([code]) => code === 'same-server-twice');
      assert.deepEqual(
        twice.map(([, name]) => name),
        names,
      );
    });
  }

  test('once through the gateway', () => {
    const text = fileOf(
      'cursor',
      '{ "url": "http://127.0.0.1:41999/sentry/mcp" }',
      '{ "url": "https://mcp.sentry.dev/mcp" }',
    );
    assert.deepEqual(
      found('cursor', text).map(([code]) => code),
      ['same-server-twice', 'not-routed'],
    );
  });

  test('for all folders and for one is no repetition', () => {
    const entry = '"mcpServers": { "a": { "type": "http", "url": "https://a.example" } }';
    assert.deepEqual(found('claude-code', `{ ${entry}, "projects": { "/site": { ${entry} } } }`, 'json'), []);
  });

  test('is told with where the other one is', () => {
    const document = documentOf('cursor', fileOf('cursor', `{ ${url} }`, `{ ${url} }`));
    const [diagnostic] = diagnosticsOf(document, findingsOf(document, list));
    assert.equal(document.document.getText(diagnostic?.relatedInformation?.[0]?.location.range), '"s0"');
  });
});

describe('what a client takes for broken', () => {
  const text = '{ // mine\n  "mcpServers": { "a": { "type": "http", "url": "https://a.example", } },\n}';
  for (const [client, languageId, expected] of [
    // The editor says it itself.
    ['claude-code', 'json', []],
    ['claude-code', 'jsonc', ['file-comment', 'file-trailing-comma', 'file-trailing-comma']],
    ['gemini', 'jsonc', ['file-trailing-comma', 'file-trailing-comma']],
    ['cursor', 'jsonc', []],
  ] as const) {
    test(`${client} in a document of ${languageId}`, () => {
      const codes = found(client, text, languageId).map(([code]) => code);
      assert.deepEqual(
        codes.filter((code) => code.startsWith('file-')),
        expected,
      );
    });
  }

  test('Codex: a file that is no TOML', () => {
    assert.deepEqual(
      found('codex', '[mcp_servers.a]\nurl = \n').map(([code]) => code),
      ['file-syntax'],
    );
  });

  test('something else than servers', () => {
    assert.deepEqual(found('cursor', '{ "mcpServers": [1] }'), [['file-not-an-object', '[1]']]);
  });
});

describe('files as people have them', () => {
  for (const { title, client, text } of fileShapes) {
    test(`${title}: nothing is wrong with it`, () => {
      assert.deepEqual(
        found(client, text, client === 'claude-code' ? 'json' : undefined).filter(([code]) => code !== 'not-routed'),
        [],
      );
    });

    test(`${title}: cut off anywhere, it is looked at all the same`, () => {
      for (let at = 0; at < text.length; at += 7) found(client, text.slice(0, at));
    });
  }
});
