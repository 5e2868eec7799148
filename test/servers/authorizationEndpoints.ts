import type { AuthorizationServer } from './authorizationServer.ts';
import type { Answer, FaultyServerRequest } from './exchange.ts';
import { answerAuthorization, answerMetadata, metadataPath } from './faultyAuthorization.ts';
import { answerDeviceAuthorization } from './faultyDevice.ts';
import type { IdpEndpoint } from './faultyIdentityProvider.ts';
import { answerRegistration } from './faultyRegistration.ts';
import { answerRevocation, answerToken } from './faultyToken.ts';
import type { Endpoint } from './faults.ts';

type AuthorizationEndpoint = Exclude<Endpoint, 'mcp' | 'resourceMetadata' | IdpEndpoint>;

/** Which place of an authorization server is at a URL. */
export function authorizationEndpointOf(
  { faults, issuer }: AuthorizationServer,
  url: URL,
): AuthorizationEndpoint | undefined {
  const place = url.origin + url.pathname;
  const { origin } = new URL(issuer);
  const isMetadata = [metadataPath(faults, issuer), '/moved/metadata'].some((path) => place === origin + path);
  if (isMetadata) return faults.noMetadata ? undefined : 'metadata';
  if (place.startsWith(`${issuer}/register`)) return faults.noRegistration ? undefined : 'registration';
  const places: Readonly<Record<string, AuthorizationEndpoint>> = {
    '/authorize': 'authorization',
    '/device_authorization': 'deviceAuthorization',
    '/token': 'token',
    '/revoke': 'revocation',
  };
  return place.startsWith(issuer) ? places[place.slice(issuer.length)] : undefined;
}

/** What an authorization server answers at one of its places. */
export async function answerAuthorizationServer(
  server: AuthorizationServer,
  endpoint: AuthorizationEndpoint,
  request: FaultyServerRequest,
): Promise<Answer> {
  switch (endpoint) {
    case 'metadata':
      return answerMetadata(server, request);
    case 'registration':
      return answerRegistration(server, request);
    case 'authorization':
      return answerAuthorization(server, request);
    case 'deviceAuthorization':
      return answerDeviceAuthorization(server, request);
    case 'token':
      return answerToken(server, request);
    case 'revocation':
      return answerRevocation(server, request);
  }
}
