import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ClientId } from '../../src/mcpConfig/configClient.ts';
import type { PublicConnection } from '../../src/vscode/api.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { clientOf } from '../unit/mcpConfig/clientOf.ts';
import { fileShapes } from '../unit/mcpConfig/fileShapes.ts';
import {
  codeOf,
  diagnosticsOf,
  eventually,
  lensesOf,
  placeOf,
  quickFixes,
  replaceAll,
  show,
} from './configDocument.ts';
import { connectSample } from './connectedSample.ts';
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

  before(async () => {
    ({ probe, sample, connection, url: gatewayUrl } = await connectSample());
    workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    assert.notEqual(workspace, '');
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await sample.close();
  });

  const starts = () => probe.recorder.calls.filter(({ api }) => api === 'language server');
  const isClientLoaded = () => Object.keys(require.cache).some((file) => file.endsWith('languageClient.js'));

  async function lenses(document: vscode.TextDocument, expected: (lens: string) => boolean): Promise<string[]> {
    return eventually(`a lens in ${document.fileName}`, async () => {
      const found = await lensesOf(document);
      return found.some(expected) ? found : undefined;
    });
  }

  it('does not run while none is open, nor is its client loaded', async () => {
    await show(path.join(workspace, 'package.json'), '{ "name": "nothing" }');
    await show(path.join(workspace, '.vscode', 'settings.json'), '{}');
    assert.deepEqual(starts(), []);
    assert.equal(isClientLoaded(), false);
  });

  it('runs once one is open, and only once for all of them', async () => {
    const document = await show(placeOf(clientOf('cursor'), workspace), shapeOf('cursor'));
    await lenses(document, (lens) => lens === 'linear: Connect');
    assert.equal(isClientLoaded(), true);
    await lenses(
      await show(placeOf(clientOf('vscode'), workspace), shapeOf('vscode')),
      (lens) => lens === 'github: Connect',
    );
    assert.equal(starts().length, 1);
  });

  for (const { title, client, text } of fileShapes) {
    it(`knows ${title}`, async () => {
      const document = await show(placeOf(clientOf(client), workspace), text);
      const names = remote[client].filter((name) => text.includes(name));
      for (const name of names) await lenses(document, (lens) => lens === `${name}: Connect`);
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
      for (const name of remote[client].filter((one) => text.includes(one))) {
        await lenses(document, (lens) => lens === `${name}: Connect`);
      }
      await document.save();
    });
  }

  it('shows how a server is connected, and a change of it without an edit', async () => {
    const document = await show(
      placeOf(clientOf('vscode'), workspace),
      JSON.stringify({ servers: { notes: { type: 'http', url: sample.mcpUrl } } }, undefined, 2),
    );
    const version = document.version;
    const found = await lenses(document, (lens) => /^notes: ● connected · /.test(lens));
    assert.ok(found.includes('notes: Use through Scopekeeper'), found.join('\n'));
    probe.editor.answers.set('showWarningMessage', ['Disconnect']);
    await vscode.commands.executeCommand('scopekeeper.disconnect', connection.id);
    await lenses(document, (lens) => /^notes: ○ .*signed out/.test(lens));
    assert.equal(document.version, version);
  });

  it('knows a server that is used through the gateway', async () => {
    const document = await show(
      placeOf(clientOf('gemini'), workspace),
      JSON.stringify({ mcpServers: { notes: { httpUrl: gatewayUrl } } }, undefined, 2),
    );
    const found = await lenses(document, (lens) => /^notes: ○ .*signed out/.test(lens));
    assert.ok(!found.includes('notes: Use through Scopekeeper'), found.join('\n'));
  });

  it('tells what is wrong where it is, and mends it in a way that can be undone', async () => {
    const file = placeOf(clientOf('vscode'), workspace);
    const text = '{\n\t"servers": {\n\t\t"far": { "type": "http", "url": "http://far.example/mcp" }, // kept\n\t}\n}\n';
    const document = await show(file, text);
    const diagnostic = await eventually('plain http to be told', async () =>
      diagnosticsOf(document).find((one) => codeOf(one) === 'plain-http'),
    );
    assert.equal(document.getText(diagnostic.range), '"http://far.example/mcp"');
    const fix = (await quickFixes(document, diagnostic)).find(({ edit }) => edit !== undefined);
    assert.ok(fix?.edit, 'there is no quick fix');
    assert.equal(await vscode.workspace.applyEdit(fix.edit), true);
    assert.equal(document.getText(), text.replace('http://', 'https://'));
    await eventually('it to be well', async () => diagnosticsOf(document).length === 0 || undefined);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), text);
    assert.equal(await readFile(file, 'utf8'), text, 'the person saves it, and nobody else');
    await document.save();
  });

  it('is there again after a crash, and knows all it knew', async () => {
    const document = await show(placeOf(clientOf('vscode'), workspace), shapeOf('vscode', sample.mcpUrl));
    await lenses(document, (lens) => lens.startsWith('github: ○'));
    const before = starts().length;
    process.kill(Number(starts().at(-1)?.target), 'SIGKILL');
    await probe.recorder.until('another one', () => (starts().length > before ? true : undefined));
    await lenses(document, (lens) => lens.startsWith('github: ○'));
    assert.ok(!probe.editor.shown.flat().some((text) => /no longer checked|crashed/.test(String(text))));
  });
});

/** @param url of its first server */
function shapeOf(client: ClientId, url?: string): string {
  const text = fileShapes.find((shape) => shape.client === client)?.text ?? '';
  return url === undefined ? text : text.replace(/https:[^"]+/, url);
}
