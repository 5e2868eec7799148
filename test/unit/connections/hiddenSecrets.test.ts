import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { asScopekeeperError, ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { isHidden } from '../../../src/connections/hiddenSecrets.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';
import type { StoreState } from '../../headless/memoryPorts.ts';

const tokens = { accessToken: 'at' };
const locked = new ConnectionError('keychain_locked', {});

let parts: ConnectionParts;

beforeEach(() => {
  parts = connectionParts();
});

/** A connection with a grant, and tokens that an earlier window stored. */
async function connected(id: string): Promise<void> {
  await parts.add(id, { state: { type: 'ready', grant: someGrant(parts.clock) } });
  parts.place(id, { tokens });
}

async function readCode(id: string): Promise<string> {
  return parts.hidden.read(id).then(
    (secret) => secret?.tokens?.accessToken ?? 'nothing',
    (error: unknown) => asScopekeeperError(error).code,
  );
}

function lastErrorOf(id: string): string | undefined {
  return parts.records.get(id).connection.lastError?.code;
}

function eventsOf(id: string): readonly string[] {
  return parts.records.get(id).activity.map(({ type, errorCode }) => `${type} ${errorCode}`);
}

describe('a secret that the keychain hides', () => {
  for (const [state, code] of [
    ['locked', 'keychain_locked'],
    ['unavailable', 'keychain_unavailable'],
    ['silent', 'keychain_timeout'],
    ['refusesReads', 'keychain_failed'],
  ] as const satisfies readonly (readonly [StoreState, string])[]) {
    it(`${state}: its connection waits with its grant, is told of once, and is ready when it is back`, async () => {
      await connected('c');
      parts.keychain.state = state;
      assert.deepEqual([await readCode('c'), await readCode('c')], [code, code]);
      assert.equal(parts.stateOf('c'), `unreachable ${code}`);
      const { state: waiting } = parts.records.get('c').connection;
      assert.ok(waiting.type === 'unreachable' && isHidden({ state: waiting }));
      assert.equal(waiting.retryAt, parts.clock.now() + 2500);
      assert.equal(waiting.grant.generation, 1);
      assert.equal(lastErrorOf('c'), code);
      assert.deepEqual(eventsOf('c'), [`refresh_failed ${code}`]);
      parts.keychain.state = 'open';
      assert.equal(await readCode('c'), 'at');
      assert.equal(parts.stateOf('c'), 'ready');
      assert.equal(lastErrorOf('c'), undefined);
      assert.deepEqual(eventsOf('c'), [`refresh_failed ${code}`], 'without a word');
    });
  }

  it('of a connection without a grant changes nothing but is told', async () => {
    await parts.add('c');
    parts.place('c', { tokens });
    parts.keychain.state = 'locked';
    assert.equal(await readCode('c'), 'keychain_locked');
    assert.equal(parts.stateOf('c'), 'disconnected');
    assert.equal(lastErrorOf('c'), undefined);
    assert.equal(isHidden(parts.records.get('c').connection), false);
  });

  it('and is gone when it is back, needs a sign-in', async () => {
    await connected('c');
    parts.keychain.state = 'locked';
    await readCode('c');
    parts.keychain.state = 'open';
    parts.keychain.entries.delete('connection:c');
    assert.equal(await readCode('c'), 'nothing');
    assert.equal(parts.stateOf('c'), 'needsSignIn secret_missing');
  });

  it('is not waited for by a connection that is well, or is away for another reason', async () => {
    await connected('c');
    assert.equal(await readCode('c'), 'at');
    assert.equal(parts.stateOf('c'), 'ready');
    const grant = someGrant(parts.clock);
    const error = new ConnectionError('owner_gone', {});
    const away = { type: 'unreachable', grant, error, retryAt: 7 } as const;
    parts.states.set('c', away, { lastError: error });
    await readCode('c');
    assert.deepEqual(parts.records.get('c').connection.state, away);
    assert.equal(lastErrorOf('c'), 'owner_gone');
    assert.equal(isHidden({ state: away }), false);
  });

  it('fails with what nobody knows, and the connection is as it was', async () => {
    await connected('c');
    parts.keychain.get = async () => Promise.reject(new TypeError('a fault of ours'));
    await assert.rejects(parts.hidden.read('c'), TypeError);
    assert.equal(parts.stateOf('c'), 'ready');
    assert.equal(lastErrorOf('c'), undefined);
  });
});

describe('a secret that cannot be read', () => {
  it('needs a sign-in', async () => {
    await connected('c');
    parts.keychain.entries.set('connection:c', 'broken');
    assert.equal(await readCode('c'), 'secret_unreadable');
    assert.equal(parts.stateOf('c'), 'needsSignIn secret_unreadable');
    assert.equal(lastErrorOf('c'), 'secret_unreadable');
    assert.deepEqual(eventsOf('c'), ['refresh_failed secret_unreadable']);
  });

  it('by this version, or in this editor, is looked for again after a quarter of an hour', async () => {
    await connected('newer');
    parts.keychain.entries.set('connection:newer', '{"version":2}');
    await connected('elsewhere');
    parts.records.update('elsewhere', {}, { secretIn: 'editor', generation: 2 });
    for (const [id, code] of [
      ['newer', 'secret_too_new'],
      ['elsewhere', 'secret_elsewhere'],
    ] as const) {
      assert.equal(await readCode(id), code);
      const { state } = parts.records.get(id).connection;
      assert.ok(state.type === 'unreachable');
      assert.deepEqual([state.error.code, state.retryAt], [code, parts.clock.now() + 15 * 60_000]);
      assert.equal(lastErrorOf(id), code);
      assert.equal(isHidden({ state }), false, 'the keychain hides nothing');
      parts.place(id, { tokens, generation: 3 });
      assert.equal(await readCode(id), 'at');
      assert.equal(parts.stateOf(id), 'ready');
      assert.equal(lastErrorOf(id), undefined);
    }
    assert.deepEqual(parts.troubles, []);
  });
});

describe('where a secret is', () => {
  it('is noted, and that what the keychain said is over; not what another said', async () => {
    await connected('c');
    parts.records.update('c', {}, { lastError: locked });
    parts.hidden.notePlaced('c', 'editor', 4);
    const { secretIn, generation } = parts.records.get('c');
    assert.deepEqual([secretIn, generation, lastErrorOf('c')], ['editor', 4, undefined]);
    parts.records.update('c', {}, { lastError: new ConnectionError('owner_gone', {}) });
    parts.hidden.notePlaced('c', null, 5);
    assert.equal(parts.records.get('c').secretIn, undefined);
    assert.equal(lastErrorOf('c'), 'owner_gone');
    parts.hidden.notePlaced('gone', 'keychain', 1);
    assert.equal(parts.records.find('gone'), undefined);
  });
});

describe('connections that wait for the keychain', () => {
  it('are asked for one after the other until one is hidden still; the rest then wait as long', async () => {
    for (const id of ['a', 'b', 'c']) await connected(id);
    parts.keychain.state = 'locked';
    for (const id of ['a', 'b', 'c']) await readCode(id);
    parts.keychain.reads = 0;
    await parts.hidden.recover();
    assert.equal(parts.keychain.reads, 2, 'one entry, and the list');
    const get = parts.keychain.get.bind(parts.keychain);
    parts.keychain.state = 'open';
    parts.keychain.get = async (key) => {
      if (key === 'connection:b') throw locked;
      return get(key);
    };
    await parts.hidden.recover();
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => parts.stateOf(id)),
      ['ready', 'unreachable keychain_locked', 'unreachable keychain_locked'],
    );
    assert.equal(eventsOf('c').length, 1);
    parts.keychain.get = get;
    await parts.hidden.recover();
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => parts.stateOf(id)),
      ['ready', 'ready', 'ready'],
    );
  });

  it('are not held up by one that cannot be read for another reason', async () => {
    for (const id of ['a', 'b']) await connected(id);
    parts.keychain.state = 'locked';
    for (const id of ['a', 'b']) await readCode(id);
    parts.keychain.state = 'open';
    parts.keychain.entries.set('connection:a', 'broken');
    await parts.hidden.recover();
    assert.deepEqual([parts.stateOf('a'), parts.stateOf('b')], ['needsSignIn secret_unreadable', 'ready']);
  });

  it('are alone in being asked for', async () => {
    await connected('c');
    parts.keychain.reads = 0;
    await parts.hidden.recover();
    assert.equal(parts.keychain.reads, 0);
  });

  it('are asked for though their secret is in use, as another one is needed too', async () => {
    await connected('c');
    await readCode('c');
    parts.hidden.note('c', someGrant(parts.clock), locked);
    parts.keychain.state = 'locked';
    await parts.hidden.recover();
    assert.equal(parts.stateOf('c'), 'unreachable keychain_locked');
    parts.keychain.state = 'open';
    await parts.hidden.recover();
    assert.equal(parts.stateOf('c'), 'ready');
    assert.ok(!isConnectionError(parts.records.get('c').connection.lastError));
  });
});
