import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as v from 'valibot';
import { DEFAULT_LIFETIMES, durationOf, lifetimesFrom } from '../../../src/gateway/authorization/lifetimes.ts';
import { portFrom, stepUpTimeoutFrom } from '../../../src/vscode/gatewaySettingValues.ts';
import { settingIds } from '../../../src/vscode/ids.ts';

const durationSchema = v.object({ default: v.string(), pattern: v.string() });
const manifestSchema = v.object({
  contributes: v.object({ configuration: v.object({ properties: v.record(v.string(), v.unknown()) }) }),
});
const { properties } = v.parse(manifestSchema, JSON.parse(readFileSync('package.json', 'utf8'))).contributes
  .configuration;

function durationSetting(id: string) {
  return v.parse(durationSchema, properties[id]);
}

const durations = [
  settingIds.accessTokenTtl,
  settingIds.refreshTokenTtl,
  settingIds.refreshGrace,
  settingIds.stepUpTimeout,
];

test('P18a a port is one that can be bound, and anything else is the one that was chosen at first', () => {
  for (const port of [1, 1024, 41_234, 65_535]) assert.equal(portFrom(port), port);
  for (const none of [0, -1, 65_536, 1.5, Number.NaN, '8080', null, undefined, {}]) assert.equal(portFrom(none), 0);
});

test('a client waits for as long as is set, two minutes by default and an hour at most', () => {
  for (const [setting, ms] of [
    ['0s', 0],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 3_600_000],
    ['soon', 120_000],
    ['', 120_000],
    [undefined, 120_000],
    [null, 120_000],
  ] as const) {
    assert.equal(stepUpTimeoutFrom(setting), ms, String(setting));
  }
});

test('P39 P40 the defaults that the settings show are those that hold', () => {
  const [accessTokenTtl, refreshTokenTtl, refreshGrace, stepUpTimeout] = durations.map(
    (id) => durationSetting(id).default,
  );
  assert.deepEqual(lifetimesFrom({ accessTokenTtl, refreshTokenTtl, refreshGrace }), DEFAULT_LIFETIMES);
  assert.equal(stepUpTimeoutFrom(stepUpTimeout), stepUpTimeoutFrom(undefined));
});

test('the settings editor takes the durations that hold, and no others', () => {
  for (const id of durations) {
    const pattern = new RegExp(durationSetting(id).pattern);
    for (const text of ['0s', '30s', '1h30m', '24h', '365d']) {
      assert.ok(pattern.test(text) && durationOf(text) !== undefined, text);
    }
    for (const text of ['', 'h', '-1h', '1.5h', '24 h', '1w', 'soon']) {
      assert.ok(!pattern.test(text) && durationOf(text) === undefined, text);
    }
  }
});
