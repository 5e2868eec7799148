import { type DeviceAuthorizationResponse, genericGrantRequest, initiateDeviceAuthorization } from 'openid-client';
import { checkEndpoint } from './addressPolicy.ts';
import { isOAuthError, OAuthError, plainText } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import type { AuthorizationServerMetadata } from './serverMetadata.ts';
import { scopeAndResource, tokenAnswer, type TokenAnswer, type TokenRequest } from './token.ts';
import { type EndpointTarget, withEndpoint } from './tokenEndpoint.ts';
import { isText, lifeSeconds, type MendedResponse, parseBody } from './tokenResponse.ts';

/** RFC 8628 section 3.4. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** RFC 8628 section 3.2: the default of a server that gives no interval. */
const DEFAULT_INTERVAL_SECONDS = 5;
/** What asks for more has another unit in mind; with it the code would end before the second question. */
const LONGEST_INTERVAL_SECONDS = 300;
/** The life of a code whose server does not say it. The server ends it by itself, too. */
const DEFAULT_LIFE_SECONDS = 15 * 60;
/** Nobody enters a code later than that. */
const LONGEST_LIFE_SECONDS = 60 * 60;
/** Longer than any that a person could enter. */
const LONGEST_USER_CODE = 64;
const LONGEST_URI = 2048;

/** What the person is to enter, and where (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  /** Secret. */
  readonly deviceCode: string;
  /** Fit to be shown. */
  readonly userCode: string;
  /** Checked: it may be shown and opened (P19). */
  readonly verificationUri: string;
  /** The same with the code in it, where the server gives one that may be opened. */
  readonly verificationUriComplete?: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

/** Throws `grant_unsupported` when the server does no device authorization (RFC 8628 section 4). */
export function requireDeviceAuthorization(metadata: AuthorizationServerMetadata): void {
  const { device_authorization_endpoint: endpoint, grant_types_supported: supported = [], issuer } = metadata;
  if (endpoint === undefined) {
    throw new OAuthError('grant_unsupported', { issuer, grantType: DEVICE_CODE_GRANT, supported });
  }
}

/**
 * Asks for a code that the person enters on another device (RFC 8628 section 3.1; P14, P15). It is not bound to a
 * key: RFC 9449 binds the tokens when they are asked for.
 * Throws `insecure_url` or `address_refused` for a URI that must not be opened (P19), `token_response_invalid`, and
 * what {@link withEndpoint} throws.
 */
export async function requestDeviceAuthorization(fetch: Fetch, options: TokenRequest): Promise<DeviceAuthorization> {
  const target: EndpointTarget = { ...options, dpop: undefined };
  const { result } = await withEndpoint(
    fetch,
    target,
    async (configuration) => initiateDeviceAuthorization(configuration, scopeAndResource(options)),
    mendDeviceResponse,
  );
  return judgeDeviceAuthorization(result, options.authorizationServer.issuer, options.reach);
}

/**
 * Mends a device authorization endpoint's answer before it is judged, as token answers are (P33).
 * - any 2xx status counts as 200 when there is a device code; a 2xx with an `error` as 400
 * - `verification_url`, as drafts of the RFC called it, is `verification_uri`
 * - `interval` missing, null, no number, zero, negative, over 5 minutes or as long as the code's life: 5 s;
 *   never less than 1 s
 * - `expires_in` missing, null, no number, zero or negative: 15 min; never more than an hour
 * - `verification_uri_complete` that is no text: absent
 */
export function mendDeviceResponse(status: number, contentType: string | null, body: string): MendedResponse {
  const document = parseBody(contentType, body);
  if (document === undefined) return { status, body };
  const isSuccess = status >= 200 && status < 300;
  const hasCode = isText(document['device_code']);
  if (!isSuccess || !hasCode) {
    return { status: isSuccess && isText(document['error']) ? 400 : status, body: JSON.stringify(document) };
  }
  const complete = document['verification_uri_complete'] ?? document['verification_url_complete'];
  const life = Math.min(lifeSeconds(document['expires_in']) ?? DEFAULT_LIFE_SECONDS, LONGEST_LIFE_SECONDS);
  const interval = lifeSeconds(document['interval'], LONGEST_INTERVAL_SECONDS) ?? DEFAULT_INTERVAL_SECONDS;
  const mended = {
    ...document,
    verification_uri: document['verification_uri'] ?? document['verification_url'],
    verification_uri_complete: isText(complete) ? complete : undefined,
    expires_in: life,
    interval: interval < life ? Math.max(interval, 1) : DEFAULT_INTERVAL_SECONDS,
  };
  return { status: 200, body: JSON.stringify(mended) };
}

function judgeDeviceAuthorization(
  answer: DeviceAuthorizationResponse,
  issuer: string,
  reach: Reach,
): DeviceAuthorization {
  const userCode = plainText(answer.user_code, LONGEST_USER_CODE);
  if (userCode === undefined) {
    throw new OAuthError('token_response_invalid', { issuer, status: 200, problem: 'user_code' });
  }
  const { verification_uri_complete: complete } = answer;
  const verificationUriComplete = complete === undefined ? undefined : usableUri(complete, issuer, reach);
  return {
    deviceCode: answer.device_code,
    userCode,
    verificationUri: checkedUri(answer.verification_uri, issuer, reach),
    ...(verificationUriComplete !== undefined && { verificationUriComplete }),
    expiresInSeconds: answer.expires_in,
    intervalSeconds: answer.interval ?? DEFAULT_INTERVAL_SECONDS,
  };
}

function checkedUri(uri: string, issuer: string, reach: Reach): string {
  const { href } = checkEndpoint(uri, 'device_authorization_endpoint', reach);
  if (href.length <= LONGEST_URI) return href;
  throw new OAuthError('token_response_invalid', { issuer, status: 200, problem: 'verification_uri' });
}

/** The URI with the code in it only saves typing: one that must not be opened is left out. */
function usableUri(uri: string, issuer: string, reach: Reach): string | undefined {
  try {
    return checkedUri(uri, issuer, reach);
  } catch (error) {
    if (!isOAuthError(error)) throw error;
    return undefined;
  }
}

/** What one question brought. */
export type DevicePoll =
  | { readonly type: 'decided'; readonly answer: TokenAnswer }
  | { readonly type: 'pending' }
  | { readonly type: 'slow_down' }
  /** The server could not be asked, or could not answer; the code may still be good. */
  | { readonly type: 'unanswered'; readonly retryAfterMs?: number };

/**
 * Asks once whether the person has decided (RFC 8628 section 3.4), with `resource` (P14).
 * Throws `authorization_denied`, `device_code_expired`, and what {@link withEndpoint} throws that ends the waiting.
 */
export async function pollDeviceAuthorization(
  fetch: Fetch,
  options: Omit<TokenRequest, 'scopes'> & Pick<DeviceAuthorization, 'deviceCode'>,
): Promise<DevicePoll> {
  const { deviceCode, resource } = options;
  try {
    const answered = await withEndpoint(fetch, options, async (configuration) =>
      genericGrantRequest(configuration, DEVICE_CODE_GRANT, {
        device_code: deviceCode,
        ...scopeAndResource({ scopes: undefined, resource }),
      }),
    );
    return { type: 'decided', answer: tokenAnswer(answered) };
  } catch (error) {
    return judgePollFailure(error, options.authorizationServer.issuer);
  }
}

/** Whether a failed question is asked again (RFC 8628 section 3.5). Throws what ends the waiting. */
export function judgePollFailure(failure: unknown, issuer: string): DevicePoll {
  if (isOAuthError(failure, 'server_unreachable')) return { type: 'unanswered' };
  if (!isOAuthError(failure, 'token_request_failed')) throw failure;
  const { description, error, retryAfterMs, status } = failure.details;
  switch (error) {
    case 'authorization_pending':
      return { type: 'pending' };
    case 'slow_down':
      return { type: 'slow_down' };
    case 'access_denied':
    // The word of Microsoft Entra ID.
    case 'authorization_declined':
      throw new OAuthError('authorization_denied', { issuer, ...(description !== undefined && { description }) });
    case 'expired_token':
      throw new OAuthError('device_code_expired', { issuer });
    default:
  }
  if (status < 500 && status !== 429) throw failure;
  return { type: 'unanswered', ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
