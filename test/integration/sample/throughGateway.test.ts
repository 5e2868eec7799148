import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createConnectionsFile } from '../../../src/platform/connectionsFile.ts';
import { startHeadlessGateway } from '../../headless/headlessGateway.ts';
import { createHeadlessSample, decide, openConsent } from '../../headless/sampleStand.ts';
import { STREAMABLE_CLIENTS } from '../gateway/realClients.ts';

for (const [name, connect] of STREAMABLE_CLIENTS) {
  it(`P22 P38 ${name} lists, calls and steps up at the sample server through the gateway`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-sample-'));
    const asked: (readonly string[])[] = [];
    const headless = await startHeadlessGateway({
      folder,
      browser: async (url) => {
        const form = await openConsent(url);
        asked.push(form.scopes);
        return decide(form, 'allow');
      },
      askConsent: async ({ connection = '' }) => ({ type: 'allowed', connection, allowedTools: '*' }),
    });
    const { log, manager } = headless;
    const file = createConnectionsFile(path.join(folder, 'connections.json'));
    const sample = createHeadlessSample({ folder, connections: manager, file, clock: systemClock, log });
    await sample.start();
    const connection = await headless.connect(await sample.url());
    const client = await connect(`http://127.0.0.1:${headless.port}/${connection.slug}/mcp`);
    t.after(async () => {
      await client.close();
      await headless.dispose();
      await sample.dispose();
      await rm(folder, { recursive: true, force: true });
    });

    assert.deepEqual(await client.toolNames(), ['list_notes', 'add_note', 'delete_all_notes']);
    assert.equal((await client.call('add_note', { text: 'buy milk' })).text, 'Added: buy milk');
    assert.equal((await client.call('list_notes', {})).text, 'Welcome to the sample notes.\nbuy milk');
    assert.equal(asked.length, 1);
    assert.equal((await client.call('delete_all_notes', {})).text, 'Deleted 2 notes.');
    assert.deepEqual(asked.at(-1), ['notes:read', 'notes:write', 'notes:admin']);
    assert.equal(currentGrant(manager.get(connection.id) ?? connection)?.granted.length, 3);
  });
}
