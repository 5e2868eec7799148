import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { ChallengeStand } from '../../headless/challengeStand.ts';
import { someGrant } from '../../headless/connectionParts.ts';
import { SERVER_URL } from '../../headless/flowParts.ts';

const MINUTE_MS = 60_000;
const RETRY = { type: 'retry' };
const STOP = { type: 'stop' };
const authorize = (...scopes: readonly string[]): unknown => ({ type: 'authorize', scopes });

let stand: ChallengeStand;

beforeEach(() => {
  stand = new ChallengeStand();
});

describe('a challenge to a token that the person brought', () => {
  beforeEach(async () => stand.connected({ kind: 'static_token' }, { granted: [], refreshable: false }, true));

  it('P24 that refuses it needs another one, each time', async () => {
    assert.deepEqual(await stand.answer('Bearer scope="x"'), authorize('x'));
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn token_rejected');
    stand.parts.states.set('c', { type: 'ready', grant: someGrant(stand.parts.clock, { refreshable: false }) });
    assert.deepEqual(await stand.answer('Bearer scope="x"'), STOP);
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn token_rejected');
  });

  it('P25 that wants more of it is stopped, and it stays good for the rest', async () => {
    assert.deepEqual(await stand.forbidden('x'), authorize('x'));
    assert.equal(stand.parts.stateOf('c'), 'needsConsent');
    assert.deepEqual(await stand.forbidden('x'), STOP);
    assert.equal(stand.parts.stateOf('c'), 'needsConsent');
  });

  it('P25 that was sent without it says nothing of it', async () => {
    await stand.answer(null, { token: undefined });
    assert.deepEqual(await stand.answer(null, { token: undefined }), STOP);
    assert.equal(stand.parts.stateOf('c'), 'ready');
  });
});

describe('P22 P24 a challenge to a connection that needs nobody', () => {
  beforeEach(async () => stand.connected({ kind: 'client_credentials' }));

  it('is met by asking for more, once for all who wait', async () => {
    const opened = deferred<void>();
    stand.stepUp = async () => {
      await opened.promise;
      await stand.signedIn(['a', 'b']);
      return { type: 'authorized', connection: stand.connection };
    };
    const answers = [1, 2, 3].map(async () => stand.forbidden('b'));
    await new Promise((resolve) => void setImmediate(resolve));
    opened.resolve();
    assert.deepEqual(await Promise.all(answers), [RETRY, RETRY, RETRY]);
    assert.equal(stand.stepUps, 1);
    assert.equal(stand.parts.stateOf('c'), 'ready');
  });

  for (const [title, outcome] of [
    ['fails', async () => Promise.reject(new Error('no'))],
    ['is cancelled', async () => ({ type: 'cancelled' as const })],
  ] as const) {
    it(`needs the person when that ${title}`, async () => {
      stand.stepUp = outcome;
      assert.deepEqual(await stand.forbidden('b'), authorize('b'));
      assert.equal(stand.parts.stateOf('c'), 'needsConsent');
      assert.equal(stand.stepUps, 1);
      assert.deepEqual(await stand.forbidden('b'), STOP);
      assert.equal(stand.stepUps, 1);
      assert.deepEqual(
        await stand.forbidden('c', { operation: 'other' }),
        authorize('c'),
        'and it is tried for another',
      );
      assert.equal(stand.stepUps, 2);
    });
  }

  it('waits as a renewal does', async () => {
    stand.setOffline(true);
    await assert.rejects(stand.renewals.refresh('c'));
    await assert.rejects(stand.forbidden('b'));
    assert.equal(stand.stepUps, 0);
    stand.parts.clock.advance(MINUTE_MS);
    stand.stepUp = async () => ({ type: 'cancelled' });
    await stand.forbidden('b');
    assert.equal(stand.stepUps, 1);
  });

  it('that comes when it was signed out asks for nothing', async () => {
    stand.parts.states.set('c', { type: 'disconnected' });
    assert.deepEqual(await stand.forbidden('b', { token: 'at-1' }), authorize('b'));
    assert.equal(stand.stepUps, 0);
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
  });

  it('says nothing of it when it was signed out meanwhile', async () => {
    stand.stepUp = async () => {
      stand.parts.states.set('c', { type: 'disconnected' });
      return { type: 'cancelled' };
    };
    assert.deepEqual(await stand.forbidden('b'), authorize('b'));
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
  });

  it('that is not about scopes is the person’s, once a renewal was of no use', async () => {
    assert.deepEqual(await stand.answer(null), RETRY);
    assert.deepEqual(await stand.answer(null), authorize());
    assert.equal(stand.stepUps, 0);
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn token_rejected');
  });

  it('to a request without a token asks for nothing', async () => {
    assert.deepEqual(await stand.forbidden('b', { token: undefined }), authorize('b'));
    assert.equal(stand.stepUps, 0);
    assert.equal(stand.parts.stateOf('c'), 'ready');
  });
});

describe('RFC 9449 a challenge for another nonce', () => {
  it('is met by taking it, and by nothing else', async () => {
    await stand.connected();
    const demand = { dpopNonce: 'n', attempt: 1 };
    assert.deepEqual(await stand.answer('DPoP error="use_dpop_nonce"', demand), RETRY);
    assert.equal(stand.nonces.for(SERVER_URL), 'n');
    assert.deepEqual(await stand.answer('DPoP error="use_dpop_nonce"', { attempt: 1 }), STOP);
    assert.deepEqual([stand.refreshed, stand.connection.challenged], [[], []]);
    for (let count = 1; count <= 20; count += 1) await stand.answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' });
    assert.deepEqual(await stand.answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' }), STOP);
    stand.challenges.forget('c');
    assert.deepEqual(await stand.answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' }), RETRY);
  });
});
