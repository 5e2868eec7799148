import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACTIVITY_LIMIT, type ActivityEntry, addActivity } from '../../../src/connections/activity.ts';
import {
  grantOfAuthorization,
  grantOfRefresh,
  missingScopes,
  refreshAttempts,
  type RefreshScope,
} from '../../../src/connections/grant.ts';
import { parseScopes } from '../../../src/oauth/scopeSet.ts';
import type { TokenAnswer } from '../../../src/oauth/token.ts';
import { grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

const answer: TokenAnswer = { accessToken: 'AT', tokenType: 'bearer' };

describe('the grant of an authorization', () => {
  it('P26 is what was requested when the answer names no scope', () => {
    assert.deepEqual(grantOfAuthorization(answer, ['a', 'b'], false, NOW, 3), {
      authorized: ['a', 'b'],
      granted: ['a', 'b'],
      refreshable: false,
      issuedAt: NOW,
      generation: 3,
    });
  });

  it('P26 is what the answer names, and ends when it says', () => {
    const full = { ...answer, scope: 'b,c', expiresInSeconds: 60 };
    assert.deepEqual(grantOfAuthorization(full, ['a', 'b'], true, NOW, 1), {
      authorized: ['b', 'c'],
      granted: ['b', 'c'],
      expiresAt: NOW + MINUTE_MS,
      refreshable: true,
      issuedAt: NOW,
      generation: 1,
    });
  });
});

describe('the grant after a refresh', () => {
  const before = grantWith({ authorized: ['a', 'b'], granted: ['a'], expiresAt: NOW, generation: 4 });

  it('P26 P27 is unchanged when the answer names no scope, but for its times', () => {
    assert.deepEqual(grantOfRefresh(before, { ...answer, expiresInSeconds: 60 }, NOW + 5, 5), {
      authorized: ['a', 'b'],
      granted: ['a'],
      expiresAt: NOW + 5 + MINUTE_MS,
      refreshable: true,
      issuedAt: NOW,
      refreshedAt: NOW + 5,
      generation: 5,
    });
  });

  it('P26 P27 shows a narrowing, keeps what was authorized, and has no end when the answer names none', () => {
    assert.deepEqual(grantOfRefresh(before, { ...answer, scope: 'b' }, NOW + 5, 5), {
      authorized: ['a', 'b'],
      granted: ['b'],
      refreshable: true,
      issuedAt: NOW,
      refreshedAt: NOW + 5,
      generation: 5,
    });
  });
});

describe('scopes that were not granted', () => {
  for (const [expected, granted, missing] of [
    [['a', 'b'], ['b'], ['a']],
    [['a'], ['b', 'a'], []],
    [['a', 'offline_access'], [], ['a']],
    [[], ['a'], []],
  ] as const) {
    it(`P26 of ${JSON.stringify(expected)} with ${JSON.stringify(granted)} are ${JSON.stringify(missing)}`, () => {
      assert.deepEqual(missingScopes(expected, granted), missing);
    });
  }
});

/** The attempts as one text, from sets as texts. */
function attempts(authorized: string, requested: string, remembered: RefreshScope | undefined): string {
  return refreshAttempts(parseScopes(authorized), parseScopes(requested), remembered)
    .map(({ kind, scopes }) => `${kind}: ${scopes?.join(' ') ?? '-'}`)
    .join(', ');
}

describe('P27 the scope of a refresh is tried', () => {
  for (const [title, authorized, requested, remembered, expected] of [
    ['as authorized, which is as requested', 'a b', 'b a', undefined, 'authorized: a b, omitted: -'],
    ['as authorized, then as requested', 'a', 'a b', undefined, 'authorized: a, requested: a b, omitted: -'],
    ['as requested when the server echoes other spellings', 'https://x/a', 'a', undefined, 'requested: a, omitted: -'],
    ['as authorized when nothing was requested', 'a', '', undefined, 'authorized: a, omitted: -'],
    ['without when there are none', '', '', undefined, 'omitted: -'],
    ['as requested when nothing was granted', '', 'a', undefined, 'requested: a, omitted: -'],
    ['from what worked before: requested', 'a', 'a b', 'requested', 'requested: a b, omitted: -'],
    ['from what worked before: omitted', 'a', 'a b', 'omitted', 'omitted: -'],
    ['from what worked before: authorized', 'a', 'a b', 'authorized', 'authorized: a, requested: a b, omitted: -'],
    ['from the start when what worked is no form any more', 'a', 'a', 'requested', 'authorized: a, omitted: -'],
  ] as const) {
    it(title, () => assert.equal(attempts(authorized, requested, remembered), expected));
  }
});

describe('activity', () => {
  it('keeps the newest entries, oldest first, up to a limit', () => {
    let entries: readonly ActivityEntry[] = [];
    for (let at = 1; at <= ACTIVITY_LIMIT + 2; at++) entries = addActivity(entries, { at, type: 'refreshed' });
    assert.equal(entries.length, 50);
    assert.deepEqual([entries[0]?.at, entries.at(-1)?.at], [3, 52]);
  });
});
