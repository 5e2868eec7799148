import { createLocalJWKSet, decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import type { AuthorizationServer } from './authorizationServer.ts';
import type { FaultyServerRequest } from './exchange.ts';
import type { RegisteredClient } from './grants.ts';
import { documentClient } from './unregisteredClients.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** RFC 6749 section 2.3: the one method that the client was registered with, and no other. */
export async function authenticateClient(
  server: AuthorizationServer,
  request: FaultyServerRequest,
): Promise<RegisteredClient | undefined> {
  const { form = {}, headers } = request;
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const [user, password] =
    basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':').map(formDecode);
  const { client_assertion: assertion } = form;
  const client = findClient(server, user ?? form['client_id'] ?? subjectOf(assertion));
  if (client === undefined) return undefined;
  if (client.secretExpiresAt !== 0 && client.secretExpiresAt * 1000 <= server.faults.now()) return undefined;
  const used = { none: undefined, client_secret_basic: password, client_secret_post: form['client_secret'] };
  const isRight = Object.entries(used).every(([method, secret]) =>
    method === client.authMethod ? secret === client.secret : secret === undefined,
  );
  if (!isRight || (assertion !== undefined) !== (client.authMethod === 'private_key_jwt')) return undefined;
  if (assertion === undefined) return client;
  const isProven =
    form['client_assertion_type'] === ASSERTION_TYPE && (await isOwnAssertion(server, client, assertion));
  return isProven ? client : undefined;
}

/** Whether the request says nothing of who sends it. */
export function isAnonymous(request: FaultyServerRequest): boolean {
  const { form = {}, headers } = request;
  return [headers.authorization, form['client_id'], form['client_assertion'], form['client_secret']].every(
    (value) => value === undefined,
  );
}

/** A client with a metadata document needs no authorization request before it is known. */
function findClient({ faults, grants }: AuthorizationServer, id: string): RegisteredClient | undefined {
  const isDocument = faults.clientMetadata === 'accepted' && id.startsWith('https://');
  return grants.clients.get(id) ?? (isDocument ? documentClient(grants, id, undefined) : undefined);
}

/** RFC 7523 section 3; an assertion is good once. */
async function isOwnAssertion(
  { faults, grants, issuer }: AuthorizationServer,
  client: RegisteredClient,
  assertion: string,
): Promise<boolean> {
  if (client.jwks === undefined) return false;
  const audience = {
    either: [issuer, `${issuer}/token`],
    issuer: [issuer],
    token_endpoint: [`${issuer}/token`],
  }[faults.assertionAudience];
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks), {
      issuer: client.id,
      subject: client.id,
      audience,
      algorithms: [...(faults.authSigningAlgs ?? ['ES256', 'RS256', 'PS256', 'EdDSA'])],
      requiredClaims: ['exp', 'jti'],
      currentDate: new Date(faults.now()),
    }));
  } catch {
    return false;
  }
  const id = `${client.id} ${payload.jti}`;
  if (grants.seenAssertions.has(id)) return false;
  grants.seenAssertions.add(id);
  return true;
}

function subjectOf(assertion: string | undefined): string {
  try {
    return decodeJwt(assertion ?? '').sub ?? '';
  } catch {
    return '';
  }
}

/** RFC 6749 section 2.3.1: both halves of Basic are form-encoded. */
function formDecode(text: string): string {
  return new URLSearchParams(`v=${text}`).get('v') ?? '';
}
