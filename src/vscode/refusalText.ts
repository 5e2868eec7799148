import { said, type ErrorText } from './errorWords.ts';
import { t } from './localize.ts';
import { shortUrl } from './untrustedText.ts';

interface Refusal {
  readonly issuer: string;
  readonly description?: string;
}

/** RFC 9449: section 5, and section 8 for a server that never gives the nonce that it demands. */
export const DPOP_ERRORS: ReadonlySet<string> = new Set(['invalid_dpop_proof', 'use_dpop_nonce']);

/** The server wants tokens bound without saying so, or says that it binds them and then does not take the proof. */
export function proofRefusedText({ issuer, description }: Refusal): ErrorText {
  return {
    summary: t('token binding refused'),
    message: said(
      t(
        'The authorization server {0} and Scopekeeper do not agree on binding tokens to a key (DPoP).',
        shortUrl(issuer),
      ),
      description,
    ),
    nextStep: t('You can set for this connection whether tokens are bound.'),
    action: 'change_dpop',
  };
}

/** Whether an authorization ended for the client: RFC 6749 section 4.1.2.1, and what some servers say instead. */
export function isClientRefused(error: string): boolean {
  return error === 'unauthorized_client' || error === 'invalid_client';
}

/** What was registered by itself was registered anew by then, so another client is the only way on. */
export function appRefusedText({ issuer, description }: Refusal): ErrorText {
  return {
    summary: t('app not accepted'),
    message: said(
      t('The authorization server {0} does not let this app sign people in.', shortUrl(issuer)),
      description,
    ),
    nextStep: t('Register an app there by hand and enter its client ID.'),
    action: 'enter_client',
  };
}

/** What the person entered stays as it is until they enter something else. */
export function enteredClientRefusedText({ issuer, description }: Refusal): ErrorText {
  return {
    summary: t('client ID refused'),
    message: said(
      t('The authorization server {0} does not accept the client that you entered.', shortUrl(issuer)),
      description,
    ),
    nextStep: t('Check what you registered there, then enter it again.'),
    action: 'enter_client',
  };
}

/** The servers name scopes that one of them then refuses. */
export function scopesRefusedText({ issuer, description }: Refusal): ErrorText {
  return {
    summary: t('scopes refused'),
    message: said(
      t('The authorization server {0} refused the scopes that were asked for.', shortUrl(issuer)),
      description,
    ),
    nextStep: t('If you know which ones it gives, choose them yourself.'),
    action: 'fix_scopes',
  };
}

/** RFC 7591 section 3.2.2, of the loopback address that is registered unless the person sets another. */
export function redirectRefusedText(issuer: string): ErrorText {
  return {
    summary: t('registration refused'),
    message: t(
      'The authorization server {0} does not let sign-ins come back to a port of this computer.',
      shortUrl(issuer),
    ),
    nextStep: t('Let them come back to the editor itself, if the server takes that.'),
    action: 'change_redirect',
  };
}
