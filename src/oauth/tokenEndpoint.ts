import {
  allowInsecureRequests,
  AuthorizationResponseError,
  ClientError,
  type ClientAuth,
  ClientSecretPost,
  Configuration,
  customFetch,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  ResponseBodyError,
  type ServerMetadata,
} from 'openid-client';
import type { Client } from './client.ts';
import { type Dpop, dpopProof } from './dpop.ts';
import { isOAuthError, OAuthError, plainText } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { formEncode, secretsSent, withoutSecrets } from './repeatedSecrets.ts';
import { privateCryptoKey, type SigningKey } from './signingKey.ts';
import { type MendedResponse, mendTokenResponse } from './tokenResponse.ts';

/** The endpoints of an authorization server that tokens come from and go to. */
export type AuthorizationServerEndpoints = Pick<
  AuthorizationServerMetadata,
  | 'issuer'
  | 'authorization_endpoint'
  | 'token_endpoint'
  | 'revocation_endpoint'
  | 'device_authorization_endpoint'
  | 'authorization_response_iss_parameter_supported'
>;

/** Where a request to an authorization server goes, and who sends it. */
export interface EndpointTarget {
  readonly authorizationServer: AuthorizationServerEndpoints;
  readonly client: Client;
  readonly reach: Reach;
  /** What the tokens are, or will be, bound to (RFC 9449); undefined for bearer tokens. */
  readonly dpop?: Dpop | undefined;
}

/** Mends an answer before the library judges it: gives the status and the body that it should have had. */
export type MendResponse = (status: number, contentType: string | null, body: string) => MendedResponse;

/** The library's configuration for a client at an authorization server; without a way to fetch. */
export async function configurationFor(target: EndpointTarget): Promise<Configuration> {
  const { authorizationServer, client, reach } = target;
  const authentication = await clientAuthentication(client);
  const configuration = new Configuration(libraryMetadata(authorizationServer), client.clientId, {}, authentication);
  // The library knows only https. What may be reached is judged by `checkEndpoint` and `fetch`, by address too.
  if (reach === 'loopback') allowInsecureRequests(configuration);
  return configuration;
}

/** What the library needs to know of the server. */
function libraryMetadata(metadata: AuthorizationServerEndpoints): ServerMetadata {
  const { issuer, authorization_endpoint, token_endpoint, revocation_endpoint } = metadata;
  const { device_authorization_endpoint } = metadata;
  return {
    issuer,
    token_endpoint,
    ...(authorization_endpoint !== undefined && { authorization_endpoint }),
    ...(revocation_endpoint !== undefined && { revocation_endpoint }),
    ...(device_authorization_endpoint !== undefined && { device_authorization_endpoint }),
    authorization_response_iss_parameter_supported: metadata.authorization_response_iss_parameter_supported ?? false,
  };
}

async function clientAuthentication(client: Client): Promise<ClientAuth> {
  if (client.authMethod === 'private_key_jwt' && client.privateKey !== undefined) {
    return assertionAuthentication(client.privateKey);
  }
  if (client.clientSecret === undefined) return None();
  switch (client.authMethod) {
    case 'client_secret_basic':
      return basicAuthentication(client.clientSecret);
    case 'client_secret_post':
      return ClientSecretPost(client.clientSecret);
    case 'private_key_jwt':
    case 'none':
      return None();
  }
}

/** `private_key_jwt` (RFC 7523 section 2.2): made out to the issuer alone, with a new `jti` for each request. */
async function assertionAuthentication(privateKey: SigningKey): Promise<ClientAuth> {
  const { algorithm, jwk } = privateKey;
  return PrivateKeyJwt(await privateCryptoKey(privateKey), {
    [modifyAssertion]: (header) => {
      // The library's word for EdDSA is Ed25519, which few servers know yet.
      header['alg'] = algorithm;
      // By which a server finds the key among those that it knows of a client.
      if (jwk['kid'] !== undefined) header['kid'] = jwk['kid'];
    },
  });
}

/**
 * HTTP Basic with form-encoded parts (RFC 6749 section 2.3.1). Unlike the library's it leaves `-`, `.`, `_`
 * and `*` as they are, which the encoding allows: many servers do not decode what they get.
 */
function basicAuthentication(clientSecret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${formEncode(client.client_id)}:${formEncode(clientSecret)}`)}`);
  };
}

/** The one HTTP exchange with an endpoint of the authorization server, as it was before mending. */
interface Exchange {
  status?: number;
  retryAfterMs?: number;
  idToken?: string;
  failure?: unknown;
  /** What was sent that must not be told, whoever repeats it. */
  secrets?: readonly string[];
  /** Whether there is another DPoP nonce now than the one that was sent. */
  hasNewNonce?: boolean;
}

/**
 * So often a request is sent while its server demands other nonces: more than once, since another request to the
 * same server may use up the nonce that this one was to have.
 */
const SENT_AT_MOST = 4;

/**
 * Runs one request of the library against an endpoint of the authorization server: through our `fetch`, with
 * a proof of possession where tokens are bound (RFC 9449), mended (P33), its errors turned into ours. A server
 * that demands a nonce in the proof gets the request again with it; it has not acted on the first (section 8).
 * Throws `grant_rejected`, `client_rejected`, `resource_rejected`, `token_request_failed`,
 * `token_response_invalid`, `authorization_denied`, `authorization_failed`, and what `fetch` throws.
 * @param mend for an endpoint whose answers are no token responses.
 */
export async function withEndpoint<T>(
  fetch: Fetch,
  target: EndpointTarget,
  request: (configuration: Configuration) => Promise<T>,
  mend: MendResponse = mendTokenResponse,
): Promise<EndpointResult<T>> {
  for (let sent = 1; ; sent += 1) {
    const exchange: Exchange = {};
    try {
      return await exchangeOnce(fetch, target, request, mend, exchange);
    } catch (error) {
      const isNonceDemanded = isOAuthError(error, 'token_request_failed') && error.details.error === 'use_dpop_nonce';
      if (!isNonceDemanded || exchange.hasNewNonce !== true || sent >= SENT_AT_MOST) throw error;
    }
  }
}

export interface EndpointResult<T> {
  readonly result: T;
  readonly idToken: string | undefined;
}

async function exchangeOnce<T>(
  fetch: Fetch,
  target: EndpointTarget,
  request: (configuration: Configuration) => Promise<T>,
  mend: MendResponse,
  exchange: Exchange,
): Promise<EndpointResult<T>> {
  const { dpop, reach } = target;
  const configuration = await configurationFor(target);
  configuration[customFetch] = async (url, options) => {
    const nonce = dpop?.nonces.for(url);
    const form = options.body instanceof URLSearchParams ? options.body : new URLSearchParams();
    try {
      const headers = {
        ...options.headers,
        accept: 'application/json',
        ...(dpop !== undefined && { dpop: await dpopProof(dpop.key, { method: 'POST', url, nonce }) }),
      };
      exchange.secrets = secretsSent(form, headers);
      const response = await fetch(url, { method: 'POST', headers, body: form.toString(), reach });
      dpop?.nonces.note(url, response.headers.get('dpop-nonce'));
      // Or another request has learnt it meanwhile.
      exchange.hasNewNonce = dpop?.nonces.for(url) !== nonce;
      return await mendedResponse(response, mend, exchange);
    } catch (error) {
      exchange.failure = error;
      throw error;
    }
  };
  try {
    const result = await request(configuration);
    return { result, idToken: exchange.idToken };
  } catch (error) {
    throw exchange.failure ?? endpointError(error, target, exchange);
  }
}

async function mendedResponse(response: Response, mend: MendResponse, exchange: Exchange): Promise<Response> {
  exchange.status = response.status;
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
  if (retryAfterMs !== undefined) exchange.retryAfterMs = retryAfterMs;
  const mended = mend(response.status, response.headers.get('content-type'), await response.text());
  if (mended.idToken !== undefined) exchange.idToken = mended.idToken;
  // A challenge header beside an error body makes the library tell the header, not the error.
  return new Response(hasNoBody(mended.status) ? null : mended.body, {
    status: mended.status,
    headers: { 'content-type': 'application/json' },
  });
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** `Retry-After` as milliseconds from now: seconds or an HTTP date (RFC 9110 section 10.2.3). */
export function parseRetryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** Errors of a refresh or exchange that say the client itself is the trouble (RFC 6749 section 5.2). */
const CLIENT_ERRORS = new Set(['invalid_client', 'unauthorized_client']);

/** The library's error as one of ours. It is not kept as the cause, since it carries the response's body. */
function endpointError(error: unknown, { authorizationServer, client }: EndpointTarget, exchange: Exchange): unknown {
  const { issuer } = authorizationServer;
  const { secrets = [], status = 0, retryAfterMs } = exchange;
  if (error instanceof AuthorizationResponseError) return authorizationError(error, issuer);
  if (error instanceof ResponseBodyError) {
    const description = plainText(withoutSecrets(error.error_description, secrets));
    const told = description === undefined ? {} : { description };
    if (error.error === 'invalid_grant') return new OAuthError('grant_rejected', { issuer, ...told });
    if (CLIENT_ERRORS.has(error.error)) {
      const whose = client.source === 'preregistered' ? { isEntered: true as const } : {};
      return new OAuthError('client_rejected', { issuer, ...told, ...whose });
    }
    if (isResourceRejection(error.error, error.error_description)) {
      return new OAuthError('resource_rejected', { issuer, ...told });
    }
    return new OAuthError('token_request_failed', {
      issuer,
      status,
      error: plainText(withoutSecrets(error.error, secrets)) ?? 'error',
      ...told,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  if (!(error instanceof ClientError)) return error;
  // Nothing was sent: the callback's parameters are no authorization response.
  if (exchange.status === undefined)
    return new OAuthError('authorization_failed', { issuer, error: 'invalid_response' });
  if (status < 200 || status >= 300) {
    return new OAuthError('token_request_failed', {
      issuer,
      status,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  return new OAuthError('token_response_invalid', { issuer, status, problem: error.code ?? 'invalid' });
}

/** RFC 8707 section 2 has a code for it; Entra says it in the words of its own number, beside another code. */
function isResourceRejection(error: string, description: string | undefined): boolean {
  return error === 'invalid_target' || description?.startsWith('AADSTS9010010') === true;
}

function authorizationError(error: AuthorizationResponseError, issuer: string): OAuthError {
  const description = plainText(error.error_description);
  const told = description === undefined ? {} : { description };
  if (isResourceRejection(error.error, error.error_description)) {
    return new OAuthError('resource_rejected', { issuer, ...told });
  }
  return error.error === 'access_denied'
    ? new OAuthError('authorization_denied', { issuer, ...told })
    : new OAuthError('authorization_failed', { issuer, error: plainText(error.error) ?? 'error', ...told });
}
