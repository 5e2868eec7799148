import { OAuthError } from '../../oauth/errors.ts';
import { requestClientCredentials, requestWithAssertion } from '../../oauth/token.ts';
import type { ConnectionKind } from '../connection.ts';
import { ConnectionError } from '../errors.ts';
import { ownClient } from './clientChoice.ts';
import { requestThroughIdentityProvider } from './enterpriseManaged.ts';
import type { Flow, UnattendedGrant } from './flow.ts';

/** A client of the person's own asks for itself (RFC 6749 section 4.4, SEP-1046). */
const clientCredentials: UnattendedGrant = async ({ fetch }, request) => requestClientCredentials(fetch, request);

/**
 * The workload's identity token says who asks (RFC 7523, SEP-1933); it is read anew, since it is short-lived.
 * Whoever gets it can be the workload elsewhere for as long: it goes to the authorization server that it was entered
 * for, and to no other one that an MCP server names (P11).
 */
const workloadIdentity: UnattendedGrant = async ({ fetch, readAssertion }, request) => {
  const { assertionFile, assertionIssuer, client } = request.connection.settings;
  const { issuer } = request.authorizationServer;
  const configuredIssuer = assertionIssuer ?? client?.issuer;
  if (configuredIssuer === undefined)
    throw new ConnectionError('credentials_missing', { missing: 'assertion', issuer });
  if (configuredIssuer !== issuer) {
    throw new OAuthError('client_issuer_mismatch', { issuer, configuredIssuer, of: 'assertion' });
  }
  const assertion =
    assertionFile === undefined ? request.secret?.credentials?.assertion : await readAssertion(assertionFile);
  if (assertion === undefined) throw new ConnectionError('credentials_missing', { missing: 'assertion' });
  return requestWithAssertion(fetch, { ...request, assertion });
};

const GRANTS: Readonly<Partial<Record<ConnectionKind, UnattendedGrant>>> = {
  client_credentials: clientCredentials,
  workload_identity: workloadIdentity,
  enterprise_managed: requestThroughIdentityProvider,
};

/** How a connection of this kind gets tokens without the person; undefined when it cannot. */
export function unattendedGrant(kind: ConnectionKind): UnattendedGrant | undefined {
  return GRANTS[kind];
}

/** A sign-in that needs no person. Throws `credentials_missing` without a client, and what the grant throws. */
export function signInUnattended(grant: UnattendedGrant): Flow {
  return async (ports, request) => {
    const { dpop, onStep, reach, resource } = request;
    const { authorizationServer } = request.discovery;
    const target = { authorizationServer, client: ownClient(ports, request), reach, dpop, resource };
    onStep('exchanging');
    return { answer: await grant(ports, { ...request, ...target }), ...target };
  };
}
