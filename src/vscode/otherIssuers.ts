import type { Connection } from '../connections/connection.ts';
import { isOAuthError, ScopekeeperError } from '../oauth/errors.ts';

/**
 * The authorization servers that a person can go to when an attempt came to nothing at one of several (P6); none when
 * the error is not about one of them, or when all were tried.
 */
export function otherIssuers(error: unknown, connection: Connection): readonly string[] {
  const { issuers = [] } = connection;
  const failed = failedIssuer(error, connection);
  return failed !== undefined && issuers.includes(failed) ? issuers.filter((issuer) => issuer !== failed) : [];
}

/** The authorization server that an error is about. */
export function failedIssuer(error: unknown, { settings }: Connection): string | undefined {
  if (!(error instanceof ScopekeeperError)) return undefined;
  const { details } = error;
  if ('issuer' in details && typeof details.issuer === 'string') return details.issuer;
  // Discovery tries all of them by itself, but for the one that the person chose.
  return isUndescribed(error, settings.issuer) ? settings.issuer : undefined;
}

/** Whether an authorization server could not be asked, or gave no metadata that can be used. */
function isUndescribed(error: ScopekeeperError, issuer: string | undefined): boolean {
  if (isOAuthError(error, 'server_unreachable')) return issuer !== undefined && isSameOrigin(error.details.url, issuer);
  return isOAuthError(error, 'authorization_server_not_found') || isOAuthError(error, 'issuer_mismatch');
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
