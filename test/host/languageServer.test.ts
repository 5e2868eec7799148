import assert from 'node:assert/strict';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ClientId } from '../../src/mcpConfig/configClient.ts';
import type { PublicConnection } from '../../src/vscode/api.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { clientOf } from '../unit/mcpConfig/clientOf.ts';
import { fileShapes } from '../unit/mcpConfig/fileShapes.ts';
import { diagnosticsOf, lenses, lensesOf, placeOf, replaceAll, shapeOf, show } from './configDocument.ts';
import { connectSample } from './connectedSample.ts';
import { storedSecret } from './keychain.ts';
import { logWith } from './log.ts';
import type { Probe } from './probe/probe.main.ts';

/** The servers with a URL in each of the shapes, which all get a lens; programs get none. */
const remote: Readonly<Record<ClientId, readonly string[]>> = {
  vscode: ['github'],
  'claude-code': ['sentry'],
  'claude-desktop': [],
  cursor: ['linear'],
  windsurf: ['notes'],
  codex: ['my server', 'figma', 'a'],
  gemini: ['remote'],
  zed: [],
  jetbrains: [],
};

describe('the language server of configuration files', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;
  let gatewayUrl = '';
  let workspace = '';
  let secrets: readonly string[] = [];

  before(async () => {
    ({ probe, sample, connection, url: gatewayUrl } = await connectSample());
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    assert.notEqual(workspace, '');
    const { tokens } = await storedSecret(connection.id);
    secrets = [tokens?.accessToken ?? '', tokens?.refreshToken ?? ''];
    await vscode.commands.executeCommand('_extensionTests.setLogLevel', 'trace');
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await sample.close();
  });

  const starts = () => probe.recorder.calls.filter(({ api }) => api === 'language server');

  it('does not run while none is open, nor is its client loaded', async () => {
    await show(path.join(workspace, 'package.json'), '{ "name": "nothing" }');
    await show(path.join(workspace, '.vscode', 'settings.json'), '{ "scopekeeper.mcpConfig.trace.server": "verbose" }');
    assert.deepEqual(starts(), []);
    assert.equal(isClientLoaded(), false);
  });

  it('runs once one is open, and only once for all of them', async () => {
    const document = await show(placeOf(clientOf('cursor'), workspace), shapeOf('cursor'));
    await lenses(document, 'linear: Connect');
    assert.equal(isClientLoaded(), true);
    await lenses(await show(placeOf(clientOf('vscode'), workspace), shapeOf('vscode')), 'github: Connect');
    assert.equal(starts().length, 1);
  });

  for (const { title, client, servers, text } of fileShapes) {
    const names = remote[client].filter((name) => servers.includes(name));

    it(`knows ${title}`, async () => {
      const document = await show(placeOf(clientOf(client), workspace), text);
      for (const name of names) await lenses(document, `${name}: Connect`);
      const offered = (await lensesOf(document)).map((lens) => lens.replace(/: Connect$/, ''));
      // Claude Code keeps servers of single folders too.
      assert.deepEqual(new Set(offered), new Set(names));
      assert.deepEqual(
        diagnosticsOf(document).filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error),
        [],
      );
    });

    it(`bears with ${title}, cut off where one is writing`, async () => {
      const file = placeOf(clientOf(client), workspace);
      const document = await show(file, text);
      for (const part of [0.9, 0.6, 0.3]) {
        await replaceAll(document, text.slice(0, Math.floor(text.length * part)));
        await lensesOf(document);
      }
      await replaceAll(document, text);
      for (const name of names) await lenses(document, `${name}: Connect`);
      await document.save();
    });
  }

  it('shows how a server is connected, and a change of it without an edit', async () => {
    const document = await show(
      placeOf(clientOf('vscode'), workspace),
      JSON.stringify({ servers: { notes: { type: 'http', url: sample.mcpUrl } } }, undefined, 2),
    );
    const version = document.version;
    const found = await lenses(document, /^notes: ● connected · /);
    assert.ok(found.includes('notes: Use through Scopekeeper'), found.join('\n'));
    probe.editor.answers.set('showWarningMessage', ['Disconnect']);
    await vscode.commands.executeCommand('scopekeeper.disconnect', connection.id);
    await lenses(document, /^notes: ○ .*signed out/);
    assert.equal(document.version, version);
  });

  it('knows a server that is used through the gateway', async () => {
    const document = await show(
      placeOf(clientOf('gemini'), workspace),
      JSON.stringify({ mcpServers: { notes: { httpUrl: gatewayUrl } } }, undefined, 2),
    );
    const found = await lenses(document, /^notes: ○ .*signed out/);
    assert.ok(!found.includes('notes: Use through Scopekeeper'), found.join('\n'));
  });

  it('is there again after a crash, and knows all it knew', async () => {
    const document = await show(placeOf(clientOf('vscode'), workspace), shapeOf('vscode', sample.mcpUrl));
    await lenses(document, /^github: ○/);
    const before = starts().length;
    process.kill(Number(starts().at(-1)?.target), 'SIGKILL');
    await probe.recorder.until('another one', () => (starts().length > before ? true : undefined));
    await lenses(document, /^github: ○/);
    assert.ok(!probe.editor.shown.flat().some((text) => /no longer checked|crashed/.test(String(text))));
  });

  it('P36 is told no secret, and none that is written in a file comes into the log at its finest', async () => {
    const canary = 'canary-written-in-a-file';
    const headers = { Authorization: `Bearer ${canary}` };
    // One that was not open: what changes in an open one is told in small pieces.
    const document = await show(
      placeOf(clientOf('cursor'), path.join(workspace, 'another')),
      JSON.stringify({ mcpServers: { notes: { url: sample.mcpUrl, headers } } }, undefined, 2),
    );
    await lenses(document, /^notes: ○/);
    const told = probe.recorder.calls.filter(({ api }) => api === 'to language server').map(({ target }) => target);
    assert.ok(told.some((message) => message.includes('scopekeeper/connections') && message.includes('notes:read')));
    assert.ok(
      told.some((message) => message.includes(canary)),
      'what is open is not what was looked at',
    );
    for (const secret of secrets) {
      assert.ok(secret.length >= 16, 'too short to be looked for');
      assert.ok(!told.some((message) => message.includes(secret)), 'it was told a token');
    }
    // What the client says of the crash, so that all that it said before is there too.
    const log = await logWith(probe, 'SIGKILL');
    assert.doesNotMatch(log, new RegExp(canary));
    assert.doesNotMatch(log, /textDocument\/didOpen/);
  });
});

function isClientLoaded(): boolean {
  return Object.keys(require.cache).some((file) => file.endsWith('languageClient.js'));
}
