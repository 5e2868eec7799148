import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { createConnectionsFile } from '../../../src/platform/connectionsFile.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { smallDiskAt } from '../../stand/fullDisk.ts';

describe('a disk that is full', () => {
  it('costs no login: tokens are renewed, it is told once, and what was not saved is saved when there is room', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-disk-'));
    const disk = smallDiskAt(folder);
    t.after(async () => {
      await disk.dispose();
      await rm(folder, { recursive: true, force: true });
    });
    const clock = new ManualClock();
    const realFile = createConnectionsFile(path.join(folder, 'connections.json'));
    const journalFolder = path.join(folder, 'journal');
    const { server, headless } = await startWithFaults(t, {}, { clock, realFile, journalFolder });
    const { id } = await headless.connect(server.mcpUrl);
    const other = await headless.connect(server.mcpUrl);

    await disk.fill();
    for (let round = 0; round < 3; round++) {
      await headless.manager.refresh(id);
      await headless.manager.refresh(other.id);
      clock.advance(30_000);
    }
    const token = await headless.manager.accessToken(id);
    assert.ok(server.isActive(token));
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    await assert.rejects(headless.manager.add('https://example.com/mcp'), { code: 'storage_failed' });
    assert.deepEqual(headless.unsaved, ['storage_failed']);
    assert.deepEqual(headless.troubles, []);

    // A window that starts then has the older list, and the newest token all the same.
    const next = createHeadlessManager({
      keychain: headless.keychain,
      realFile: createConnectionsFile(path.join(folder, 'connections.json')),
      journalFolder,
      clock,
      browser: async () => assert.fail('nobody asked for it'),
    });
    t.after(async () => next.dispose());
    await next.manager.start();
    assert.equal(next.manager.connections.length, 2);
    assert.equal(await next.manager.accessToken(id), token);

    await disk.free();
    await headless.manager.save();
    assert.deepEqual(headless.unsaved, ['storage_failed', undefined]);
    const saved = await realFile.read();
    assert.equal(saved?.connections.find((each) => each.id === id)?.grant?.generation, 4);
    assert.ok(!(await readdir(folder)).some((name) => name.endsWith('.new')));
  });
});
