import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { Outages } from '../../../src/connections/outages.ts';
import { type NetworkFailure, OAuthError, type ScopekeeperError } from '../../../src/oauth/errors.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const MINUTE_MS = 60_000;
const ISSUER = 'https://as.example';

let parts: ConnectionParts;
let outages: Outages;
let jitter: number;

beforeEach(() => {
  parts = connectionParts();
  jitter = 0;
  outages = new Outages({ ...parts, random: () => jitter });
});

function unreachable(failure: NetworkFailure = 'dns'): ScopekeeperError {
  return new OAuthError('server_unreachable', { url: `${ISSUER}/token`, failure });
}

function refused(retryAfterMs?: number): ScopekeeperError {
  return new OAuthError('token_request_failed', {
    issuer: ISSUER,
    status: 503,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A connection that has failed once, and is tried again by itself in an hour. */
async function addAway(id: string, error: ScopekeeperError, issuer = `https://${id}.example`): Promise<void> {
  await parts.add(id, { issuer });
  outages.noteFailure(id, error);
  const retryAt = parts.clock.now() + 60 * MINUTE_MS;
  parts.states.set(id, { type: 'unreachable', grant: someGrant(parts.clock), error, retryAt });
}

/** In how long a connection is tried again. */
function waitOf(id: string): number | undefined {
  const { state } = parts.records.get(id).connection;
  return state.type === 'unreachable' ? state.retryAt - parts.clock.now() : undefined;
}

describe('P32 a connection that cannot be reached', () => {
  it('is tried again later each time, and counts anew once it was reached, or has ended', () => {
    const waits = (): readonly number[] =>
      [1, 2, 3].map(() => outages.noteFailure('a', unreachable()).retryAt - parts.clock.now());
    assert.deepEqual(waits(), [2500, 5000, 10_000]);
    outages.noteSuccess('a');
    assert.deepEqual(waits(), [2500, 5000, 10_000]);
    outages.forget('a');
    jitter = 1;
    assert.deepEqual(waits(), [5000, 10_000, 20_000]);
  });

  it('is a first in a row once', () => {
    assert.deepEqual(
      [1, 2, 3].map(() => outages.noteFailure('a', unreachable()).isFirst),
      [true, false, false],
    );
    outages.noteSuccess('a');
    assert.equal(outages.noteFailure('a', unreachable()).isFirst, true);
    assert.equal(outages.noteFailure('b', unreachable()).isFirst, true);
  });

  it('is not asked before its server said, whoever wishes it', () => {
    const now = parts.clock.now();
    assert.equal(outages.notBefore('a'), 0);
    assert.equal(outages.noteFailure('a', refused(MINUTE_MS)).retryAt, now + MINUTE_MS);
    assert.equal(outages.notBefore('a'), now + MINUTE_MS);
    outages.noteFailure('a', refused());
    assert.equal(outages.notBefore('a'), now);
    outages.noteFailure('a', refused(MINUTE_MS));
    outages.forget('a');
    assert.equal(outages.notBefore('a'), 0);
  });
});

describe('P32 a success', () => {
  it('says of its server that it can be reached, and is spread over three seconds', async () => {
    await addAway('a', refused(), ISSUER);
    await addAway('b', unreachable(), ISSUER);
    await addAway('c', refused());
    await parts.add('well', { issuer: ISSUER });
    parts.clock.advance(10_000);
    outages.noteSuccess('well');
    assert.deepEqual([waitOf('a'), waitOf('b')], [0, 0]);
    assert.equal(waitOf('c'), 60 * MINUTE_MS - 10_000);
    jitter = 0.5;
    await addAway('d', refused(), ISSUER);
    parts.clock.advance(10_000);
    outages.noteSuccess('well');
    assert.equal(waitOf('d'), 1500);
    assert.equal(waitOf('a'), -10_000, 'nothing is put off');
  });

  it('says nothing of what was tried just before', async () => {
    await addAway('a', refused(), ISSUER);
    await parts.add('well', { issuer: ISSUER });
    parts.clock.advance(9999);
    outages.noteSuccess('well');
    assert.equal(waitOf('a'), 60 * MINUTE_MS - 9999);
    parts.clock.advance(1);
    outages.noteSuccess('well');
    assert.equal(waitOf('a'), 0);
  });

  for (const [failure, isShared] of [
    ['dns', true],
    ['timeout', true],
    ['reset', true],
    ['proxy', true],
    ['other', true],
    ['refused', false],
    ['tls', false],
  ] as const satisfies readonly (readonly [NetworkFailure, boolean])[]) {
    it(`after ${failure} says ${isShared ? 'of all' : 'nothing of'} others whose cause may be the same`, async () => {
      await addAway('a', unreachable(failure));
      await addAway('b', unreachable('timeout'));
      await addAway('c', refused());
      await addAway('d', unreachable('tls'));
      parts.clock.advance(MINUTE_MS);
      outages.noteSuccess('a');
      assert.equal(waitOf('b'), isShared ? 0 : 59 * MINUTE_MS);
      assert.deepEqual([waitOf('c'), waitOf('d')], [59 * MINUTE_MS, 59 * MINUTE_MS]);
    });
  }

  it('of a connection that was not away says nothing of the network', async () => {
    await addAway('a', unreachable());
    await parts.add('well', { issuer: ISSUER });
    await parts.add('no issuer');
    parts.clock.advance(MINUTE_MS);
    for (const id of ['well', 'no issuer', 'gone']) outages.noteSuccess(id);
    assert.equal(waitOf('a'), 59 * MINUTE_MS);
  });

  it('of one without an issuer says nothing of others without one', async () => {
    await addAway('a', refused());
    parts.records.update('a', ({ issuer: _issuer, ...connection }) => connection);
    await parts.add('well');
    parts.clock.advance(MINUTE_MS);
    outages.noteSuccess('well');
    assert.equal(waitOf('a'), 59 * MINUTE_MS);
  });

  it('brings nothing before the time that its server said', async () => {
    await addAway('a', refused(2 * MINUTE_MS), ISSUER);
    await parts.add('well', { issuer: ISSUER });
    parts.clock.advance(MINUTE_MS);
    outages.noteSuccess('well');
    assert.equal(waitOf('a'), MINUTE_MS);
    // It was said by a clock that was a day ahead.
    parts.clock.jump(-24 * 60 * MINUTE_MS);
    parts.clock.advance(24 * 60 * MINUTE_MS);
    parts.clock.jump(-24 * 60 * MINUTE_MS);
    parts.states.set('a', { type: 'unreachable', grant: someGrant(parts.clock), error: refused(), retryAt: Infinity });
    outages.noteSign('wake');
    assert.equal(waitOf('a'), 0);
  });

  it('does not touch what waits for the keychain, or waits no more', async () => {
    await addAway('a', unreachable(), ISSUER);
    await addAway('b', unreachable(), ISSUER);
    await parts.add('well', { issuer: ISSUER });
    const error = new ConnectionError('keychain_locked', {});
    const retryAt = parts.clock.now() + 60 * MINUTE_MS;
    parts.states.set('a', { type: 'unreachable', grant: someGrant(parts.clock), error, retryAt });
    parts.states.set('b', { type: 'ready', grant: someGrant(parts.clock) });
    parts.clock.advance(MINUTE_MS);
    outages.noteSuccess('well');
    for (const sign of ['wake', 'focus'] as const) outages.noteSign(sign);
    assert.deepEqual([waitOf('a'), waitOf('b')], [59 * MINUTE_MS, undefined]);
    assert.equal(parts.stateOf('b'), 'ready');
  });
});

describe('P32 P34 a sign that servers may be reached again', () => {
  it('is waking up: all are tried, and the first tries after it are quick', async () => {
    await addAway('a', unreachable());
    await addAway('b', refused());
    outages.noteFailure('a', unreachable());
    outages.noteSign('wake');
    assert.deepEqual([waitOf('a'), waitOf('b')], [0, 0]);
    const { retryAt, isFirst } = outages.noteFailure('a', unreachable());
    assert.deepEqual([retryAt - parts.clock.now(), isFirst], [2500, true]);
  });

  for (const [title, sinceMs, leftMs, isTried] of [
    ['long ago and is long to wait', 30_000, 30_001, true],
    ['just before', 29_999, 30_001, false],
    ['long ago and is due soon', 30_000, 30_000, false],
  ] as const) {
    it(`is the window’s focus, for what was tried ${title}: ${isTried ? 'now' : 'left alone'}`, async () => {
      await addAway('a', unreachable());
      outages.noteFailure('a', unreachable());
      parts.clock.advance(sinceMs);
      const retryAt = parts.clock.now() + leftMs;
      parts.states.set('a', { type: 'unreachable', grant: someGrant(parts.clock), error: unreachable(), retryAt });
      outages.noteSign('focus');
      assert.equal(waitOf('a'), isTried ? 0 : leftMs);
      assert.equal(outages.noteFailure('a', unreachable()).isFirst, false, 'it is no new outage');
    });
  }
});
