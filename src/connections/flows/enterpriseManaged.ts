import { prepareAuthorization, requirePkce } from '../../oauth/authorization.ts';
import { chooseSecretAuthMethod, type Client } from '../../oauth/client.ts';
import { isOAuthError, OAuthError } from '../../oauth/errors.ts';
import type { Reach } from '../../oauth/fetchPort.ts';
import { type AuthorizationServerMetadata, fetchServerMetadata } from '../../oauth/serverMetadata.ts';
import { exchangeCode, refreshTokens, requestWithAssertion, type TokenAnswer } from '../../oauth/token.ts';
import { requestIdJag } from '../../oauth/tokenExchange.ts';
import { expiryOfJwt } from '../../oauth/tokenResponse.ts';
import type { Connection } from '../connection.ts';
import type { StoredCredentials } from '../connectionSecret.ts';
import { ConnectionError } from '../errors.ts';
import { ownClient } from './clientChoice.ts';
import type { Flow, FlowPorts, FlowRequest, UnattendedGrant, UnattendedRequest } from './flow.ts';

type CredentialsKeeper = Pick<UnattendedRequest, 'secret' | 'keepCredentials'>;

/** The company's identity provider, and the client that it knows us as. */
interface IdentityProvider {
  readonly authorizationServer: AuthorizationServerMetadata;
  readonly client: Client;
  readonly reach: Reach;
}

type IdentitySession = NonNullable<StoredCredentials['identityProvider']>;

/** An ID token that ends this soon is renewed first. */
const ID_TOKEN_MARGIN_MS = 30_000;
const IDENTITY_SCOPES = ['openid', 'offline_access'];

/**
 * Uses the person's sign-in at the identity provider (SEP-990): ID token, to ID-JAG, to the MCP server's token.
 * Throws `credentials_missing`, `identity_ended` when the person has to sign in there, and what the exchanges throw.
 */
export const requestThroughIdentityProvider: UnattendedGrant = async (ports, request) => {
  const { connection, secret } = request;
  const provider = await findIdentityProvider(ports, connection, secret?.credentials);
  const idToken = await freshIdToken(ports, request, provider);
  return requestWithIdToken(ports, request, provider, idToken);
};

/** The same with the person: signs in at the identity provider in the browser when that is needed. */
export const signInAtIdentityProvider: Flow = async (ports, request) => {
  const { dpop, onStep, reach, resource } = request;
  const { authorizationServer } = request.discovery;
  const target = { authorizationServer, client: ownClient(ports, request), reach, dpop, resource };
  const provider = await findIdentityProvider(ports, request.connection, request.secret?.credentials);
  onStep('exchanging');
  const stored = await freshIdToken(ports, request, provider).catch((error: unknown) => {
    const isPersonNeeded = isOAuthError(error, 'identity_ended') || isOAuthError(error, 'grant_rejected');
    if (!isPersonNeeded) throw error;
    return undefined;
  });
  const idToken = stored ?? (await signInToProvider(ports, request, provider));
  return { answer: await requestWithIdToken(ports, { ...request, ...target }, provider, idToken), ...target };
};

async function requestWithIdToken(
  { fetch }: Pick<FlowPorts, 'fetch'>,
  request: UnattendedRequest,
  provider: IdentityProvider,
  idToken: string,
): Promise<TokenAnswer> {
  const { resource, scopes } = request;
  const audience = request.authorizationServer.issuer;
  const assertion = await requestIdJag(fetch, { ...provider, idToken, audience, resource, scopes });
  return requestWithAssertion(fetch, { ...request, assertion });
}

async function signInToProvider(ports: FlowPorts, request: FlowRequest, provider: IdentityProvider): Promise<string> {
  const { connection, onStep, signal } = request;
  requirePkce(provider.authorizationServer, connection.settings.allowUnadvertisedPkce === true);
  const pending = await prepareAuthorization({
    ...provider,
    redirectUri: await ports.prepareRedirect(connection.settings.redirect ?? 'loopback'),
    scopes: IDENTITY_SCOPES,
    resource: undefined,
  });
  signal.throwIfAborted();
  onStep('waitingForBrowser');
  const callback = await request.awaitCallback(pending);
  onStep('exchanging');
  return keepSession(request, provider, await exchangeCode(ports.fetch, pending, callback));
}

/** The identity provider that the person named, with its metadata. */
async function findIdentityProvider(
  { fetch, resolveReach }: Pick<FlowPorts, 'fetch' | 'resolveReach'>,
  { settings }: Connection,
  credentials: StoredCredentials | undefined,
): Promise<IdentityProvider> {
  if (settings.identityProvider === undefined) {
    throw new ConnectionError('credentials_missing', { missing: 'identity_provider' });
  }
  const { issuer, clientId } = settings.identityProvider;
  const reach = await resolveReach(issuer);
  const lookup = await fetchServerMetadata(fetch, issuer, reach);
  if (lookup.found === undefined) {
    throw (
      lookup.failure ?? new OAuthError('authorization_server_not_found', { issuers: [issuer], tried: lookup.tried })
    );
  }
  // The secret goes to the provider and with the client ID that it was entered for, and nowhere else (P11).
  const clientSecret = sessionFor(issuer, clientId, credentials)?.clientSecret;
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

function sessionFor(
  issuer: string,
  clientId: string,
  credentials: StoredCredentials | undefined,
): IdentitySession | undefined {
  const stored = credentials?.identityProvider;
  return stored?.issuer === issuer && stored.clientId === clientId ? stored : undefined;
}

/** A good ID token: the stored one, or one that is renewed now. Throws `identity_ended`, and why it was not renewed. */
async function freshIdToken(
  { clock, fetch }: Pick<FlowPorts, 'fetch' | 'clock'>,
  request: CredentialsKeeper,
  provider: IdentityProvider,
): Promise<string> {
  const { issuer, clientId } = provider.client;
  const session = sessionFor(issuer, clientId, request.secret?.credentials);
  const endsAt = session?.idToken === undefined ? undefined : expiryOfJwt(session.idToken);
  const isGood = endsAt === undefined || endsAt - ID_TOKEN_MARGIN_MS > clock.now();
  if (session?.idToken !== undefined && isGood) return session.idToken;
  if (session?.refreshToken === undefined) throw new OAuthError('identity_ended', { issuer });
  const { refreshToken } = session;
  const answer = await refreshTokens(fetch, { ...provider, refreshToken, scopes: undefined, resource: undefined });
  return keepSession(request, provider, answer);
}

/** Keeps what the provider gave for the next time, and gives its ID token. Throws `identity_ended` without one. */
async function keepSession(
  { keepCredentials, secret }: CredentialsKeeper,
  { client }: IdentityProvider,
  { idToken, refreshToken }: TokenAnswer,
): Promise<string> {
  const { issuer, clientId, clientSecret } = client;
  const kept = refreshToken ?? sessionFor(issuer, clientId, secret?.credentials)?.refreshToken;
  const identityProvider: IdentitySession = {
    issuer,
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(idToken !== undefined && { idToken }),
    ...(kept !== undefined && { refreshToken: kept }),
  };
  await keepCredentials({ ...secret?.credentials, identityProvider });
  if (idToken === undefined) throw new OAuthError('identity_ended', { issuer });
  return idToken;
}
