import { prepareAuthorization, requirePkce } from '../../oauth/authorization.ts';
import { type AuthorizationServerMetadata, requireGrantType } from '../../oauth/serverMetadata.ts';
import { exchangeCode } from '../../oauth/token.ts';
import { ConnectionError, isConnectionError } from '../errors.ts';
import { withClient } from './clientChoice.ts';
import type { FlowPorts, FlowRequest, FlowResult } from './flow.ts';

/**
 * The person signs in in the browser (RFC 6749 section 4.1 with PKCE).
 * Throws `grant_unsupported`, `pkce_unsupported`, and what registration, callback and exchange throw.
 */
export async function authorizeInBrowser(ports: FlowPorts, request: FlowRequest): Promise<FlowResult> {
  const { connection, discovery, dpop, onStep, reach, resource, scopes, signal } = request;
  const { authorizationServer } = discovery;
  requireGrantType(authorizationServer, 'authorization_code');
  requirePkce(authorizationServer, connection.settings.allowUnadvertisedPkce === true);
  const redirectUri = async (): Promise<string> => ports.prepareRedirect(connection.settings.redirect);
  return withClient(
    ports,
    request,
    async () => ({ redirectUri: await redirectUri() }),
    async (client) => {
      const pending = await prepareAuthorization({
        authorizationServer,
        client,
        redirectUri: await redirectUri(),
        scopes,
        resource,
        reach,
        dpop,
      });
      signal.throwIfAborted();
      onStep('waitingForBrowser');
      const callback = await request.awaitCallback(pending).catch((error: unknown) => {
        throw withOffer(error, authorizationServer);
      });
      onStep('exchanging');
      const answer = await exchangeCode(ports.fetch, pending, callback);
      return { answer, authorizationServer, client, resource, reach, dpop };
    },
  );
}

/** Tells of the way that needs no browser of this machine (RFC 8628), where the server has it and nobody came back. */
function withOffer(error: unknown, { device_authorization_endpoint: endpoint }: AuthorizationServerMetadata): unknown {
  if (!isConnectionError(error, 'authorization_timed_out') || endpoint === undefined) return error;
  return new ConnectionError('authorization_timed_out', { ...error.details, offersDeviceCode: true }, { cause: error });
}
