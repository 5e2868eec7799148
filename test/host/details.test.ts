import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { type DetailsModel, hostMessageSchema } from '../../src/vscode/details/detailsMessages.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { connectSample } from './connectedSample.ts';
import type { Probe } from './probe/probe.main.ts';

const VIEW_TYPE = 'scopekeeper.details';

/** The tabs of the view. */
function tabs(): readonly vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(VIEW_TYPE));
}

describe('the details view', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;

  before(async () => {
    ({ probe, sample, connection } = await connectSample());
  });

  after(async () => {
    for (const panel of probe.editor.panels) panel.dispose();
    await sample.close();
  });

  /** What a page was told since `from` that `fits`, once it is told it. */
  async function told(what: string, from: number, fits: (details: DetailsModel) => boolean): Promise<DetailsModel> {
    return probe.recorder.until(
      what,
      () => {
        for (const posted of probe.editor.posted.slice(from)) {
          const message = v.parse(hostMessageSchema, posted);
          if (message.type === 'show' && fits(message.details)) return message.details;
        }
        return undefined;
      },
      30_000,
    );
  }

  it('opens once for each connection, and is told what it draws when its page is there', async () => {
    await vscode.commands.executeCommand('scopekeeper.showDetails', connection.id);
    const { header, sequence } = await told('the details', 0, (details) => details.sequence.steps.length > 0);
    assert.deepEqual(probe.editor.received, [{ type: 'ready' }]);
    assert.equal(header.state, 'Connected');
    assert.match(header.facts[0]?.value ?? '', /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    assert.match(sequence.outcome, /^Authorized on /);
    await vscode.commands.executeCommand('scopekeeper.showDetails', connection.id);
    assert.deepEqual(
      tabs().map(({ label }) => label),
      [connection.name],
    );
  });

  it('P36 loads nothing, and has nothing of the connection in its page', () => {
    const panel = probe.editor.panels.find(({ viewType }) => viewType === VIEW_TYPE);
    assert.ok(panel);
    const { html, options } = panel.webview;
    assert.match(html, /content="default-src 'none'; script-src 'nonce-[\w-]{22}'; style-src 'nonce-[\w-]{22}'; /);
    assert.ok(!html.includes(connection.name));
    assert.doesNotMatch(html, /<link|\ssrc=|@import|url\(/);
    assert.deepEqual(options.localResourceRoots, []);
  });

  it('is told of a renewal as it happens', async () => {
    const from = probe.editor.posted.length;
    await vscode.commands.executeCommand('scopekeeper.refreshToken', connection.id);
    const { timeline } = await told('the renewal', from, ({ timeline: { events } }) => events[0]?.mark === 'renewal');
    assert.deepEqual(
      timeline.events.map(({ title }) => title),
      ['Token renewed', 'Signed in', 'Added'],
    );
  });

  it('is there again after a restart, for its connection, and goes when that is gone', async () => {
    for (const panel of probe.editor.panels.splice(0)) panel.dispose();
    const serializer = probe.editor.serializers.get(VIEW_TYPE);
    assert.ok(serializer);
    const restored = (): vscode.WebviewPanel =>
      probe.editor.watch(vscode.window.createWebviewPanel(VIEW_TYPE, 'restored', vscode.ViewColumn.Active));
    const from = probe.editor.posted.length;
    await serializer.deserializeWebviewPanel(restored(), { connectionId: connection.id });
    await told('the details', from, ({ header }) => header.state === 'Connected');
    for (const state of [{ connectionId: 'gone' }, { connectionId: connection.id }, { id: 1 }, undefined]) {
      const panel = restored();
      const closed = new Promise<void>((resolve) => void panel.onDidDispose(resolve));
      await serializer.deserializeWebviewPanel(panel, state);
      await closed;
    }
  });

  it('P36 the export says what there is, and where it is, without a secret', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-export-'));
    const file = path.join(folder, 'diagnostics.json');
    probe.editor.answers.set('showSaveDialog', [vscode.Uri.file(file)]);
    const from = probe.editor.shown.length;
    await vscode.commands.executeCommand('scopekeeper.exportDiagnostics');
    const text = await readFile(file, 'utf8');
    await rm(folder, { recursive: true });
    const document = v.parse(
      v.object({
        window: v.object({ role: v.string() }),
        secrets: v.object({ keychain: v.string(), keptIn: v.object({ keychain: v.number(), editor: v.number() }) }),
        settings: v.record(v.string(), v.unknown()),
        connections: v.array(v.object({ id: v.string(), trace: v.object({ steps: v.array(v.unknown()) }) })),
      }),
      JSON.parse(text),
    );
    assert.equal(document.window.role, 'owner');
    assert.equal(document.secrets.keptIn.keychain + document.secrets.keptIn.editor, 1);
    assert.deepEqual(
      document.connections.map(({ id }) => id),
      [connection.id],
    );
    assert.ok((document.connections[0]?.trace.steps.length ?? 0) > 3);
    assert.match(JSON.stringify(probe.editor.shown.slice(from)), /Saved to .*diagnostics\.json/);
  });

  it('closes when its connection is removed', async () => {
    const panel = probe.editor.panels.find(({ viewType }) => viewType === VIEW_TYPE);
    assert.ok(panel?.visible);
    const closed = new Promise<void>((resolve) => void panel.onDidDispose(resolve));
    probe.editor.answers.set('showWarningMessage', ['Remove']);
    await vscode.commands.executeCommand('scopekeeper.remove', connection.id);
    await closed;
  });
});
