import {
  array,
  boolean,
  exactOptional,
  literal,
  type GenericSchema,
  nullable,
  number,
  object,
  picklist,
  pipe,
  safeParse,
  strictObject,
  string,
  transform,
  union,
  unknown,
} from 'valibot';
import { ConnectionError, type ConnectionErrorCode, type ConnectionErrorDetails } from '../connections/errors.ts';
import {
  OAuthError,
  type OAuthErrorCode,
  type OAuthErrorDetails,
  plainText,
  type ScopekeeperError,
} from '../oauth/errors.ts';

const nothing = strictObject({});
const id = object({ id: string() });
const url = object({ url: string() });
const issuer = object({ issuer: string() });
const description = exactOptional(string());
const scopes = exactOptional(array(string()));
const described = object({ issuer: string(), description });
const answered = object({ url: string(), status: number() });
const mismatch = object({ expected: string(), actual: string() });
const problem = object({ problem: string() });
const operation = picklist(['read', 'write', 'delete']);
const networkFailure = picklist(['dns', 'refused', 'timeout', 'tls', 'reset', 'proxy', 'other']);
const urlRole = picklist([
  'server',
  'resource_metadata',
  'authorization_server',
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'device_authorization_endpoint',
  'revocation_endpoint',
]);

/** What each error carries. The types see to it that no code is left out. */
const oauthDetails: { readonly [C in OAuthErrorCode]: GenericSchema<unknown, OAuthErrorDetails[C]> } = {
  invalid_server_url: object({
    input: string(),
    problem: picklist(['not_a_url', 'scheme', 'credentials', 'fragment']),
  }),
  insecure_url: object({ url: string(), role: urlRole }),
  address_refused: object({ url: string(), address: string() }),
  server_unreachable: object({ url: string(), failure: networkFailure, proxyStatus: exactOptional(number()) }),
  ca_file_unreadable: object({
    path: string(),
    problem: picklist(['relative_path', 'unreadable', 'no_certificate']),
    from: picklist(['connection', 'setting']),
  }),
  response_too_large: object({ url: string(), limitBytes: number() }),
  redirect_refused: object({ url: string(), location: string() }),
  authorization_not_required: answered,
  not_an_mcp_server: object({ url: string(), status: number(), contentType: nullable(string()) }),
  resource_metadata_invalid: object({ url: string(), problem: string() }),
  resource_mismatch: mismatch,
  authorization_server_not_found: object({
    issuers: array(string()),
    tried: array(object({ url: string(), outcome: union([number(), string()]) })),
  }),
  issuer_not_named: object({ issuer: string(), issuers: array(string()) }),
  issuer_mismatch: mismatch,
  pkce_unsupported: issuer,
  registration_unsupported: issuer,
  client_issuer_mismatch: object({
    issuer: string(),
    configuredIssuer: string(),
    of: exactOptional(literal('assertion')),
  }),
  grant_unsupported: object({ issuer: string(), grantType: string(), supported: array(string()) }),
  signing_key_invalid: object({ problem: picklist(['not_a_key', 'not_pkcs8', 'algorithm']) }),
  registration_refused: object({ issuer: string(), status: number(), error: string(), description }),
  client_rejected: object({ issuer: string(), description, isEntered: exactOptional(literal(true)) }),
  authorization_denied: described,
  authorization_failed: object({ issuer: string(), error: string(), description, scopes }),
  callback_issuer_mismatch: issuer,
  callback_repeated: nothing,
  callback_state_unknown: nothing,
  resource_rejected: described,
  identity_ended: issuer,
  device_code_expired: issuer,
  access_token_refused: answered,
  grant_rejected: object({
    issuer: string(),
    description,
    of: exactOptional(picklist(['assertion', 'assertion_file'])),
  }),
  token_request_failed: object({
    issuer: string(),
    status: number(),
    error: exactOptional(string()),
    description,
    scopes,
    retryAfterMs: exactOptional(number()),
  }),
  token_response_invalid: object({ issuer: string(), status: number(), problem: string() }),
  revocation_failed: object({ issuer: string(), status: exactOptional(number()) }),
};

const connectionDetails: { readonly [C in ConnectionErrorCode]: GenericSchema<unknown, ConnectionErrorDetails[C]> } = {
  connection_unknown: id,
  connection_exists: object({ name: string(), serverUrl: string() }),
  sign_in_required: id,
  credentials_missing: object({
    missing: picklist(['client', 'assertion', 'identity_provider', 'access_token']),
    issuer: exactOptional(string()),
  }),
  assertion_unreadable: object({ path: string(), problem: string() }),
  foreign_origin: url,
  authorization_timed_out: object({ timeoutMs: number(), offersDeviceCode: exactOptional(boolean()) }),
  keychain_locked: nothing,
  keychain_unavailable: problem,
  keychain_timeout: object({ operation, timeoutMs: number() }),
  keychain_failed: object({ operation, problem: string() }),
  secret_unreadable: id,
  secret_too_new: object({ id: string(), version: number() }),
  secret_elsewhere: id,
  storage_failed: object({ operation: picklist(['read', 'write']), path: string(), problem: string() }),
  storage_broken: object({ path: string(), problem: string() }),
  storage_salvaged: object({ path: string(), lost: number() }),
  journal_broken: object({ path: string() }),
  storage_too_new: object({ path: string(), version: number() }),
  port_busy: object({ port: number() }),
  unexpected: problem,
  owner_gone: nothing,
  window_outdated: nothing,
};

/** An error of ours as it travels between windows: what makes it that error, and not where it was thrown. */
export interface WireError {
  readonly code: string;
  readonly details: unknown;
}

/** The same error in another window. One that this window does not know, or whose details are odd, is `unexpected`. */
export function reviveError({ code, details }: WireError): ScopekeeperError {
  if (isOAuthCode(code)) {
    const result = safeParse(oauthDetails[code], details);
    if (result.success) return new OAuthError(code, result.output);
  }
  if (isConnectionCode(code)) {
    const result = safeParse(connectionDetails[code], details);
    if (result.success) return new ConnectionError(code, result.output);
  }
  return new ConnectionError('unexpected', { problem: `an error of another window: ${plainText(code) ?? 'no code'}` });
}

/** An error within a message; JSON makes one from a {@link ScopekeeperError} by itself. */
export const wireErrorSchema = object({ code: string(), details: unknown() });

/** The error in a message, as one of our errors. */
export const revivedErrorSchema = pipe(wireErrorSchema, transform(reviveError));

function isOAuthCode(code: string): code is OAuthErrorCode {
  return Object.hasOwn(oauthDetails, code);
}

function isConnectionCode(code: string): code is ConnectionErrorCode {
  return Object.hasOwn(connectionDetails, code);
}
