import { isOAuthError, type OAuthErrorCode } from '../oauth/errors.ts';
import type { TracePurpose } from './trace.ts';

/** Which rule of the wire an error tells of, and in which request's answer that was seen. */
export interface BrokenRule {
  /** Such as `P13`; undefined where no rule is broken: a network that fails, a person who says no. */
  readonly rule?: string;
  /** Of the step that the error is about; undefined for that which came last. */
  readonly purpose?: TracePurpose;
}

/** What is not here breaks no rule, and is about the last request. */
const BROKEN: Readonly<Partial<Record<OAuthErrorCode, BrokenRule>>> = {
  insecure_url: { rule: 'P20' },
  address_refused: { rule: 'P20' },
  redirect_refused: { rule: 'P20' },
  authorization_not_required: { purpose: 'probe' },
  not_an_mcp_server: { purpose: 'probe' },
  resource_metadata_invalid: { rule: 'P1', purpose: 'resource_metadata' },
  resource_mismatch: { rule: 'P3', purpose: 'resource_metadata' },
  authorization_server_not_found: { rule: 'P4', purpose: 'server_metadata' },
  issuer_not_named: { rule: 'P6', purpose: 'resource_metadata' },
  issuer_mismatch: { rule: 'P5', purpose: 'server_metadata' },
  pkce_unsupported: { rule: 'P13', purpose: 'server_metadata' },
  registration_unsupported: { rule: 'P8', purpose: 'server_metadata' },
  client_issuer_mismatch: { rule: 'P11', purpose: 'server_metadata' },
  grant_unsupported: { rule: 'P10', purpose: 'server_metadata' },
  registration_refused: { rule: 'P10', purpose: 'registration' },
  client_rejected: { rule: 'P12' },
  callback_issuer_mismatch: { rule: 'P17', purpose: 'callback' },
  callback_state_unknown: { rule: 'P16', purpose: 'callback' },
  resource_rejected: { rule: 'P14' },
  access_token_refused: { purpose: 'probe' },
  token_response_invalid: { rule: 'P33', purpose: 'token' },
};

/** What the `error` of an authorization or token response says of the rules (RFC 6749 sections 4.1.2.1 and 5.2). */
const BROKEN_BY_ANSWER: Readonly<Record<string, BrokenRule>> = {
  invalid_scope: { rule: 'P15' },
  unauthorized_client: { rule: 'P12' },
  invalid_client: { rule: 'P12' },
};

/** The rule of the wire (P1-P35) whose breach `error` is; empty for what breaks none. */
export function brokenRule(error: unknown): BrokenRule {
  if (!isOAuthError(error)) return {};
  if (error.code === 'authorization_failed' || error.code === 'token_request_failed') {
    return BROKEN_BY_ANSWER[error.details.error ?? ''] ?? {};
  }
  if (error.code === 'registration_refused' && error.details.error === 'invalid_redirect_uri') {
    return { rule: 'P12', purpose: 'registration' };
  }
  return BROKEN[error.code] ?? {};
}
