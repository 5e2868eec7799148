import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_LIFETIMES,
  type LifetimeSettings,
  lifetimesFrom,
} from '../../../src/gateway/authorization/lifetimes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('lifetimesFrom', () => {
  it('P39 gives 24 hours, 30 days and a grace of 30 seconds by default', () => {
    const expected = { accessTokenMs: DAY_MS, refreshTokenMs: 30 * DAY_MS, graceMs: 30_000 };
    assert.deepEqual(lifetimesFrom({}), expected);
    assert.deepEqual(DEFAULT_LIFETIMES, expected);
  });

  const overrides: readonly [LifetimeSettings, Partial<typeof DEFAULT_LIFETIMES>][] = [
    [{ accessTokenTtl: '1h' }, { accessTokenMs: HOUR_MS }],
    [{ refreshTokenTtl: '7d' }, { refreshTokenMs: 7 * DAY_MS }],
    [{ refreshGrace: '0s' }, { graceMs: 0 }],
    [{ refreshGrace: 0 }, { graceMs: 0 }],
    [
      { accessTokenTtl: '15m', refreshTokenTtl: 720 },
      { accessTokenMs: 900_000, refreshTokenMs: 720_000 },
    ],
    [{ accessTokenTtl: '1h30m' }, { accessTokenMs: 1.5 * HOUR_MS }],
    [{ accessTokenTtl: ' 90 ' }, { accessTokenMs: 90_000 }],
    [{ accessTokenTtl: '99999d' }, { accessTokenMs: 3650 * DAY_MS }],
    [{ accessTokenTtl: '9'.repeat(400) }, { accessTokenMs: 3650 * DAY_MS }],
    [{ refreshGrace: '1d' }, { graceMs: HOUR_MS }],
  ];
  for (const [settings, expected] of overrides) {
    it(`P42 ${JSON.stringify(settings).slice(0, 60)} keeps the other defaults`, () => {
      assert.deepEqual(lifetimesFrom(settings), { ...DEFAULT_LIFETIMES, ...expected });
    });
  }

  const nonsense = ['', 'soon', '-1h', '1.5h', '1h ago', '0', '0d', -5, 0, Number.NaN, null, true, {}, ['1h']];
  for (const setting of nonsense) {
    it(`P42 takes ${JSON.stringify(setting)} for not set`, () => {
      const settings = { accessTokenTtl: setting, refreshTokenTtl: setting };
      assert.deepEqual(lifetimesFrom(settings), DEFAULT_LIFETIMES);
    });
  }
});
