import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideChallenge, demandedScopes } from '../../../src/connections/challengePolicy.ts';
import type { BearerChallenge } from '../../../src/oauth/challenge.ts';
import { grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

const insufficient = (...scopes: string[]): BearerChallenge => ({
  scheme: 'bearer',
  takesDpop: false,
  error: 'insufficient_scope',
  scopes,
});
const invalid: BearerChallenge = { scheme: 'bearer', takesDpop: false, error: 'invalid_token', scopes: [] };
/** As many servers answer each request without a good token: it names all their scopes, and says no error. */
const named: BearerChallenge = { scheme: 'bearer', takesDpop: false, scopes: ['a', 'b'] };
const renewable = grantWith({ granted: ['a'], refreshable: true, generation: 5 });
const fixed = grantWith({ granted: ['a'], refreshable: false, generation: 5 });

describe('a server’s challenge', () => {
  for (const [title, status, challenge, grant, earlier, decision] of [
    ['P24 a 403 without a challenge is passed on', 403, undefined, renewable, undefined, 'pass'],
    ['P24 a 403 for another reason is passed on', 403, invalid, renewable, undefined, 'pass'],
    [
      'P24 scopes that were not granted need the person',
      403,
      insufficient('a', 'b'),
      renewable,
      undefined,
      'authorize',
    ],
    ['P24 scopes that were granted are refreshed once', 403, insufficient('a'), renewable, undefined, 'refresh'],
    [
      'P24 and if that did not help, need the person',
      403,
      insufficient('a'),
      grantWith({ generation: 6 }),
      { action: 'refresh', generation: 5, ledTo: 6 },
      'authorize',
    ],
    [
      'P24 also when the refresh stored more than one document',
      403,
      insufficient('a'),
      grantWith({ generation: 7 }),
      { action: 'refresh', generation: 5, ledTo: 7 },
      'authorize',
    ],
    [
      'P25 and if that did not help either, it is over',
      403,
      insufficient('a'),
      grantWith({ generation: 7 }),
      { action: 'authorize', generation: 6, ledTo: 7 },
      'stop',
    ],
    [
      'P25 a person who has said no is not asked again',
      403,
      insufficient('b'),
      renewable,
      { action: 'authorize', generation: 5 },
      'stop',
    ],
    [
      'P25 until something has changed',
      403,
      insufficient('b'),
      grantWith({ generation: 9 }),
      { action: 'authorize', generation: 5 },
      'authorize',
    ],
    [
      'P34 a token that lived for long before it was refused is renewed again',
      401,
      invalid,
      grantWith({ generation: 6, issuedAt: NOW - MINUTE_MS }),
      { action: 'refresh', generation: 5, ledTo: 6 },
      'refresh',
    ],
    [
      'and so is one that a sign-in gave long ago',
      401,
      invalid,
      grantWith({ generation: 6, issuedAt: NOW - MINUTE_MS }),
      { action: 'authorize', generation: 5, ledTo: 6 },
      'refresh',
    ],
    [
      'an invalid token is renewed first, whatever scopes the challenge lists',
      401,
      { ...invalid, scopes: ['never-granted'] },
      renewable,
      undefined,
      'refresh',
    ],
    ['P24 a 401 is about the token first, whatever scopes it names', 401, named, renewable, undefined, 'refresh'],
    [
      'P24 and is about the scopes when the next token did not meet it either',
      401,
      named,
      grantWith({ generation: 6 }),
      { action: 'refresh', generation: 5, ledTo: 6 },
      'authorize',
    ],
    ['P24 or when it says so', 401, insufficient('b'), renewable, undefined, 'authorize'],
    ['a token that is refused is renewed', 401, invalid, renewable, undefined, 'refresh'],
    ['P24 so is one that is refused without a word', 401, undefined, renewable, undefined, 'refresh'],
    ['P24 or, when it cannot be, needs the person', 401, undefined, fixed, undefined, 'authorize'],
    ['one that cannot be renewed needs the person', 401, invalid, fixed, undefined, 'authorize'],
    ['no token needs the person', 401, undefined, undefined, undefined, 'authorize'],
    ['P25 but once', 401, undefined, undefined, { action: 'authorize', generation: 0 }, 'stop'],
  ] as const) {
    it(`${title}: ${decision}`, () => {
      assert.equal(decideChallenge(status, challenge, grant, earlier, NOW), decision);
    });
  }
});

describe('the scopes that a challenge demands of the person', () => {
  const refreshed = { action: 'refresh', generation: 5, ledTo: 6 } as const;
  for (const [title, status, challenge, earlier, expected] of [
    ['are those of a 403 that were not granted', 403, insufficient('a', 'b'), undefined, ['b']],
    ['are none of a 401, which is about the token', 401, named, undefined, []],
    ['also when it says so', 401, { ...invalid, scopes: ['b'] }, undefined, []],
    ['are those of a 401 that says that it is about them', 401, insufficient('a', 'b'), undefined, ['b']],
    ['and of one that the next token has not met', 401, named, refreshed, ['b']],
    ['are none without a challenge', 403, undefined, undefined, []],
  ] as const) {
    it(`P24 ${title}`, () => {
      assert.deepEqual(demandedScopes(status, challenge, renewable, earlier), expected);
    });
  }
});
