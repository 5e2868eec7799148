import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Emitter } from '../../../../src/connections/emitter.ts';
import type { Connection } from '../../../../src/connections/connection.ts';
import type { ConnectionChange } from '../../../../src/connections/connectionService.ts';
import type { RoleState } from '../../../../src/owner/windowRole.ts';
import { DISMISSED_KEY, SERVERS_KEY, ServerSync, type SyncedMemento } from '../../../../src/vscode/sync/serverSync.ts';
import type { SyncedServer } from '../../../../src/vscode/sync/syncedServers.ts';
import { connectionIn } from '../../connectionFixture.ts';

const NOTES: SyncedServer = { name: 'Notes', serverUrl: 'https://notes.example/mcp' };
const MAIL: SyncedServer = { name: 'Mail', serverUrl: 'https://mail.example/mcp' };

const STARTING: RoleState = { type: 'starting' };

function fail(error: unknown): never {
  throw error;
}

/** A computer of the person; what is carried to it, or from it, is in `store`. */
class Computer implements SyncedMemento {
  readonly store = new Map<string, unknown>();
  readonly #changes = new Emitter<ConnectionChange>(fail);
  readonly #roles = new Emitter<RoleState>(fail);
  carriedKeys: readonly string[] = [];
  connections: readonly Connection[] = [];
  hasOffers = false;
  writes = 0;
  readonly role = {
    state: STARTING,
    onDidChange: (listener: (state: RoleState) => void) => this.#roles.listen(listener),
  };
  readonly sync: ServerSync;

  readonly onDidChangeConnection = (listener: (change: ConnectionChange) => void) => this.#changes.listen(listener);

  constructor(carried?: unknown) {
    if (carried !== undefined) this.store.set(SERVERS_KEY, carried);
    this.sync = new ServerSync({
      memento: this,
      own: this,
      service: this,
      role: this.role,
      onOffers: (hasOffers) => {
        this.hasOffers = hasOffers;
      },
    });
  }

  get(key: string): unknown {
    return this.store.get(key);
  }

  async update(key: string, value: unknown): Promise<void> {
    this.writes += 1;
    this.store.set(key, JSON.parse(JSON.stringify(value)));
  }

  setKeysForSync(keys: readonly string[]): void {
    this.carriedKeys = keys;
  }

  become(type: 'owner' | 'idle'): void {
    this.role.state = { type };
    this.#roles.fire(this.role.state);
  }

  add({ name, serverUrl }: SyncedServer): Connection {
    const connection = connectionIn({ type: 'disconnected' }, { id: `${this.connections.length}`, name, serverUrl });
    this.connections = [...this.connections, connection];
    this.#changes.fire({ type: 'added', connection });
    return connection;
  }

  change(connection: Connection, changed: Partial<Connection>): Connection {
    const after = { ...connection, ...changed };
    this.connections = this.connections.map((each) => (each === connection ? after : each));
    this.#changes.fire({ type: 'changed', connection: after });
    return after;
  }

  remove(connection: Connection): void {
    this.connections = this.connections.filter((each) => each !== connection);
    this.#changes.fire({ type: 'removed', connection });
  }
}

describe('Settings Sync of the servers', () => {
  it('carries the list alone, and not what was dismissed here', () => {
    assert.deepEqual(new Computer().carriedKeys, [SERVERS_KEY]);
  });

  it('has what is connected, as names and URLs', () => {
    const one = new Computer();
    one.become('owner');
    one.add(NOTES);
    assert.deepEqual(one.store.get(SERVERS_KEY), [NOTES]);
    assert.equal(one.hasOffers, false);
  });

  it('offers on another computer what is not there, and adds nothing', () => {
    const other = new Computer([NOTES, MAIL]);
    assert.equal(other.hasOffers, true);
    other.become('owner');
    other.add(MAIL);
    assert.deepEqual(other.sync.offers, [NOTES]);
    assert.deepEqual(other.connections.length, 1);
    assert.deepEqual(other.store.get(SERVERS_KEY), [NOTES, MAIL]);
  });

  it('offers no more what was removed, also when the other computer still has it', () => {
    const one = new Computer([NOTES]);
    one.become('owner');
    one.remove(one.add(NOTES));
    assert.deepEqual(one.store.get(SERVERS_KEY), []);
    one.store.set(SERVERS_KEY, [NOTES]);
    one.sync.look();
    assert.equal(one.hasOffers, false);
    one.add(NOTES);
    assert.deepEqual(one.store.get(DISMISSED_KEY), []);
  });

  it('offers no more what was dismissed', () => {
    const one = new Computer([NOTES, MAIL]);
    one.sync.dismiss(NOTES.serverUrl);
    assert.deepEqual(one.sync.offers, [MAIL]);
    assert.deepEqual(one.store.get(SERVERS_KEY), [NOTES, MAIL]);
  });

  it('keeps nothing of what is on this computer alone', () => {
    const one = new Computer();
    one.become('owner');
    one.remove(one.add({ name: 'Sample', serverUrl: 'http://127.0.0.1:4000/notes/mcp' }));
    assert.equal(one.writes, 0);
  });

  it('is written by the owner only, and only when something is new', () => {
    const one = new Computer([NOTES]);
    one.become('idle');
    one.add(MAIL);
    assert.equal(one.writes, 0);
    one.become('owner');
    assert.deepEqual(one.store.get(SERVERS_KEY), [NOTES, MAIL]);
    one.become('owner');
    assert.equal(one.writes, 1);
  });

  it('is not written by turns when one URL has two names', () => {
    const one = new Computer();
    one.become('owner');
    let home = one.add({ ...NOTES, name: 'Home' });
    let work = one.add({ ...NOTES, name: 'Work' });
    for (let turn = 0; turn < 3; turn += 1) {
      home = one.change(home, { state: { type: 'disconnected' } });
      work = one.change(work, { state: { type: 'disconnected' } });
    }
    assert.equal(one.writes, 1);
    one.change(home, { name: 'Notes' });
    assert.equal(one.writes, 2);
    assert.deepEqual(one.store.get(SERVERS_KEY), [NOTES]);
  });

  it('leaves the name of another computer as long as nothing is renamed here', () => {
    const one = new Computer();
    one.become('owner');
    const notes = one.add(NOTES);
    const carried = [{ ...NOTES, name: 'Renamed there' }];
    one.store.set(SERVERS_KEY, carried);
    const same = one.change(notes, { state: { type: 'disconnected' } });
    assert.deepEqual(one.store.get(SERVERS_KEY), carried);
    one.change(same, { name: 'Renamed here' });
    assert.deepEqual(one.store.get(SERVERS_KEY), [{ ...NOTES, name: 'Renamed here' }]);
  });

  it('takes what is no list as an empty one', () => {
    for (const carried of ['x', 7, { a: 1 }, [null]]) assert.deepEqual(new Computer(carried).sync.offers, []);
  });
});
