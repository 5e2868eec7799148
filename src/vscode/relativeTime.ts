import { t, userLanguage } from './localize.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Spells a length of time of at least a minute in at most two units: `42 min`, `3 h 5 min`, `6 days`. */
function spellMinutes(ms: number): string {
  if (ms < HOUR_MS) return t('{0} min', Math.floor(ms / MINUTE_MS));
  if (ms < DAY_MS) {
    const hours = Math.floor(ms / HOUR_MS);
    const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
    return minutes === 0 ? t('{0} h', hours) : t('{0} h {1} min', hours, minutes);
  }
  const days = Math.floor(ms / DAY_MS);
  return days === 1 ? t('1 day') : t('{0} days', days);
}

/** `expires in 42 min`, `expires in <1 min`, or `expired 3 min ago`. Both instants are ms since the epoch. */
export function expiryText(expiresAt: number, now: number): string {
  const left = expiresAt - now;
  if (left >= MINUTE_MS) return t('expires in {0}', spellMinutes(left));
  if (left > 0) return t('expires in <1 min');
  return left > -MINUTE_MS ? t('expired just now') : t('expired {0} ago', spellMinutes(-left));
}

/** `just now`, or `5 min ago`. An instant that the clock has not reached yet counts as now. */
export function agoText(at: number, now: number): string {
  const passed = now - at;
  return passed < MINUTE_MS ? t('just now') : t('{0} ago', spellMinutes(passed));
}

/** `in 20 s`, `in 3 min`, or `now`; seconds are rounded up, so that it never says 0 s. */
export function inText(at: number, now: number): string {
  const left = at - now;
  if (left <= 0) return t('now');
  return left < MINUTE_MS ? t('in {0} s', Math.ceil(left / SECOND_MS)) : t('in {0}', spellMinutes(left));
}

/** An instant as the user's language writes it, e.g. `Nov 21, 2026, 3:53 PM`. */
export function absoluteText(at: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat(userLanguage(), { dateStyle: 'medium', timeStyle: 'short', ...zone }).format(at);
}

/** An instant in short: the time of today, `3:53 PM`, else the day and the time, `Nov 22, 3:53 PM`. */
export function clockText(at: number, now: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat('en', { dateStyle: 'short', ...zone });
  const date = day.format(at) === day.format(now) ? {} : ({ day: 'numeric', month: 'short' } as const);
  return new Intl.DateTimeFormat(userLanguage(), { hour: 'numeric', minute: '2-digit', ...date, ...zone }).format(at);
}
