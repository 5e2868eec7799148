import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { deferred } from '../../src/connections/deferred.ts';
import type { PublicConnection } from '../../src/vscode/api.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { connectSample } from './connectedSample.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { filesWith, otherTexts } from './visible.ts';

const BEFORE =
  '{\n  // mine\n  "mcpServers": {\n    "other": { "url": "https://other.example/mcp" }, // kept\n  }\n}\n';

describe('configurations of other MCP clients', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;
  let url = '';
  let name = '';
  let workspace = '';
  let userFolder = '';

  before(async () => {
    ({ probe, sample, connection, url } = await connectSample());
    name = new URL(url).pathname.split('/')[1] ?? '';
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    assert.notEqual(workspace, '');
    const storage = probe.context()?.globalStorageUri.fsPath ?? '';
    userFolder = path.resolve(storage, '..', '..');
  });

  after(async () => {
    probe.editor.answers.clear();
    await rm(path.join(workspace, '.cursor'), { recursive: true, force: true });
    await sample.close();
  });

  /** Runs a command on the row of the connection, and takes these choices one after the other. */
  async function run(command: string, ...choices: readonly string[]): Promise<void> {
    const questions = nextQuestions(probe);
    const running = Promise.resolve(vscode.commands.executeCommand(command, connection.id));
    for (const choice of choices) await questions.choice(choice);
    await running;
  }

  /** What was said with these words. */
  async function said(words: RegExp): Promise<string> {
    return probe.recorder.until(String(words), () =>
      probe.editor.shown.map((args) => JSON.stringify(args)).findLast((text) => words.test(text)),
    );
  }

  async function statusAt(token: string): Promise<number> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: 'application/json, text/event-stream',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    });
    await response.body?.cancel();
    return response.status;
  }

  it('copies the command by which a client adds the server', async () => {
    await run('scopekeeper.copyClientConfiguration', 'Claude Code', 'Command for a terminal');
    assert.equal(await vscode.env.clipboard.readText(), `claude mcp add --transport http --scope user ${name} ${url}`);
    assert.match(await said(/Copied the command/), /~\/\.claude\.json/);
  });

  it('P36 copies lines that hold the URL and no token', async () => {
    await run('scopekeeper.copyClientConfiguration', 'Cursor');
    assert.deepEqual(JSON.parse(await vscode.env.clipboard.readText()), { mcpServers: { [name]: { url } } });
    assert.match(await said(/Copied\. Put it into/), /\.cursor.mcp\.json/);
  });

  it('P36 gives a token that the client asks for, and shows it nowhere', async () => {
    probe.editor.answers.set('showInformationMessage', ['Copy Token']);
    await run('scopekeeper.copyClientConfiguration', 'VS Code', 'Lines with a token', '1 day');
    let token = '';
    // The message and its button come after the command.
    await probe.recorder.until(
      'the token',
      () => probe.editor.answers.get('showInformationMessage')?.length === 0 || undefined,
    );
    for (let text = ''; token === ''; token = text.startsWith('{') ? '' : text) {
      text = await vscode.env.clipboard.readText();
    }
    assert.notEqual(await statusAt(token), 401);
    assert.equal(await statusAt(`${token}x`), 401);
    assert.ok(!otherTexts(probe.editor).join('\n').includes(token), 'the token is drawn');
    assert.deepEqual(await filesWith(userFolder, [token]), []);
  });

  it('adds a server to a file, with comments and a backup kept', async () => {
    const file = path.join(workspace, '.cursor', 'mcp.json');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, BEFORE);
    probe.editor.answers.set('showInformationMessage', ['Add']);
    await run('scopekeeper.addToClient', 'Cursor, in this workspace');
    assert.equal(
      await readFile(file, 'utf8'),
      BEFORE.replace('// kept\n', `// kept\n    "${name}": {\n      "url": "${url}"\n    }\n`),
    );
    assert.equal(await readFile(`${file}.scopekeeper-backup`, 'utf8'), BEFORE);
    assert.match(await said(/is now in/), /scopekeeper-backup/);

    await run('scopekeeper.addToClient', 'Cursor, in this workspace');
    await said(/has this server already/);
  });

  it('leaves a broken file alone, and says where it is broken', async () => {
    const file = path.join(workspace, '.cursor', 'mcp.json');
    await writeFile(file, `${BEFORE}}`);
    await run('scopekeeper.addToClient', 'Cursor, in this workspace');
    await said(/has an error in line 7/);
    assert.equal(await readFile(file, 'utf8'), `${BEFORE}}`);
  });

  it('takes an edit back with its file and its token', async () => {
    const file = path.join(userFolder, 'mcp.json');
    probe.editor.answers.set('showInformationMessage', ['Add', 'Copy Token', 'Undo']);
    await run('scopekeeper.addToClient', 'VS Code', 'By a token', '1 day');
    await said(/is no longer in/);
    const token = await vscode.env.clipboard.readText();
    assert.ok(!(await readdir(userFolder)).includes(path.basename(file)));
    assert.equal(await statusAt(token), 401);
  });

  it('takes only the server out of a file that was changed after the edit', async () => {
    const file = path.join(workspace, '.cursor', 'mcp.json');
    await writeFile(file, BEFORE);
    const changed = deferred<string>();
    probe.editor.answers.set('showInformationMessage', ['Add', changed.promise]);
    await run('scopekeeper.addToClient', 'Cursor, in this workspace');
    const added = await readFile(file, 'utf8');
    await writeFile(file, added.replace('// mine', '// still mine'));
    changed.resolve('Undo');
    await probe.recorder.until('the end of the way back', () =>
      probe.editor.shown.flat().find((text) => /is no longer in .*cursor/.test(String(text))),
    );
    // The comma that made room for the server goes with it: not every parser takes one behind the last.
    const after = BEFORE.replace('// mine', '// still mine').replace('}, // kept', '} // kept');
    assert.equal(await readFile(file, 'utf8'), after);
  });

  it('writes nothing without a yes', async () => {
    const before = probe.editor.shown.length;
    const running = run('scopekeeper.addToClient', 'VS Code', 'It signs in by itself');
    await probe.recorder.until('the question', () => (probe.editor.shown.length > before ? true : undefined));
    // The editor refuses modal dialogs in tests, as if the person had closed it.
    await running.catch(() => undefined);
    assert.ok(!(await readdir(userFolder)).includes('mcp.json'));
  });
});
