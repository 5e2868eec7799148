import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACTIVITY_LIMIT, type ActivityEntry, addActivity } from '../../../src/connections/activity.ts';
import { grantAskedAnew, grantOfAuthorization, grantOfRefresh, missingScopes } from '../../../src/connections/grant.ts';
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

describe('the grant of tokens that were asked for anew', () => {
  const before = grantWith({ authorized: ['a', 'b'], granted: ['a'], expiresAt: NOW, generation: 4 });
  for (const [scope, granted] of [
    [undefined, ['a', 'b', 'c']],
    ['b', ['b']],
    ['a,c', ['a', 'c']],
  ] as const) {
    it(`P26 is ${granted.join(' ')} when the answer names ${scope ?? 'no scope'}`, () => {
      const full = { ...answer, expiresInSeconds: 60, ...(scope !== undefined && { scope }) };
      assert.deepEqual(grantAskedAnew(before, ['a', 'b', 'c'], full, NOW + 5, 5), {
        authorized: ['a', 'b'],
        granted,
        expiresAt: NOW + 5 + MINUTE_MS,
        refreshable: true,
        issuedAt: NOW,
        refreshedAt: NOW + 5,
        generation: 5,
      });
    });
  }
});

describe('scopes that were not granted', () => {
  for (const [expected, granted, missing] of [
    [['a', 'b'], ['b'], ['a']],
    [['a'], ['b', 'a'], []],
    [['a', 'offline_access'], [], ['a']],
    // Entra names what it stands for.
    [['api://x/.default'], ['api://x/read'], []],
    [[], ['a'], []],
  ] as const) {
    it(`P26 of ${JSON.stringify(expected)} with ${JSON.stringify(granted)} are ${JSON.stringify(missing)}`, () => {
      assert.deepEqual(missingScopes(expected, granted), missing);
    });
  }
});

describe('activity', () => {
  it('keeps the newest entries, oldest first, up to a limit', () => {
    let entries: readonly ActivityEntry[] = [];
    for (let at = 1; at <= ACTIVITY_LIMIT + 2; at++) entries = addActivity(entries, { at, type: 'refreshed' });
    assert.equal(entries.length, 50);
    assert.deepEqual([entries[0]?.at, entries.at(-1)?.at], [3, 52]);
  });

  it('P21 keeps the last sign-in, which alone says what was asked for, however often it was renewed', () => {
    let entries: readonly ActivityEntry[] = [];
    for (let at = 1; at <= ACTIVITY_LIMIT * 3; at++) {
      entries = addActivity(entries, { at, type: at === 2 || at === 5 ? 'connected' : 'refreshed' });
    }
    assert.equal(entries.length, 50);
    assert.deepEqual([entries[0], entries[1]?.at, entries.at(-1)?.at], [{ at: 5, type: 'connected' }, 102, 150]);
  });
});
