import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConfigSyntax, ServerEntry } from '../../../src/mcpConfig/configClient.ts';
import { addServer, readServers, removeServer, type ConfigProblem } from '../../../src/mcpConfig/configServers.ts';

const entry: ServerEntry = { url: 'http://127.0.0.1:1/a/mcp' };
const json = { syntax: 'jsonc', serversKey: 'mcpServers' } as const;
const toml = { syntax: 'toml', serversKey: 'mcp_servers' } as const;

/** What becomes of the text on the left when server `a` is added. */
const additions: readonly (readonly [title: string, before: string, after: string])[] = [
  ['no file', '', '{\n  "mcpServers": {\n    "a": {\n      "url": "http://127.0.0.1:1/a/mcp"\n    }\n  }\n}\n'],
  ['an empty object', '{}', '{\n  "mcpServers": {\n    "a": {\n      "url": "http://127.0.0.1:1/a/mcp"\n    }\n  }\n}'],
  [
    'only a comment',
    '// mine\n',
    '// mine\n{\n  "mcpServers": {\n    "a": {\n      "url": "http://127.0.0.1:1/a/mcp"\n    }\n  }\n}\n',
  ],
  [
    'no servers yet, tabs',
    '{\n\t"theme": "dark"\n}\n',
    '{\n\t"theme": "dark",\n\t"mcpServers": {\n\t\t"a": {\n\t\t\t"url": "http://127.0.0.1:1/a/mcp"\n\t\t}\n\t}\n}\n',
  ],
  [
    'an empty object of servers, four blanks',
    '{\n    "mcpServers": {}\n}',
    '{\n    "mcpServers": {\n        "a": {\n            "url": "http://127.0.0.1:1/a/mcp"\n        }\n    }\n}',
  ],
  [
    'one line without blanks',
    '{"mcpServers":{"b":{}}}',
    '{"mcpServers":{"b":{},"a":{"url":"http://127.0.0.1:1/a/mcp"}}}',
  ],
  [
    'one line with blanks',
    '{ "mcpServers": { "b": {} } }',
    '{ "mcpServers": { "b": {}, "a": { "url": "http://127.0.0.1:1/a/mcp" } } }',
  ],
  [
    'a comment behind the last server',
    '{\n  "mcpServers": {\n    "b": {} // last\n  }\n}',
    '{\n  "mcpServers": {\n    "b": {}, // last\n    "a": {\n      "url": "http://127.0.0.1:1/a/mcp"\n    }\n  }\n}',
  ],
  [
    'a comma and comments behind the last server',
    '{\r\n  "mcpServers": {\r\n    "b": {}, // last, "really"\r\n    /* "c": {}, */\r\n  },\r\n}',
    '{\r\n  "mcpServers": {\r\n    "b": {}, // last, "really"\r\n    /* "c": {}, */\r\n    "a": {\r\n      "url": "http://127.0.0.1:1/a/mcp"\r\n    }\r\n  },\r\n}',
  ],
];

/** The same for TOML. */
const tomlAdditions: typeof additions = [
  ['no file', '', '[mcp_servers.a]\nurl = "http://127.0.0.1:1/a/mcp"\n'],
  ['no line end', 'model = "x"', 'model = "x"\n\n[mcp_servers.a]\nurl = "http://127.0.0.1:1/a/mcp"\n'],
  [
    'CRLF, and a comment at the end',
    '[tui]\r\nx = 1\r\n# the end\r\n',
    '[tui]\r\nx = 1\r\n# the end\r\n\r\n[mcp_servers.a]\r\nurl = "http://127.0.0.1:1/a/mcp"\r\n',
  ],
];

describe('layout', () => {
  for (const [title, before, after] of additions) {
    test(`${title}: a server is added as the rest is laid out`, () => {
      assert.deepEqual(addServer(before, json, { name: 'a', entry }), { type: 'edited', text: after });
    });
  }
  for (const [title, before, after] of tomlAdditions) {
    test(`TOML, ${title}: a table is added at the end`, () => {
      assert.deepEqual(addServer(before, toml, { name: 'a', entry }), { type: 'edited', text: after });
    });
  }

  const removals: typeof additions = [
    ['the only one', '{\n  "mcpServers": {\n    "a": {}\n  }\n}', '{\n  "mcpServers": {\n  }\n}'],
    [
      'the first',
      '{\n  "mcpServers": {\n    "a": {}, // gone\n    // of b\n    "b": {}\n  }\n}',
      '{\n  "mcpServers": {\n    // gone\n    // of b\n    "b": {}\n  }\n}',
    ],
    [
      'the last',
      '{\n  "mcpServers": {\n    "b": {}, // of b\n    "a": {}\n  }\n}',
      '{\n  "mcpServers": {\n    "b": {} // of b\n  }\n}',
    ],
    ['on one line', '{"mcpServers":{"b":{},"a":{}}}', '{"mcpServers":{"b":{}}}'],
    ['before a comment and its comma', '{"mcpServers":{"a":{} /* x */, "b":{}}}', '{"mcpServers":{/* x */ "b":{}}}'],
  ];
  for (const [title, before, after] of removals) {
    test(`${title}: a server is taken out with its comma and no comment of others`, () => {
      assert.deepEqual(removeServer(before, json, 'a'), { type: 'edited', text: after });
    });
  }

  test('TOML: a server that gives way keeps its place, and takes the tables below it along', () => {
    const before =
      'x = 1\n\n# mine\n[mcp_servers.a]\ncommand = "a" # old\n# within\n[mcp_servers.a.env]\nK = "v"\n\n# of b\n[mcp_servers.b]\nurl = "b"\n';
    assert.deepEqual(addServer(before, toml, { name: 'a', entry }, true), {
      type: 'edited',
      text: 'x = 1\n\n# mine\n[mcp_servers.a]\nurl = "http://127.0.0.1:1/a/mcp"\n\n# of b\n[mcp_servers.b]\nurl = "b"\n',
    });
    assert.deepEqual(removeServer(before, toml, 'b'), {
      type: 'edited',
      text: before.slice(0, before.indexOf('[mcp_servers.b]')),
    });
  });

  test('TOML: servers in one inline table are seen, and not edited', () => {
    const text = 'mcp_servers = { b = { url = "x", headers = { K = "v" } } }\n';
    const { servers } = readServers(text, toml);
    assert.deepEqual(
      servers.map(({ name, properties }) => [name, properties.map(({ path, value }) => [path.join('.'), value])]),
      [
        [
          'b',
          [
            ['url', 'x'],
            ['headers.K', 'v'],
          ],
        ],
      ],
    );
    for (const edit of [addServer(text, toml, { name: 'a', entry }), removeServer(text, toml, 'b')]) {
      assert.equal(edit.type === 'broken' && edit.problem.type, 'unusual');
    }
  });
});

describe('inputs of VS Code', () => {
  const format = { syntax: 'jsonc', serversKey: 'servers' } as const;
  const input = { type: 'promptString', id: 'i', password: true };
  const server = { name: 'a', entry, input };
  const inputsIn = (text: string) => {
    const edit = addServer(text, format, server);
    assert.equal(edit.type, 'edited', JSON.stringify(edit));
    const parsed: unknown = JSON.parse(edit.type === 'edited' ? edit.text : '');
    return parsed;
  };

  for (const [title, before, inputs] of [
    ['none', '{}', [input]],
    ['no file', '', [input]],
    ['others', '{"inputs":[{"id":"j"}]}', [{ id: 'j' }, input]],
    ['an empty list', '{\n  "inputs": []\n}', [input]],
    ['the same', '{"inputs":[{"id":"i","description":"mine"}]}', [{ id: 'i', description: 'mine' }]],
  ] as const) {
    test(`with ${title} there, the input is added unless it is there`, () => {
      assert.deepEqual(inputsIn(before), { servers: { a: entry }, inputs });
    });
  }

  test('inputs that are no list are left alone', () => {
    const edit = addServer('{"inputs":{}}', format, server);
    assert.equal(edit.type === 'broken' && edit.problem.type, 'unusual');
  });
});

describe('broken files', () => {
  const cases: readonly (readonly [ConfigSyntax, string, ConfigProblem['type'], string])[] = [
    ['jsonc', '{"mcpServers": {"b": {}', 'syntax', ''],
    ['jsonc', '{"mcpServers": [1, }', 'syntax', '}'],
    ['jsonc', 'not json', 'syntax', 'not'],
    ['jsonc', '[]', 'not_an_object', '[]'],
    ['jsonc', '{"mcpServers": null}', 'not_an_object', 'null'],
    ['jsonc', '{"mcpServers": {}, "mcpServers": {}}', 'duplicate', '"mcpServers"'],
    ['jsonc', '{"mcpServers": {"b": 1, "b": 2}}', 'duplicate', '"b"'],
    ['jsonc', '['.repeat(200_000), 'syntax', '['.repeat(200_000)],
    ['json', '{"mcpServers": {} /* no */}', 'comment', '/* no */'],
    ['json', '{"mcpServers": {},}', 'trailing_comma', '}'],
    ['json-with-comments', '{"mcpServers": {"b": {},}} // yes', 'trailing_comma', '}'],
    ['toml', 'a = 1\n[mcp_servers.b', 'syntax', ''],
    ['toml', 'mcp_servers = 1\n', 'not_an_object', 'mcp_servers = 1'],
    ['toml', 'a = "x"\na = "y"\n', 'syntax', ''],
  ];
  for (const [syntax, text, type, at] of cases) {
    test(`${syntax}: ${text.slice(0, 40)} is told as ${type} and left alone`, () => {
      const format = { syntax, serversKey: syntax === 'toml' ? 'mcp_servers' : 'mcpServers' };
      const { problems } = readServers(text, format);
      const problem = problems.find((one) => one.type === type);
      assert.ok(problem, JSON.stringify(problems));
      assert.equal(
        text.slice(problem.range.offset, problem.range.offset + problem.range.length).slice(0, at.length),
        at,
      );
      for (const edit of [addServer(text, format, { name: 'a', entry }, true), removeServer(text, format, 'b')]) {
        assert.equal(edit.type, 'broken');
      }
    });
  }

  test('where comments are taken, they are no problem', () => {
    assert.deepEqual(readServers('{} // yes', { syntax: 'json-with-comments', serversKey: 'x' }).problems, []);
  });
});
