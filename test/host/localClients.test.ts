import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { listWith } from '../headless/listWith.ts';
import { type LocalClient, startLocalClient } from '../headless/localClient.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { connectSample } from './connectedSample.ts';
import { connect } from './connecting.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper } from './theProbe.ts';
import { nextQuestions } from './questions.ts';
import { otherTexts, treeTexts } from './visible.ts';

/** The editor tells nobody when a list has been filled. */
const LOOK_EVERY_MS = 50;

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
    ({ probe, sample, connection, url } = await connectSample());
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
    // Its stream ends too, and would ask again whenever it is opened anew.
    await program.close();
    clients.shift();
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

  it('P44 a client that names no server is let in to the one that the person chooses, after they could go back', async () => {
    const questions = nextQuestions(probe);
    const server = createServer((_, response) => response.end());
    const redirectUri = `${await listenOnLoopback(server)}/callback`;
    const arrived = new Promise<URL>((resolve) => {
      server.once('request', ({ url: path = '/' }) => resolve(new URL(path, redirectUri)));
    });
    const registration = await fetch(new URL('/oauth/register', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Old', redirect_uris: [redirectUri] }),
    });
    const { client_id: clientId } = v.parse(v.object({ client_id: v.string() }), await registration.json());
    const authorize = new URL('/oauth/authorize', url);
    const challenge = createHash('sha256').update('x'.repeat(43)).digest('base64url');
    authorize.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      state: 'here',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString();
    openPlainly(authorize);
    assert.equal((await questions.list()).items[0]?.label, '“Old” asks to use one of your servers');
    await questions.choice(connection.name);
    const [back] = (await questions.list()).buttons;
    assert.equal(back, vscode.QuickInputButtons.Back);
    await questions.choice('Allow All Tools');
    const { searchParams } = await arrived;
    assert.equal(searchParams.get('state'), 'here');
    assert.ok(searchParams.has('code'), searchParams.toString());
    await stopServer(server);
  });

  it('P43 when the server cannot be asked for its tools, the list says why, and nothing can be ticked', async () => {
    const gone = await startSampleServer({ accessTokenTtlSeconds: 3600 });
    await connect(probe, gone);
    await gone.close();
    const unreachable = (await scopekeeper()).connections().find(({ serverUrl }) => serverUrl === gone.mcpUrl);
    const questions = nextQuestions(probe);
    const making = vscode.commands.executeCommand('scopekeeper.newToken', unreachable?.id);
    await questions.text('never made');
    await questions.choice('Choose Tools…');
    const list = await questions.list();
    while (list.busy || !/does not tell/.test(list.placeholder ?? '')) await delay(LOOK_EVERY_MS);
    assert.match(list.placeholder ?? '', /does not tell its tools now: \w+/);
    assert.deepEqual(list.items, []);
    list.hide();
    await making;
    assert.ok(!/never made/.test(await rows()));
  });
});
