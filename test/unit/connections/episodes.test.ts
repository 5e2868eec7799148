import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Episode, isOneTooMany, ongoingEpisode } from '../../../src/connections/challengePolicy.ts';
import { grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

/** An episode with so many different challenges, the first of them `0`. */
function episodeOf(generation: number, challenges = 1, ledTo?: number): Episode {
  const names = Array.from({ length: challenges }, (_, index) => String(index));
  return { generation, ledTo, actions: new Map(names.map((name) => [name, 'authorize'])) };
}

describe('an episode of challenges', () => {
  const grant = grantWith({ generation: 5, refreshedAt: NOW });
  for (const [title, current, generation, ledTo, now, goesOn] of [
    ['goes on when a new token is refused at once', grant, 4, 5, NOW + MINUTE_MS - 1, true],
    ['goes on however many documents the new token took', grant, 2, 5, NOW + MINUTE_MS - 1, true],
    ['goes on while the token is the same', grant, 5, undefined, NOW + 60 * MINUTE_MS, true],
    ['goes on while there is no token', undefined, 4, undefined, NOW, true],
    ['ends when the token was good for a minute', grant, 4, 5, NOW + MINUTE_MS, false],
    ['ends when tokens came and went unrefused', grant, 3, 4, NOW, false],
    ['ends when a token came that nobody was asked for', grant, 4, undefined, NOW, false],
  ] as const) {
    it(`P25 ${title}`, () => {
      const episode = episodeOf(generation, 1, ledTo);
      assert.equal(ongoingEpisode(episode, current, now), goesOn ? episode : undefined);
    });
  }

  for (const [title, episode, challenge, expected] of [
    ['the first challenge is not', undefined, '0', false],
    ['the fifth one is not', episodeOf(1, 4), '4', false],
    ['the sixth one is', episodeOf(1, 5), '5', true],
    ['one that was there before is not', episodeOf(1, 5), '4', false],
  ] as const) {
    it(`P25 ${title} too many`, () => assert.equal(isOneTooMany(episode, challenge), expected));
  }
});
