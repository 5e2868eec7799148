import { isOAuthError, type OAuthErrorCode } from '../../oauth/errors.ts';

/** What a server does wrong that no setting helps against: its makers have to be told. */
const FAULTS_OF_SERVERS: ReadonlySet<OAuthErrorCode> = new Set([
  'address_refused',
  'authorization_server_not_found',
  'callback_issuer_mismatch',
  'insecure_url',
  'issuer_mismatch',
  'not_an_mcp_server',
  'redirect_refused',
  'resource_metadata_invalid',
  'resource_mismatch',
  'response_too_large',
  'server_unreachable',
  'token_response_invalid',
]);

/** Whether a diagnosis says more of an error than its message and its button do. */
export function isWorthDiagnosing(error: unknown): boolean {
  return isOAuthError(error) && FAULTS_OF_SERVERS.has(error.code);
}
