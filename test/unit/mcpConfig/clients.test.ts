import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientOf } from './clientOf.ts';
import { configClients } from '../../../src/mcpConfig/clients.ts';
import {
  CLIENT_IDS,
  type ClientId,
  type ConfigEnvironment,
  type ServerEntry,
} from '../../../src/mcpConfig/configClient.ts';

const linux: ConfigEnvironment = { platform: 'linux', home: '/home/me' };
const mac: ConfigEnvironment = { platform: 'darwin', home: '/Users/me' };
const windows: ConfigEnvironment = { platform: 'win32', home: 'C:\\Users\\me', appData: 'D:\\Roaming' };

const url = 'http://127.0.0.1:41999/sample/mcp';

/** The person's file on Linux, macOS and Windows. */
const userFiles: Readonly<Record<ClientId, readonly [string, string, string]>> = {
  vscode: [
    '/home/me/.config/Code/User/mcp.json',
    '/Users/me/Library/Application Support/Code/User/mcp.json',
    'D:\\Roaming\\Code\\User\\mcp.json',
  ],
  'claude-code': ['/home/me/.claude.json', '/Users/me/.claude.json', 'C:\\Users\\me\\.claude.json'],
  'claude-desktop': [
    '/home/me/.config/Claude/claude_desktop_config.json',
    '/Users/me/Library/Application Support/Claude/claude_desktop_config.json',
    'D:\\Roaming\\Claude\\claude_desktop_config.json',
  ],
  cursor: ['/home/me/.cursor/mcp.json', '/Users/me/.cursor/mcp.json', 'C:\\Users\\me\\.cursor\\mcp.json'],
  windsurf: [
    '/home/me/.codeium/windsurf/mcp_config.json',
    '/Users/me/.codeium/windsurf/mcp_config.json',
    'C:\\Users\\me\\.codeium\\windsurf\\mcp_config.json',
  ],
  codex: ['/home/me/.codex/config.toml', '/Users/me/.codex/config.toml', 'C:\\Users\\me\\.codex\\config.toml'],
  gemini: [
    '/home/me/.gemini/settings.json',
    '/Users/me/.gemini/settings.json',
    'C:\\Users\\me\\.gemini\\settings.json',
  ],
  zed: ['/home/me/.config/zed/settings.json', '/Users/me/.config/zed/settings.json', 'D:\\Roaming\\Zed\\settings.json'],
  jetbrains: ['/home/me/.junie/mcp/mcp.json', '/Users/me/.junie/mcp/mcp.json', 'C:\\Users\\me\\.junie\\mcp\\mcp.json'],
};

/** The file in a workspace, where the client has one. */
const workspaceFiles: Readonly<Partial<Record<ClientId, string>>> = {
  vscode: '/work/.vscode/mcp.json',
  'claude-code': '/work/.mcp.json',
  cursor: '/work/.cursor/mcp.json',
  codex: '/work/.codex/config.toml',
  gemini: '/work/.gemini/settings.json',
  zed: '/work/.zed/settings.json',
  jetbrains: '/work/.junie/mcp/mcp.json',
};

/** What is written for a client that signs in, and for one that gets a token. */
const entries: Readonly<Record<ClientId, readonly [ServerEntry, ServerEntry | undefined]>> = {
  vscode: [
    { type: 'http', url },
    { type: 'http', url, headers: { Authorization: 'Bearer ${input:the-name}' } },
  ],
  'claude-code': [
    { type: 'http', url },
    { type: 'http', url, headers: { Authorization: 'Bearer ${the-name}' } },
  ],
  'claude-desktop': [
    { command: 'npx', args: ['-y', 'mcp-remote', url] },
    {
      command: 'npx',
      args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${SCOPEKEEPER_AUTHORIZATION}'],
      env: { SCOPEKEEPER_AUTHORIZATION: 'Bearer t0ken' },
    },
  ],
  cursor: [{ url }, undefined],
  windsurf: [{ serverUrl: url }, { serverUrl: url, headers: { Authorization: 'Bearer ${env:the-name}' } }],
  codex: [{ url }, { url, bearer_token_env_var: 'the-name' }],
  gemini: [{ httpUrl: url }, { httpUrl: url, headers: { Authorization: 'Bearer ${the-name}' } }],
  zed: [{ url }, { url, headers: { Authorization: 'Bearer t0ken' } }],
  jetbrains: [
    { command: 'npx', args: ['-y', 'mcp-remote', url] },
    {
      command: 'npx',
      args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${SCOPEKEEPER_AUTHORIZATION}'],
      env: { SCOPEKEEPER_AUTHORIZATION: 'Bearer t0ken' },
    },
  ],
};

describe('clients', () => {
  for (const id of CLIENT_IDS) {
    const client = clientOf(id);

    test(`${id}: the person's file is where its documentation says, on each platform`, () => {
      for (const [index, environment] of [linux, mac, windows].entries()) {
        const files = client.files(environment);
        assert.deepEqual(
          files.map(({ scope, path }) => [scope, path]),
          [['user', userFiles[id][index]]],
        );
        const [file] = files;
        assert.ok(file?.path.startsWith(file.evidence));
      }
    });

    test(`${id}: with a workspace there is the file in it, too`, () => {
      const files = client.files({ ...linux, workspace: '/work' });
      const expected = workspaceFiles[id];
      assert.deepEqual(
        files.filter(({ scope }) => scope === 'workspace').map(({ path }) => path),
        expected === undefined ? [] : [expected],
      );
      // A folder of the workspace does not tell that a client is installed.
      for (const { evidence } of files) assert.ok(evidence.startsWith('/home/me'), evidence);
    });

    test(`P36 ${id}: a client that signs in gets the URL and nothing that is secret`, () => {
      assert.deepEqual(client.entry({ url, access: { type: 'sign-in' } }), entries[id][0]);
    });

    test(`P36 ${id}: a token is in the file only where the client cannot get it from elsewhere`, () => {
      const { tokenPlace } = client;
      const expected = entries[id][1];
      assert.equal(tokenPlace === undefined, expected === undefined);
      if (tokenPlace === undefined) return;
      const access =
        tokenPlace.type === 'input'
          ? ({ type: 'input', inputId: 'the-name' } as const)
          : tokenPlace.type === 'variable'
            ? ({ type: 'variable', variable: 'the-name' } as const)
            : ({ type: 'file', token: 't0ken' } as const);
      const entry = client.entry({ url, access });
      assert.deepEqual(entry, expected);
      assert.equal(JSON.stringify(entry).includes('t0ken'), tokenPlace.type === 'file');
    });

    test(`${id}: its own command, if it has one, names the server and the URL`, () => {
      const command = client.command?.('sample', url);
      assert.equal(command !== undefined, ['vscode', 'claude-code', 'codex', 'gemini'].includes(id));
      if (command !== undefined) for (const part of ['sample', url]) assert.ok(command.join(' ').includes(part));
    });
  }

  test('all clients are in the table, each once', () => {
    assert.deepEqual(
      configClients.map(({ id }) => id),
      CLIENT_IDS,
    );
    assert.equal(new Set(configClients.map(({ name }) => name)).size, CLIENT_IDS.length);
  });

  test('folders that the person moved are followed', () => {
    const [first] = clientOf('vscode').files({ ...linux, editorUserFolder: '/data/User' });
    assert.equal(first?.path, '/data/User/mcp.json');
    assert.equal(clientOf('codex').files({ ...linux, codexHome: '/cx' })[0]?.path, '/cx/config.toml');
    assert.equal(clientOf('zed').files({ ...linux, configHome: '/cfg' })[0]?.path, '/cfg/zed/settings.json');
    assert.equal(clientOf('zed').files({ ...mac, configHome: '/cfg' })[0]?.path, '/Users/me/.config/zed/settings.json');
    const { appData: _none, ...bare } = windows;
    assert.equal(clientOf('zed').files(bare)[0]?.path, 'C:\\Users\\me\\AppData\\Roaming\\Zed\\settings.json');
  });
});
