import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { open } from './browser.ts';
import { eventually, show } from './configDocument.ts';
import { signInBy } from './connecting.ts';
import { storedSecret } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { otherTexts, treeTexts } from './visible.ts';

function textFor(server: FaultyServer, token?: string): string {
  const headers =
    token === undefined ? '' : `,\n      "headers": { "Authorization": "Bearer ${token}", "X-Team": "a" }`;
  return `{\n  // mine\n  "mcpServers": {\n    "it": {\n      "url": "${server.mcpUrl}"${headers}\n    },\n    "shell": { "command": "sh" }, // kept\n  }\n}\n`;
}

/** Editors in a browser save by themselves, unless they are told otherwise. */
async function autoSave(value: 'off' | undefined): Promise<void> {
  await vscode.workspace.getConfiguration('files').update('autoSave', value, vscode.ConfigurationTarget.Global);
}

describe('what is done with an entry of a configuration file', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  let file = '';
  let workspace = '';
  const servers: FaultyServer[] = [];

  before(async () => {
    [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    assert.notEqual(workspace, '');
    file = path.join(workspace, '.cursor', 'mcp.json');
    await autoSave('off');
  });

  afterEach(async () => {
    probe.editor.answers.clear();
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await rm(path.join(workspace, '.git'), { recursive: true, force: true });
  });

  after(async () => {
    await autoSave(undefined);
    await rm(path.dirname(file), { recursive: true, force: true });
    await Promise.all(servers.map(async (server) => server.close()));
  });

  async function start(): Promise<FaultyServer> {
    const server = await startFaultyServer({});
    servers.push(server);
    return server;
  }

  /** As a code lens or a quick fix calls it. */
  async function run(command: string, name = 'it'): Promise<void> {
    const uri = vscode.Uri.file(file).toString();
    await vscode.commands.executeCommand(`scopekeeper.${command}`, { uri, client: 'cursor', name });
  }

  function connectionTo(server: FaultyServer): PublicConnection | undefined {
    return api.connections().find(({ serverUrl }) => serverUrl === server.mcpUrl);
  }

  async function gatewayUrl(server: FaultyServer): Promise<string> {
    await vscode.commands.executeCommand('scopekeeper.copyGatewayUrl', connectionTo(server)?.id);
    return vscode.env.clipboard.readText();
  }

  /** What was said with these words since the last look. */
  async function said(words: RegExp): Promise<string> {
    return probe.recorder.until(String(words), () =>
      probe.editor.shown.map((args) => JSON.stringify(args)).findLast((text) => words.test(text)),
    );
  }

  it('connects the server of an entry, and then only signs in', async () => {
    const server = await start();
    await show(file, textFor(server));
    for (let times = 0; times < 2; times += 1) {
      await signInBy(
        probe,
        async () => run('connectConfigServer'),
        async (url) => open(await server.authorize(url.href)),
      );
      assert.equal(connectionTo(server)?.state, 'ready');
      assert.equal(api.connections().filter(({ serverUrl }) => serverUrl === server.mcpUrl).length, 1);
    }
    assert.equal(connectionTo(server)?.name, 'it');
    assert.equal(await readFile(file, 'utf8'), textFor(server));
  });

  it('leads an entry through the gateway: connects first, saves, and can be undone', async () => {
    const server = await start();
    const document = await show(file, textFor(server));
    await signInBy(
      probe,
      async () => run('useThroughGateway'),
      async (url) => open(await server.authorize(url.href)),
    );
    await said(/it goes through Scopekeeper now in .*mcp\.json/);
    const expected = textFor(server).replace(server.mcpUrl, await gatewayUrl(server));
    assert.equal(document.getText(), expected);
    assert.equal(await readFile(file, 'utf8'), expected);

    await run('useThroughGateway');
    await said(/goes through Scopekeeper already/);
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), textFor(server));
  });

  it('edits the file that is there once the person has signed in, not the one before', async () => {
    const server = await start();
    const document = await show(file, textFor(server));
    const later = `// of another program, meanwhile\n${textFor(server)}`;
    await signInBy(
      probe,
      async () => run('useThroughGateway'),
      async (url) => {
        await vscode.commands.executeCommand('workbench.action.closeAllEditors');
        const gone = new vscode.WorkspaceEdit();
        gone.deleteFile(document.uri);
        assert.ok(await vscode.workspace.applyEdit(gone));
        await eventually('the end of the document', async () => document.isClosed || undefined);
        await writeFile(file, later);
        return open(await server.authorize(url.href));
      },
    );
    await eventually('the edit', async () => ((await readFile(file, 'utf8')) === later ? undefined : true));
    assert.equal(await readFile(file, 'utf8'), later.replace(server.mcpUrl, await gatewayUrl(server)));
  });

  it('P36 leaves an entry alone that has other secrets than the token, which would be lost', async () => {
    const server = await start();
    const { access_token: token } = await createPlainClient(server).signIn();
    const text = textFor(server, token).replace('"X-Team": "a"', '"Cookie": "session=0123456789"');
    await show(file, text);
    await run('moveTokenToKeychain');
    const refused = await said(/has other secrets in/);
    assert.ok(!refused.includes('0123456789'));
    assert.equal(await readFile(file, 'utf8'), text);
    assert.equal(connectionTo(server), undefined);
  });

  it('P36 moves a token to the keychain, tells that a history may have it, and shows it nowhere', async () => {
    const server = await start();
    const { access_token: token } = await createPlainClient(server).signIn();
    await mkdir(path.join(workspace, '.git'));
    const document = await show(file, textFor(server, token));
    await run('moveTokenToKeychain');
    const text = await said(/is in the keychain now, and no longer in/);
    assert.match(text, /under version control/);
    assert.match(text, /Undo brings the token back/);
    assert.match(text, /Learn Why/);

    const connection = connectionTo(server);
    assert.ok(connection);
    assert.equal((await storedSecret(connection.id)).credentials?.accessToken, token);
    await eventually('the sign-in', async () => (connectionTo(server)?.state === 'ready' ? true : undefined));
    const left = await readFile(file, 'utf8');
    assert.equal(
      left,
      textFor(server, token)
        .replace(server.mcpUrl, await gatewayUrl(server))
        .replace(`"Authorization": "Bearer ${token}", `, ''),
    );
    const texts = [...(await treeTexts(probe.editor)), ...otherTexts(probe.editor), JSON.stringify(api.connections())];
    assert.ok(!texts.join('\n').includes(token), 'the token is drawn');
    assert.equal(document.isDirty, false);
  });

  it('asks what becomes of a token where there is a connection, and leaves other changes unsaved', async () => {
    const server = await start();
    const { access_token: token } = await createPlainClient(server).signIn();
    await show(file, textFor(server));
    await signInBy(
      probe,
      async () => run('connectConfigServer'),
      async (url) => open(await server.authorize(url.href)),
    );
    const document = await show(file, textFor(server, token));
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, document.positionAt(document.getText().length), '// not saved\n');
    await vscode.workspace.applyEdit(edit);

    const questions = nextQuestions(probe);
    const routing = run('useThroughGateway');
    await questions.choice(`Use ${connectionTo(server)?.name} Instead`);
    await routing;
    await said(/not saved yet, since it had other changes/);
    assert.equal(document.isDirty, true);
    assert.ok(!document.getText().includes(token));
    assert.ok(document.getText().endsWith('// not saved\n'));
    assert.equal(await readFile(file, 'utf8'), textFor(server, token));
    assert.equal(api.connections().filter(({ serverUrl }) => serverUrl === server.mcpUrl).length, 1);
  });

  it('leaves a file with an error alone, and what is no remote server', async () => {
    const server = await start();
    const broken = `${textFor(server, 'sk-1')}}`;
    await show(file, broken);
    await run('moveTokenToKeychain');
    await said(/has an error in line 11/);
    await run('useThroughGateway', 'shell');
    await said(/is a program that Cursor starts/);
    await run('useThroughGateway', 'nobody');
    await said(/nobody is no longer in/);
    assert.equal(await readFile(file, 'utf8'), broken);
    assert.equal(connectionTo(server), undefined);
  });
});
