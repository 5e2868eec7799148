import { type Discovery, initialScopes, offlineScopes } from '../oauth/discovery.ts';
import { difference, type ScopeSet, union } from '../oauth/scopeSet.ts';
import type { Connection, ConnectionKind } from './connection.ts';

/**
 * The scopes to ask for: those the person chose, now or for good; else everything asked for before with what the server
 * demands now (P22), but for what the person left out; for a first time, or another issuer (P23), what the server
 * resolves to (P15).
 */
export function scopesToRequest(connection: Connection, discovery: Discovery, chosen: ScopeSet | undefined): ScopeSet {
  const offline = isPersonal(connection.kind) ? offlineScopes(discovery.authorizationServer) : [];
  const exact = chosen ?? connection.settings.fixedScopes;
  if (exact !== undefined) return union(exact, offline);
  const hasMoved = connection.issuer !== undefined && connection.issuer !== discovery.authorizationServer.issuer;
  const { declined } = connection;
  if (hasMoved || (connection.requested.length === 0 && declined === undefined)) {
    const challenged = hasMoved ? [] : connection.challenged;
    return union(initialScopes(discovery, challenged, connection.settings.scopes ?? []), offline);
  }
  const named = difference(discovery.challenge?.scopes ?? [], declined ?? []);
  const requested = union(connection.requested, connection.challenged, named, offline);
  // From when a person signed in here: nobody is offline now.
  return isPersonal(connection.kind) ? requested : difference(requested, ['offline_access']);
}

/** Whether a person signs in, with nothing that was entered before: only then there is one who can be offline. */
export function isPersonal(kind: ConnectionKind): boolean {
  return kind === 'authorization_code' || kind === 'device_code';
}

/** The part of a connection that says what the person left out (P23). Empty for nothing. */
export function withDeclined(declined: ScopeSet): Pick<Connection, 'declined'> {
  return declined.length === 0 ? {} : { declined };
}
