import { t } from './localize.ts';
import { quoted } from './untrustedText.ts';

/** The one thing a person can do next, offered as a button. */
export type ErrorAction =
  | 'try_again'
  | 'sign_in'
  /** Ask for the server's URL again; the entry that never worked gives way to the new one. */
  | 'change_url'
  | 'enter_client'
  | 'allow_unadvertised_pkce'
  /** Settings of the connection that the error calls for. */
  | 'omit_resource'
  | 'fix_scopes'
  | 'change_redirect'
  | 'change_dpop'
  | 'change_issuer'
  /** Choose how the connection signs in, and enter what that needs. */
  | 'choose_kind'
  | 'enter_token'
  /** Ask for a file with more certificate authorities for this connection. */
  | 'choose_ca_file'
  /** Show the setting that names such a file for all connections. */
  | 'open_ca_setting'
  | 'open_proxy_settings'
  | 'open_file'
  | 'reload_window'
  | 'show_log';

export interface ErrorText {
  /** A few words for a row of the tree, in lower case and without a full stop. */
  readonly summary: string;
  /** What happened and whose fault it is: one or two sentences. */
  readonly message: string;
  /** The next step: one sentence. */
  readonly nextStep: string;
  readonly action?: ErrorAction;
}

/** `message`, followed by what the server said about it, marked as its words. */
export function said(message: string, text: string | undefined): string {
  const quotation = quoted(text);
  if (quotation === undefined) return message;
  const hasEnd = /[.!?…]”$/.test(quotation);
  return `${message} ${t('It says: {0}', quotation)}${hasEnd ? '' : '.'}`;
}

/** The words for a fault of this extension itself. */
export function unexpectedText(): ErrorText {
  return {
    summary: t('internal error'),
    message: t('Something went wrong inside Scopekeeper.'),
    nextStep: t('The log says more; please report it.'),
    action: 'show_log',
  };
}
