import { currentGrant, type Connection } from './connection.ts';
import { isHidden } from './hiddenSecrets.ts';
import { isUsable } from './refreshSchedule.ts';

/** How a connection is, for its icon and its place in a list. */
export type HealthLevel =
  /** Nothing to do: it works, or renews itself. */
  | 'ok'
  /** Something is going on that ends by itself. */
  | 'working'
  /** The network or a server is away; it is tried again without the person. */
  | 'offline'
  /** The person is needed within the hour, or for more scopes. */
  | 'attention'
  /** It was connected and needs the person to sign in now. */
  | 'error'
  /** It never got connected: the last attempt failed. */
  | 'failed'
  /** Signed out on purpose, or never tried. */
  | 'off';

/** How long before the end of a token that cannot renew itself the person is told. */
export const ATTENTION_BEFORE_MS = 60 * 60 * 1000;

/** Judges one connection at the instant `now` (ms since the epoch). */
export function healthOf(connection: Connection, now: number): HealthLevel {
  const { state } = connection;
  switch (state.type) {
    case 'disconnected':
      return connection.lastError === undefined ? 'off' : 'failed';
    case 'authorizing':
    case 'refreshing':
      return 'working';
    case 'needsConsent':
      return 'attention';
    case 'needsSignIn':
      return 'error';
    case 'unreachable':
      return 'offline';
    case 'ready': {
      const { refreshable, expiresAt } = state.grant;
      if (refreshable || expiresAt === undefined) return 'ok';
      if (expiresAt <= now) return 'error';
      return expiresAt - now <= ATTENTION_BEFORE_MS ? 'attention' : 'ok';
    }
  }
}

const URGENCY: Readonly<Record<HealthLevel, number>> = {
  error: 6,
  attention: 5,
  failed: 4,
  offline: 3,
  working: 2,
  off: 1,
  ok: 0,
};

function endOf(connection: Connection): number {
  return currentGrant(connection)?.expiresAt ?? Infinity;
}

/** The connections with the worst health first, the soonest end first among equals; `connections` stays as it is. */
export function worstFirst(connections: readonly Connection[], now: number): readonly Connection[] {
  return connections
    .map((connection) => ({ connection, urgency: URGENCY[healthOf(connection, now)], end: endOf(connection) }))
    .sort((a, b) => b.urgency - a.urgency || (a.end === b.end ? 0 : a.end - b.end))
    .map(({ connection }) => connection);
}

export interface HealthSummary {
  /** `offline`: some do not work now, and are tried again without the person. */
  readonly level: 'ok' | 'offline' | 'attention' | 'error';
  /** All connections. */
  readonly total: number;
  /** Those that do not work now: their token has ended, or the keychain hides it, and they are tried again. */
  readonly away: number;
  /** Those that hold a grant which can be used or renewed. */
  readonly connected: number;
  /** Those that need the person, now or within the hour. */
  readonly needingUser: number;
}

/** All connections in one line. A connection that renews itself never makes it a warning. */
export function summarizeHealth(connections: readonly Connection[], now: number): HealthSummary {
  let connected = 0;
  let attention = 0;
  let error = 0;
  let away = 0;
  for (const connection of connections) {
    const level = healthOf(connection, now);
    if (level === 'error') error++;
    else if (level === 'attention') attention++;
    else if (isAway(connection, now)) away++;
    if (level !== 'error' && currentGrant(connection) !== undefined) connected++;
  }
  const well = away > 0 ? 'offline' : 'ok';
  const level = error > 0 ? 'error' : attention > 0 ? 'attention' : well;
  return { level, total: connections.length, connected, away, needingUser: error + attention };
}

/** Whether a connection that is tried again by itself cannot be used until then: a token that is good still can. */
function isAway(connection: Connection, now: number): boolean {
  const { state } = connection;
  return state.type === 'unreachable' && (isHidden(connection) || !isUsable(state.grant, now));
}
