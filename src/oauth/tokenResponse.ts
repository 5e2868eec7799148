import { decodeJwt } from 'jose';
import { plainText } from './errors.ts';
import { parseScopes } from './scopeSet.ts';

/** Room for any address that a person would recognise. */
const LONGEST_ACCOUNT = 80;

/** A year: no access token lives longer; what claims to is taken for a value in error. */
const LONGEST_LIFE_SECONDS = 366 * 24 * 60 * 60;

/**
 * Mends a token endpoint's answer before it is judged, so that no deviation costs a token that the
 * server has already handed out or rotated (P33). What cannot be mended is left for the judge.
 * - any 2xx status counts as 200 when there is an access token; a 2xx with an `error` as 400
 * - a form-encoded body is read as JSON would be
 * - `token_type` missing, null or unknown: `bearer`; a server that wants another use will refuse it
 * - `expires_in` null, no number, zero, negative or more than a year: unknown
 * - `scope` null or empty: absent; an array: space-delimited
 * - `refresh_token` null or empty: absent
 * - `id_token`: taken out. It is for display only, and a fault in it must not cost the tokens.
 */
export function mendTokenResponse(status: number, contentType: string | null, body: string): MendedResponse {
  const document = parseBody(contentType, body);
  if (document === undefined) return { status, body };
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && isText(document['error']) && !isText(document['access_token'])) {
    return { status: 400, body: JSON.stringify(document) };
  }
  if (!isSuccess || !isText(document['access_token'])) return { status, body: JSON.stringify(document) };

  const { id_token: idToken, ...rest } = document;
  const scope = parseScopes(rest['scope']).join(' ');
  const mended = {
    ...rest,
    token_type: isText(rest['token_type']) && rest['token_type'].toLowerCase() === 'dpop' ? 'dpop' : 'bearer',
    expires_in: lifeSeconds(rest['expires_in']),
    scope: scope === '' ? undefined : scope,
    refresh_token: isText(rest['refresh_token']) ? rest['refresh_token'] : undefined,
  };
  return { status: 200, body: JSON.stringify(mended), ...(isText(idToken) && { idToken }) };
}

export interface MendedResponse {
  readonly status: number;
  readonly body: string;
  readonly idToken?: string;
}

/** The object in an answer's body, as JSON or as a form; undefined when there is none. */
export function parseBody(contentType: string | null, body: string): Record<string, unknown> | undefined {
  return parseObject(body) ?? (isForm(contentType) ? Object.fromEntries(new URLSearchParams(body)) : undefined);
}

/** Looked at first, whatever the content type says: a JSON object that is called a form holds tokens too. */
function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const document: unknown = JSON.parse(body.replace(/^\uFEFF/, ''));
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function isForm(contentType: string | null): boolean {
  return contentType?.toLowerCase().includes('application/x-www-form-urlencoded') === true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Seconds of life that `expires_in` (RFC 6749 section 5.1) gives; undefined when it says nothing usable. */
export function lifeSeconds(value: unknown, longest = LONGEST_LIFE_SECONDS): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  return seconds > 0 && seconds <= longest ? seconds : undefined;
}

/**
 * Who signed in, as an ID token's claims say (OpenID Connect Core section 5.1), for display only:
 * the token came from the token endpoint itself, and nothing is decided by it.
 */
export function accountOf(idToken: string | undefined): string | undefined {
  const claims = idToken === undefined ? undefined : claimsOf(idToken);
  const names = [claims?.['email'], claims?.['preferred_username'], claims?.['name'], claims?.['sub']];
  return names.map((name) => plainText(name, LONGEST_ACCOUNT)).find((name) => name !== undefined);
}

/** When a JWT says that it ends (RFC 7519 section 4.1.4), in ms since the epoch; undefined when it does not. */
export function expiryOfJwt(jwt: string): number | undefined {
  const expiry = claimsOf(jwt)?.['exp'];
  return typeof expiry === 'number' && Number.isFinite(expiry) ? expiry * 1000 : undefined;
}

/** The claims of a JWT, unverified; undefined when it is none. */
export function claimsOf(jwt: string): Record<string, unknown> | undefined {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}
