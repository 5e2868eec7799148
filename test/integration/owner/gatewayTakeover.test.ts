import assert from 'node:assert/strict';
import { writeFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { AskConsent } from '../../../src/gateway/ports.ts';
import { startLocalClient } from '../../headless/localClient.ts';
import { signedIn } from './windowProcess.ts';
import { newUser } from './windows.ts';

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

/** Lists the tools, and gives the status; undefined when nobody was there to answer. */
async function listTools(url: string, token: string): Promise<number | undefined> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  };
  try {
    const response = await fetch(url, { method: 'POST', headers, body: LIST });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

describe('the gateway of an owner that is killed', () => {
  it('P41 is served by its guest at the same URL, and no token is refused meanwhile', async (t) => {
    const { id, keychain, open, signIns, start } = await signedIn(t);
    const owner = start('owner');
    await owner.settled();
    const guest = open('guest', { keychain });
    await guest.role.look();
    assert.equal(guest.role.state.type, 'guest');
    const url = await guest.gateway.gatewayUrl(id);
    const token = await guest.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    const editorToken = await guest.gateway.editorToken(id, { type: 'agent' });
    assert.deepEqual([await listTools(url, token), await listTools(url, editorToken)], [200, 200]);
    assert.equal(await listTools(url, `${token}x`), 401);
    const before = guest.gateway.accesses.map((access) => access.id);
    let changes = 0;
    guest.gateway.onDidChangeAccesses(() => (changes += 1));

    await owner.kill();
    const statuses: (number | undefined)[] = [];
    while (statuses.at(-1) !== 200) statuses.push(await listTools(url, token));
    assert.deepEqual(
      statuses.filter((status) => status !== undefined && status !== 200 && status !== 503),
      [],
      'a client that is told that its token is bad throws it away',
    );
    assert.equal(guest.role.state.type, 'owner');
    assert.equal(await listTools(url, editorToken), 200);
    assert.equal(await guest.gateway.gatewayUrl(id), url);
    assert.equal(await guest.gateway.editorToken(id, { type: 'agent' }), editorToken);
    assert.ok(changes > 0, 'the accesses are told anew');
    assert.deepEqual(
      guest.gateway.accesses.map((access) => access.id),
      before,
    );
    assert.equal(signIns(), 1);
  });

  it('P39 P44 leaves a client signed in that was let in in a window of a guest', async (t) => {
    const { id, keychain, open, start } = await signedIn(t);
    const owner = start('owner');
    await owner.settled();
    const asked: string[] = [];
    const askConsent: AskConsent = async ({ clientName }) => {
      asked.push(clientName);
      return { type: 'allowed', connection: id, allowedTools: ['write_file'] };
    };
    const guest = open('guest', { keychain, asks: { askConsent } });
    await guest.role.look();
    guest.connections.noteFocus();
    const url = await guest.gateway.gatewayUrl(id);
    let opened = 0;
    const client = await startLocalClient(url, 'A client', (authorizationUrl) => {
      opened += 1;
      void fetch(authorizationUrl).catch(() => undefined); // where it ends is the client's
    });
    t.after(async () => client.close());
    assert.deepEqual(await client.listTools(), ['write_file']);
    assert.deepEqual(asked, ['A client']);

    await owner.kill();
    while ((await listTools(url, client.secrets[0] ?? '')) !== 200) await guest.role.look();
    assert.deepEqual(await client.listTools(), ['write_file']);
    assert.equal(opened, 1);
    assert.equal(guest.gateway.accesses[0]?.label, 'A client');
  });
});

describe('the gateway of an owner', () => {
  it('P42 gives nobody access by a registry that it cannot read, keeps the connections, and goes on once it is mended', async (t) => {
    const { folder, open, server } = await newUser(t);
    const first = open('first');
    const { id } = await first.connections.add(server.mcpUrl);
    await first.connections.authorize(id);
    const token = await first.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    const url = await first.gateway.gatewayUrl(id);
    await first.dispose();
    const file = path.join(folder, 'gateway.json');
    const good = await readFile(file, 'utf8');
    await writeFile(file, JSON.stringify({ version: 3 }));

    let now = Date.now();
    const second = open('second', { clock: { now: () => now, after: () => ({ dispose: () => undefined }) } });
    await second.role.look();
    assert.equal(second.role.state.type, 'owner');
    assert.equal((await second.connections.refresh(id)).state.type, 'ready');
    assert.equal(await listTools(url, token), 503);
    const tooNew = { code: 'storage_too_new' };
    await assert.rejects(second.gateway.editorToken(id, { type: 'agent' }), tooNew);
    assert.equal(await readFile(file, 'utf8'), JSON.stringify({ version: 3 }));

    await writeFile(file, good);
    await assert.rejects(second.gateway.editorToken(id, { type: 'agent' }), tooNew);
    now += 2000;
    assert.equal(await listTools(url, token), 200);
  });

  it('P39 tells no client that its token is bad while the window closes', async (t) => {
    const { open, server } = await newUser(t);
    const window = open('window');
    const { id } = await window.connections.add(server.mcpUrl);
    await window.connections.authorize(id);
    const token = await window.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    const url = await window.gateway.gatewayUrl(id);
    server.faults.delayMs = { token: 500 };
    const requests = server.requestsTo('token').length;
    const refreshed = window.connections.refresh(id);
    while (server.requestsTo('token').length === requests) await new Promise(setImmediate);
    // It waits for the refresh, with the port still held.
    const closed = window.dispose();
    assert.equal(await listTools(url, token), 503);
    await Promise.allSettled([closed, refreshed]);
    assert.equal(await listTools(url, token), undefined);
  });
});
