import type { ScopeSet } from '../oauth/scopeSet.ts';
import type { Connection } from './connection.ts';
import { type ConnectionSecret, withRegisteredClient } from './connectionSecret.ts';
import { openDemands } from './scopeDemand.ts';
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
export function signedIn(
  before: Connection,
  { answer, issued, requested }: SignInResult,
  granted: ScopeSet,
): Connection {
  const { resource: _resource, account: _account, demands: _demands, issuer: earlier, ...connection } = before;
  const { challenge, issuers = [], resource = before.serverUrl } = issued?.discovery ?? {};
  const isOfAnother = hasMoved(earlier, issued);
  const demands = isOfAnother ? [] : openDemands(before, granted);
  return {
    ...withIssuers(connection, issuers),
    ...(issued !== undefined && { issuer: issued.authorizationServer.issuer }),
    requested,
    // What was demanded while another issuer was in use, or any, is not asked of this one (P23).
    ...(isOfAnother && { challenged: challenge?.scopes ?? [] }),
    ...(demands.length > 0 && { demands }),
    ...(resource !== before.serverUrl && { resource }),
    ...(answer.account !== undefined && { account: answer.account }),
  };
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
