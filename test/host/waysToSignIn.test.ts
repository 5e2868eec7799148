import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { allowUris, editorUri } from './editorUris.ts';
import { storedSecret } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { nextQuestions } from './questions.ts';
import { scopekeeper, theProbe } from './theProbe.ts';
import { otherTexts, treeTexts } from './visible.ts';

const CLIENT = { id: 'robot-7', secret: 'canary-client-secret', authMethod: 'client_secret_basic' };
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ONLY_CLIENTS: Partial<Faults> = { grantTypes: ['client_credentials'], noRegistration: true };

describe('ways to sign in', () => {
  let probe: Probe;
  let api: ScopekeeperApi;
  const servers: FaultyServer[] = [];

  before(async () => {
    [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
  });

  after(async () => Promise.all(servers.map(async (server) => server.close())));

  async function start(faults: Partial<Faults>): Promise<FaultyServer> {
    const server = await startFaultyServer(faults);
    servers.push(server);
    return server;
  }

  function connectionTo(server: FaultyServer): PublicConnection {
    const found = api.connections().find(({ serverUrl }) => serverUrl === server.mcpUrl);
    assert.ok(found, 'the public API does not know the connection');
    return found;
  }

  /** Connects a server that refuses the browser, and waits until that is told. */
  async function connectInVain(server: FaultyServer, says: string): Promise<void> {
    const questions = nextQuestions(probe);
    const before = probe.editor.shown.length;
    const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
    await questions.text(server.mcpUrl);
    await connecting;
    await untilShown(says, before);
  }

  async function untilShown(says: string, since = 0): Promise<void> {
    await probe.recorder.until(says, () =>
      probe.editor.shown.slice(since).find((shown) => (JSON.stringify(shown) ?? '').includes(says)),
    );
  }

  it('leads from a refusal to client credentials, with an ID and a secret', async () => {
    const server = await start(ONLY_CLIENTS);
    server.addClient(CLIENT);
    await connectInVain(server, 'Choose How to Sign In');
    const { id } = connectionTo(server);

    const questions = nextQuestions(probe);
    const signingIn = Promise.resolve(vscode.commands.executeCommand('scopekeeper.signInAnotherWay', id));
    const kinds = await questions.choice('Client credentials');
    assert.equal(kinds.items.length, 6);
    const offered = kinds.items.filter(({ description }) => description === 'offered by this server');
    assert.deepEqual(
      offered.map(({ label }) => label),
      ['Client credentials'],
    );
    const clientId = await questions.text(CLIENT.id);
    assert.match(clientId.prompt ?? '', new RegExp(new URL(server.issuer).host));
    assert.deepEqual([clientId.step, clientId.totalSteps, clientId.ignoreFocusOut], [1, 3, true]);
    await questions.choice('Client secret');
    const secret = await questions.text(CLIENT.secret);
    assert.equal(secret.password, true);
    await signingIn;

    assert.equal(connectionTo(server).state, 'ready');
    assert.equal(server.requestsTo('token').at(-1)?.form?.['grant_type'], 'client_credentials');
    assert.equal((await storedSecret(id)).configuredClient?.clientSecret, CLIENT.secret);
    const rows = await treeTexts(probe.editor);
    assert.ok(
      rows.some((row) => row.includes('client credentials of robot-7')),
      'the view does not say how it signs in',
    );
  });

  it('P36 shows nothing of what was entered', async () => {
    const texts = [...(await treeTexts(probe.editor)), ...otherTexts(probe.editor), JSON.stringify(api.connections())];
    assert.ok(!texts.some((text) => text.includes(CLIENT.secret)), 'the client secret can be seen');
  });

  it('checks a token that the person brings, asks for another one when it is refused, and never renews it', async () => {
    const server = await start({});
    const { access_token: token } = await createPlainClient(server).signIn();
    server.faults.noRegistration = true;
    await connectInVain(server, 'Enter Client ID');
    const { id } = connectionTo(server);

    const questions = nextQuestions(probe);
    probe.editor.answers.set('showErrorMessage', ['Enter Token…']);
    const refusing = Promise.resolve(
      vscode.commands.executeCommand('scopekeeper.signInAnotherWay', id, 'static_token'),
    );
    const box = await questions.text('wrong-token');
    assert.deepEqual([box.password, box.step], [true, undefined]);
    await refusing;
    assert.equal(connectionTo(server).state, 'disconnected');

    // As it is often copied.
    await questions.text(`Bearer ${token}`);
    await probe.recorder.until('the sign-in', () => connectionTo(server).state === 'ready' || undefined);
    assert.equal((await storedSecret(id)).tokens?.accessToken, token);

    await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
    assert.equal(connectionTo(server).state, 'ready');
    server.faults.rejectTokens = true;
    await vscode.commands.executeCommand('scopekeeper.reauthorize', id);
    assert.equal(connectionTo(server).state, 'needsSignIn');
  });

  it('reads the identity token of a workload from its file, which needs its whole path', async () => {
    const server = await start({ grantTypes: [JWT_BEARER], noRegistration: true });
    server.addClient({ id: 'workload-1', authMethod: 'none' });
    await connectInVain(server, 'Choose How to Sign In');
    const { id } = connectionTo(server);
    const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-workload-'));
    const file = path.join(folder, 'token');
    try {
      const questions = nextQuestions(probe);
      const missing = Promise.resolve(vscode.commands.executeCommand('scopekeeper.signInAnotherWay', id));
      await questions.choice('Workload identity');
      await questions.text('workload-1');
      await questions.choice('In a file');
      const box = await questions.text('token', file);
      assert.match(box.prompt ?? '', /path of the file/);
      await missing;
      await untilShown('identity token in');
      assert.equal(connectionTo(server).state, 'disconnected');

      await writeFile(file, await server.workloadAssertion());
      await vscode.commands.executeCommand('scopekeeper.reauthorize', id);
      assert.equal(connectionTo(server).state, 'ready');
      assert.equal(server.requestsTo('token').at(-1)?.form?.['grant_type'], JWT_BEARER);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('signs in at the company’s identity provider, and uses that at the MCP server', async () => {
    const server = await start({ grantTypes: [JWT_BEARER], noRegistration: true });
    server.addClient({ ...CLIENT, authMethod: 'client_secret_basic' });
    server.faults.idJagClientId = CLIENT.id;
    await connectInVain(server, 'Choose How to Sign In');
    const { id } = connectionTo(server);
    const { issuer, clientId } = server.identityProvider;

    const questions = nextQuestions(probe);
    const opened = probe.editor.opened.length;
    const signingIn = Promise.resolve(vscode.commands.executeCommand('scopekeeper.signInAnotherWay', id));
    await questions.choice('Company sign-in');
    await questions.text('http://login.example.com', issuer);
    await questions.text(clientId);
    await questions.text('');
    const ownId = await questions.text(CLIENT.id);
    assert.deepEqual([ownId.step, ownId.totalSteps], [4, 5]);
    await questions.text(CLIENT.secret);
    const authorizationUrl = await probe.recorder.until('the browser', () => probe.editor.opened[opened]);
    assert.ok(authorizationUrl.startsWith(issuer), 'it signs in at the identity provider');
    const { search } = await server.authorize(authorizationUrl);
    await vscode.commands.executeCommand('vscode.open', editorUri(`/callback${search}`));
    await signingIn;
    assert.equal(connectionTo(server).state, 'ready');
    assert.equal(server.requestsTo('token').at(-1)?.form?.['grant_type'], JWT_BEARER);
  });

  it('P18 takes a callback that the browser gives to the editor, whichever way it was to come', async () => {
    const server = await start({});
    await allowUris();
    const opened = probe.editor.opened.length;
    const questions = nextQuestions(probe);
    const connecting = Promise.resolve(vscode.commands.executeCommand('scopekeeper.connectServer'));
    await questions.text(server.mcpUrl);
    const authorizationUrl = await probe.recorder.until('the browser', () => probe.editor.opened[opened]);
    const { search } = await server.authorize(authorizationUrl);
    await vscode.commands.executeCommand('vscode.open', editorUri(`/callback${search}`));
    await connecting;
    assert.equal(connectionTo(server).state, 'ready');
  });

  it('P16 refuses one of the editor’s callbacks that no sign-in waits for, and knows no other path', async () => {
    await allowUris();
    const before = probe.editor.shown.length;
    await vscode.commands.executeCommand('vscode.open', editorUri('/elsewhere?code=a&state=b'));
    await vscode.commands.executeCommand('vscode.open', editorUri('/callback?code=a&state=b'));
    await untilShown('belongs to no sign-in', before);
    assert.equal(probe.editor.shown.length, before + 1);
  });
});
