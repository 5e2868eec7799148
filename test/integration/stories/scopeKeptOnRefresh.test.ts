import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { TokenBody } from '../../servers/faults.ts';
import { parsed } from '../../servers/faultyServerTest.ts';
import { createPlainClient } from '../../servers/plainClient.ts';
import type { ScopedMcpServerOptions } from '../../servers/scopedMcpServer.ts';
import { connectClient, startStory } from './story.ts';

const LIFETIME_S = 600;

/** Only tool calls need scopes, so that a stripped token still lists the tools. */
const server: ScopedMcpServerOptions = {
  transport: 'streamable HTTP',
  scopeOf: (operation) => /^tools\/call (.+)$/.exec(operation)?.[1],
  tools: ['tickets.read', 'tickets.write'],
  scopesSupported: ['tickets.read', 'tickets.write'],
  challengesFirst: false,
};

/** Strips all scopes from a refreshed token unless the refresh carries them, against RFC 6749 section 6. */
const faults = { dropScopesUnlessSent: true, expiresIn: LIFETIME_S };

describe('an authorization server that strips scopes from refreshed tokens (seed 000)', () => {
  it('breaks whoever refreshes without scope: the tools are listed, and every call fails', async (t) => {
    const { authorizationServer, mcp } = await startStory(t, server, { faults });
    const client = createPlainClient(authorizationServer);
    await client.register();
    const authorized = { resource: mcp.url, scope: server.tools.join(' ') };
    const { refresh_token: refreshToken } = await parsed(client.exchange(await client.authorize(authorized)));
    const { access_token: token } = await parsed(client.refresh(refreshToken));
    const post = async (method: string, name?: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name } });
      return (await fetch(mcp.url, { method: 'POST', headers, body })).status;
    };
    assert.equal(await post('tools/call', 'tickets.read'), 403);
    assert.notEqual(await post('tools/list'), 403);
    assert.deepEqual(mcp.judged, [
      { operation: 'tools/call tickets.read', status: 403 },
      { operation: 'tools/list', status: 200 },
    ]);
  });

  for (const [title, spoilTokenBody] of [
    ['says so', (body: TokenBody): unknown => body],
    // So that a client cannot tell that they are gone.
    ['says nothing', (body: TokenBody): unknown => ({ ...body, scope: undefined })],
  ] as const) {
    it(`P27 keeps every tool working over ten refreshes of one that ${title}`, { timeout: 30_000 }, async (t) => {
      const clock = new ManualClock();
      const story = await startStory(t, server, { faults, clock, spoilTokenBody });
      const { authorizationServer, headless, mcp } = story;
      const { manager } = headless;
      const { id } = await manager.add(mcp.url);
      const client = await connectClient(t, manager, id);
      const tokens = new Set([await manager.accessToken(id)]);
      for (let round = 1; round <= 10; round += 1) {
        // To where the token renews itself, ahead of its end.
        clock.advance(LIFETIME_S * 800);
        const renewed = await headless.until(id, (connection) => {
          return connection.state.type === 'ready' && connection.state.grant.generation > round;
        });
        assert.deepEqual(currentGrant(renewed)?.granted, server.tools);
        tokens.add(await manager.accessToken(id));
        assert.deepEqual(
          (await client.listTools()).tools.map(({ name }) => name),
          server.tools,
        );
        for (const name of server.tools) {
          assert.deepEqual((await client.callTool({ name })).content, [{ type: 'text', text: name }]);
        }
      }
      assert.equal(tokens.size, 11);
      const forms = authorizationServer.requestsTo('token').map(({ form }) => form ?? {});
      assert.equal(forms.length, 11);
      for (const form of forms.slice(1)) {
        assert.equal(form['grant_type'], 'refresh_token');
        assert.equal(form['scope'], 'tickets.read tickets.write');
        assert.equal(form['resource'], mcp.url);
      }
      assert.equal(story.authorizations().length, 1);
      // No call had to be tried twice: the token that was renewed had its scopes all along.
      assert.deepEqual(
        mcp.judged.filter(({ operation, status }) => status !== 200 && operation !== 'initialize'),
        [],
      );
    });
  }
});
