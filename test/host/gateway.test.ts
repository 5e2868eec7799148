import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as vscode from 'vscode';
import { userFolder } from '../../src/platform/userFolder.ts';
import { openTestWindow, type TestWindow } from '../headless/testWindow.ts';
import type { SampleServer } from '../sample/sampleServer.ts';
import { freePort } from '../servers/loopback.ts';
import { connectSample } from './connectedSample.ts';
import { open } from './browser.ts';
import { signInBy } from './connecting.ts';
import { testKeychain } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

/** Sends the first message of an MCP client. */
async function initialize(url: string, token?: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(INITIALIZE),
  });
}

describe('the gateway in the extension host', () => {
  let probe: Probe;
  let sample: SampleServer;
  let other: TestWindow;
  let id = '';
  let url = '';

  before(async () => {
    const connected = await connectSample();
    ({ probe, sample } = connected);
    ({ id } = connected.connection);
    other = openTestWindow({
      folder: userFolder(process.platform, process.env, homedir()),
      name: 'the other window',
      keychain: testKeychain,
    });
    await other.role.look();
    assert.equal(other.role.state.type, 'guest');
    url = await other.gateway.gatewayUrl(id);
  });

  after(async () => {
    await other.dispose();
    await sample.close();
  });

  it('P38 asks a client that has no token to sign in, and says where', async () => {
    const response = await initialize(url);
    assert.equal(response.status, 401);
    const [, metadataUrl = ''] =
      /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '') ?? [];
    const metadata: unknown = await (await fetch(metadataUrl)).json();
    const { origin } = new URL(url);
    assert.ok(typeof metadata === 'object' && metadata !== null);
    assert.deepEqual(
      Object.entries(metadata).filter(([name]) => ['resource', 'authorization_servers'].includes(name)),
      [
        ['resource', url],
        ['authorization_servers', [origin]],
      ],
    );
    assert.equal((await initialize(url, 'no-token-of-anybody')).status, 401);
  });

  it('P45 lets a client with a token of ours use the connection', async () => {
    const token = await other.gateway.createToken({ label: 'Host test', connection: id, allowedTools: '*' });
    const response = await initialize(url, token);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /"serverInfo"/);
    const names = (await other.gateway.tools(id)).map(({ name }) => name);
    assert.ok(names.includes('list_notes'), names.join(', '));
    await other.gateway.revoke(other.gateway.accesses.map((access) => access.id));
    assert.equal((await initialize(url, token)).status, 401);
  });

  it('P37 keeps its connection to a server, whatever the editor does to requests', async () => {
    const token = await other.gateway.createToken({ label: 'Many calls', connection: id, allowedTools: '*' });
    await (await initialize(url, token)).text();
    const before = sample.connectionCount();
    for (let call = 0; call < 20; call += 1) await (await initialize(url, token)).text();
    assert.ok(sample.connectionCount() - before <= 1, `${sample.connectionCount() - before} connections for 20 calls`);
  });

  it('P24 tells the person once what a call needs, and the call goes through when they have signed in', async () => {
    const token = await other.gateway.createToken({ label: 'Host test', connection: id, allowedTools: '*' });
    const client = new Client({ name: 'test', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    const shownBefore = probe.editor.shown.length;
    probe.editor.answers.set('showWarningMessage', ['Sign In']);
    await signInBy(
      probe,
      async () => {
        const call = { name: 'delete_all_notes', arguments: {} };
        const results = await Promise.all([client.callTool(call), client.callTool(call)]);
        for (const result of results) assert.notEqual(result.isError, true);
      },
      async (authorizationUrl) => open(authorizationUrl, sample),
    );
    await client.close();
    const texts = probe.editor.shown.slice(shownBefore).map((shown) => JSON.stringify([shown]));
    const told = texts.filter((text) => text.includes('wants to use'));
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /“tools\/call delete_all_notes”.*“notes:admin”.*"Sign In","Not Now"/);
    await other.gateway.revoke(other.gateway.accesses.map((access) => access.id));
  });

  it('P18a moves to the port that is set, says so, and takes its windows with it', async () => {
    const before = new URL(url).port;
    const wanted = await freePort();
    const shownBefore = probe.editor.shown.length;
    const settings = vscode.workspace.getConfiguration();
    await settings.update('scopekeeper.gateway.port', wanted, vscode.ConfigurationTarget.Global);
    const text = await probe.recorder.until('the message', () =>
      probe.editor.shown
        .slice(shownBefore)
        .map((shown) => JSON.stringify(shown))
        .find((shown) => shown.includes(`at port ${wanted}`)),
    );
    assert.ok(text.includes(before), text);
    while ((await other.gateway.gatewayUrl(id)) === url) await new Promise(setImmediate);
    url = await other.gateway.gatewayUrl(id);
    assert.equal(new URL(url).port, String(wanted));
    assert.equal((await initialize(url)).status, 401);
    await settings.update('scopekeeper.gateway.port', undefined, vscode.ConfigurationTarget.Global);
    assert.equal(await other.gateway.gatewayUrl(id), url, 'it stays there');
  });
});
