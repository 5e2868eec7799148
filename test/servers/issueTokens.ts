import type { AuthorizationServer } from './authorizationServer.ts';
import { oauthError, words, type Answer } from './exchange.ts';
import { echoedScope, scopesOfToken } from './faultyEntra.ts';
import { expectedResource } from './faultyResource.ts';
import type { Faults, TokenBody } from './faults.ts';
import { newSecret, type GrantFamily, type RegisteredClient } from './grants.ts';

/**
 * What an authorization for these parameters gives, as `grantOnly` says; without `scope`, what the resource has.
 * Undefined when the resource is another than the protected one (RFC 8707 section 2); none at all is no other.
 */
export function startFamily(
  { faults, mcpUrl }: AuthorizationServer,
  clientId: string,
  { scope, resource }: Readonly<Record<string, string>>,
): GrantFamily | undefined {
  if (resource !== undefined && (faults.rejectResource || resource !== expectedResource(faults, mcpUrl))) {
    return undefined;
  }
  const asked = scope === undefined ? (faults.scopesSupported ?? []) : words(scope);
  const scopes = asked.filter((one) => faults.grantOnly?.includes(one) ?? true);
  return { clientId, scopes, resource, isRevoked: false };
}

/** What `rejectScopes` says to these scopes; undefined when none of them is among its own. */
export function scopeProblem({ rejectScopes }: Faults, scope: string | undefined): string | undefined {
  const refused = words(scope).filter((one) => rejectScopes.includes(one));
  return refused.length === 0 ? undefined : `not known: ${refused.join(' ')}`;
}

/** The answer when {@link startFamily} gave nothing. */
export function otherResource(): Answer {
  return oauthError(400, 'invalid_target', 'the resource is another');
}

export interface IssuedTokens {
  readonly client: RegisteredClient;
  readonly family: GrantFamily;
  /** Other than those of the family. */
  readonly scopes?: readonly string[];
  readonly withRefreshToken: boolean;
  /** The thumbprint of the key of the proof, when there was one. */
  readonly jkt: string | undefined;
}

/** RFC 6749 section 5.1. */
export function issueTokens({ faults, grants }: AuthorizationServer, issued: IssuedTokens): Answer {
  const { client, family, scopes = family.scopes, withRefreshToken } = issued;
  const jkt = faults.dpop?.unboundTokens === true ? undefined : issued.jkt;
  const accessToken = newSecret('at');
  const expiresAt = faults.expiresIn === undefined ? Infinity : faults.now() + faults.expiresIn * 1000;
  grants.accessTokens.set(accessToken, {
    family,
    scopes: scopesOfToken(faults, scopes),
    expiresAt,
    jkt,
    isRevoked: false,
  });
  const refreshToken = withRefreshToken && !faults.noRefreshToken ? newSecret('rt') : undefined;
  if (refreshToken !== undefined) {
    // RFC 9449 section 5: a client that authenticates needs no key of its own for the refresh token.
    const bound = client.authMethod === 'none' ? jkt : undefined;
    grants.refreshTokens.set(refreshToken, { family, jkt: bound, isUsed: false });
  }
  const body: TokenBody = {
    access_token: accessToken,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    ...(faults.expiresIn === undefined ? {} : { expires_in: faults.expiresIn }),
    ...(faults.omitScope ? {} : { scope: faults.echoScope ?? echoedScope(faults, scopes) }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(faults.emptyRefreshToken && !withRefreshToken ? { refresh_token: '' } : {}),
  };
  const told = faults.tokenBody === undefined ? body : faults.tokenBody(body);
  const isForm = told instanceof URLSearchParams;
  return {
    // From 400 on it is the status of the failures, of which there were enough.
    status: faults.tokenStatus < 400 ? faults.tokenStatus : 200,
    // The default is JSON; a string from the switch is sent as it is, and is still called JSON.
    body: isForm ? told.toString() : told,
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'cache-control': 'no-store',
    },
    drop: faults.dropTokenAnswer,
  };
}
