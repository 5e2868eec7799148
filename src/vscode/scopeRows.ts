import { currentGrant, type Connection } from '../connections/connection.ts';
import { isSeldomEchoed } from '../connections/grant.ts';
import { openDemands, type ScopeDemand } from '../connections/scopeDemand.ts';

export type ScopeStatus =
  | 'granted'
  /** Was granted at the last sign-in; a refresh came back without it. */
  | 'dropped'
  /** The server demands it, and it is not granted. */
  | 'demanded'
  /** Was asked for and never given. */
  | 'not_granted'
  /** Nobody is signed in; the next sign-in asks for it. */
  | 'not_asked_yet';

export interface ScopeRow {
  readonly scope: string;
  readonly status: ScopeStatus;
  /** Why it was demanded last, where that is known. */
  readonly demand?: ScopeDemand;
}

/** Connections are replaced whole, and each is drawn again and again. */
const known = new WeakMap<Connection, readonly ScopeRow[]>();

/** Every scope a connection has to do with, once each: the granted ones first, then the lost, then the rest. */
export function scopeRows(connection: Connection): readonly ScopeRow[] {
  let rows = known.get(connection);
  if (rows === undefined) {
    rows = rowsOf(connection);
    known.set(connection, rows);
  }
  return rows;
}

function rowsOf(connection: Connection): readonly ScopeRow[] {
  const grant = currentGrant(connection);
  // Before a sign-in nothing is missing: these are what will be asked for.
  if (grant === undefined) {
    const asked = new Set([...connection.requested, ...connection.challenged]);
    return Array.from(asked, (scope) => ({ scope, status: 'not_asked_yet' }));
  }
  const missing = connection.state.type === 'needsConsent' ? connection.state.missing : [];
  const rows = new Map<string, ScopeStatus>();
  const add = (scopes: readonly string[], status: ScopeStatus) => {
    for (const scope of scopes) if (!rows.has(scope)) rows.set(scope, status);
  };
  add(grant.granted, 'granted');
  add(missing, 'demanded');
  add(grant.authorized, 'dropped');
  add(connection.challenged, 'demanded');
  add(connection.requested, 'not_granted');
  // Who gives a refresh token has given offline access, whether or not it is named (OpenID Connect Core section 11).
  const isTold = ([scope, status]: readonly [string, ScopeStatus]): boolean =>
    status === 'granted' || !isSeldomEchoed(scope) || (scope === 'offline_access' && !grant.refreshable);
  const demands = openDemands(connection);
  return [...rows].filter(isTold).map(([scope, status]): ScopeRow => {
    const demand = status === 'granted' ? undefined : demands.findLast(({ scopes }) => scopes.includes(scope));
    return demand === undefined ? { scope, status } : { scope, status, demand };
  });
}
