import type { TracePurpose } from '../connections/trace.ts';
import { t } from './localize.ts';

/** What a step of a sign-in or a diagnosis is for, in a few words. */
export function purposeText(purpose: TracePurpose): string {
  switch (purpose) {
    case 'probe':
      return t('Ask the server without a token');
    case 'resource_metadata':
      return t('Read where to sign in');
    case 'server_metadata':
      return t('Read what the authorization server can do');
    case 'registration':
      return t('Register as a client');
    case 'device_authorization':
      return t('Ask for a device code');
    case 'authorization':
      return t('Open the sign-in page');
    case 'callback':
      return t('Come back from the browser');
    case 'token':
      return t('Get the tokens');
    case 'refresh':
      return t('Renew the token');
    case 'revocation':
      return t('Revoke the tokens');
    case 'other':
      return t('Another request');
  }
}
