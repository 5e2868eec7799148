import { chooseSecretAuthMethod, type Client } from '../../oauth/client.ts';
import { OAuthError } from '../../oauth/errors.ts';
import type { Reach } from '../../oauth/fetchPort.ts';
import { type AuthorizationServerMetadata, fetchServerMetadata, isIssuer } from '../../oauth/serverMetadata.ts';
import type { Connection } from '../connection.ts';
import type { StoredCredentials } from '../connectionSecret.ts';
import { ConnectionError } from '../errors.ts';
import type { FlowPorts } from './flow.ts';

/** The company's identity provider, and the client that it knows us as. */
export interface IdentityProvider {
  readonly authorizationServer: AuthorizationServerMetadata;
  readonly client: Client;
  readonly reach: Reach;
}

/** The sign-in at the provider, as it is stored. */
export type IdentitySession = NonNullable<StoredCredentials['identityProvider']>;
type IdentityClient = Pick<IdentitySession, 'issuer' | 'clientId'>;

/**
 * The identity provider that the person named, with its metadata.
 * Throws `credentials_missing`, `authorization_server_not_found`, `issuer_mismatch`, and what `fetch` throws.
 */
export async function findIdentityProvider(
  { fetch, resolveReach }: Pick<FlowPorts, 'fetch' | 'resolveReach'>,
  { settings }: Connection,
  credentials: StoredCredentials | undefined,
): Promise<IdentityProvider> {
  if (settings.identityProvider === undefined) {
    throw new ConnectionError('credentials_missing', { missing: 'identity_provider' });
  }
  const { issuer, clientId } = settings.identityProvider;
  if (!isIssuer(issuer)) {
    const tried = [{ url: issuer.slice(0, 200), outcome: 'not_an_issuer' }];
    throw new OAuthError('authorization_server_not_found', { issuers: [issuer.slice(0, 200)], tried });
  }
  const reach = await resolveReach(issuer);
  const lookup = await fetchServerMetadata(fetch, issuer, reach);
  if (lookup.found === undefined) {
    throw (
      lookup.failure ?? new OAuthError('authorization_server_not_found', { issuers: [issuer], tried: lookup.tried })
    );
  }
  const clientSecret = sessionAt({ issuer, clientId }, credentials)?.clientSecret;
  const client: Client = {
    issuer,
    clientId,
    source: 'preregistered',
    ...(clientSecret === undefined
      ? { authMethod: 'none' }
      : { clientSecret, authMethod: chooseSecretAuthMethod(lookup.found) }),
  };
  return { authorizationServer: lookup.found, client, reach };
}

/** What is stored for this client of this provider: it goes there, and nowhere else (P11). */
export function sessionAt(
  { issuer, clientId }: IdentityClient,
  credentials: StoredCredentials | undefined,
): IdentitySession | undefined {
  const stored = credentials?.identityProvider;
  return stored?.issuer === issuer && stored.clientId === clientId ? stored : undefined;
}

/** The credentials with another session; as they are when the person has named another provider or client meanwhile. */
export function withSession(
  { issuer, clientId }: IdentityClient,
  credentials: StoredCredentials | undefined,
  session: Pick<IdentitySession, 'idToken' | 'refreshToken'>,
): StoredCredentials {
  const { clientSecret } = sessionAt({ issuer, clientId }, credentials) ?? {};
  if (credentials?.identityProvider !== undefined && sessionAt({ issuer, clientId }, credentials) === undefined) {
    return credentials;
  }
  const identityProvider = { issuer, clientId, ...(clientSecret !== undefined && { clientSecret }), ...session };
  return { ...credentials, identityProvider };
}
