// The registry of local clients without an editor: its file in memory, and connections that are only listed.
import type { Connection } from '../../src/connections/connection.ts';
import type { ConnectionChange } from '../../src/connections/connectionService.ts';
import { Emitter } from '../../src/connections/emitter.ts';
import { ConnectionError } from '../../src/connections/errors.ts';
import type { Disposable } from '../../src/connections/ports.ts';
import type { KeyRing } from '../../src/connections/sealingKeys.ts';
import { DEFAULT_LIFETIMES } from '../../src/gateway/authorization/lifetimes.ts';
import { LocalAccessRegistry } from '../../src/gateway/authorization/localAccessRegistry.ts';
import {
  type RegistryFile,
  type StoredRegistry,
  storedRegistrySchema,
} from '../../src/gateway/authorization/storedRegistry.ts';
import type { GatewayConnections, TokenLifetimes } from '../../src/gateway/ports.ts';
import * as v from 'valibot';
import { connectionIn } from '../unit/connectionFixture.ts';
import { ManualClock, MemoryLog } from './memoryPorts.ts';

/** The file as text, so that what comes back is what was written. */
export class MemoryRegistryFile implements RegistryFile {
  text: string | undefined;
  isFull = false;
  writes = 0;
  /** Resolves when a write may go on. */
  gate: Promise<void> | undefined;

  async read(): Promise<StoredRegistry | undefined> {
    return this.text === undefined ? undefined : v.parse(storedRegistrySchema, JSON.parse(this.text));
  }

  async write(document: StoredRegistry): Promise<void> {
    await this.gate;
    if (this.isFull) {
      throw new ConnectionError('storage_failed', { operation: 'write', path: 'memory', problem: 'ENOSPC' });
    }
    this.writes += 1;
    this.text = JSON.stringify(document);
  }

  /** What is in the file. */
  get document(): StoredRegistry {
    return v.parse(storedRegistrySchema, JSON.parse(this.text ?? '{}'));
  }
}

/** Connections that nobody connects. */
export class ListedConnections implements GatewayConnections {
  connections: readonly Connection[];
  readonly #changes = new Emitter<ConnectionChange>((error) => {
    throw error;
  });

  /** @param slugs each is also the id of its connection */
  constructor(...slugs: readonly string[]) {
    this.connections = slugs.map((slug) => connectionIn({ type: 'disconnected' }, { id: slug, slug, name: slug }));
  }

  get(id: string): Connection | undefined {
    return this.connections.find((connection) => connection.id === id);
  }

  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable {
    return this.#changes.listen(listener);
  }

  remove(id: string): void {
    const connection = this.get(id);
    this.connections = this.connections.filter((each) => each.id !== id);
    if (connection !== undefined) this.#changes.fire({ type: 'removed', connection });
  }
}

/** The keys of the tests' person. */
export const KEY = 'k'.repeat(43);
export const OTHER_KEY = 'o'.repeat(43);

/** A registry, and all that it stands on. */
export interface RegistryFixture {
  readonly registry: LocalAccessRegistry;
  readonly file: MemoryRegistryFile;
  readonly connections: ListedConnections;
  readonly clock: ManualClock;
  readonly log: MemoryLog;
  lifetimes: TokenLifetimes;
  loadKeys: () => Promise<KeyRing>;
  /** Another process over the same file, after this one was killed: nothing is written any more. */
  reload(): Promise<RegistryFixture>;
}

/** Loads a registry over the file, or over a new one. */
export async function createRegistryFixture(
  given: Partial<Pick<RegistryFixture, 'file' | 'connections' | 'clock' | 'log' | 'lifetimes' | 'loadKeys'>> = {},
): Promise<RegistryFixture> {
  const file = given.file ?? new MemoryRegistryFile();
  const connections = given.connections ?? new ListedConnections('notes', 'files');
  const clock = given.clock ?? new ManualClock(1_800_000_000_000);
  const log = given.log ?? new MemoryLog();
  const fixture: RegistryFixture = {
    registry: new LocalAccessRegistry({
      file,
      connections,
      clock,
      log,
      lifetimes: () => fixture.lifetimes,
      loadKeys: async () => fixture.loadKeys(),
    }),
    file,
    connections,
    clock,
    log,
    lifetimes: given.lifetimes ?? DEFAULT_LIFETIMES,
    loadKeys: given.loadKeys ?? (async () => ({ key: KEY })),
    async reload() {
      const left = new MemoryRegistryFile();
      left.text = file.text;
      return createRegistryFixture({ ...fixture, file: left });
    },
  };
  await fixture.registry.load();
  return fixture;
}
