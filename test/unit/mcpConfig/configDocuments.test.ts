import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { configClients } from '../../../src/mcpConfig/clients.ts';
import type { ClientId, ConfigEnvironment } from '../../../src/mcpConfig/configClient.ts';
import { CONFIG_SCHEMES, clientOfDocument, configDocumentPatterns } from '../../../src/mcpConfig/configDocuments.ts';

const linux: ConfigEnvironment = { platform: 'linux', home: '/home/me', workspace: '/work/site' };
const windows: ConfigEnvironment = { platform: 'win32', home: 'C:\\Users\\me', appData: 'D:\\Roaming' };

describe('every file of every client is known', () => {
  for (const client of configClients) {
    for (const { path } of client.files(linux)) {
      test(`${client.name}: ${path}`, () => {
        assert.equal(clientOfDocument(pathToFileURL(path).href, linux)?.id, client.id);
      });
    }
  }
});

const known: readonly (readonly [string, ClientId, ConfigEnvironment?])[] = [
  // Another folder of the workspace, and one that is not in it.
  ['file:///work/other/.vscode/mcp.json', 'vscode'],
  ['file:///elsewhere/deep/.mcp.json', 'claude-code'],
  ['file:///with%20blank/.codex/config.toml', 'codex'],
  // Before it is saved for the first time.
  ['untitled:/work/site/.cursor/mcp.json', 'cursor'],
  // On another machine, whose home folder is not known here.
  ['vscode-remote://ssh-remote%2Bbox/home/you/.claude.json', 'claude-code'],
  ['vscode-remote://wsl%2Bubuntu/home/you/.codeium/windsurf/mcp_config.json', 'windsurf'],
  ['file:///c%3A/Users/Other/AppData/Roaming/Claude/claude_desktop_config.json', 'claude-desktop'],
  ['file:///Users/other/Library/Application%20Support/Claude/claude_desktop_config.json', 'claude-desktop'],
  // The editor's own, by its own scheme; other builds and profiles.
  ['vscode-userdata:/home/me/.config/Code/User/mcp.json', 'vscode'],
  ['vscode-userdata:/mcp.json', 'vscode'],
  ['file:///home/me/.local/share/code-server/User/mcp.json', 'vscode'],
  ['file:///home/me/.config/VSCodium/User/profiles/-4ac1/mcp.json', 'vscode'],
  // Windows, where letters may be large or small.
  ['file:///c%3A/users/ME/.Cursor/mcp.json', 'cursor', windows],
  ['file:///d%3A/Roaming/Claude/claude_desktop_config.json', 'claude-desktop', windows],
  ['file:///e%3A/src/app/.Gemini/settings.json', 'gemini', windows],
  // Where the person has put it.
  ['file:///opt/codex/config.toml', 'codex', { ...linux, codexHome: '/opt/codex' }],
  ['file:///cfg/zed/settings.json', 'zed', { ...linux, configHome: '/cfg' }],
];

describe('a document is known by where it is', () => {
  for (const [uri, client, environment = linux] of known) {
    test(`${uri} is of ${client}`, () => {
      assert.equal(clientOfDocument(uri, environment)?.id, client);
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
    test(uri || 'nothing', () => assert.equal(clientOfDocument(uri, linux), undefined));
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
