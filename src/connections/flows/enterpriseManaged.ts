import { prepareAuthorization, requirePkce } from '../../oauth/authorization.ts';
import { isOAuthError, OAuthError } from '../../oauth/errors.ts';
import { offlineScopes } from '../../oauth/discovery.ts';
import { exchangeCode, refreshTokens, requestWithAssertion, type TokenAnswer } from '../../oauth/token.ts';
import { requestIdJag } from '../../oauth/tokenExchange.ts';
import { accountOf, expiryOfJwt } from '../../oauth/tokenResponse.ts';
import { ownClient } from './clientChoice.ts';
import type {
  Flow,
  FlowPorts,
  FlowRequest,
  HeldCredentials,
  UnattendedGrant,
  UnattendedPorts,
  UnattendedRequest,
} from './flow.ts';
import {
  findIdentityProvider,
  type IdentityProvider,
  type IdentitySession,
  sessionAt,
  withSession,
} from './identityProvider.ts';

/** An ID token that ends this soon is renewed first. */
const ID_TOKEN_MARGIN_MS = 30_000;

/** One way to an ID token, other than the one that the provider has refused; undefined when it is not open. */
type IdTokenSource = (refused: string | undefined) => Promise<string | undefined>;

/**
 * Uses the person's sign-in at the identity provider (SEP-990): ID token, to ID-JAG, to the MCP server's token.
 * Throws `credentials_missing`, `identity_ended` or `grant_rejected` when the person has to sign in there, and what
 * the exchanges throw.
 */
export const requestThroughIdentityProvider: UnattendedGrant = async (ports, request) => {
  const provider = await findIdentityProvider(ports, request.connection, request.secret?.credentials);
  return requestWithIdToken(ports, request, provider, storedIdTokens(ports, request, provider));
};

/** The same with the person: signs in at the identity provider in the browser when that is needed. */
export const signInAtIdentityProvider: Flow = async (ports, request) => {
  const { dpop, onStep, reach, resource } = request;
  const { authorizationServer } = request.discovery;
  const target = { authorizationServer, client: ownClient(ports, request), reach, dpop, resource };
  const provider = await findIdentityProvider(ports, request.connection, request.secret?.credentials);
  onStep('exchanging');
  const sources = [...storedIdTokens(ports, request, provider), async () => signInToProvider(ports, request, provider)];
  return { answer: await requestWithIdToken(ports, { ...request, ...target }, provider, sources), ...target };
};

/** What is stored, as far as it goes: the ID token until it ends, then a new one by the refresh token. */
function storedIdTokens(
  { clock, fetch }: UnattendedPorts,
  { withCredentials }: Pick<UnattendedRequest, 'withCredentials'>,
  provider: IdentityProvider,
): readonly IdTokenSource[] {
  const goodIdToken = (session: IdentitySession | undefined): string | undefined => {
    const endsAt = session?.idToken === undefined ? undefined : expiryOfJwt(session.idToken);
    return endsAt !== undefined && endsAt - ID_TOKEN_MARGIN_MS <= clock.now() ? undefined : session?.idToken;
  };
  return [
    async () => withCredentials(async ({ stored }) => goodIdToken(sessionAt(provider.client, stored))),
    async (refused) =>
      withCredentials(async (held) => {
        const session = sessionAt(provider.client, held.stored);
        const idToken = goodIdToken(session);
        // Renewed meanwhile, by a renewal that ran beside this sign-in.
        if (idToken !== undefined && idToken !== refused) return idToken;
        if (session?.refreshToken === undefined) return undefined;
        let { refreshToken } = session;
        const renew = async (): Promise<string> => {
          const target = { ...provider, refreshToken, scopes: undefined, resource: undefined };
          const answer = { refreshToken, ...(await refreshTokens(fetch, target)) };
          ({ refreshToken } = answer);
          return keepSession(held, provider, answer);
        };
        const renewed = await renew();
        // The answer may have lain in the journal for longer than its ID token lives.
        return goodIdToken({ ...session, idToken: renewed }) ?? renew();
      }),
  ];
}

async function signInToProvider(ports: FlowPorts, request: FlowRequest, provider: IdentityProvider): Promise<string> {
  const { connection, onStep, signal } = request;
  const { authorizationServer } = provider;
  requirePkce(authorizationServer, connection.settings.allowUnadvertisedPkce === true);
  const pending = await prepareAuthorization({
    ...provider,
    redirectUri: await ports.prepareRedirect(connection.settings.redirect),
    scopes: ['openid', ...offlineScopes(authorizationServer)],
    resource: undefined,
  });
  signal.throwIfAborted();
  onStep('waitingForBrowser');
  const callback = await request.awaitCallback(pending);
  onStep('exchanging');
  const answer = await exchangeCode(ports.fetch, pending, callback);
  return request.withCredentials(async (held) => keepSession(held, provider, answer));
}

/**
 * Keeps what the provider gave, before anything else is tried with it (P28, P31), and gives its ID token.
 * Throws `identity_ended` without one.
 */
async function keepSession(
  { keep, stored }: HeldCredentials,
  { client }: IdentityProvider,
  { idToken, refreshToken }: Pick<TokenAnswer, 'idToken' | 'refreshToken'>,
): Promise<string> {
  const session = {
    ...(idToken !== undefined && { idToken }),
    ...(refreshToken !== undefined && { refreshToken }),
  };
  await keep(withSession(client, stored, session));
  if (idToken === undefined) throw new OAuthError('identity_ended', { issuer: client.issuer });
  return idToken;
}

/** Exchanges the first ID token that the provider takes; one that it no longer takes gives way to the next. */
async function requestWithIdToken(
  { fetch }: Pick<FlowPorts, 'fetch'>,
  request: UnattendedRequest,
  provider: IdentityProvider,
  sources: readonly IdTokenSource[],
): Promise<TokenAnswer> {
  const { resource, scopes } = request;
  const audience = request.authorizationServer.issuer;
  let refused: string | undefined;
  let refusal: unknown = new OAuthError('identity_ended', { issuer: provider.client.issuer });
  for (const source of sources) {
    let assertion: string;
    let idToken: string | undefined;
    try {
      idToken = await source(refused);
      if (idToken === undefined) continue;
      assertion = await requestIdJag(fetch, { ...provider, idToken, audience, resource, scopes });
    } catch (error) {
      const isOver = isOAuthError(error, 'identity_ended') || isOAuthError(error, 'grant_rejected');
      if (!isOver) throw error;
      refusal = error;
      refused = idToken;
      continue;
    }
    // What the MCP server's side refuses, no other ID token would change.
    const account = accountOf(idToken);
    const answer = await requestWithAssertion(fetch, { ...request, assertion });
    return { ...answer, ...(account !== undefined && { account }) };
  }
  throw refusal;
}
