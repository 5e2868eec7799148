import type { Connection, Grant } from './connection.ts';
import { isHidden } from './hiddenSecrets.ts';

/** A token is not used, and is renewed first, when it ends within this time. */
export const EXPIRY_MARGIN_MS = 10_000;
/** The clock is looked at at least this often, so that a sleep of the machine or a set clock is noticed. */
export const LONGEST_WAIT_MS = 30_000;
/** The same while a connection is away: after a sleep the network is there before the person looks. */
export const LONGEST_WAIT_AWAY_MS = 5_000;

/** However short a token lives, it is not renewed by itself sooner than this after the last time. */
const SHORTEST_WAIT_MS = 10_000;
/** A token that was issued later than this from now was issued under a clock that has been set back since. */
const CLOCK_TOLERANCE_MS = 60_000;

const MINUTE_MS = 60_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 15 * MINUTE_MS;
/** A server's `Retry-After` is honoured up to this. */
const LONGEST_RETRY_AFTER_MS = 60 * MINUTE_MS;

/**
 * When to renew a token (P34): at 80 % of its life, at least 60 s before its end, up to 5 % of its
 * life earlier by `jitter` (0 to 1); a token of under two minutes is renewed at half its life at the earliest,
 * and no token sooner than 10 s after the last time. Now, when the clock was set back since then.
 * Undefined for a token with no expiry or no refresh token.
 */
export function refreshDueAt(grant: Grant, jitter: number, now: number): number | undefined {
  if (grant.expiresAt === undefined || !grant.refreshable) return undefined;
  const startedAt = grant.refreshedAt ?? grant.issuedAt;
  if (startedAt > now + CLOCK_TOLERANCE_MS) return now;
  const lifeMs = grant.expiresAt - startedAt;
  const latestMs = Math.max(lifeMs / 2, Math.min(lifeMs * 0.8, lifeMs - MINUTE_MS));
  return startedAt + Math.max(lifeMs / 2, latestMs - jitter * lifeMs * 0.05, SHORTEST_WAIT_MS);
}

/** Whether a token can be used for a request at `now`. */
export function isUsable(grant: Grant, now: number): boolean {
  if (grant.expiresAt === undefined) return true;
  const isFromAnotherClock = (grant.refreshedAt ?? grant.issuedAt) > now + CLOCK_TOLERANCE_MS;
  return !(isFromAnotherClock && grant.refreshable) && grant.expiresAt - EXPIRY_MARGIN_MS > now;
}

/**
 * How long to wait after the `failures`-th failure in a row (from 1): 5 s, doubled each time up to
 * 15 min, half of it by `jitter` (0 to 1), and no less than the server's `Retry-After` (P32).
 */
export function retryDelayMs(failures: number, jitter: number, retryAfterMs: number | undefined): number {
  const ceiling = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  const backoff = ceiling / 2 + (jitter * ceiling) / 2;
  return Math.max(backoff, heededRetryAfterMs(retryAfterMs));
}

/** How long a server's `Retry-After` is heeded (P32). */
export function heededRetryAfterMs(retryAfterMs: number | undefined): number {
  return Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
}

/** When to try again what was to be tried at `retryAt`: no failure waits for longer, so the clock was set back since. */
export function retryDueAt(retryAt: number, now: number): number {
  return retryAt - now > LONGEST_RETRY_AFTER_MS ? now : retryAt;
}

/** When something is to be done about a connection by itself; undefined for never. */
export function nextDueAt(connection: Connection, jitter: number, now: number): number | undefined {
  const { state } = connection;
  switch (state.type) {
    case 'ready':
    case 'needsConsent':
      return state.grant.refreshable ? refreshDueAt(state.grant, jitter, now) : state.grant.expiresAt;
    case 'unreachable':
      // The keychain is asked for all connections together.
      return isHidden(connection) ? undefined : retryDueAt(state.retryAt, now);
    case 'disconnected':
    case 'authorizing':
    case 'refreshing':
    case 'needsSignIn':
      return undefined;
  }
}
