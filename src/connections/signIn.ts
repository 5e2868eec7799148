import { type PendingAuthorization, prepareAuthorization, requirePkce } from '../oauth/authorization.ts';
import { type Client, chooseSecretAuthMethod, isClientUsable } from '../oauth/client.ts';
import { discover, type Discovery, initialScopes, offlineScopes } from '../oauth/discovery.ts';
import { isOAuthError, OAuthError } from '../oauth/errors.ts';
import type { Fetch, Reach } from '../oauth/fetchPort.ts';
import { registerClient, type SoftwareIdentity } from '../oauth/registration.ts';
import { type ScopeSet, union } from '../oauth/scopeSet.ts';
import type { AuthorizationServerMetadata } from '../oauth/serverMetadata.ts';
import { exchangeCode, type TokenAnswer } from '../oauth/token.ts';
import type { AuthorizationStep, Connection } from './connection.ts';
import type { ConnectionSecret } from './connectionSecret.ts';
import type { Clock, PrepareRedirect, ResolveReach } from './ports.ts';

export interface SignInPorts {
  readonly fetch: Fetch;
  readonly resolveReach: ResolveReach;
  readonly prepareRedirect: PrepareRedirect;
  readonly clock: Clock;
  readonly software: SoftwareIdentity;
  /** The https URL of this software's client metadata document (CIMD), if it has one. */
  readonly clientMetadataUrl?: (() => string | undefined) | undefined;
}

export interface SignInRequest {
  readonly connection: Connection;
  /** What is stored already; its client is used again where it can be. */
  readonly secret: ConnectionSecret | undefined;
  /** Asks for exactly these scopes instead of the union (P23). */
  readonly scopes: ScopeSet | undefined;
  /** A stored client that last time led to no callback at all: perhaps the server has forgotten it. */
  readonly suspectClientId: string | undefined;
  readonly signal: AbortSignal;
  readonly onStep: (step: AuthorizationStep) => void;
  readonly onDiscovered: (discovery: Discovery) => void;
  /** Shows the authorization to the person and gives the callback's URL. Throws when it does not come. */
  readonly awaitCallback: (pending: PendingAuthorization) => Promise<URL>;
}

export interface SignInResult {
  readonly answer: TokenAnswer;
  readonly pending: PendingAuthorization;
  readonly discovery: Discovery;
  /** The new *requested* set (P21). */
  readonly requested: ScopeSet;
}

/**
 * Signs a person in: discovery, registration, authorization, exchange. Stores nothing.
 * A client that the server no longer knows is registered anew, once (P12).
 * Throws `OAuthError`s, what `awaitCallback` throws, and the signal's reason.
 */
export async function signIn(ports: SignInPorts, request: SignInRequest): Promise<SignInResult> {
  const { connection, signal, onStep } = request;
  const server = new URL(connection.serverUrl);
  onStep('discovering');
  const reach = await ports.resolveReach(connection.serverUrl);
  const discovery = await discover(ports.fetch, server, {
    reach,
    learntResourceMetadataUrl: connection.resourceMetadataUrl,
    signal,
  });
  request.onDiscovered(discovery);
  requirePkce(discovery.authorizationServer, connection.settings.allowUnadvertisedPkce === true);

  const attempt = async (client: Client): Promise<SignInResult> =>
    authorizeWith(ports, request, discovery, client, reach);
  const known = knownClient(ports, request, discovery, await ports.prepareRedirect());
  if (known === undefined) return attempt(await register(ports, request, discovery, reach));
  try {
    return await attempt(known);
  } catch (error) {
    if (known.source === 'preregistered' || !saysClientIsUnknown(error)) throw error;
    return attempt(await register(ports, request, discovery, reach));
  }
}

function saysClientIsUnknown(error: unknown): boolean {
  if (isOAuthError(error, 'client_rejected')) return true;
  return (
    isOAuthError(error, 'authorization_failed') &&
    (error.details.error === 'unauthorized_client' || error.details.error === 'invalid_client')
  );
}

/**
 * The scopes to ask for: those the person chose; else everything asked for before with what the server
 * demands now (P22); for a first time, or another issuer (P23), what the server resolves to (P15).
 */
export function scopesToRequest(connection: Connection, discovery: Discovery, chosen: ScopeSet | undefined): ScopeSet {
  const offline = offlineScopes(discovery.authorizationServer);
  if (chosen !== undefined) return union(chosen, offline);
  const hasMoved = connection.issuer !== undefined && connection.issuer !== discovery.authorizationServer.issuer;
  if (hasMoved || connection.requested.length === 0) {
    const challenged = hasMoved ? [] : connection.challenged;
    return union(initialScopes(discovery, challenged, connection.settings.scopes ?? []), offline);
  }
  return union(connection.requested, connection.challenged, discovery.challenge?.scopes ?? [], offline);
}

/** A client that needs no registration now: the person's own, our metadata document, or the stored one (P8). */
function knownClient(
  ports: SignInPorts,
  request: SignInRequest,
  discovery: Discovery,
  redirectUri: string,
): Client | undefined {
  const { connection, secret } = request;
  const { issuer } = discovery.authorizationServer;
  const configured = connection.settings.client;
  if (configured !== undefined) {
    if (configured.issuer !== issuer) {
      throw new OAuthError('client_issuer_mismatch', { issuer, configuredIssuer: configured.issuer });
    }
    // Its secret goes to the issuer and with the client ID that it was entered for, and nowhere else (P11).
    const stored = secret?.configuredClient;
    const isSame = stored?.issuer === issuer && stored.clientId === configured.clientId;
    const clientSecret = isSame ? stored.clientSecret : undefined;
    return {
      issuer,
      clientId: configured.clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      authMethod: clientSecret === undefined ? 'none' : chooseSecretAuthMethod(discovery.authorizationServer),
      source: 'preregistered',
    };
  }
  const clientId = documentClientId(ports, discovery.authorizationServer);
  // Without a registration endpoint there is nothing else to try.
  const canRegister = discovery.authorizationServer.registration_endpoint !== undefined;
  if (clientId !== undefined && !(clientId === request.suspectClientId && canRegister)) {
    return { issuer, clientId, authMethod: 'none', source: 'metadata_document' };
  }
  const stored = secret?.client;
  if (stored === undefined || stored.clientId === request.suspectClientId) return undefined;
  const scopes = scopesToRequest(connection, discovery, request.scopes);
  return isClientUsable(stored, { issuer, redirectUri, scopes, now: ports.clock.now() }) ? stored : undefined;
}

/** The URL of our client metadata document where the server takes one for a client ID (P8). */
function documentClientId(ports: SignInPorts, metadata: AuthorizationServerMetadata): string | undefined {
  return metadata.client_id_metadata_document_supported === true ? ports.clientMetadataUrl?.() : undefined;
}

async function register(
  ports: SignInPorts,
  request: SignInRequest,
  discovery: Discovery,
  reach: Reach,
): Promise<Client> {
  request.onStep('registering');
  const { authorizationServer, resourceMetadata, metadataSource } = discovery;
  try {
    return await registerClient(ports.fetch, authorizationServer, {
      software: ports.software,
      redirectUri: await ports.prepareRedirect(),
      // What the server may demand later is registered at once: some limit a client to its registered scopes.
      scopes: union(
        scopesToRequest(request.connection, discovery, request.scopes),
        resourceMetadata?.scopes_supported ?? [],
      ),
      reach,
      signal: request.signal,
    });
  } catch (error) {
    if (metadataSource === 'default' && isOAuthError(error, 'registration_refused')) {
      // The endpoints were only guessed, and nothing that registers clients is there.
      const tried = [{ url: authorizationServer.registration_endpoint ?? '', outcome: error.details.status }];
      throw new OAuthError('authorization_server_not_found', { issuers: [authorizationServer.issuer], tried });
    }
    throw error;
  }
}

async function authorizeWith(
  ports: SignInPorts,
  request: SignInRequest,
  discovery: Discovery,
  client: Client,
  reach: Reach,
): Promise<SignInResult> {
  const { connection, onStep, signal } = request;
  const scopes = scopesToRequest(connection, discovery, request.scopes);
  const pending = await prepareAuthorization({
    authorizationServer: discovery.authorizationServer,
    client,
    redirectUri: await ports.prepareRedirect(),
    scopes,
    resource: connection.settings.omitResource === true ? undefined : discovery.resource,
    reach,
  });
  signal.throwIfAborted();
  onStep('waitingForBrowser');
  const callback = await request.awaitCallback(pending);
  onStep('exchanging');
  const answer = await exchangeCode(ports.fetch, pending, callback);
  return { answer, pending, discovery, requested: scopes };
}
