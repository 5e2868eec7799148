import assert from 'node:assert/strict';
import { get } from 'node:http';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { listWith } from '../headless/listWith.ts';
import { type LocalClient, startLocalClient } from '../headless/localClient.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { connect } from './connecting.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { otherTexts, treeTexts } from './visible.ts';

/** Opens a URL and goes where it leads. Not by fetch, whose headers say that a page does it from behind. */
function openPlainly(url: URL, signal?: AbortSignal): void {
  const request = get(url, { ...(signal !== undefined && { signal }) }, (response) => {
    response.resume();
    const { location } = response.headers;
    if (location !== undefined) openPlainly(new URL(location, url));
  });
  request.on('error', () => undefined); // it was taken back
}

describe('local clients', () => {
  let sample: SampleServer;
  let probe: Probe;
  let connection: PublicConnection;
  let url = '';
  const clients: LocalClient[] = [];

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
    await vscode.commands.executeCommand('scopekeeper.copyGatewayUrl', connection.id);
    url = await vscode.env.clipboard.readText();
  });

  after(async () => {
    for (const client of clients) await client.close();
    await sample.close();
  });

  /** A program that opens its authorization URL as no browser does, so that no page comes first. */
  async function client(name: string): Promise<LocalClient> {
    const started = await startLocalClient(url, name, openPlainly);
    clients.push(started);
    return started;
  }

  async function rows(): Promise<string> {
    return (await treeTexts(probe.editor)).join('\n');
  }

  /** Revokes the access of this name, as a person does in the list of local clients. */
  async function revoke(label: string): Promise<void> {
    const questions = nextQuestions(probe);
    probe.editor.answers.set('showWarningMessage', ['Revoke']);
    const managing = vscode.commands.executeCommand('scopekeeper.manageLocalClients');
    await questions.choice(label);
    await questions.choice('Revoke…');
    // It comes back, for the next one.
    const again = await questions.list();
    assert.ok(!again.items.some((item) => item.label === label));
    again.hide();
    await managing;
  }

  it('the gateway URL is of this computer and names the connection', () => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[a-z0-9-]+\/mcp$/);
  });

  it('P44 a client gets in when the person says so, to the tools that they tick', async () => {
    const questions = nextQuestions(probe);
    const program = await client('Test $(x) [Program](command:a)');
    const listing = program.listTools();
    const list = await questions.list();
    assert.equal(list.items[0]?.label, `“Test $ (x) (Program)(command:a)” asks to use ${connection.name}`);
    await questions.choice('Choose Tools…');
    await questions.ticks('list_notes', 'add_note');
    assert.deepEqual(await listing, ['list_notes', 'add_note']);
    const texts = await rows();
    assert.match(texts, /Used by.*1 client/);
    assert.match(texts, /just now · 2 tools/);
  });

  it('P36 neither its tokens nor what made them are in anything that is drawn', async () => {
    const secrets = clients.flatMap((one) => one.secrets);
    assert.ok(secrets.length >= 2);
    const drawn = [...(await treeTexts(probe.editor)), ...otherTexts(probe.editor)].join('\n');
    for (const secret of secrets) assert.ok(!drawn.includes(secret));
  });

  it('is listed, and refused from the moment in which it is revoked', async () => {
    const [program] = clients;
    assert.ok(program);
    await program.callTool('list_notes');
    await revoke('Test $ (x) (Program)(command:a)');
    assert.match(await rows(), /nobody yet/);
    const questions = nextQuestions(probe);
    const refused = assert.rejects(program.callTool('list_notes'));
    await questions.choice('Deny');
    await refused;
  });

  it('P44 whoever presses Escape denies', async () => {
    const questions = nextQuestions(probe);
    const program = await client('Escaped');
    const denied = assert.rejects(program.listTools(), /denied/);
    (await questions.list()).hide();
    await denied;
  });

  it('P44 the question goes when the client does', async () => {
    const questions = nextQuestions(probe);
    const leaving = new AbortController();
    const program = await startLocalClient(url, 'Leaver', (authorizationUrl) => {
      openPlainly(authorizationUrl, leaving.signal);
    });
    void program.listTools().catch(() => undefined); // nobody answers it
    const list = await questions.list();
    const hidden = new Promise<void>((resolve) => void list.onDidHide(resolve));
    leaving.abort();
    await hidden;
    await program.close();
  });

  it('a token made by hand is put on the clipboard once, drawn nowhere, and good until it is revoked', async () => {
    const questions = nextQuestions(probe);
    probe.editor.answers.set('showInformationMessage', ['Copy Token']);
    const making = vscode.commands.executeCommand('scopekeeper.newToken', connection.id);
    await questions.text('', 'backup script');
    await questions.choice('Choose Tools…');
    await questions.ticks('list_notes');
    await questions.choice('7 days');
    await making;
    const token = await vscode.env.clipboard.readText();
    const drawn = [...(await treeTexts(probe.editor)), ...otherTexts(probe.editor)].join('\n');
    assert.ok(!drawn.includes(token));
    assert.match(await rows(), /backup script.*not used yet · 1 tool/);
    assert.deepEqual(await listWith(url, token), ['list_notes']);
    await revoke('backup script');
    await assert.rejects(listWith(url, token), { code: 401 });
  });
});
