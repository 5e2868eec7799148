import { t } from './localize.ts';

/**
 * What an error is called in two or three words, where its code alone is known, as in the list of events: the summary of
 * `errorText`. Undefined for a code whose summary depends on the details, and for one that says no more than the event.
 */
export function errorCodeText(code: string | undefined): string | undefined {
  switch (code) {
    case 'address_refused':
      return t('private address refused');
    case 'response_too_large':
      return t('answer too large');
    case 'redirect_refused':
      return t('redirect refused');
    case 'authorization_not_required':
      return t('needs no sign-in');
    case 'resource_metadata_invalid':
      return t('server misconfigured');
    case 'resource_mismatch':
      return t('server names another resource');
    case 'authorization_server_not_found':
      return t('no sign-in found');
    case 'issuer_not_named':
      return t('authorization server has changed');
    case 'issuer_mismatch':
      return t('wrong authorization server');
    case 'invalid_server_url':
      return t('not a server URL');
    case 'insecure_url':
      return t('not encrypted');
    case 'pkce_unsupported':
      return t('no protected sign-in');
    case 'registration_unsupported':
      return t('client ID needed');
    case 'grant_unsupported':
      return t('other way needed');
    case 'signing_key_invalid':
      return t('no usable key');
    case 'authorization_denied':
      return t('access denied');
    case 'callback_issuer_mismatch':
      return t('answer from the wrong server');
    case 'resource_rejected':
      return t('resource not accepted');
    case 'identity_ended':
      return t('company sign-in has ended');
    case 'device_code_expired':
      return t('code not entered in time');
    case 'access_token_refused':
      return t('token refused');
    case 'token_response_invalid':
      return t('token not understood');
    case 'revocation_failed':
      return t('not revoked');
    case 'sign_in_required':
      return t('needs sign-in');
    case 'credentials_missing':
      return t('not set up yet');
    case 'assertion_unreadable':
      return t('no identity token');
    case 'authorization_timed_out':
      return t('sign-in timed out');
    case 'keychain_locked':
      return t('keychain locked');
    case 'keychain_unavailable':
      return t('no keychain');
    case 'keychain_timeout':
      return t('keychain does not answer');
    case 'keychain_failed':
      return t('keychain failed');
    case 'secret_unreadable':
      return t('saved sign-in unreadable');
    case 'secret_too_new':
      return t('newer version needed');
    case 'secret_elsewhere':
      return t('kept by another editor');
    case 'storage_failed':
      return t('file problem');
    case 'port_busy':
      return t('port taken');
    case 'owner_gone':
      return t('window closed');
    // What the row of the connection says then, too.
    case 'server_unreachable':
      return t('offline');
    case 'grant_rejected':
      return t('token refused');
    default:
      return undefined;
  }
}
