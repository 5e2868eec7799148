import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { ManualClock, MemoryLog } from '../../headless/memoryPorts.ts';
import { WindowRole, type LoopbackPort } from '../../../src/vscode/windowRole.ts';

type Claim = Awaited<ReturnType<LoopbackPort['acquire']>>;

/** A window whose port, stored connections and loading do what a test says. */
function makeWindow(claims: (Claim | Error)[], stored: boolean, load: () => Promise<void> = async () => {}) {
  const calls: string[] = [];
  const clock = new ManualClock();
  const role = new WindowRole({
    clock,
    log: new MemoryLog(),
    loopback: {
      async acquire() {
        calls.push('acquire');
        const claim = claims.length > 1 ? claims.shift() : claims[0];
        if (claim === undefined || claim instanceof Error) throw claim ?? new Error('no claim');
        return claim;
      },
      async release() {
        calls.push('release');
      },
    },
    hasStoredConnections: async () => stored,
    startService: async () => {
      calls.push('start');
      await load();
    },
  });
  return { role, calls, clock };
}

const OWNER: Claim = { role: 'owner', port: 4000 };
const GUEST: Claim = { role: 'guest', windowName: 'other' };

test('a window with nothing to keep leaves the port alone', async () => {
  const { role, calls } = makeWindow([OWNER], false);
  await role.look();
  assert.equal(role.state.type, 'idle');
  assert.deepEqual(calls, []);
});

test('a window with connections binds the port, then loads them', async () => {
  const { role, calls } = makeWindow([OWNER], true);
  await role.look();
  assert.equal(role.state.type, 'owner');
  assert.deepEqual(calls, ['acquire', 'start']);
  assert.equal(await role.redirectUri(), 'http://127.0.0.1:4000/callback');
});

test('the first connection makes an idle window the owner, once for many callers', async () => {
  const { role, calls } = makeWindow([OWNER], false);
  const looking = role.look();
  await Promise.all([role.ensureOwner(), role.ensureOwner(), looking]);
  assert.equal(role.state.type, 'owner');
  assert.deepEqual(calls, ['acquire', 'start']);
});

test('a guest says which window has the connections and loads nothing', async () => {
  const { role, calls } = makeWindow([GUEST], true);
  await role.look();
  assert.deepEqual(role.state, { type: 'guest', windowName: 'other' });
  await assert.rejects(role.ensureOwner(), (error) => {
    assert.ok(isConnectionError(error, 'not_owner'));
    assert.equal(error.details.windowName, 'other');
    return true;
  });
  assert.ok(!calls.includes('start'));
});

test('a guest goes on when the owner is gone', async () => {
  const { role } = makeWindow([GUEST, OWNER], true);
  await role.look();
  await role.look();
  assert.equal(role.state.type, 'owner');
});

test('a stranger on the port blocks, is told, and is tried again', async () => {
  const { role } = makeWindow([new ConnectionError('port_busy', { port: 4000 }), OWNER], true);
  await role.look();
  assert.equal(role.state.type, 'blocked');
  await role.ensureOwner();
  assert.equal(role.state.type, 'owner');
});

test('when the connections cannot be loaded the port is given back', async () => {
  const tooNew = new ConnectionError('storage_too_new', { path: 'x', version: 2 });
  const { role, calls } = makeWindow([OWNER], true, () => Promise.reject(tooNew));
  await assert.rejects(role.ensureOwner(), tooNew);
  assert.deepEqual(role.state, { type: 'blocked', error: tooNew });
  assert.deepEqual(calls, ['acquire', 'start', 'release']);
});

test('a window that closes gives the port back and tells nobody', async () => {
  const { role, calls } = makeWindow([OWNER], true);
  await role.look();
  role.onDidChange(() => assert.fail('told'));
  await role.dispose();
  assert.equal(calls.at(-1), 'release');
});

test('a guest tries again by itself, and takes over when the owner is gone', async () => {
  const { role, clock } = makeWindow([GUEST, GUEST, OWNER], true);
  await role.look();
  const told: string[] = [];
  const owned = new Promise<void>((resolve) => {
    role.onDidChange(({ type }) => {
      told.push(type);
      if (type === 'owner') resolve();
    });
  });
  clock.advance(5000);
  await role.ensureOwner().catch(() => undefined);
  clock.advance(5000);
  await owned;
  assert.deepEqual(told, ['owner'], 'nothing is told while nothing changes');
});
