import type { LocalClient } from './scopeDemand.ts';
import type { Connection, Grant } from './connection.ts';

/** Something that happened to a connection, for the tree's *Activity* and the log. Holds no secret. */
export interface ActivityEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type:
    | 'added'
    | 'connected'
    | 'refreshed'
    | 'scopes_dropped'
    | 'scopes_restored'
    | 'sign_in_failed'
    | 'sign_in_cancelled'
    | 'refresh_failed'
    | 'sign_in_needed'
    | 'consent_needed'
    | 'disconnected';
  /** Scopes that the event is about: those that were granted, lost, got back, or are demanded. */
  readonly scopes?: readonly string[];
  /** Of `consent_needed`: what was refused, e.g. `tools/call add_note`. Of the client's text, cut and plain. */
  readonly operation?: string;
  /** Of `consent_needed`: whose request it was. */
  readonly client?: LocalClient;
  /** Of `connected`: everything that was asked for (P21). */
  readonly requested?: readonly string[];
  /** Of `connected`: what the server had demanded (P21). */
  readonly challenged?: readonly string[];
  /** Of `connected` and `refreshed`: when the new token ends, in ms since the epoch; undefined when nobody said. */
  readonly expiresAt?: number;
  /** The code of the error that the event is about. */
  readonly errorCode?: string;
}

/** How many entries are kept for each connection. */
export const ACTIVITY_LIMIT = 50;

/**
 * Gives `entries` with `entry` added at the end and the oldest dropped past {@link ACTIVITY_LIMIT}. The last sign-in
 * stays, however many renewals came after it: what was asked for and granted is known from it alone.
 */
export function addActivity(entries: readonly ActivityEntry[], entry: ActivityEntry): readonly ActivityEntry[] {
  const all = [...entries, entry];
  const first = all.length - ACTIVITY_LIMIT;
  if (first <= 0) return all;
  const signedIn = all.findLastIndex(({ type }) => type === 'connected');
  const lastSignIn = all[signedIn];
  if (lastSignIn === undefined || signedIn >= first) return all.slice(first);
  return [lastSignIn, ...all.slice(first + 1)];
}

/** What is told of a new token beside that it is there. */
export function tokenDetails({ expiresAt }: Grant): Pick<ActivityEntry, 'expiresAt'> {
  return expiresAt === undefined ? {} : { expiresAt };
}

/** What is told of a sign-in: the three sets of scopes of that moment (P21), and until when they are good. */
export function signInDetails(
  grant: Grant,
  { requested, challenged }: Connection,
): Omit<ActivityEntry, 'at' | 'type' | 'errorCode'> {
  return { scopes: grant.granted, requested, challenged, ...tokenDetails(grant) };
}
