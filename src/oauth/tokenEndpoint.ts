import {
  allowInsecureRequests,
  AuthorizationResponseError,
  ClientError,
  type ClientAuth,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  ResponseBodyError,
  type ServerMetadata,
} from 'openid-client';
import type { Client } from './client.ts';
import { OAuthError, plainText } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { mendTokenResponse } from './tokenResponse.ts';

/** The library's configuration for a client at an authorization server; without a way to fetch. */
export function configurationFor(metadata: AuthorizationServerMetadata, client: Client, reach: Reach): Configuration {
  const configuration = new Configuration(libraryMetadata(metadata), client.clientId, {}, clientAuthentication(client));
  // The library knows only https. What may be reached is judged by `checkEndpoint` and `fetch`, by address too.
  if (reach === 'loopback') allowInsecureRequests(configuration);
  return configuration;
}

/** What the library needs to know of the server. */
function libraryMetadata(metadata: AuthorizationServerMetadata): ServerMetadata {
  const { issuer, authorization_endpoint, token_endpoint, revocation_endpoint } = metadata;
  return {
    issuer,
    authorization_endpoint,
    token_endpoint,
    ...(revocation_endpoint !== undefined && { revocation_endpoint }),
    authorization_response_iss_parameter_supported: metadata.authorization_response_iss_parameter_supported ?? false,
  };
}

function clientAuthentication(client: Client): ClientAuth {
  if (client.clientSecret === undefined) return None();
  switch (client.authMethod) {
    case 'client_secret_basic':
      return basicAuthentication(client.clientSecret);
    case 'client_secret_post':
      return ClientSecretPost(client.clientSecret);
    case 'none':
      return None();
  }
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

/** `application/x-www-form-urlencoded` of one value. */
function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1);
}

/** The one HTTP exchange with an endpoint of the authorization server, as it was before mending. */
interface Exchange {
  status?: number;
  retryAfterMs?: number;
  idToken?: string;
  failure?: unknown;
}

/**
 * Runs one request of the library against an endpoint of the authorization server: through our `fetch`,
 * mended (P33), its errors turned into ours.
 * Throws `grant_rejected`, `client_rejected`, `token_request_failed`, `token_response_invalid`,
 * `authorization_denied`, `authorization_failed`, and what `fetch` throws.
 */
export async function withEndpoint<T>(
  fetch: Fetch,
  metadata: AuthorizationServerMetadata,
  client: Client,
  reach: Reach,
  request: (configuration: Configuration) => Promise<T>,
): Promise<{ result: T; idToken: string | undefined }> {
  const exchange: Exchange = {};
  const configuration = configurationFor(metadata, client, reach);
  configuration[customFetch] = async (url, options) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...options.headers, accept: 'application/json' },
        body: options.body instanceof URLSearchParams ? options.body.toString() : '',
        reach,
      });
      return await mendedResponse(response, exchange);
    } catch (error) {
      exchange.failure = error;
      throw error;
    }
  };
  try {
    const result = await request(configuration);
    return { result, idToken: exchange.idToken };
  } catch (error) {
    throw exchange.failure ?? endpointError(error, metadata.issuer, exchange);
  }
}

async function mendedResponse(response: Response, exchange: Exchange): Promise<Response> {
  exchange.status = response.status;
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'));
  if (retryAfterMs !== undefined) exchange.retryAfterMs = retryAfterMs;
  const mended = mendTokenResponse(response.status, response.headers.get('content-type'), await response.text());
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
function endpointError(error: unknown, issuer: string, exchange: Exchange): unknown {
  const { status = 0, retryAfterMs } = exchange;
  if (error instanceof AuthorizationResponseError) return authorizationError(error, issuer);
  if (error instanceof ResponseBodyError) {
    const description = plainText(error.error_description);
    const told = description === undefined ? {} : { description };
    if (error.error === 'invalid_grant') return new OAuthError('grant_rejected', { issuer, ...told });
    if (CLIENT_ERRORS.has(error.error)) return new OAuthError('client_rejected', { issuer, ...told });
    return new OAuthError('token_request_failed', {
      issuer,
      status,
      error: plainText(error.error) ?? 'error',
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

function authorizationError(error: AuthorizationResponseError, issuer: string): OAuthError {
  const description = plainText(error.error_description);
  const told = description === undefined ? {} : { description };
  return error.error === 'access_denied'
    ? new OAuthError('authorization_denied', { issuer, ...told })
    : new OAuthError('authorization_failed', { issuer, error: plainText(error.error) ?? 'error', ...told });
}
