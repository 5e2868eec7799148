import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ScopekeeperApi } from '../../src/vscode/api.ts';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';

describe('Diagnose Connection…', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  const servers: FaultyServer[] = [];

  before(async () => {
    [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
  });

  afterEach(async () => {
    probe.editor.answers.clear();
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  after(async () => {
    for (const panel of probe.editor.panels) panel.dispose();
    await Promise.all(servers.map(async (server) => server.close()));
  });

  async function startServer(faults: Partial<Faults>): Promise<FaultyServer> {
    const server = await startFaultyServer(faults);
    servers.push(server);
    return server;
  }

  /** What the report says that is shown in the end, as text. */
  async function report(says: RegExp): Promise<string> {
    return probe.recorder.until(`a report that says ${says.source}`, () => {
      const html = probe.editor.panels.at(-1)?.webview.html ?? '';
      const text = html.replace(/<style.*?<\/style>/s, '').replaceAll(/<[^>]+>/g, ' ');
      return says.test(text) ? text : undefined;
    });
  }

  it('P5 is one press away from an error, names the cause, and copies a report', async () => {
    const server = await startServer({ metadataIssuer: 'https://other.example' });
    probe.editor.answers.set('showErrorMessage', ['Diagnose…']);
    const errorsBefore = probe.editor.errors.length;
    const questions = nextQuestions(probe);
    const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
    await questions.text(server.mcpUrl);
    await connecting;
    await report(/calls itself “https:\/\/other\.example”\. One could be posing as the other/);
    assert.match(probe.editor.errors[errorsBefore] ?? '', /\[Show Log\] \[Diagnose…\]$/);
    await probe.recorder.until('the command that copies', () =>
      probe.editor.contextKeys.get('scopekeeper.hasDiagnosis') === true ? true : undefined,
    );

    await vscode.commands.executeCommand('scopekeeper.copyDiagnosis');
    const copied = await vscode.env.clipboard.readText();
    assert.match(copied, /^# Diagnosis of /);
    assert.match(copied, /RFC 8414/);
    assert.ok(copied.includes('issuer_mismatch') || copied.includes('issuer\\_mismatch'));
  });

  it('P13 takes a row, and has the setting that helps as a link', async () => {
    const server = await startServer({ noPkce: true });
    const questions = nextQuestions(probe);
    const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
    await questions.text(server.mcpUrl);
    await connecting;
    const { id } =
      api.connections().find(({ serverUrl }) => serverUrl === server.mcpUrl) ?? assert.fail('no connection');
    await vscode.commands.executeCommand('scopekeeper.diagnoseConnection', { connectionId: id });
    await report(/does not say that it protects sign-ins/);
    const html = probe.editor.panels.at(-1)?.webview.html ?? '';
    const query = encodeURIComponent(JSON.stringify([id]));
    assert.ok(html.includes(`href="command:scopekeeper.allowUnadvertisedPkce?${query}"`));
    assert.equal(probe.editor.panels.at(-1)?.webview.options.enableScripts, false);
  });

  it('takes a URL that is not connected, and registers nowhere', async () => {
    const server = await startServer({});
    probe.editor.answers.set('showQuickPick', ['Another URL…']);
    const questions = nextQuestions(probe);
    const diagnosing = Promise.resolve(vscode.commands.executeCommand('scopekeeper.diagnoseConnection'));
    await questions.text(server.mcpUrl);
    await diagnosing;
    await report(/Nothing is wrong, as far as it shows without signing in/);
    assert.deepEqual(
      server.requests.map(({ endpoint }) => endpoint),
      ['mcp', 'resourceMetadata', 'metadata'],
    );
    assert.equal(
      api.connections().some(({ serverUrl }) => serverUrl === server.mcpUrl),
      false,
    );
  });
});
