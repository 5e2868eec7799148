import type { TokenLifetimes } from '../ports.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What holds where nothing, or nothing useful, is set (P39, P40). */
export const DEFAULT_LIFETIMES: TokenLifetimes = {
  accessTokenMs: DAY_MS,
  refreshTokenMs: 30 * DAY_MS,
  graceMs: 30 * SECOND_MS,
};

/** A longer life is as good as none, and has to stay a date that can be written down. */
const LONGEST_MS = 3650 * DAY_MS;
/** A repeat that comes later than this is no lost answer any more. */
const LONGEST_GRACE_MS = HOUR_MS;

const UNITS: Readonly<Record<string, number>> = { s: SECOND_MS, m: 60_000, h: HOUR_MS, d: DAY_MS };

/** As the person sets them: a text such as `24h`, `30d`, `15m`, `90s` or `1h30m`, or a number of seconds. */
export interface LifetimeSettings {
  readonly accessTokenTtl?: unknown;
  readonly refreshTokenTtl?: unknown;
  readonly refreshGrace?: unknown;
}

/** The lifetimes in force. Each setting stands for itself: what is not set, or is no duration, keeps its default. */
export function lifetimesFrom(settings: LifetimeSettings): TokenLifetimes {
  const { accessTokenMs, refreshTokenMs, graceMs } = DEFAULT_LIFETIMES;
  return {
    accessTokenMs: within(settings.accessTokenTtl, SECOND_MS, LONGEST_MS) ?? accessTokenMs,
    refreshTokenMs: within(settings.refreshTokenTtl, SECOND_MS, LONGEST_MS) ?? refreshTokenMs,
    graceMs: within(settings.refreshGrace, 0, LONGEST_GRACE_MS) ?? graceMs,
  };
}

/** The duration in ms, at most `most`; undefined for one that is under `least` or is none. */
function within(setting: unknown, least: number, most: number): number | undefined {
  const durationMs = durationOf(setting);
  if (durationMs === undefined || !(durationMs >= least)) return undefined;
  return Math.min(durationMs, most);
}

/** A duration as the person sets it, in ms; undefined for what is none. */
export function durationOf(setting: unknown): number | undefined {
  if (typeof setting === 'number') return setting * SECOND_MS;
  if (typeof setting !== 'string') return undefined;
  const text = setting.trim();
  if (/^\d+$/.test(text)) return Number(text) * SECOND_MS;
  if (!/^(?:\d+[smhd])+$/.test(text)) return undefined;
  let durationMs = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)([smhd])/g))
    durationMs += Number(count) * (UNITS[unit] ?? 0);
  return durationMs;
}
