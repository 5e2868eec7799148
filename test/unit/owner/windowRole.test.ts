import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deferred } from '../../../src/connections/deferred.ts';
import { ConnectionError, type ConnectionErrorCode, isConnectionError } from '../../../src/connections/errors.ts';
import { SealingKeys } from '../../../src/connections/sealingKeys.ts';
import {
  type LoopbackPort,
  type OwnerLink,
  type RoleState,
  type Visit,
  WindowRole,
} from '../../../src/owner/windowRole.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';
import { createHeadlessManager } from '../../headless/headlessManager.ts';
import { ManualClock, MemoryLog, MemorySecretStore } from '../../headless/memoryPorts.ts';
import { createWindowGateway } from '../../headless/windowGateway.ts';

type Claim = Awaited<ReturnType<LoopbackPort['acquire']>>;

interface WindowOptions {
  readonly claims?: (Claim | Error)[];
  readonly visits?: (Visit | Error)[];
  readonly stored?: boolean;
  readonly load?: () => Promise<void>;
  /** Happens while the holder of the port is asked. */
  readonly onVisit?: () => void;
  /** Where the owner is after another port was set. */
  readonly follows?: () => number;
  /** Whether there is another port to go to, each time that it is asked; no by default. */
  readonly forsakes?: boolean[];
}

/** Gives what a test listed, one after the other; the last one for ever. */
function next<T>(list: (T | Error)[]): T {
  const [first] = list.length > 1 ? list.splice(0, 1) : list;
  if (first === undefined || first instanceof Error) throw first ?? new Error('nothing is listed');
  return first;
}

/** A window whose port, owner, stored connections and loading do what a test says. */
function makeWindow({
  claims = [OWNER],
  visits = [],
  stored = true,
  load = async () => {},
  onVisit = () => {},
  follows = () => 4000,
  forsakes = [],
}: WindowOptions = {}) {
  const calls: string[] = [];
  const clock = new ManualClock();
  const role = new WindowRole({
    clock,
    log: new MemoryLog(),
    loopback: {
      async acquire() {
        calls.push('acquire');
        return next(claims);
      },
      async follow() {
        return follows();
      },
      async forsake() {
        return forsakes.splice(0, 1)[0] ?? false;
      },
      async release() {
        calls.push('release');
      },
    },
    visit: async (port) => {
      calls.push(`visit ${port}`);
      onVisit();
      return next(visits);
    },
    hasStoredConnections: async () => stored,
    startService: async () => {
      calls.push('start');
      await load();
    },
    stopService: async () => void calls.push('stop'),
  });
  const states: RoleState[] = [];
  role.onDidChange((state) => states.push(state));
  const until = async (type: RoleState['type']): Promise<void> => {
    while (role.state.type !== type) await nextTurn();
  };
  return { role, calls, clock, states, until };
}

const OWNER: Claim = { role: 'owner', port: 4000 };
const TAKEN: Claim = { role: 'taken', port: 4000 };

/** An owner that can be ended. */
function makeOwner(windowName = 'other') {
  const { manager } = createHeadlessManager({ browser: async () => undefined });
  const closed = deferred<void>();
  const service = Object.assign(manager, {
    redirectUri: async () => 'http://127.0.0.1:4000/callback',
    sampleUrl: async () => 'http://127.0.0.1:4001/notes/mcp',
  });
  const log = new MemoryLog();
  const { gateway } = createWindowGateway({
    manager,
    guardedFetch: createGuardedFetch({ version: '0.0.0' }),
    folder: 'none',
    keys: new SealingKeys({ keychain: new MemorySecretStore(), editor: undefined, log }),
    origin: () => 'http://127.0.0.1:4000',
    clock: new ManualClock(),
    log,
  });
  const link: OwnerLink = { windowName, service, gateway, closed: closed.promise, dispose: () => closed.resolve() };
  const visit: Visit = { type: 'attached', link };
  return { visit, link, die: () => closed.resolve() };
}

async function rejectsWith(promise: Promise<unknown>, code: ConnectionErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isConnectionError(error, code));
}

test('a window with nothing to keep leaves the port alone', async () => {
  const { role, calls } = makeWindow({ stored: false });
  await role.look();
  assert.equal(role.state.type, 'idle');
  assert.deepEqual(calls, []);
});

test('a window with connections binds the port, then loads them', async () => {
  const { role, calls } = makeWindow();
  await role.look();
  assert.equal(role.state.type, 'owner');
  assert.deepEqual(calls, ['acquire', 'start']);
  assert.equal(role.loopbackRedirectUri(), 'http://127.0.0.1:4000/callback');
  await role.whenLoaded();
});

test('the first connection makes an idle window the owner, once for many callers', async () => {
  const { role, calls } = makeWindow({ stored: false });
  const looking = role.look();
  await Promise.all([role.ensureReady(), role.ensureReady(), looking]);
  assert.equal(role.state.type, 'owner');
  assert.deepEqual(calls, ['acquire', 'start']);
});

test('a guest loads nothing, and its commands work as they do in the owner', async () => {
  const { visit, link } = makeOwner();
  const { role, calls } = makeWindow({ claims: [TAKEN], visits: [visit] });
  await role.look();
  assert.deepEqual(role.state, { type: 'guest', isConnected: true, windowName: 'other' });
  await role.ensureReady();
  await role.look();
  assert.equal(role.link, link);
  assert.deepEqual(calls, ['acquire', 'visit 4000']);
  assert.throws(() => role.loopbackRedirectUri(), { code: 'owner_gone' });
});

test('a guest takes the place of an owner that is gone at once, and shows what was there until then', async () => {
  const { visit, link, die } = makeOwner();
  const loading = deferred<void>();
  const { role, calls, states, until } = makeWindow({
    claims: [TAKEN, OWNER],
    visits: [visit],
    load: async () => loading.promise,
  });
  await role.look();
  die();
  await nextTurn();
  assert.equal(role.link, link);
  const ready = role.ensureReady();
  loading.resolve();
  await ready;
  await until('owner');
  assert.equal(role.link, undefined);
  assert.deepEqual(calls, ['acquire', 'visit 4000', 'acquire', 'start']);
  assert.deepEqual(
    states.map((state) => (state.type === 'guest' ? state.isConnected : state.type)),
    [true, false, 'owner'],
  );
});

test('of several guests the one that comes too late becomes a guest of the new owner', async () => {
  const first = makeOwner('first');
  const second = makeOwner('second');
  const { role, states } = makeWindow({ claims: [TAKEN], visits: [first.visit, second.visit] });
  await role.look();
  first.die();
  await nextTurn();
  await role.ensureReady();
  assert.equal(role.link, second.link);
  assert.deepEqual(states.at(-1), { type: 'guest', isConnected: true, windowName: 'second' });
});

test('an owner that goes while it is asked is no stranger', async () => {
  const { role, clock, calls, until } = makeWindow({ claims: [TAKEN, TAKEN, OWNER], visits: [{ type: 'gone' }] });
  const looking = role.look();
  while (calls.length < 2) await nextTurn();
  clock.advance(25);
  while (calls.length < 4) await nextTurn();
  clock.advance(25);
  await looking;
  await until('owner');
});

test('a window that was held up itself tries again all the same', async () => {
  const { role, clock, calls } = makeWindow({
    claims: [TAKEN, OWNER],
    visits: [{ type: 'gone' }],
    // Its own host, or a keychain that asks the person: the owner has not waited for it.
    onVisit: () => clock.advance(3000),
  });
  const looking = role.look();
  while (calls.length < 2) await nextTurn();
  await nextTurn();
  clock.advance(25);
  await looking;
  assert.equal(role.state.type, 'owner');
});

test('a port that is taken and does not answer blocks after two seconds', async () => {
  const { role, clock, calls } = makeWindow({ claims: [TAKEN], visits: [{ type: 'gone' }] });
  const ready = role.ensureReady();
  ready.catch(() => undefined);
  while (role.state.type === 'starting') {
    const before = calls.length;
    clock.advance(25);
    while (calls.length === before && role.state.type === 'starting') await nextTurn();
  }
  await rejectsWith(ready, 'port_busy');
});

test('a stranger on the port blocks, is told, and is tried again by itself', async () => {
  const { role, clock, until } = makeWindow({ claims: [TAKEN, OWNER], visits: [{ type: 'stranger' }] });
  await rejectsWith(role.ensureReady(), 'port_busy');
  assert.equal(role.state.type, 'blocked');
  clock.advance(5000);
  await until('owner');
});

test('a keychain that does not give the key blocks, and is not asked again until the person is there', async () => {
  const { visit } = makeOwner();
  const locked = new ConnectionError('keychain_locked', {});
  const { role, clock, calls } = makeWindow({ claims: [TAKEN], visits: [locked, visit] });
  await role.look();
  assert.deepEqual(role.state, { type: 'blocked', error: locked });
  clock.advance(60_000);
  await nextTurn();
  assert.deepEqual(calls.filter((call) => call.startsWith('visit')).length, 1);
  await role.look();
  assert.equal(role.state.type, 'guest');
});

test('when the connections cannot be loaded the port is given back, and a guest that waits is told', async () => {
  const tooNew = new ConnectionError('storage_too_new', { path: 'x', version: 2 });
  const { role, calls } = makeWindow({ load: async () => Promise.reject(tooNew) });
  const loaded = role.whenLoaded();
  loaded.catch(() => undefined);
  await assert.rejects(role.ensureReady(), tooNew);
  assert.deepEqual(role.state, { type: 'blocked', error: tooNew });
  assert.deepEqual(calls, ['acquire', 'start', 'release']);
  await rejectsWith(loaded, 'owner_gone');
});

test('an older owner gives way: it ends what is under way, then the port, and stays out', async () => {
  const { role, calls, clock } = makeWindow();
  await role.look();
  await Promise.all([role.yield(), role.yield()]);
  assert.deepEqual(calls, ['acquire', 'start', 'stop', 'release']);
  assert.ok(role.state.type === 'blocked' && isConnectionError(role.state.error, 'window_outdated'));
  clock.advance(60_000);
  await role.look();
  await rejectsWith(role.ensureReady(), 'window_outdated');
  assert.equal(calls.length, 4);
});

test('an older owner that still loads when a newer window comes gives way all the same', async () => {
  const loading = deferred<void>();
  const { role, calls } = makeWindow({ load: async () => loading.promise });
  const looking = role.look();
  while (!calls.includes('start')) await nextTurn();
  const yielded = role.yield();
  loading.resolve();
  await Promise.all([looking, yielded]);
  assert.ok(role.state.type === 'blocked' && isConnectionError(role.state.error, 'window_outdated'));
  assert.deepEqual(calls.slice(0, 4), ['acquire', 'start', 'stop', 'release']);
});

test('a window that is to be ready while it looks whether there is anything becomes the owner', async () => {
  const { role } = makeWindow({ stored: false });
  const ready = role.ensureReady();
  const looking = role.look();
  await Promise.all([ready, looking]);
  assert.equal(role.state.type, 'owner');
});

test('a newer window waits until an older owner has given way', async () => {
  const released = deferred<void>();
  const { role, calls } = makeWindow({
    claims: [TAKEN, OWNER],
    visits: [{ type: 'yielding', released: released.promise }],
  });
  const looking = role.look();
  while (calls.length < 2) await nextTurn();
  assert.equal(role.state.type, 'starting');
  released.resolve();
  await looking;
  assert.equal(role.state.type, 'owner');
});

test('an older window is told to be reloaded, and asks no more', async () => {
  const { role, calls, clock } = makeWindow({ claims: [TAKEN], visits: [{ type: 'outdated' }] });
  await rejectsWith(role.ensureReady(), 'window_outdated');
  clock.advance(60_000);
  await role.look();
  assert.deepEqual(calls, ['acquire', 'visit 4000', 'release']);
});

test('a window that closes gives the port back and tells nobody', async () => {
  const { role, calls } = makeWindow();
  await role.look();
  role.onDidChange(() => assert.fail('told'));
  await role.dispose();
  assert.equal(calls.at(-1), 'release');
});

test('a guest that closes leaves the owner, and does not take its place', async () => {
  const { visit, link } = makeOwner();
  const { role, calls } = makeWindow({ claims: [TAKEN, OWNER], visits: [visit] });
  await role.look();
  await role.dispose();
  await link.closed;
  await nextTurn();
  assert.deepEqual(calls, ['acquire', 'visit 4000', 'release']);
});

test('P18a an owner is at the port that it moved to', async () => {
  const { role, calls, states } = makeWindow({ follows: () => 5000 });
  await role.look();
  await role.followPort();
  assert.equal(role.loopbackRedirectUri(), 'http://127.0.0.1:5000/callback');
  assert.deepEqual([calls, states], [['acquire', 'start'], [{ type: 'owner' }]]);
});

test('P18a a move that fails leaves the owner at its port', async () => {
  const failure = new ConnectionError('storage_failed', { operation: 'write', path: '/a', problem: 'ENOSPC' });
  const { role } = makeWindow({
    follows: () => {
      throw failure;
    },
  });
  await role.look();
  await rejectsWith(role.followPort(), 'storage_failed');
  assert.equal(role.loopbackRedirectUri(), 'http://127.0.0.1:4000/callback');
});

test('P18a a port that a stranger holds is left for one that the person set, and for no other', async () => {
  const { role, calls } = makeWindow({
    claims: [TAKEN, TAKEN, OWNER],
    visits: [{ type: 'stranger' }],
    forsakes: [false, true],
  });
  await role.look();
  assert.equal(role.state.type, 'blocked');
  await role.followPort();
  assert.equal(role.state.type, 'owner');
  assert.deepEqual(calls, ['acquire', 'visit 4000', 'release', 'acquire', 'visit 4000', 'acquire', 'start']);
});
