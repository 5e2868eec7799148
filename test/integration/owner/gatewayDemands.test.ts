import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import type { Demand } from '../../../src/gateway/ports.ts';
import type { TestWindow } from '../../headless/testWindow.ts';
import { newUser } from './windows.ts';

/** Calls a tool, and gives what came back as text. */
async function callTool(url: string, token: string, name: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
  });
  return response.text();
}

describe('a local client’s call that needs more than was granted', () => {
  it('P24 is told once, where the person is, and goes through when they have signed in there', async (t) => {
    const { open, server } = await newUser(t, { challengeScope: 'files:read' });
    const told: string[] = [];
    const tellIn = (name: string, window: () => TestWindow) => async (demand: Demand) => {
      told.push(`${name}: ${demand.scopes.join(' ')} for ${demand.operation ?? '?'}`);
      await window().connections.authorize(demand.connection);
    };
    const owner: TestWindow = open('owner', { asks: { tellDemand: tellIn('owner', () => owner) } });
    const { id } = await owner.connections.add(server.mcpUrl);
    await owner.connections.authorize(id);
    const guest: TestWindow = open('guest', { asks: { tellDemand: tellIn('guest', () => guest) } });
    await guest.role.look();
    guest.connections.noteFocus();
    const url = await guest.gateway.gatewayUrl(id);
    const token = await guest.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    const openedBefore = owner.opened.length;

    const calls = await Promise.all(Array.from({ length: 5 }, async () => callTool(url, token, 'write_file')));
    for (const answer of calls) assert.match(answer, /"text":"done"/);
    assert.deepEqual(told, ['guest: files:write for tools/call write_file']);
    assert.equal(guest.opened.length, 1, 'the browser opens where the person is');
    assert.equal(owner.opened.length, openedBefore);

    assert.match(await callTool(url, token, 'delete_file'), /"text":"done"/);
    assert.deepEqual(told.slice(1), ['guest: files:admin for tools/call delete_file']);
  });

  it('P24 keeps no client waiting once the person has said not now', async (t) => {
    const { open, server } = await newUser(t, { challengeScope: 'files:read' });
    const shown = deferred<void>();
    const notNow = deferred<void>();
    const owner = open('owner', {
      asks: {
        tellDemand: async () => {
          shown.resolve();
          await notNow.promise;
        },
      },
    });
    const { id } = await owner.connections.add(server.mcpUrl);
    await owner.connections.authorize(id);
    const url = await owner.gateway.gatewayUrl(id);
    const token = await owner.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    const calls = Promise.all(['write_file', 'write_file'].map(async (tool) => callTool(url, token, tool)));
    await shown.promise;
    // By then the one that met the demand waits.
    assert.match(await callTool(url, token, 'read_file'), /"text":"done"/);
    notNow.resolve();
    for (const answer of await calls) assert.match(answer, /"reason":"consent_required"/);
    // It is not said twice.
    assert.match(await callTool(url, token, 'write_file'), /"reason":"consent_required"/);
  });

  it('P25 is told once when the person does nothing, and the client what to do', async (t) => {
    const { open, server } = await newUser(t, { challengeScope: 'files:read' });
    const told: Demand[] = [];
    const owner = open('owner', {
      stepUpTimeoutMs: 50,
      asks: { tellDemand: async (demand) => void told.push(demand) },
    });
    const { id } = await owner.connections.add(server.mcpUrl);
    await owner.connections.authorize(id);
    const url = await owner.gateway.gatewayUrl(id);
    const token = await owner.gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    for (let call = 0; call < 3; call += 1) {
      const answer = await callTool(url, token, 'write_file');
      assert.match(answer, /"reason":"consent_required"/);
    }
    assert.equal(told.length, 1);
    assert.match(await callTool(url, token, 'read_file'), /"text":"done"/);
  });
});
