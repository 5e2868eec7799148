import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandLine, inputIdOf, newServer, snippet, variableOf } from '../../../src/mcpConfig/snippet.ts';
import { clientOf } from './clientOf.ts';

const url = 'http://127.0.0.1:41999/my-server/mcp';

describe('what is copied', () => {
  for (const [args, line] of [
    [['claude', 'mcp', 'add', 'a', url], `claude mcp add a ${url}`],
    [['code', '--add-mcp', '{"name":"a"}'], String.raw`code --add-mcp "{\"name\":\"a\"}"`],
    [['say', 'two words', ''], 'say "two words" ""'],
    [['C:\\x'], String.raw`"C:\\x"`],
  ] as const) {
    test(`a command is one line: ${line}`, () => {
      assert.equal(commandLine(args), line);
    });
  }

  test('lines are a whole file of the client', () => {
    const server = newServer(clientOf('gemini'), 'a', { url, access: { type: 'sign-in' } }, '');
    assert.deepEqual(JSON.parse(snippet(clientOf('gemini'), server)), { mcpServers: { a: { httpUrl: url } } });
    assert.equal(
      snippet(clientOf('codex'), newServer(clientOf('codex'), 'a', { url, access: { type: 'sign-in' } }, '')),
      `[mcp_servers.a]\nurl = "${url}"\n`,
    );
  });

  test('P36 VS Code asks for a token as for a password, and does not get it from the file', () => {
    const access = { type: 'input', inputId: inputIdOf('a') } as const;
    const client = clientOf('vscode');
    assert.deepEqual(JSON.parse(snippet(client, newServer(client, 'a', { url, access }, 'Which token?'))), {
      servers: { a: { type: 'http', url, headers: { Authorization: 'Bearer ${input:scopekeeper-a-token}' } } },
      inputs: [{ type: 'promptString', id: 'scopekeeper-a-token', description: 'Which token?', password: true }],
    });
  });

  test('a variable has a name that every shell takes', () => {
    assert.equal(variableOf('my-server-2'), 'SCOPEKEEPER_MY_SERVER_2_TOKEN');
  });
});
