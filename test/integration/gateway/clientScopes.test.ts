import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startHeadlessGateway } from '../../headless/headlessGateway.ts';
import type { ScopedMcpServerOptions, ServerTransport } from '../../servers/scopedMcpServer.ts';
import { startStory } from '../stories/story.ts';
import { type ConnectClient, type RealClient, SSE_CLIENTS, STREAMABLE_CLIENTS } from './realClients.ts';

/** Seed 002: `init` for everything but the tools, each of which needs a scope of its own. */
const perOperation: Omit<ScopedMcpServerOptions, 'transport'> = {
  scopeOf: (operation) => /^tools\/call (.+)$/.exec(operation)?.[1] ?? (operation === 'tools/list' ? 'list' : 'init'),
  tools: ['read', 'write'],
  challengesFirst: true,
};

/** The server, and the gateway before it with a person who consents to everything. */
async function startScoped(t: TestContext, transport: ServerTransport) {
  const story = await startStory(t, { ...perOperation, transport });
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-scopes-'));
  let asked = 0;
  const headless = await startHeadlessGateway({
    folder,
    browser: async (url) => story.authorizationServer.authorize(url),
    askConsent: async ({ connection = '' }) => {
      asked += 1;
      return { type: 'allowed', connection, allowedTools: '*' };
    },
  });
  t.after(async () => {
    await headless.dispose();
    await rm(folder, { recursive: true, force: true });
  });
  const { gateway, manager } = headless;
  const { id } = await manager.add(story.mcp.url);
  await manager.authorize(id);
  return {
    story,
    /** How often a client was let in. */
    asked: () => asked,
    async connect(connect: ConnectClient): Promise<RealClient> {
      const client = await connect(await gateway.gatewayUrl(id));
      t.after(async () => client.close());
      return client;
    },
  };
}

for (const [transport, clients] of [
  ['streamable HTTP', STREAMABLE_CLIENTS],
  ['HTTP+SSE', SSE_CLIENTS],
] as const) {
  for (const [name, connect] of clients) {
    describe(`a server that demands scopes for each operation, over ${transport}, used by ${name} (seed 002)`, () => {
      it(
        'P22 P38 needs one consent for each new scope, of which the client knows nothing',
        { timeout: 60_000 },
        async (t) => {
          const stand = await startScoped(t, transport);
          const client = await stand.connect(connect);
          const steps = ['init'];
          assert.deepEqual(stand.story.authorizations(), steps);

          assert.deepEqual(await client.toolNames(), ['read', 'write']);
          assert.deepEqual(stand.story.authorizations(), [...steps, 'init list']);

          for (let round = 0; round < 3; round += 1) {
            const { progress, text } = await client.call('read');
            assert.equal(text, 'read');
            assert.deepEqual(progress, [1, 2, 3]);
          }
          await client.call('write');
          await client.toolNames();
          const second = await stand.connect(connect);
          await second.call('read');
          assert.deepEqual(stand.story.authorizations(), [
            ...steps,
            'init list',
            'init list read',
            'init list read write',
          ]);
          assert.equal(stand.story.mcp.judged.filter(({ status }) => status === 403).length, 3);
          assert.equal(stand.asked(), 2, 'each client is let in once');
        },
      );
    });
  }
}
