import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { eventually } from './configDocument.ts';
import { storedSecret } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { filesWith, otherTexts } from './visible.ts';

describe('servers in the files of other clients', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  let plain: FaultyServer;
  let guarded: FaultyServer;
  let token = '';
  let workspace = '';
  const gemini = path.join(os.homedir(), '.gemini');
  const claude = path.join(os.homedir(), '.claude.json');

  before(async () => {
    [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
    [plain, guarded] = await Promise.all([startFaultyServer({}), startFaultyServer({})]);
    ({ access_token: token } = await createPlainClient(guarded).signIn());
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    await mkdir(path.join(workspace, '.cursor'), { recursive: true });
    await mkdir(gemini, { recursive: true });
  });

  after(async () => {
    probe.editor.answers.clear();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await rm(path.join(workspace, '.cursor'), { recursive: true });
    await rm(gemini, { recursive: true });
    await rm(claude, { force: true });
    await Promise.all([plain.close(), guarded.close()]);
  });

  function cursorText(): string {
    return `{\n  // ours\n  "mcpServers": {\n    "plain": { "url": "${plain.mcpUrl}" }, // kept\n    "far": { "url": "http://far.example/mcp" }\n  }\n}\n`;
  }

  function geminiText(): string {
    return `{\n  "theme": "Dracula", // kept\n  "mcpServers": {\n    "guarded": {\n      "httpUrl": "${guarded.mcpUrl}",\n      "headers": { "Authorization": "Bearer ${token}" }\n    },\n    "shell": { "command": "sh" }\n  }\n}\n`;
  }

  function connectionsTo({ mcpUrl }: FaultyServer): readonly PublicConnection[] {
    return api.connections().filter(({ serverUrl }) => serverUrl === mcpUrl);
  }

  async function said(words: RegExp): Promise<string> {
    return probe.recorder.until(String(words), () =>
      probe.editor.shown.map((args) => JSON.stringify(args)).findLast((text) => words.test(text)),
    );
  }

  it('says so when there is nothing to import', async () => {
    await rm(path.join(workspace, '.cursor', 'mcp.json'), { force: true });
    await vscode.commands.executeCommand('scopekeeper.importServers');
    await said(/No configuration file of an MCP client/);
  });

  it('P36 shows what it found, takes what is ticked, and moves a token only then', async () => {
    await writeFile(path.join(workspace, '.cursor', 'mcp.json'), cursorText());
    await writeFile(path.join(gemini, 'settings.json'), geminiText());
    const project = { mcpServers: { again: { type: 'http', url: plain.mcpUrl } } };
    await writeFile(claude, JSON.stringify({ projects: { '/site': project }, mcpServers: [] }));
    const opened = probe.editor.opened.length;

    const questions = nextQuestions(probe);
    const importing = Promise.resolve(vscode.commands.executeCommand('scopekeeper.importServers'));
    const list = await questions.list();
    const rows = list.items.map(({ label, description, kind }) =>
      kind === vscode.QuickPickItemKind.Separator ? `-- ${label}` : [label, description].join(' | '),
    );
    assert.deepEqual(rows, [
      '-- With an error',
      '~/.claude.json has something else in line 1 where servers should be | ',
      '-- Claude Code · ~/.claude.json · for /site',
      `again | ${plain.mcpUrl}`,
      '-- Gemini CLI · ~/.gemini/settings.json',
      `guarded | ${guarded.mcpUrl}`,
      '-- Cursor · .cursor/mcp.json',
      'far | http://far.example/mcp',
    ]);
    assert.equal(list.items[3]?.detail, 'also in Cursor · .cursor/mcp.json');
    assert.equal(list.items[5]?.detail, 'token in the file');
    assert.match(list.placeholder ?? '', /without 1 local program/);
    const drawn = list.items.map(({ label, description, detail, buttons }) => [label, description, detail, buttons]);
    assert.ok(!JSON.stringify(drawn).includes(token), 'the token is drawn');

    await questions.ticks('again', 'guarded');
    await questions.choice('Move It to the Keychain');
    await questions.choice('Also in the Files of This Workspace');
    await importing;
    const text = await said(/2 servers are in the list now/);
    assert.match(text, /The token of guarded is in the keychain now/);
    assert.match(text, /"Sign In"/);
    assert.equal(probe.editor.opened.length, opened, 'no browser opens by itself');

    const [connection, ...others] = connectionsTo(guarded);
    assert.ok(connection);
    assert.deepEqual(others, []);
    assert.equal(connection.state, 'ready');
    assert.equal((await storedSecret(connection.id)).credentials?.accessToken, token);
    assert.deepEqual(
      connectionsTo(plain).map(({ name, state }) => [name, state]),
      [['again', 'disconnected']],
    );
    const left = await readFile(path.join(gemini, 'settings.json'), 'utf8');
    assert.match(left, /\/\/ kept/);
    assert.match(left, /"httpUrl": "http:\/\/127\.0\.0\.1:\d+\/guarded\/mcp"/);
    assert.deepEqual(await filesWith(gemini, [token]), []);
    assert.equal((await readdir(gemini)).length, 2);
    assert.match(
      await readFile(path.join(workspace, '.cursor', 'mcp.json'), 'utf8'),
      /127\.0\.0\.1:\d+\/again\/mcp" }, \/\/ kept/,
    );
    assert.ok(!otherTexts(probe.editor).join('\n').includes(token), 'the token is drawn');
  });

  it('takes nothing that cannot be taken, and leads to the file', async () => {
    const questions = nextQuestions(probe);
    const importing = Promise.resolve(vscode.commands.executeCommand('scopekeeper.importServers'));
    const list = await questions.list();
    const far = list.items.find(({ label }) => label === 'far');
    assert.ok(far);
    // As soon as the list is drawn, ticks are heard.
    await eventually('the refusal', async () => {
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await vscode.commands.executeCommand('workbench.action.quickPickManyToggle');
      return list.placeholder?.includes('plain http') === true ? true : undefined;
    });
    list.hide();
    await importing;
    assert.equal(
      api.connections().some(({ serverUrl }) => serverUrl.includes('far.example')),
      false,
    );
  });

  it('shows a connection in the file that names it, and offers to add it where none does', async () => {
    await rm(claude);
    const [connection] = connectionsTo(guarded);
    await vscode.commands.executeCommand('scopekeeper.showInConfig', connection?.id);
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.fsPath, path.join(gemini, 'settings.json'));
    assert.equal(editor?.document.getText(editor.selection), '"guarded"');

    await writeFile(path.join(gemini, 'settings.json'), '{}');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('scopekeeper.showInConfig', connection?.id);
    assert.match(await said(/No configuration file of an MCP client names guarded/), /Add to MCP Client/);
  });
});
