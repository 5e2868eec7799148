import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Grant } from '../../../src/connections/connection.ts';
import { isUsable, nextDueAt, refreshDueAt, retryDelayMs } from '../../../src/connections/refreshSchedule.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { connectionIn } from '../connectionFixture.ts';

const ISSUED_AT = 1_000_000_000_000;
const S = 1000;

function grant(lifeSeconds: number | undefined, change: Partial<Grant> = {}): Grant {
  return {
    authorized: [],
    granted: [],
    refreshable: true,
    issuedAt: ISSUED_AT,
    generation: 1,
    ...(lifeSeconds !== undefined && { expiresAt: ISSUED_AT + lifeSeconds * S }),
    ...change,
  };
}

describe('P34 when a token is renewed', () => {
  for (const [lifeSeconds, jitter, dueSeconds] of [
    [3600, 0, 2880],
    [3600, 1, 2700],
    [600, 0, 480],
    [240, 0, 180],
    [120, 0, 60],
    [120, 1, 60],
    [40, 0, 20],
    [8, 0, 10],
    [0.01, 0, 10],
  ] as const) {
    it(`a token of ${lifeSeconds} s with jitter ${jitter}: after ${dueSeconds} s`, () => {
      assert.equal(refreshDueAt(grant(lifeSeconds), jitter, ISSUED_AT), ISSUED_AT + dueSeconds * S);
    });
  }

  it('never for a token without expiry or refresh token', () => {
    assert.equal(refreshDueAt(grant(undefined), 0, ISSUED_AT), undefined);
    assert.equal(refreshDueAt(grant(3600, { refreshable: false }), 0, ISSUED_AT), undefined);
  });

  it('counts from the last refresh', () => {
    const refreshed = grant(undefined, { refreshedAt: ISSUED_AT + 3600 * S, expiresAt: ISSUED_AT + 7200 * S });
    assert.equal(refreshDueAt(refreshed, 0, ISSUED_AT + 3600 * S), ISSUED_AT + (3600 + 2880) * S);
  });

  it('at once when the clock was set back, since nobody knows when the token ends', () => {
    const now = ISSUED_AT - 86_400 * S;
    assert.equal(refreshDueAt(grant(3600), 0, now), now);
    assert.equal(isUsable(grant(3600), now), false);
    assert.equal(isUsable(grant(3600, { refreshable: false }), now), true);
  });

  it('not for a clock that was set back by a minute, which clocks of servers differ by', () => {
    const now = ISSUED_AT - 60 * S;
    assert.equal(refreshDueAt(grant(3600), 0, now), ISSUED_AT + 2880 * S);
    assert.equal(isUsable(grant(3600), now), true);
    assert.equal(refreshDueAt(grant(3600), 0, now - 1), now - 1);
    assert.equal(isUsable(grant(3600), now - 1), false);
  });

  it('a token is not used in the last seconds of its life', () => {
    assert.equal(isUsable(grant(3600), ISSUED_AT + 3589 * S), true);
    assert.equal(isUsable(grant(3600), ISSUED_AT + 3590 * S), false);
    assert.equal(isUsable(grant(3600), ISSUED_AT + 3591 * S), false);
    assert.equal(isUsable(grant(undefined), ISSUED_AT), true);
  });
});

describe('P34 something is to be done about a connection by itself', () => {
  const renewable = grant(3600);
  const fixed = grant(3600, { refreshable: false });
  const LATER = ISSUED_AT + 3601 * S;
  const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
  for (const [title, state, dueSeconds] of [
    ['when its token is to be renewed', { type: 'ready', grant: renewable }, 2880],
    ['when its token ends, to tell the person', { type: 'ready', grant: fixed }, 3600],
    ['never for a token without end', { type: 'ready', grant: grant(undefined) }, undefined],
    ['also while it needs consent', { type: 'needsConsent', grant: renewable, missing: ['b'] }, 2880],
    ['when it is to be tried again', { type: 'unreachable', grant: renewable, error, retryAt: ISSUED_AT + 5 * S }, 5],
    ['after an hour at most', { type: 'unreachable', grant: renewable, error, retryAt: ISSUED_AT + 3600 * S }, 3600],
    // Nothing waits for longer than that.
    ['now, when the clock was set back', { type: 'unreachable', grant: renewable, error, retryAt: LATER }, 0],
    ['not while it is renewed', { type: 'refreshing', grant: renewable }, undefined],
    ['not while the person signs in', { type: 'authorizing', step: 'discovering', grant: renewable }, undefined],
    ['not while it waits for the person', { type: 'needsSignIn', reason: 'expired', since: ISSUED_AT }, undefined],
    ['not when it is signed out', { type: 'disconnected' }, undefined],
  ] as const) {
    it(title, () => {
      const expected = dueSeconds === undefined ? undefined : ISSUED_AT + dueSeconds * S;
      assert.equal(nextDueAt(connectionIn(state), 0, ISSUED_AT), expected);
    });
  }
});

describe('P32 how long a failed refresh waits', () => {
  for (const [failures, jitter, retryAfterMs, delayMs] of [
    [1, 0, undefined, 2500],
    [1, 1, undefined, 5000],
    [3, 1, undefined, 20_000],
    [50, 1, undefined, 900_000],
    [1, 0, 60_000, 60_000],
    [1, 0, 86_400_000, 3_600_000],
  ] as const) {
    it(`failure ${failures}, jitter ${jitter}, Retry-After ${retryAfterMs ?? 'none'}: ${delayMs} ms`, () => {
      assert.equal(retryDelayMs(failures, jitter, retryAfterMs), delayMs);
    });
  }
});
