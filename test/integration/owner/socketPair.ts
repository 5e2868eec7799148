import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { ByteReader } from '../../../src/owner/byteReader.ts';

/** Two ends of one connection on this machine. */
export async function socketPair(t: TestContext): Promise<{ readonly owner: ByteReader; readonly guest: ByteReader }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const guest = connect(address.port, '127.0.0.1');
  const [owner]: Socket[] = await once(server, 'connection');
  assert.ok(owner !== undefined);
  await once(guest, 'connect');
  t.after(() => {
    owner.destroy();
    guest.destroy();
    server.close();
  });
  return { owner: new ByteReader(owner), guest: new ByteReader(guest) };
}
