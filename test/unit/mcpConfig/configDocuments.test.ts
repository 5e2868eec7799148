import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { configClients } from '../../../src/mcpConfig/clients.ts';
import type { ClientId, ConfigEnvironment, ConfigScope } from '../../../src/mcpConfig/configClient.ts';
import { CONFIG_SCHEMES, configDocument, configDocumentPatterns } from '../../../src/mcpConfig/configDocuments.ts';

const linux: ConfigEnvironment = { platform: 'linux', home: '/home/me', workspace: '/work/site' };
const windows: ConfigEnvironment = { platform: 'win32', home: 'C:\\Users\\me', appData: 'D:\\Roaming' };

describe('every file of every client is known', () => {
  for (const client of configClients) {
    for (const { path, scope } of client.files(linux)) {
      test(`${client.name}: ${path}`, () => {
        const found = configDocument(pathToFileURL(path).href, linux);
        assert.deepEqual([found?.client.id, found?.scope], [client.id, scope]);
      });
    }
  }
});

const known: readonly (readonly [string, ClientId, ConfigScope, ConfigEnvironment?])[] = [
  // Another folder of the workspace, and one that is not in it.
  ['file:///work/other/.vscode/mcp.json', 'vscode', 'workspace'],
  ['file:///elsewhere/deep/.mcp.json', 'claude-code', 'workspace'],
  ['file:///with%20blank/.codex/config.toml', 'codex', 'workspace'],
  // Before it is saved for the first time.
  ['untitled:/work/site/.cursor/mcp.json', 'cursor', 'workspace'],
  // On another machine, whose home folder is not known here.
  ['vscode-remote://ssh-remote%2Bbox/home/you/.claude.json', 'claude-code', 'user'],
  ['vscode-remote://wsl%2Bubuntu/home/you/.codeium/windsurf/mcp_config.json', 'windsurf', 'user'],
  // The editor's own, by its own scheme; other builds and profiles.
  ['vscode-userdata:/home/me/.config/Code/User/mcp.json', 'vscode', 'user'],
  ['vscode-userdata:/mcp.json', 'vscode', 'user'],
  ['file:///home/me/.local/share/code-server/User/mcp.json', 'vscode', 'user'],
  ['file:///home/me/.config/VSCodium/User/profiles/-4ac1/mcp.json', 'vscode', 'user'],
  // Windows, where letters may be large or small.
  ['file:///c%3A/users/ME/.Cursor/mcp.json', 'cursor', 'user', windows],
  ['file:///d%3A/Roaming/Claude/claude_desktop_config.json', 'claude-desktop', 'user', windows],
  ['file:///e%3A/src/app/.Gemini/settings.json', 'gemini', 'workspace', windows],
  // Where the person has put it.
  ['file:///opt/codex/config.toml', 'codex', 'user', { ...linux, codexHome: '/opt/codex' }],
  ['file:///cfg/zed/settings.json', 'zed', 'user', { ...linux, configHome: '/cfg' }],
];

describe('a document is known by where it is', () => {
  for (const [uri, client, scope, environment = linux] of known) {
    test(`${uri} is of ${client}`, () => {
      const found = configDocument(uri, environment);
      assert.deepEqual([found?.client.id, found?.scope], [client, scope]);
    });
  }
});

const unknown = [
  'file:///work/site/mcp.json',
  'file:///work/site/package.json',
  'file:///work/site/.vscode/settings.json',
  'file:///home/me/.config/Code/User/settings.json',
  'file:///work/site/settings.json',
  'file:///work/site/x.mcp.json',
  'file:///work/.VSCODE/mcp.json',
  'file:///work/site/.vscode/mcp.json.orig',
  'untitled:Untitled-1',
  // What was committed, and what another program shows, is nothing to mend.
  'git:/work/site/.vscode/mcp.json?{"ref":"HEAD"}',
  'output:/work/site/.vscode/mcp.json',
  'vscode-userdata:/home/me/.config/Code/User/settings.json',
  'file:///work/%E0%A4%A/.vscode/mcp.json',
  'no uri at all',
  '',
];

describe('no other document is', () => {
  for (const uri of unknown) {
    test(uri || 'nothing', () => assert.equal(configDocument(uri, linux), undefined));
  }
});

test('an editor can select them: by the ends of their paths in each scheme, and by the exact path of others', () => {
  const patterns = configDocumentPatterns({ ...linux, codexHome: '/opt/my codex' });
  for (const scheme of CONFIG_SCHEMES) {
    const ends = patterns.find((one) => one.scheme === scheme)?.pattern ?? '';
    for (const { client, path } of configClients.flatMap((client) =>
      client.files({ platform: 'linux', home: '', workspace: '' }).map(({ path }) => ({ client, path })),
    )) {
      assert.ok(ends.slice('**/{'.length, -1).split(',').includes(path.slice(1)), `${client.name} in ${scheme}`);
    }
  }
  assert.deepEqual(
    patterns.filter(({ baseUri }) => baseUri !== undefined),
    [{ scheme: 'file', baseUri: 'file:///opt/my%20codex', pattern: 'config.toml' }],
  );
});
