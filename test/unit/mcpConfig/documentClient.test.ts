import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configClients } from '../../../src/mcpConfig/clients.ts';
import type { ConfigEnvironment } from '../../../src/mcpConfig/configClient.ts';
import { clientOfDocument } from '../../../src/mcpConfig/documentClient.ts';

const linux: ConfigEnvironment = {
  platform: 'linux',
  home: '/home/me',
  editorUserFolder: '/home/me/.config/Code - Insiders/User',
  codexHome: '/srv/codex home',
  workspace: '/work/site',
};
const windows: ConfigEnvironment = {
  platform: 'win32',
  home: String.raw`C:\Users\Me`,
  appData: String.raw`C:\Users\Me\AppData\Roaming`,
  workspace: String.raw`D:\Site`,
};

function uriOf(path: string): string {
  const slashes = path.replaceAll('\\', '/');
  return `file://${encodeURI(slashes.startsWith('/') ? slashes : `/${slashes}`).replace(/^\/([A-Z]):/, '/$1%3A')}`;
}

for (const environment of [linux, windows]) {
  for (const client of configClients) {
    for (const { path } of client.files(environment)) {
      test(`${path} is a file of ${client.name}`, () => {
        assert.equal(clientOfDocument(uriOf(path), environment)?.id, client.id);
      });
    }
  }
}

for (const [uri, client] of [
  ['file:///elsewhere/.vscode/mcp.json', 'vscode'],
  ['vscode-userdata:/home/me/.config/Code%20-%20Insiders/User/mcp.json', 'vscode'],
  ['vscode-userdata:/home/me/.config/Code%20-%20Insiders/User/profiles/-6d2f/mcp.json', 'vscode'],
  ['vscode-remote://ssh-remote+box/srv/site/.mcp.json', 'claude-code'],
  ['vscode-remote://wsl%2Bubuntu/home/other/.claude.json', 'claude-code'],
  ['file:///c%3A/Users/Other/AppData/Roaming/Claude/claude_desktop_config.json', 'claude-desktop'],
  ['file:///Users/other/Library/Application%20Support/Claude/claude_desktop_config.json', 'claude-desktop'],
  ['file:///repo/.cursor/mcp.json?git#1', 'cursor'],
  ['file:///home/other/.codeium/windsurf/mcp_config.json', 'windsurf'],
  ['file:///repo/.codex/config.toml', 'codex'],
  ['file:///srv/codex%20home/config.toml', 'codex'],
  ['file:///repo/.gemini/settings.json', 'gemini'],
  ['file:///repo/.zed/settings.json', 'zed'],
  ['file:///repo/.junie/mcp/mcp.json', 'jetbrains'],
  ['file:///repo/.vscode/settings.json', undefined],
  ['file:///repo/mcp.json', undefined],
  ['file:///repo/not.mcp.json', undefined],
  ['file:///home/me/.config/VSCodium/User/profiles/1/mcp.json', undefined],
  ['untitled:Untitled-1', undefined],
  ['file:///%E0%A4%A', undefined],
  ['', undefined],
] as const) {
  test(`${uri} is a file of ${client ?? 'nobody'}`, () => {
    assert.equal(clientOfDocument(uri, linux)?.id, client);
  });
}
