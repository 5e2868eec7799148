import { isOAuthError, OAuthError, type ScopekeeperError } from '../../oauth/errors.ts';
import { requestClientCredentials, requestWithAssertion } from '../../oauth/token.ts';
import type { Connection, ConnectionKind } from '../connection.ts';
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
  try {
    return await requestWithAssertion(fetch, { ...request, assertion });
  } catch (error) {
    if (!isOAuthError(error, 'grant_rejected')) throw error;
    const of = assertionFile === undefined ? 'assertion' : 'assertion_file';
    throw new OAuthError('grant_rejected', { ...error.details, of });
  }
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

/**
 * Whether asking anew may be granted later though it was refused now: by a client that proves itself, or with the next
 * identity token that a workload's platform puts into its file. What a person pasted, or signed in to, is over.
 */
export function mayBeGrantedLater({ kind, settings }: Connection, error: ScopekeeperError): boolean {
  if (!isOAuthError(error, 'grant_rejected') || unattendedGrant(kind) === undefined) return false;
  // The company's identity provider says so of the person's sign-in there.
  const isOfPerson = kind === 'enterprise_managed' && error.details.issuer === settings.identityProvider?.issuer;
  return !isOfPerson && error.details.of !== 'assertion';
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
