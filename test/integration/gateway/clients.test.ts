import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { AllowedTools } from '../../../src/gateway/localAccess.ts';
import type { ConsentRequest } from '../../../src/gateway/ports.ts';
import { GatewayProcess, type ServedConnection } from '../../headless/gatewayProcess.ts';
import { createPerson } from '../../sample/person.ts';
import { type SampleServer, startSampleServer } from '../../sample/sampleServer.ts';
import { PROGRESS_STEPS } from '../../servers/reportProgress.ts';
import { type ConnectClient, type RealClient, STREAMABLE_CLIENTS } from './realClients.ts';

const HOUR_MS = 3_600_000;
const LIFETIMES = { accessTokenMs: HOUR_MS, refreshTokenMs: 24 * HOUR_MS, graceMs: 30_000 };
const ALL_TOOLS = ['list_notes', 'add_note', 'delete_all_notes'];

/** A sample server that is connected, the gateway before it, and a person who signs in and says yes. */
interface Stand {
  readonly sample: SampleServer;
  readonly gateway: GatewayProcess;
  readonly served: ServedConnection;
  /** What the person was asked, oldest first. */
  readonly asked: readonly ConsentRequest[];
  /** What the person allows from now on. */
  allowedTools: AllowedTools;
  /** Connects a client, which signs in; closed when the test ends. */
  connect(connect: ConnectClient): Promise<RealClient>;
  /** Kills the gateway where it is, and starts it again at the same port, over the same files. */
  restart(): Promise<void>;
}

async function startStand(t: TestContext): Promise<Stand> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-clients-'));
  const sample = await startSampleServer();
  const person = createPerson(sample);
  const asked: ConsentRequest[] = [];
  const start = async (): Promise<GatewayProcess> =>
    GatewayProcess.start(
      { folder, hasMovableClock: true, lifetimes: LIFETIMES },
      {
        browse: async (url) => person.authorize(url),
        askConsent: async (request) => {
          asked.push(request);
          return { type: 'allowed', connection: served.id, allowedTools: stand.allowedTools };
        },
      },
    );
  let gateway = await start();
  t.after(async () => {
    await gateway.kill();
    await sample.close();
    await rm(folder, { recursive: true, force: true });
  });
  const served = await gateway.connect(sample.mcpUrl);
  const stand: Stand = {
    sample,
    served,
    asked,
    allowedTools: '*',
    get gateway() {
      return gateway;
    },
    async connect(connect) {
      const client = await connect(served.url);
      t.after(async () => client.close());
      return client;
    },
    async restart() {
      const { port } = gateway;
      await gateway.kill();
      gateway = await start();
      assert.equal(gateway.port, port);
    },
  };
  return stand;
}

/** Adds a note again and again until the server's message about it has come by the session's own stream. */
async function untilMessage(client: RealClient): Promise<void> {
  const text = `note ${randomUUID()}`;
  // The stream may be opened after the session, and again after it broke: what is sent meanwhile is lost.
  while (!client.messages.includes(`Added: ${text}`)) await client.call('add_note', { text });
}

/** The tokens that the sample server has given by the refresh grant. */
function refreshes({ requests }: SampleServer): number {
  return requests.filter(({ body, endpoint }) => endpoint === 'token' && body['grant_type'] === 'refresh_token').length;
}

for (const [name, connect] of STREAMABLE_CLIENTS) {
  describe(`${name} through the gateway`, () => {
    it('P38 P44 signs in, lists and calls tools, and hears streams', { timeout: 60_000 }, async (t) => {
      const stand = await startStand(t);
      const client = await stand.connect(connect);
      assert.equal(stand.asked.length, 1, 'one consent');
      assert.equal(stand.asked[0]?.connection, stand.served.id);
      assert.deepEqual(await client.toolNames(), ALL_TOOLS);
      const { progress, text } = await client.call('add_note', { text: 'buy milk' });
      assert.equal(text, 'Added: buy milk');
      assert.deepEqual(
        progress,
        Array.from({ length: PROGRESS_STEPS }, (_, index) => index + 1),
      );
      await untilMessage(client);
      assert.equal(stand.asked.length, 1, 'nothing is asked again');
    });

    it(
      'P39 goes on after each of its tokens has ended, and the person is not asked again',
      { timeout: 60_000 },
      async (t) => {
        const stand = await startStand(t);
        const client = await stand.connect(connect);
        // Together longer than the first refresh token was good for.
        for (let round = 0; round < 5; round += 1) {
          await stand.gateway.pass(LIFETIMES.accessTokenMs * 5);
          assert.equal((await client.call('add_note', { text: `note ${round}` })).text, `Added: note ${round}`);
        }
        await untilMessage(client);
        assert.equal(stand.asked.length, 1);
      },
    );

    it('P24 sees nothing of an upstream token that has ended', { timeout: 60_000 }, async (t) => {
      const stand = await startStand(t);
      const client = await stand.connect(connect);
      await client.call('list_notes');
      await stand.sample.endAccessTokens();
      assert.equal((await client.call('add_note', { text: 'unseen' })).text, 'Added: unseen');
      assert.equal(refreshes(stand.sample), 1);
      assert.equal(stand.asked.length, 1);
    });

    it('P41 goes on after the gateway was killed and started again', { timeout: 60_000 }, async (t) => {
      const stand = await startStand(t);
      const client = await stand.connect(connect);
      await untilMessage(client);
      await stand.restart();
      assert.deepEqual(await client.toolNames(), ALL_TOOLS);
      await untilMessage(client);
      await stand.gateway.pass(LIFETIMES.accessTokenMs);
      await client.call('list_notes');
      await stand.restart();
      await client.call('list_notes');
      assert.equal(stand.asked.length, 1);
    });
  });
}

it('P43 two clients of one connection have each the tools that they were allowed', { timeout: 60_000 }, async (t) => {
  const stand = await startStand(t);
  const clients = new Map<string, RealClient>();
  for (const [index, [name, connect]] of [...STREAMABLE_CLIENTS].entries()) {
    stand.allowedTools = ALL_TOOLS.slice(index, index + 1);
    clients.set(name, await stand.connect(connect));
  }
  for (const [index, client] of [...clients.values()].entries()) {
    const [own = '', ...others] = [...ALL_TOOLS.slice(index), ...ALL_TOOLS.slice(0, index)];
    assert.deepEqual(await client.toolNames(), [own]);
    for (const other of others) await assert.rejects(client.call(other, { text: 'a note' }));
    await client.call(own, { text: 'a note' });
  }
});
