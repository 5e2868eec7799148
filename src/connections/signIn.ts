import { discover, type DiscoverOptions, type Discovery, dpopAlgorithm } from '../oauth/discovery.ts';
import type { Dpop, DpopNonces } from '../oauth/dpop.ts';
import { isOAuthError, OAuthError } from '../oauth/errors.ts';
import type { Reach } from '../oauth/fetchPort.ts';
import { checkAccessToken } from '../oauth/probe.ts';
import type { ScopeSet } from '../oauth/scopeSet.ts';
import { generateSigningKey } from '../oauth/signingKey.ts';
import type { TokenAnswer } from '../oauth/token.ts';
import type { Connection } from './connection.ts';
import { ConnectionError } from './errors.ts';
import { fetchOf } from './fetchOf.ts';
import { authorizeInBrowser } from './flows/authorizationCode.ts';
import { authorizeDevice } from './flows/deviceCode.ts';
import { signInAtIdentityProvider } from './flows/enterpriseManaged.ts';
import type { Flow, FlowPorts, FlowRequest, FlowResult } from './flows/flow.ts';
import { signInUnattended, unattendedGrant } from './flows/unattended.ts';
import { scopesToRequest } from './scopesToRequest.ts';

export interface SignInPorts extends FlowPorts {
  readonly nonces: DpopNonces;
}

export interface SignInRequest extends Omit<FlowRequest, 'discovery' | 'reach' | 'scopes' | 'resource' | 'dpop'> {
  /** Signs in with what is stored alone: where that is not enough it fails, and opens no browser. */
  readonly isUnattended: boolean;
  /** Asks for exactly these scopes instead of the union (P23). */
  readonly chosenScopes: ScopeSet | undefined;
  /** Told what there is to choose from, though none of them answers (P6). */
  readonly onIssuers: (issuers: readonly string[]) => void;
  readonly onDiscovered: (discovery: Discovery) => void;
  /** The server no longer takes the token that is in use, and not only one that was to replace it. */
  readonly onTokenRefused: () => void;
}

export interface SignInResult {
  readonly answer: TokenAnswer;
  /** The new *requested* set (P21). */
  readonly requested: ScopeSet;
  /** Whether the person chose exactly these: what was demanded beside them is then left out (P23). */
  readonly isChosen: boolean;
  /** Who gave the tokens and what they are for; undefined for a token that the person brought. */
  readonly issued?: FlowResult & { readonly discovery: Discovery };
}

/** How each kind of connection signs in. */
function flowOf({ id, kind }: Connection, isUnattended: boolean): Flow {
  const grant = unattendedGrant(kind);
  if (grant !== undefined && (isUnattended || kind !== 'enterprise_managed')) return signInUnattended(grant);
  if (isUnattended) throw new ConnectionError('sign_in_required', { id });
  switch (kind) {
    case 'authorization_code':
      return authorizeInBrowser;
    case 'enterprise_managed':
      return signInAtIdentityProvider;
    case 'device_code':
      return authorizeDevice;
    case 'client_credentials':
    case 'workload_identity':
    case 'static_token':
      throw new ConnectionError('unexpected', { problem: `no flow for ${kind}` });
  }
}

/**
 * Signs in: discovery, then the flow of the connection's kind. Stores nothing but what is kept by `withCredentials`.
 * Throws `OAuthError`s, what `awaitCallback` throws, and the signal's reason.
 */
export async function signIn(allPorts: SignInPorts, request: SignInRequest): Promise<SignInResult> {
  const { connection, onIssuers, onStep, signal } = request;
  const ports = { ...allPorts, fetch: fetchOf(allPorts.fetch, connection.settings) };
  onStep('discovering');
  const reach = await ports.resolveReach(connection.serverUrl);
  if (connection.kind === 'static_token') return takeStaticToken(ports, request, reach);
  const discovery = await discoverServer(allPorts, connection, { reach, onIssuers, signal });
  request.onDiscovered(discovery);
  const scopes = scopesToRequest(connection, discovery, request.chosenScopes);
  const issued = await flowOf(connection, request.isUnattended)(ports, {
    ...request,
    discovery,
    reach,
    scopes,
    resource: connection.settings.omitResource === true ? undefined : discovery.resource,
    dpop: await newDpop(ports, connection, discovery),
  }).catch((error: unknown) => {
    throw withScopes(error, scopes);
  });
  const isChosen = request.chosenScopes !== undefined;
  return { answer: issued.answer, requested: scopes, isChosen, issued: { ...issued, discovery } };
}

/** Tells which scopes were asked for, where that is what was refused: the person may choose among them. */
function withScopes(error: unknown, scopes: ScopeSet): unknown {
  const isAnswered = isOAuthError(error, 'authorization_failed') || isOAuthError(error, 'token_request_failed');
  if (!isAnswered || error.details.error !== 'invalid_scope') return error;
  return error.code === 'authorization_failed'
    ? new OAuthError(error.code, { ...error.details, scopes }, { cause: error })
    : new OAuthError(error.code, { ...error.details, scopes }, { cause: error });
}

/** Discovery with what is known and set of the connection (P1-P6). Throws what {@link discover} throws. */
export async function discoverServer(
  { fetch, resolveReach }: Pick<FlowPorts, 'fetch' | 'resolveReach'>,
  { resourceMetadataUrl, serverUrl, settings }: Connection,
  { reach, ...options }: Partial<Pick<DiscoverOptions, 'reach' | 'onIssuers' | 'signal'>> = {},
): Promise<Discovery> {
  return discover(fetchOf(fetch, settings), new URL(serverUrl), {
    reach: reach ?? (await resolveReach(serverUrl)),
    learntResourceMetadataUrl: resourceMetadataUrl,
    chosenIssuer: settings.issuer,
    ...options,
  });
}

/** A new key to bind the tokens to, where that is wanted. */
async function newDpop(
  { nonces }: SignInPorts,
  { settings }: Connection,
  discovery: Discovery,
): Promise<Dpop | undefined> {
  const algorithm = dpopAlgorithm(discovery, settings.dpop);
  return algorithm === undefined ? undefined : { key: await generateSigningKey(algorithm), nonces };
}

/** A token that the person brought is good when the server takes it. */
async function takeStaticToken({ fetch }: SignInPorts, request: SignInRequest, reach: Reach): Promise<SignInResult> {
  const { connection, secret, signal } = request;
  const accessToken = secret?.credentials?.accessToken;
  if (accessToken === undefined) throw new ConnectionError('credentials_missing', { missing: 'access_token' });
  try {
    await checkAccessToken(fetch, new URL(connection.serverUrl), { reach, accessToken, signal });
  } catch (error) {
    const isRefused = isOAuthError(error, 'access_token_refused') && error.details.status === 401;
    if (isRefused && accessToken === secret?.tokens?.accessToken) request.onTokenRefused();
    throw error;
  }
  return { answer: { accessToken, tokenType: 'bearer' }, requested: [], isChosen: false };
}
