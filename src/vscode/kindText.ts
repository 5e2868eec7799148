import type { Connection, ConnectionKind } from '../connections/connection.ts';
import { isConnectionError } from '../connections/errors.ts';
import { DEVICE_CODE_GRANT } from '../oauth/deviceAuthorization.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { JWT_BEARER_GRANT } from '../oauth/token.ts';
import { t } from './localize.ts';
import { shortPath, shortUrl } from './untrustedText.ts';

/** How a kind of connection is offered to the person. */
export interface KindText {
  readonly label: string;
  /** Who would want it, in one sentence. */
  readonly detail: string;
  /** The id of a theme icon. */
  readonly icon: string;
}

/** The words for a way to sign in. */
export function kindText(kind: ConnectionKind): KindText {
  switch (kind) {
    case 'authorization_code':
      return {
        label: t('Browser'),
        detail: t('You sign in on a page of the server. Nearly all servers want this.'),
        icon: 'globe',
      };
    case 'device_code':
      return {
        label: t('Device code'),
        detail: t('You enter a short code in any browser, also on your phone. For a machine without one.'),
        icon: 'device-mobile',
      };
    case 'client_credentials':
      return {
        label: t('Client credentials'),
        detail: t('A client of your own with a secret or a private key. Nobody has to sign in.'),
        icon: 'server-process',
      };
    case 'workload_identity':
      return {
        label: t('Workload identity'),
        detail: t('The identity token that a platform, such as Kubernetes, gives to what runs there.'),
        icon: 'server-environment',
      };
    case 'enterprise_managed':
      return {
        label: t('Company sign-in'),
        detail: t('You sign in at your company’s identity provider, which decides what you may use.'),
        icon: 'organization',
      };
    case 'static_token':
      return {
        label: t('A token of your own'),
        detail: t('An access token or API key that you were given. You replace it yourself when it ends.'),
        icon: 'key',
      };
  }
}

/** How a connection signs in, in a few words; undefined for the usual way. */
export function signsInText({ kind, settings }: Connection): string | undefined {
  switch (kind) {
    case 'authorization_code':
      return undefined;
    case 'device_code':
      return t('device code');
    case 'client_credentials':
      return settings.client === undefined
        ? t('client credentials')
        : t('client credentials of {0}', settings.client.clientId);
    case 'workload_identity':
      return settings.assertionFile === undefined
        ? t('workload identity')
        : t('workload identity from {0}', shortPath(settings.assertionFile));
    case 'enterprise_managed':
      return settings.identityProvider === undefined
        ? t('company sign-in')
        : t('company sign-in at {0}', shortUrl(settings.identityProvider.issuer));
    case 'static_token':
      return t('a token of your own');
  }
}

const GRANT_TYPES: Readonly<Record<Exclude<ConnectionKind, 'static_token'>, string>> = {
  authorization_code: 'authorization_code',
  device_code: DEVICE_CODE_GRANT,
  client_credentials: 'client_credentials',
  workload_identity: JWT_BEARER_GRANT,
  enterprise_managed: JWT_BEARER_GRANT,
};

/**
 * Whether the authorization server says, now that another way has come to nothing, that it knows this one (RFC 8414
 * section 2, RFC 8628 section 4).
 */
export function isOffered({ lastError }: Connection, kind: ConnectionKind): boolean {
  if (isConnectionError(lastError, 'authorization_timed_out')) {
    return kind === 'device_code' && lastError.details.offersDeviceCode === true;
  }
  if (kind === 'static_token' || !isOAuthError(lastError, 'grant_unsupported')) return false;
  return lastError.details.supported.includes(GRANT_TYPES[kind]);
}

/** The kinds for which a client is entered, which is bound to an authorization server. */
export function needsClient(kind: ConnectionKind): boolean {
  return kind === 'client_credentials' || kind === 'workload_identity' || kind === 'enterprise_managed';
}
