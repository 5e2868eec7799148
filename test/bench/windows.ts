import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { manyConnections } from '../headless/manyConnections.ts';
import { MemorySecretStore } from '../headless/memoryPorts.ts';
import { openTestWindow } from '../headless/testWindow.ts';

/** How long windows take to have so many connections, in ms. */
export interface WindowTimes {
  readonly count: number;
  /** The owner, from the file. */
  readonly ownerMs: number;
  /** A guest, from the owner. */
  readonly guestMs: number;
}

/** Opens an owner and a guest, without an editor, over `count` connections. */
export async function measureWindows(count: number): Promise<WindowTimes> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-bench-'));
  const keychain = new MemorySecretStore('keychain');
  const connections = manyConnections(count, Date.now());
  await writeFile(path.join(folder, 'connections.json'), JSON.stringify({ version: 1, connections }));
  const owner = openTestWindow({ folder, name: 'owner', keychain });
  const guest = openTestWindow({ folder, name: 'guest', keychain });
  try {
    const begun = performance.now();
    await owner.role.look();
    const ownedAt = performance.now();
    await guest.role.look();
    const seenAt = performance.now();
    if (guest.connections.connections.length !== count) throw new Error('The guest has not heard of all.');
    return { count, ownerMs: ownedAt - begun, guestMs: seenAt - ownedAt };
  } finally {
    await guest.dispose();
    await owner.dispose();
    await rm(folder, { recursive: true });
  }
}
