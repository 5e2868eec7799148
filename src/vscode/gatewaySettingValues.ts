import { durationOf } from '../gateway/authorization/lifetimes.ts';

const HIGHEST_PORT = 65_535;
const DEFAULT_STEP_UP_TIMEOUT_MS = 120_000;
/** Clients and what is between give up long before. */
const LONGEST_STEP_UP_TIMEOUT_MS = 3_600_000;

/** The port that is set; 0, for the one that was chosen at the first start, also for what is no port. */
export function portFrom(setting: unknown): number {
  const isPort = typeof setting === 'number' && Number.isInteger(setting) && setting > 0 && setting <= HIGHEST_PORT;
  return isPort ? setting : 0;
}

/** How long a client waits for the person, in ms: 120 s for what is no duration, an hour at most. */
export function stepUpTimeoutFrom(setting: unknown): number {
  return Math.min(durationOf(setting) ?? DEFAULT_STEP_UP_TIMEOUT_MS, LONGEST_STEP_UP_TIMEOUT_MS);
}
