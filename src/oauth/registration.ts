import {
  looseObject,
  nonEmpty,
  nullish,
  number,
  pipe,
  safeParse,
  string,
  transform,
  union as either,
  unknown,
} from 'valibot';
import { chooseAuthMethod, chooseSecretAuthMethod, type Client, TOKEN_ENDPOINT_AUTH_METHODS } from './client.ts';
import { isOAuthError, OAuthError, plainText } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { readJson } from './readJson.ts';
import { judgeManagement } from './registrationManagement.ts';
import { formatScopes, parseScopes, type ScopeSet, union } from './scopeSet.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { chooseAlgorithm, generateSigningKey, publicJwk, type SigningKey } from './signingKey.ts';

/** What the extension says of itself in a registration (RFC 7591 section 2, P10). */
export interface SoftwareIdentity {
  readonly name: string;
  /** Stays the same over versions: a UUID. */
  readonly softwareId: string;
  readonly version: string;
}

export interface RegistrationRequest {
  readonly client_name: string;
  readonly application_type: 'native';
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: string;
  /** The public half of the key that `private_key_jwt` signs with. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, string>>[] };
  /** ONE string, space-delimited, never an array (P9, seed 001). */
  readonly scope?: string;
  readonly software_id: string;
  readonly software_version: string;
}

/** What a client is registered for: the browser comes back to `redirectUri`, or there is no browser (RFC 8628). */
export type RegistrationUse = { readonly redirectUri: string } | { readonly grantType: string };

/** Makes the body of a registration request (RFC 7591 section 3.1; P9, P10). */
export function registrationRequest(
  metadata: AuthorizationServerMetadata,
  software: SoftwareIdentity,
  use: RegistrationUse,
  scopes: ScopeSet,
  privateKey?: SigningKey,
): RegistrationRequest {
  const scope = formatScopes(scopes);
  const isRedirected = 'redirectUri' in use;
  return {
    client_name: software.name,
    application_type: 'native',
    redirect_uris: isRedirected ? [use.redirectUri] : [],
    grant_types: [isRedirected ? 'authorization_code' : use.grantType, 'refresh_token'],
    response_types: isRedirected ? ['code'] : [],
    token_endpoint_auth_method: chooseAuthMethod(metadata),
    ...(privateKey !== undefined && { jwks: { keys: [publicJwk(privateKey)] } }),
    ...(scope !== undefined && { scope }),
    software_id: software.softwareId,
    software_version: software.version,
  };
}

const optionalText = pipe(
  nullish(string()),
  transform((value) => (value === null || value === '' ? undefined : value)),
);

/** RFC 7591 section 3.2.1, read leniently: null for absent, `scope` in any form, times as strings. */
const registrationResponseSchema = looseObject({
  client_id: pipe(string(), nonEmpty()),
  client_secret: optionalText,
  client_secret_expires_at: nullish(either([number(), pipe(string(), transform(Number), number())])),
  token_endpoint_auth_method: optionalText,
  registration_client_uri: optionalText,
  registration_access_token: optionalText,
  scope: unknown(),
});

/**
 * Judges the answer to a registration request (RFC 7591 section 3.2). Any 2xx status will do.
 * Throws `registration_refused`.
 */
export function judgeRegistration(
  status: number,
  document: unknown,
  metadata: AuthorizationServerMetadata,
  request: RegistrationRequest,
  privateKey?: SigningKey,
): Client {
  const { issuer } = metadata;
  const result = safeParse(registrationResponseSchema, { scope: undefined, ...asObject(document) });
  if (status < 200 || status >= 300 || !result.success) {
    const { error, error_description: text } = asObject(document);
    const description = plainText(text);
    throw new OAuthError('registration_refused', {
      issuer,
      status,
      error: plainText(error) ?? 'invalid_response',
      ...(description !== undefined && { description }),
    });
  }
  const answer = result.output;
  const expiresAt = answer.client_secret_expires_at ?? 0;
  const management = judgeManagement(answer.registration_client_uri, answer.registration_access_token, metadata);
  // A server may register other scopes than were asked for. Those that it left out count as well: asking
  // for them in a new registration would change nothing.
  const scopes = union(parseScopes(answer.scope), parseScopes(request.scope));
  return {
    issuer,
    clientId: answer.client_id,
    ...(answer.client_secret !== undefined && { clientSecret: answer.client_secret }),
    ...(privateKey !== undefined && { privateKey }),
    authMethod: registeredAuthMethod(answer.token_endpoint_auth_method, answer.client_secret, metadata, request),
    source: 'registered',
    redirectUris: request.redirect_uris,
    ...(scopes.length > 0 && { scopes }),
    ...(expiresAt > 0 && { secretExpiresAt: expiresAt * 1000 }),
    ...(management !== undefined && { management }),
  };
}

function registeredAuthMethod(
  answered: string | undefined,
  secret: string | undefined,
  metadata: AuthorizationServerMetadata,
  request: RegistrationRequest,
): Client['authMethod'] {
  const isKeyTaken = (answered ?? request.token_endpoint_auth_method) === 'private_key_jwt';
  if (request.jwks !== undefined && isKeyTaken) return 'private_key_jwt';
  if (secret === undefined) return 'none';
  const named =
    answered ?? (request.token_endpoint_auth_method === 'none' ? undefined : request.token_endpoint_auth_method);
  return TOKEN_ENDPOINT_AUTH_METHODS.find((method) => method === named) ?? chooseSecretAuthMethod(metadata);
}

function asObject(document: unknown): { error?: unknown; error_description?: unknown } {
  return typeof document === 'object' && document !== null && !Array.isArray(document) ? document : {};
}

export interface RegisterOptions {
  readonly software: SoftwareIdentity;
  readonly use: RegistrationUse;
  readonly scopes: ScopeSet;
  readonly reach: Reach;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Registers a client dynamically (RFC 7591). A refusal of the metadata is answered once with a
 * request without `scope`, which some servers check against a list of their own (P12).
 * Throws `registration_unsupported`, `registration_refused`, and what `fetch` throws.
 */
export async function registerClient(
  fetch: Fetch,
  metadata: AuthorizationServerMetadata,
  options: RegisterOptions,
): Promise<Client> {
  const { software, use, scopes, reach, signal } = options;
  const endpoint = metadata.registration_endpoint;
  if (endpoint === undefined) throw new OAuthError('registration_unsupported', { issuer: metadata.issuer });
  const privateKey = await registrationKey(metadata);
  const register = async (asked: ScopeSet): Promise<Client> => {
    const request = registrationRequest(metadata, software, use, asked, privateKey);
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(request),
      reach,
      signal,
    });
    return judgeRegistration(response.status, await readJson(response), metadata, request, privateKey);
  };
  try {
    return await register(scopes);
  } catch (error) {
    const isScopeRefused =
      isOAuthError(error, 'registration_refused') &&
      (error.details.error === 'invalid_client_metadata' || error.details.error === 'invalid_scope');
    if (!isScopeRefused || scopes.length === 0) throw error;
    return register([]);
  }
}

/** A new key where the server takes no other proof of who the client is than `private_key_jwt` (P10). */
async function registrationKey(metadata: AuthorizationServerMetadata): Promise<SigningKey | undefined> {
  if (chooseAuthMethod(metadata) !== 'private_key_jwt') return undefined;
  const algorithm = chooseAlgorithm(metadata.token_endpoint_auth_signing_alg_values_supported);
  return algorithm === undefined ? undefined : generateSigningKey(algorithm);
}
