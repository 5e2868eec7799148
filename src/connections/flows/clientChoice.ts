import { type Client, chooseSecretAuthMethod, isClientUsable } from '../../oauth/client.ts';
import { isOAuthError, OAuthError } from '../../oauth/errors.ts';
import { registerClient, type RegistrationUse } from '../../oauth/registration.ts';
import { union } from '../../oauth/scopeSet.ts';
import type { AuthorizationServerMetadata } from '../../oauth/serverMetadata.ts';
import { fitSigningKey } from '../../oauth/signingKey.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionSecret } from '../connectionSecret.ts';
import { ConnectionError } from '../errors.ts';
import type { FlowPorts, FlowRequest } from './flow.ts';

/**
 * The client that the person registered by hand for this issuer (P8), with what proves it.
 * Throws `client_issuer_mismatch` when it is for another issuer (P11), and `signing_key_invalid` when the server
 * takes no algorithm that its key is good for.
 */
export function configuredClient(
  connection: Connection,
  secret: ConnectionSecret | undefined,
  metadata: AuthorizationServerMetadata,
): Client | undefined {
  const { issuer } = metadata;
  const configured = connection.settings.client;
  if (configured === undefined) return undefined;
  if (configured.issuer !== issuer) {
    throw new OAuthError('client_issuer_mismatch', { issuer, configuredIssuer: configured.issuer });
  }
  // Its secret goes to the issuer and with the client ID that it was entered for, and nowhere else (P11).
  const stored = secret?.configuredClient;
  const isSame = stored?.issuer === issuer && stored.clientId === configured.clientId;
  const { clientSecret, privateKey } = isSame ? stored : {};
  const client = { issuer, clientId: configured.clientId, source: 'preregistered' } as const;
  if (privateKey !== undefined) {
    const fitted = fitSigningKey(privateKey, metadata.token_endpoint_auth_signing_alg_values_supported);
    return { ...client, privateKey: fitted, authMethod: 'private_key_jwt' };
  }
  if (clientSecret === undefined) return { ...client, authMethod: 'none' };
  return { ...client, clientSecret, authMethod: chooseSecretAuthMethod(metadata) };
}

/** Our client metadata document, where the server takes its URL for a client ID (P8, CIMD). */
export function documentClient(ports: FlowPorts, metadata: AuthorizationServerMetadata): Client | undefined {
  const clientId = metadata.client_id_metadata_document_supported === true ? ports.clientMetadataUrl?.() : undefined;
  if (clientId === undefined) return undefined;
  return { issuer: metadata.issuer, clientId, authMethod: 'none', source: 'metadata_document' };
}

/**
 * The person's own client, or our metadata document: for a grant that nobody registers for by itself.
 * Throws `credentials_missing`, and what {@link configuredClient} throws.
 */
export function ownClient(ports: FlowPorts, { connection, discovery, secret }: FlowRequest): Client {
  const { authorizationServer } = discovery;
  const client =
    configuredClient(connection, secret, authorizationServer) ?? documentClient(ports, authorizationServer);
  if (client !== undefined) return client;
  throw new ConnectionError('credentials_missing', { missing: 'client', issuer: authorizationServer.issuer });
}

/** A client that needs no registration now: the person's own, our metadata document, or the stored one (P8). */
function knownClient(ports: FlowPorts, request: FlowRequest, use: RegistrationUse): Client | undefined {
  const { connection, discovery, secret, suspect } = request;
  const { authorizationServer } = discovery;
  const configured = configuredClient(connection, secret, authorizationServer);
  if (configured !== undefined) return configured;
  const document = documentClient(ports, authorizationServer);
  // Without a registration endpoint there is nothing else to try.
  const canRegister = authorizationServer.registration_endpoint !== undefined;
  if (document !== undefined && !(document.clientId === suspect?.clientId && canRegister)) return document;
  return storedClient(ports, request, use, ({ clientId }) => clientId !== suspect?.clientId);
}

/** The newest registration that serves this sign-in. */
function storedClient(
  { clock }: FlowPorts,
  { discovery, scopes, secret }: FlowRequest,
  use: RegistrationUse,
  isMeant: (client: Client) => boolean,
): Client | undefined {
  const { issuer } = discovery.authorizationServer;
  const redirectUri = 'redirectUri' in use ? use.redirectUri : undefined;
  const needs = { issuer, redirectUri, scopes, now: clock.now() };
  return secret?.clients?.findLast((client) => isMeant(client) && isClientUsable(client, needs));
}

/**
 * Runs `attempt` with the client to use (P8): one that is known, else a newly registered one. A client that
 * the server no longer knows is registered anew, once (P12).
 * Throws `registration_unsupported`, `registration_refused`, what {@link configuredClient} throws, and what
 * `attempt` throws.
 */
export async function withClient<T>(
  ports: FlowPorts,
  request: FlowRequest,
  use: () => Promise<RegistrationUse>,
  attempt: (client: Client) => Promise<T>,
): Promise<T> {
  const known = knownClient(ports, request, await use());
  if (known === undefined) return attempt(await newClient(ports, request, await use()));
  try {
    return await attempt(known);
  } catch (error) {
    if (known.source === 'preregistered' || !saysClientIsUnknown(error)) throw error;
    request.onClientRejected(known.clientId);
    return attempt(await register(ports, request, await use()));
  }
}

/**
 * Registers a client; where the server registers nobody now, one that only looked forgotten is better than none.
 * Throws what {@link register} throws.
 */
async function newClient(ports: FlowPorts, request: FlowRequest, use: RegistrationUse): Promise<Client> {
  try {
    return await register(ports, request, use);
  } catch (error) {
    const { suspect } = request;
    const stored = storedClient(ports, request, use, ({ clientId }) => clientId === suspect?.clientId);
    if (stored === undefined || suspect?.isRejected === true || !isRegistrationFailure(error)) throw error;
    return stored;
  }
}

function isRegistrationFailure(error: unknown): boolean {
  const codes = ['registration_refused', 'registration_unsupported', 'server_unreachable'] as const;
  return codes.some((code) => isOAuthError(error, code));
}

function saysClientIsUnknown(error: unknown): boolean {
  if (isOAuthError(error, 'client_rejected')) return true;
  return (
    isOAuthError(error, 'authorization_failed') &&
    (error.details.error === 'unauthorized_client' || error.details.error === 'invalid_client')
  );
}

async function register(ports: FlowPorts, request: FlowRequest, use: RegistrationUse): Promise<Client> {
  request.onStep('registering');
  const { authorizationServer, resourceMetadata, metadataSource } = request.discovery;
  try {
    const client = await registerClient(ports.fetch, authorizationServer, {
      software: ports.software,
      use,
      // What the server may demand later is registered at once: some limit a client to its registered scopes.
      scopes: union(request.scopes, resourceMetadata?.scopes_supported ?? []),
      reach: request.reach,
      signal: request.signal,
    });
    await request.keepClient(client);
    return client;
  } catch (error) {
    if (metadataSource === 'default' && isOAuthError(error, 'registration_refused')) {
      // The endpoints were only guessed, and nothing that registers clients is there.
      const tried = [{ url: authorizationServer.registration_endpoint ?? '', outcome: error.details.status }];
      throw new OAuthError('authorization_server_not_found', { issuers: [authorizationServer.issuer], tried });
    }
    throw error;
  }
}
