import { difference, intersection, type ScopeSet, union } from '../oauth/scopeSet.ts';
import type { Connection } from './connection.ts';
import { type ConnectionSecret, withRegisteredClient } from './connectionSecret.ts';
import { openDemands, type ScopeDemand } from './scopeDemand.ts';
import { withDeclined } from './scopesToRequest.ts';
import type { SignInResult } from './signIn.ts';

/** The connection with the authorization servers that there are to choose from: one is no choice. */
export function withIssuers({ issuers: _issuers, ...connection }: Connection, issuers: readonly string[]): Connection {
  return issuers.length > 1 ? { ...connection, issuers } : connection;
}

/** Whether tokens came from another issuer than those before, or from none. */
function hasMoved(earlier: string | undefined, issued: SignInResult['issued']): boolean {
  return issued === undefined || (earlier !== undefined && earlier !== issued.authorizationServer.issuer);
}

/**
 * What is known of a connection after a sign-in; its state is not looked at.
 * @param granted the scopes that the sign-in gave
 */
export function signedIn(before: Connection, result: SignInResult, granted: ScopeSet): Connection {
  const { answer, issued } = result;
  const {
    resource: _resource,
    account: _account,
    demands: _demands,
    declined: _declined,
    issuer: _issuer,
    ...connection
  } = before;
  const { issuers = [], resource = before.serverUrl } = issued?.discovery ?? {};
  return {
    ...withIssuers(connection, issuers),
    ...(issued !== undefined && { issuer: issued.authorizationServer.issuer }),
    ...scopesAfter(before, result, granted),
    ...(resource !== before.serverUrl && { resource }),
    ...(answer.account !== undefined && { account: answer.account }),
  };
}

/**
 * What is asked for and demanded after a sign-in (P21). What was demanded while another issuer was in use, or any, is not
 * asked of this one; what the person left out is demanded no more, until the server does so anew (P23).
 */
function scopesAfter(
  before: Connection,
  { isChosen, issued, requested }: SignInResult,
  granted: ScopeSet,
): Pick<Connection, 'requested' | 'challenged' | 'declined' | 'demands'> {
  const named = issued?.discovery.challenge?.scopes ?? [];
  const isOfAnother = hasMoved(before.issuer, issued);
  const challenged = isOfAnother ? named : before.challenged;
  const open = isOfAnother ? [] : openDemands(before, granted);
  const declined = isOfAnother ? [] : (before.declined ?? []);
  if (!isChosen)
    return { requested, challenged, ...withDemands(open), ...withDeclined(difference(declined, requested)) };
  const known = isOfAnother ? [] : union(before.requested, ...open.map(({ scopes }) => scopes));
  return {
    requested,
    challenged: intersection(challenged, requested),
    ...withDemands(
      open.flatMap((demand) => {
        const scopes = intersection(demand.scopes, requested);
        return scopes.length === 0 ? [] : [{ ...demand, scopes }];
      }),
    ),
    ...withDeclined(difference(union(known, challenged, named, declined), requested)),
  };
}

function withDemands(demands: readonly ScopeDemand[]): Pick<Connection, 'demands'> {
  return demands.length === 0 ? {} : { demands };
}

/** What goes to the keychain after a sign-in; what the person entered stays. */
export function secretOfAuthorization(
  { answer, issued }: SignInResult,
  previous: ConnectionSecret | undefined,
  serverUrl: string,
  generation: number,
): ConnectionSecret {
  const { accessToken, refreshToken, tokenType } = answer;
  const tokens = { accessToken, ...(refreshToken !== undefined && { refreshToken }) };
  const base: ConnectionSecret = { version: 1, ...previous, serverUrl, generation, answered: generation };
  if (issued === undefined) return { ...base, tokens };
  const { issuer, authorization_endpoint, token_endpoint, revocation_endpoint } = issued.authorizationServer;
  const client = { ...issued.client };
  return {
    ...base,
    ...(client.source === 'registered' && { clients: withRegisteredClient(base.clients ?? [], client) }),
    tokens: {
      ...tokens,
      client,
      authorizationServer: { issuer, authorization_endpoint, token_endpoint, revocation_endpoint },
      ...(issued.resource !== undefined && { resource: issued.resource }),
      ...(issued.dpop !== undefined && { dpopKey: issued.dpop.key, tokenType }),
    },
  };
}
