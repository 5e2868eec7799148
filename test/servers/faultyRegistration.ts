import * as v from 'valibot';
import type { AuthorizationServer } from './authorizationServer.ts';
import { oauthError, words, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { Faults } from './faults.ts';
import { newSecret, type Grants, type RegisteredClient } from './grants.ts';

/** RFC 7517: nobody sends the private part of a key. */
const publicKey = v.pipe(
  v.looseObject({ kty: v.string() }),
  v.check((key) => !['d', 'p', 'q', 'k'].some((name) => name in key), 'a private key'),
);

/** RFC 7591 section 2: `scope` is one string. Members that are not listed here do not matter. */
const registration = v.object({
  redirect_uris: v.optional(v.array(v.pipe(v.string(), v.url())), []),
  token_endpoint_auth_method: v.optional(v.string(), 'client_secret_basic'),
  grant_types: v.optional(v.array(v.string()), ['authorization_code']),
  response_types: v.optional(v.array(v.string()), ['code']),
  client_name: v.optional(v.string()),
  scope: v.optional(v.string()),
  jwks: v.optional(v.object({ keys: v.pipe(v.array(publicKey), v.minLength(1)) })),
});

/** RFC 7591: registers a client, and RFC 7592: deletes one. */
export function answerRegistration(server: AuthorizationServer, request: FaultyServerRequest): Answer {
  const { faults, grants, issuer, otherIssuer } = server;
  if (request.method === 'DELETE') return answerDeletion(faults, grants, request);
  if (request.method !== 'POST') return { status: 405 };
  const status = server.isFirst || faults.registrationStatusAt === 'both' ? faults.registrationStatus : 201;
  if (status >= 400) {
    return oauthError(status, faults.registrationError, 'The registration is refused');
  }
  const parsed = v.safeParse(registration, request.json);
  if (!parsed.success) return oauthError(400, 'invalid_client_metadata', v.summarize(parsed.issues));
  const { scope, token_endpoint_auth_method: askedMethod, ...metadata } = parsed.output;
  if (!faults.authMethods.includes(askedMethod)) {
    return oauthError(400, 'invalid_client_metadata', `${askedMethod} is not supported`);
  }
  if (askedMethod === 'private_key_jwt' && metadata.jwks === undefined) {
    return oauthError(400, 'invalid_client_metadata', 'private_key_jwt needs jwks');
  }
  if (metadata.redirect_uris.length === 0 && metadata.grant_types.includes('authorization_code')) {
    return oauthError(400, 'invalid_redirect_uri', 'authorization_code needs redirect_uris');
  }
  if (faults.rejectLoopback && metadata.redirect_uris.some((uri) => uri.startsWith('http:'))) {
    return oauthError(400, 'invalid_redirect_uri', 'no address of the computer itself');
  }

  // RFC 7591 section 3.2.1 lets the server replace what was asked for.
  const secretMethod = faults.authMethods.find((method) => method.startsWith('client_secret_'));
  const isReplaced = faults.clientSecret !== undefined && askedMethod === 'none' && secretMethod !== undefined;
  const authMethod = isReplaced ? secretMethod : askedMethod;
  const client: RegisteredClient = {
    id: newSecret('client'),
    secret: authMethod.startsWith('client_secret_') ? newSecret('secret') : undefined,
    secretExpiresAt: faults.clientSecret?.expiresAt ?? 0,
    authMethod,
    jwks: metadata.jwks,
    redirectUris: metadata.redirect_uris,
    // As many servers do it: the two usual grants go without saying, others must have been registered.
    grantTypes: ['authorization_code', 'refresh_token', ...metadata.grant_types],
    registrationToken: newSecret('registration'),
  };
  grants.clients.set(client.id, client);
  const managedAt = faults.registrationManagement === 'elsewhere' ? otherIssuer : issuer;
  const body = {
    ...metadata,
    ...spellScope(faults, scope),
    client_id: client.id,
    client_id_issued_at: Math.floor(Date.now() / 1000),
    token_endpoint_auth_method: authMethod,
    ...(client.secret === undefined
      ? {}
      : { client_secret: client.secret, client_secret_expires_at: client.secretExpiresAt }),
    ...(faults.registrationManagement !== 'absent'
      ? {
          registration_client_uri: `${managedAt}/register/${client.id}`,
          registration_access_token: client.registrationToken,
        }
      : {}),
  };
  return { status, body };
}

function spellScope(faults: Faults, scope: string | undefined): { scope?: unknown } {
  switch (faults.registrationScopeStyle) {
    case 'array':
      return { scope: words(scope) };
    case 'null':
      return { scope: null };
    case 'absent':
      return {};
    case 'string':
      return scope === undefined ? {} : { scope };
  }
}

function answerDeletion(faults: Faults, grants: Grants, request: FaultyServerRequest): Answer {
  if (faults.registrationManagement === 'error') return oauthError(503, 'temporarily_unavailable', 'Try again later');
  const id = request.path.split('/').at(-1) ?? '';
  const client = grants.clients.get(id);
  if (faults.registrationManagement === 'absent' || client === undefined) return { status: 404 };
  if (request.headers.authorization !== `Bearer ${client.registrationToken}`) return { status: 401 };
  grants.clients.delete(id);
  return { status: 204 };
}
