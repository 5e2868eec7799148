import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { connectSample } from './connectedSample.ts';
import type { Probe } from './probe/probe.main.ts';
import { filesWith, treeTexts } from './visible.ts';

const START_MS = 10_000;
const LOOK_EVERY_MS = 200;
/** For what nobody cancels. */
const NEVER = new vscode.CancellationTokenSource().token;

/** The tools of the sample server, as the editor offers them to a language model. */
function tools(): readonly vscode.LanguageModelToolInformation[] {
  return vscode.lm.tools.filter(({ name }) => name.startsWith('mcp_') && name.endsWith('list_notes'));
}

describe('agent mode', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;

  before(async () => {
    ({ probe, sample, connection } = await connectSample());
  });

  after(async () => sample.close());

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

  it('P36 its token is only in what is resolved, since the editor keeps what is provided, and in no file', async () => {
    const context = probe.context();
    const provider = probe.editor.mcpProviders.get('scopekeeper');
    assert.ok(context !== undefined && provider !== undefined);
    const provided = (await provider.provideMcpServerDefinitions(NEVER)) ?? [];
    const server = provided.find(({ label }) => label === connection.name);
    assert.ok(server instanceof vscode.McpHttpServerDefinition);
    const resolved = await provider.resolveMcpServerDefinition?.(server, NEVER);
    assert.ok(resolved instanceof vscode.McpHttpServerDefinition);
    const [, token] = /^Bearer (skg_.{40,})$/.exec(resolved.headers['Authorization'] ?? '') ?? [];
    assert.ok(token !== undefined);
    assert.deepEqual(server.headers, {}, 'what was provided stays as it is');
    assert.ok(!JSON.stringify(provided).includes(token));
    assert.equal(resolved.version, server.version);
    const userData = path.resolve(context.globalStorageUri.fsPath, '..', '..', '..');
    const found = await filesWith(userData, [token]);
    assert.deepEqual(found, []);
  });

  it('is given a server under its new name, and none any more when the person turns it off', async () => {
    const provider = probe.editor.mcpProviders.get('scopekeeper');
    assert.ok(provider);
    const told = () => new Promise<void>((resolve) => void provider.onDidChangeMcpServerDefinitions?.(() => resolve()));
    const labels = async () => ((await provider.provideMcpServerDefinitions(NEVER)) ?? []).map(({ label }) => label);
    assert.ok((await labels()).includes(connection.name));
    probe.editor.answers.set('showInputBox', ['Notes of the agent']);
    let change = told();
    await vscode.commands.executeCommand('scopekeeper.rename', connection.id);
    await change;
    assert.ok((await labels()).includes('Notes of the agent'));
    const settings = vscode.workspace.getConfiguration();
    change = told();
    await settings.update('scopekeeper.agentMode.enabled', false, vscode.ConfigurationTarget.Global);
    await change;
    assert.deepEqual(await labels(), []);
    change = told();
    await settings.update('scopekeeper.agentMode.enabled', undefined, vscode.ConfigurationTarget.Global);
    await change;
    assert.ok((await labels()).includes('Notes of the agent'));
  });
});
