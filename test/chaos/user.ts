import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import type { User } from './window.ts';

/** Runs `task` for a new user with an authorization server that rotates refresh tokens; all is gone after it. */
export async function withUser<T>(
  faults: Partial<Faults>,
  task: (user: User, server: FaultyServer) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-chaos-'));
  const server = await startFaultyServer({ rotate: true, ...faults });
  try {
    return await task({ folder, service: `scopekeeper-chaos-${randomUUID()}` }, server);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
