import type { LocalClient } from './scopeDemand.ts';

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
  /** Scopes that the event is about. */
  readonly scopes?: readonly string[];
  /** Of `consent_needed`: what was refused, e.g. `tools/call add_note`. Of the client's text, cut and plain. */
  readonly operation?: string;
  /** Of `consent_needed`: whose request it was. */
  readonly client?: LocalClient;
  /** The code of the error that the event is about. */
  readonly errorCode?: string;
}

/** How many entries are kept for each connection. */
export const ACTIVITY_LIMIT = 50;

/** Gives `entries` with `entry` added at the end and the oldest dropped past {@link ACTIVITY_LIMIT}. */
export function addActivity(entries: readonly ActivityEntry[], entry: ActivityEntry): readonly ActivityEntry[] {
  return [...entries.slice(-(ACTIVITY_LIMIT - 1)), entry];
}
