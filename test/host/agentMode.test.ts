import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { connect } from './connecting.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { filesWith, treeTexts } from './visible.ts';

const START_MS = 10_000;
const LOOK_EVERY_MS = 200;

describe('agent mode', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;

  before(async () => {
    const [ready, api, started] = await Promise.all([
      theProbe(),
      scopekeeper(),
      startSampleServer({ accessTokenTtlSeconds: 3600 }),
    ]);
    [probe, sample] = [ready, started];
    await connect(probe, sample);
    const found = api.connections().find(({ serverUrl }) => serverUrl === sample.mcpUrl);
    assert.ok(found);
    connection = found;
  });

  after(async () => sample.close());

  /** The tools of the sample server, as the editor offers them to a language model. */
  function tools(): readonly vscode.LanguageModelToolInformation[] {
    return vscode.lm.tools.filter(({ name }) => name.startsWith('mcp_') && name.endsWith('list_notes'));
  }

  async function start(): Promise<void> {
    const id = `scopekeeper.scopekeeper/${connection.name}`;
    const until = Date.now() + START_MS;
    // The editor tells nobody when it has heard of a server.
    while (tools().length === 0 && Date.now() < until) {
      await vscode.commands.executeCommand('workbench.mcp.startServer', id, { waitForLiveTools: true });
      await delay(LOOK_EVERY_MS);
    }
  }

  it('lists and calls the tools of a connected server by the editor’s own MCP client, with nothing set by hand', async () => {
    await start();
    const [tool] = tools();
    assert.ok(tool, `there is no tool of the server among ${vscode.lm.tools.map(({ name }) => name).join(', ')}`);
    const result = await vscode.lm.invokeTool(tool.name, { input: {}, toolInvocationToken: undefined });
    assert.match(JSON.stringify(result.content), /Welcome to the sample notes/);
    assert.match((await treeTexts(probe.editor)).join('\n'), /Agent mode.*just now · all tools/);
  });

  it('P36 its token is in no file of the editor, as what is provided is kept there', async () => {
    const context = probe.context();
    assert.ok(context);
    const requests = sample.requests.length;
    assert.ok(requests > 0);
    const userData = path.resolve(context.globalStorageUri.fsPath, '..', '..', '..');
    assert.deepEqual(await filesWith(userData, ['skg_a_', 'Bearer skg']), []);
  });
});
