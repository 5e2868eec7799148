import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHeadlessManager } from '../../headless/headlessManager.ts';
import { perOperation, perTool } from './operationScopes.ts';
import { connectClient, startStory } from './story.ts';

for (const transport of ['streamable HTTP', 'HTTP+SSE'] as const) {
  describe(`a server that demands scopes for each operation, over ${transport} (seed 002)`, () => {
    it('P22 gets each scope with one authorization, and there is no loop', async (t) => {
      const { authorizations, authorizationServer, headless, mcp } = await startStory(t, {
        ...perOperation,
        transport,
      });
      const { manager } = headless;
      const { id } = await manager.add(mcp.url);
      const client = await connectClient(t, manager, id, transport);
      assert.deepEqual(authorizations(), ['init']);
      assert.deepEqual(
        (await client.listTools()).tools.map(({ name }) => name),
        ['read'],
      );
      assert.deepEqual(authorizations(), ['init', 'init mcp:tools:read']);

      for (let round = 0; round < 3; round += 1) {
        await client.callTool({ name: 'read' });
        await client.ping();
      }
      const second = await connectClient(t, manager, id, transport);
      await second.callTool({ name: 'read' });
      assert.equal(authorizations().length, 2);
      assert.equal(authorizationServer.requestsTo('token').length, 2);
      assert.deepEqual(
        mcp.judged.filter(({ status }) => status === 403),
        [{ operation: 'tools/list', status: 403 }],
      );
      assert.deepEqual(manager.get(id)?.requested, ['init', 'mcp:tools:read']);
    });

    for (const [from, options, settings] of [
      ['the resource metadata', { scopesSupported: ['a', 'b', 'c'] }, {}],
      ['the settings of the connection', {}, { scopes: ['a', 'b', 'c'] }],
    ] as const) {
      it(`P15 P22 keeps first scopes that came only from ${from}`, async (t) => {
        const story = await startStory(t, { ...perTool, ...options, transport });
        const { manager } = story.headless;
        const { id } = await manager.add(story.mcp.url);
        await manager.configure(id, settings);
        const client = await connectClient(t, manager, id, transport);
        for (const name of ['a', 'd', 'b', 'c', 'd', 'a']) await client.callTool({ name });
        assert.deepEqual(story.authorizations(), ['a b c', 'a b c d']);
        assert.equal(story.mcp.judged.filter(({ status }) => status === 403).length, 1);
      });
    }

    it('P2 finds the metadata again though later challenges do not name them', async (t) => {
      const story = await startStory(t, { ...perTool, scopesSupported: ['a'], transport });
      const { manager } = story.headless;
      const { id } = await manager.add(story.mcp.url);
      const client = await connectClient(t, manager, id, transport);
      story.mcp.namesMetadata = false;
      await client.callTool({ name: 'd' });
      await client.callTool({ name: 'a' });
      assert.deepEqual(story.authorizations(), ['a', 'a d']);
    });

    it('P2 P23 keeps the union and where the metadata are over a restart', async (t) => {
      const story = await startStory(t, { ...perTool, scopesSupported: ['a', 'b', 'c'], transport });
      const { headless, mcp, authorizationServer } = story;
      const { id } = await headless.manager.add(mcp.url);
      const before = await connectClient(t, headless.manager, id, transport);
      await before.callTool({ name: 'd' });
      await before.close();
      await headless.dispose();
      mcp.namesMetadata = false;

      const restarted = createHeadlessManager({
        ...headless,
        browser: async (url) => authorizationServer.authorize(url),
      });
      t.after(async () => restarted.dispose());
      await restarted.manager.start();
      assert.deepEqual(restarted.manager.get(id)?.requested, ['a', 'b', 'c', 'd']);
      const after = await connectClient(t, restarted.manager, id, transport);
      for (const name of ['d', 'e', 'a']) await after.callTool({ name });
      assert.deepEqual(story.authorizations(), ['a b c', 'a b c d', 'a b c d e']);
    });

    for (const [what, demands, authorizations] of [
      ['a scope that the token has', ['a'], 2],
      ['a scope that is never granted', ['x'], 2],
      ['one of two scopes in turn', ['x', 'y'], 3],
      ['a scope that the token has and another in turn', ['a', 'x'], 3],
      ['another scope each time', Array.from({ length: 100 }, (_, index) => `x${index}`), 6],
    ] as const) {
      it(`P25 is stopped when it demands ${what} for ever`, { timeout: 30_000 }, async (t) => {
        const faults = { grantOnly: ['a'] };
        const story = await startStory(t, { ...perTool, scopesSupported: ['a'], transport }, { faults });
        const { manager } = story.headless;
        const { id } = await manager.add(story.mcp.url);
        const client = await connectClient(t, manager, id, transport);
        let demand = 0;
        story.mcp.demandsForEver = () => demands[demand++ % demands.length] ?? '';
        for (let round = 0; round < 5; round += 1) await assert.rejects(client.callTool({ name: 'a' }));
        assert.equal(story.authorizations().length, authorizations);
        // One for each call, and one after each authorization or refresh.
        const calls = story.mcp.judged.filter(({ operation }) => operation === 'tools/call a');
        const tokens = story.authorizationServer.requestsTo('token').length;
        assert.equal(calls.length, 5 + tokens - 1);
        assert.ok(tokens <= authorizations + 1);
        story.mcp.demandsForEver = undefined;
        await client.callTool({ name: 'a' });
      });
    }
  });
}

it('P23 the union is dropped when the person asks for fewer scopes', async (t) => {
  const story = await startStory(t, { ...perTool, scopesSupported: ['a', 'b', 'c'], transport: 'streamable HTTP' });
  const { manager } = story.headless;
  const { id } = await manager.add(story.mcp.url);
  await manager.authorize(id);
  await manager.authorize(id, { scopes: ['b'] });
  const client = await connectClient(t, manager, id);
  await client.callTool({ name: 'd' });
  assert.deepEqual(story.authorizations(), ['a b c', 'b', 'b d']);
});
