import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { ConnectionManager } from '../../../src/connections/connectionManager.ts';
import { startTestGateway, whenWaiting, type TestGateway } from '../../headless/testGateway.ts';
import type { ServerTransport } from '../../servers/scopedMcpServer.ts';
import { perOperation, perTool } from '../stories/operationScopes.ts';
import { startStory } from '../stories/story.ts';

/** The official client, which knows nothing of scopes: it has a token of ours, and no way to authorize. */
async function connect(t: TestContext, gateway: TestGateway, id: string, transport: ServerTransport): Promise<Client> {
  const url = new URL(gateway.url(id));
  const requestInit = { headers: { authorization: `Bearer ${gateway.accesses.add(id)}` } };
  const client = new Client({ name: 'local', version: '1' });
  t.after(async () => client.close());
  await client.connect(
    transport === 'HTTP+SSE'
      ? new SSEClientTransport(url, { requestInit, eventSourceInit: { fetch: withHeaders(requestInit.headers) } })
      : new StreamableHTTPClientTransport(url, { requestInit }),
  );
  return client;
}

function withHeaders(added: Record<string, string>): typeof fetch {
  return async (url, init) =>
    fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...added } });
}

/** The person, who authorizes whatever is needed as soon as it is. */
function authorizes(manager: ConnectionManager, id: string): ReturnType<typeof whenWaiting> {
  return whenWaiting(() => void manager.authorize(id).catch(() => undefined));
}

for (const transport of ['streamable HTTP', 'HTTP+SSE'] as const) {
  describe(`a server that demands scopes for each operation, through the gateway, over ${transport} (seed 002)`, () => {
    it('P37 P22 one consent for each new scope, unseen by the client, and no loop', async (t) => {
      const story = await startStory(t, { ...perOperation, transport });
      const { manager } = story.headless;
      const { id } = await manager.add(story.mcp.url);
      await manager.authorize(id);
      const gateway = await startTestGateway(t, story.headless, { onDidDecline: authorizes(manager, id) });
      const client = await connect(t, gateway, id, transport);
      assert.deepEqual(
        (await client.listTools()).tools.map(({ name }) => name),
        ['read'],
      );
      for (let round = 0; round < 3; round += 1) {
        const { content } = await client.callTool({ name: 'read' });
        assert.deepEqual(content, [{ type: 'text', text: 'read' }]);
        await client.ping();
      }
      const second = await connect(t, gateway, id, transport);
      await second.callTool({ name: 'read' });
      assert.deepEqual(story.authorizations(), ['init', 'init mcp:tools:read']);
      assert.deepEqual(
        story.mcp.judged.filter(({ status }) => status === 403),
        [{ operation: 'tools/list', status: 403 }],
      );
    });

    it('P37 P22 each tool gets its scope when it is first called', async (t) => {
      const story = await startStory(t, { ...perTool, scopesSupported: ['a'], transport });
      const { manager } = story.headless;
      const { id } = await manager.add(story.mcp.url);
      await manager.authorize(id);
      const gateway = await startTestGateway(t, story.headless, { onDidDecline: authorizes(manager, id) });
      const client = await connect(t, gateway, id, transport);
      for (const name of ['a', 'd', 'b', 'd', 'a']) await client.callTool({ name });
      assert.deepEqual(story.authorizations(), ['a', 'a d', 'a d b']);
    });

    it('P37 P25 a server that demands for ever is stopped, and the client is told', async (t) => {
      const faults = { grantOnly: ['a'] };
      const story = await startStory(t, { ...perTool, scopesSupported: ['a'], transport }, { faults });
      const { manager } = story.headless;
      const { id } = await manager.add(story.mcp.url);
      await manager.authorize(id);
      const gateway = await startTestGateway(t, story.headless, { onDidDecline: authorizes(manager, id) });
      const client = await connect(t, gateway, id, transport);
      story.mcp.demandsForEver = () => 'x';
      for (let round = 0; round < 3; round += 1) {
        await assert.rejects(client.callTool({ name: 'a' }), /refuses this request/);
      }
      assert.equal(story.authorizations().length, 2);
      story.mcp.demandsForEver = undefined;
      await client.callTool({ name: 'a' });
    });
  });
}
