import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection, ConnectionState, Grant } from '../../../src/connections/connection.ts';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import { RefreshScheduler } from '../../../src/connections/refreshScheduler.ts';
import { someGrant } from '../../headless/connectionParts.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const MINUTE_MS = 60_000;

let clock: ManualClock;
let connections: Connection[];
/** The renewals that run, by connection, with what ends them. */
let renewals: Map<string, () => void>;
let renewed: string[];
let jumps: number;
let jitters: number[];
let asked: number;
let scheduler: RefreshScheduler;

beforeEach(() => {
  clock = new ManualClock(0);
  connections = [];
  renewals = new Map();
  renewed = [];
  jumps = 0;
  jitters = [];
  asked = 0;
  scheduler = new RefreshScheduler({
    clock,
    random: () => {
      asked += 1;
      return jitters.shift() ?? 0;
    },
    connections: () => connections,
    onClockJump: () => (jumps += 1),
    renew: async (id) => {
      renewed.push(`${id} ${clock.now()}`);
      const { promise, resolve } = deferred<void>();
      renewals.set(id, () => resolve());
      await promise;
    },
  });
});

function add(id: string, state: ConnectionState): void {
  const all = { id, name: id, slug: id, serverUrl: 'https://example.com/mcp', requested: [], challenged: [] };
  connections = [
    ...connections.filter((one) => one.id !== id),
    { ...all, kind: 'authorization_code', settings: {}, state },
  ];
}

/** A connection whose token lives for an hour from now: renewed 12 minutes before its end. */
function addReady(id: string, more: Partial<Grant> = {}): void {
  add(id, { type: 'ready', grant: someGrant(clock, more) });
}

/** Ends a renewal. */
async function end(id: string): Promise<void> {
  renewals.get(id)?.();
  renewals.delete(id);
  await new Promise((resolve) => void setImmediate(resolve));
}

describe('P34 the scheduler', () => {
  it('renews each connection when it is due, and not before', () => {
    addReady('a');
    addReady('b', { expiresAt: 30 * MINUTE_MS });
    scheduler.reschedule();
    clock.advance(24 * MINUTE_MS - 1);
    assert.deepEqual(renewed, []);
    clock.advance(1);
    assert.deepEqual(renewed, [`b ${24 * MINUTE_MS}`]);
    clock.advance(24 * MINUTE_MS);
    assert.deepEqual(renewed, [`b ${24 * MINUTE_MS}`, `a ${48 * MINUTE_MS}`], 'and b while it is renewed, no more');
  });

  it('renews again when a renewal has ended and it is due', async () => {
    addReady('a');
    scheduler.reschedule();
    clock.advance(50 * MINUTE_MS);
    assert.equal(renewed.length, 1);
    addReady('a', { generation: 2 });
    await end('a');
    clock.advance(48 * MINUTE_MS - 1);
    assert.equal(renewed.length, 1);
    clock.advance(1);
    assert.equal(renewed.length, 2);
  });

  it('renews four at once, and the next when there is a place', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) addReady(id);
    clock.jump(50 * MINUTE_MS);
    scheduler.reschedule();
    assert.deepEqual([...renewals.keys()], ['a', 'b', 'c', 'd']);
    clock.advance(5 * MINUTE_MS);
    assert.equal(renewed.length, 4);
    addReady('b', { generation: 2 });
    await end('b');
    assert.deepEqual([...renewals.keys()], ['a', 'c', 'd', 'e']);
    for (const id of ['a', 'c', 'd', 'e']) {
      addReady(id, { generation: 2 });
      await end(id);
    }
    assert.deepEqual([...renewals.keys()], ['f']);
  });

  it('has one jitter for each grant, however often it looks', () => {
    jitters = [1, 0];
    addReady('a');
    scheduler.reschedule();
    scheduler.reschedule();
    // 5 % of its life sooner.
    clock.advance(45 * MINUTE_MS - 1);
    assert.deepEqual(renewed, []);
    clock.advance(1);
    assert.equal(renewed.length, 1);
    assert.equal(asked, 1);
    addReady('a', { generation: 2 });
    scheduler.reschedule();
    assert.equal(asked, 1, 'one that is renewed needs none');
  });

  it('takes another jitter for the next grant', async () => {
    jitters = [1, 0];
    addReady('a');
    scheduler.reschedule();
    addReady('a', { generation: 2 });
    scheduler.reschedule();
    clock.advance(48 * MINUTE_MS - 1);
    assert.deepEqual(renewed, []);
    clock.advance(1);
    assert.equal(renewed.length, 1);
  });

  for (const [title, state, waitMs] of [
    ['half a minute', 'ready', 30_000],
    ['less while one cannot be reached', 'unreachable', 5000],
  ] as const) {
    it(`notices within ${title} that the clock has jumped, and looks anew`, () => {
      addReady('a');
      if (state === 'unreachable') {
        const error = new ConnectionError('owner_gone', {});
        add('b', { type: 'unreachable', grant: someGrant(clock), error, retryAt: 60 * MINUTE_MS });
      }
      scheduler.reschedule();
      clock.jump(49 * MINUTE_MS);
      clock.advance(waitMs - 1);
      assert.deepEqual([jumps, renewed.length], [0, 0]);
      clock.advance(1);
      assert.deepEqual([jumps, renewed.length], [1, 1]);
    });
  }

  it('takes a busy machine for no jump', () => {
    addReady('a');
    scheduler.reschedule();
    clock.jump(14_999);
    clock.advance(30_000);
    assert.equal(jumps, 0);
    clock.jump(15_000);
    clock.advance(30_000);
    assert.equal(jumps, 1);
  });

  it('does nothing where nothing is ever due', () => {
    add('a', { type: 'disconnected' });
    addReady('b', { expiresAt: Infinity, refreshable: false });
    scheduler.reschedule();
    clock.advance(24 * 60 * MINUTE_MS);
    assert.deepEqual(renewed, []);
    assert.equal(jumps, 0);
  });

  it('does nothing after the end, and what is under way starts nothing', async () => {
    addReady('a');
    addReady('b', { expiresAt: 30 * MINUTE_MS });
    scheduler.reschedule();
    clock.advance(25 * MINUTE_MS);
    assert.equal(renewed.length, 1);
    scheduler.dispose();
    await end('b');
    scheduler.reschedule();
    clock.advance(60 * MINUTE_MS);
    assert.equal(renewed.length, 1);
  });
});
