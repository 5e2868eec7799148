import type { AnyConnectionError, ConnectionErrorDetails } from '../connections/errors.ts';
import { unexpectedText, type ErrorText } from './errorWords.ts';
import { t } from './localize.ts';
import { quoted, shortPath, shortUrl } from './untrustedText.ts';

/** The words for what goes wrong in keeping connections. */
export function connectionErrorText(error: AnyConnectionError): ErrorText {
  switch (error.code) {
    case 'connection_unknown':
      return {
        summary: t('gone'),
        message: t('This connection is no longer there.'),
        nextStep: t('Choose another one in the MCP Connections view.'),
      };
    case 'connection_exists':
      return {
        summary: t('already there'),
        message: t('There is already a connection called {0}.', quoted(error.details.name) ?? ''),
        nextStep: t('Choose another name.'),
      };
    case 'sign_in_required':
      return {
        summary: t('needs sign-in'),
        message: t('This connection cannot renew itself.'),
        nextStep: t('Sign in again.'),
        action: 'sign_in',
      };
    case 'credentials_missing':
      return {
        summary: t('not set up yet'),
        message: missingText(error.details.missing),
        nextStep: t('Enter it, then sign in again.'),
        action: error.details.missing === 'access_token' ? 'enter_token' : 'choose_kind',
      };
    case 'assertion_unreadable':
      return {
        summary: t('no identity token'),
        message: t('The identity token in {0} cannot be read.', shortPath(error.details.path)),
        nextStep: t('Check that the file is there and holds a token, or choose another one.'),
        action: 'choose_kind',
      };
    case 'foreign_origin':
      return {
        summary: t('request to another host'),
        message: t(
          'A request with the token of this server was meant for {0}. It was not sent.',
          shortUrl(error.details.url),
        ),
        nextStep: t('Tell the people who run the server.'),
        action: 'show_log',
      };
    case 'authorization_timed_out':
      return {
        summary: t('sign-in timed out'),
        message: t(
          'Nobody came back from the browser within {0} minutes.',
          Math.round(error.details.timeoutMs / 60_000),
        ),
        nextStep:
          error.details.offersDeviceCode === true
            ? t('Try again, or if there is no browser on this computer, choose a device code with Sign In Another Way.')
            : t('Try again; if the browser is on another computer, use Copy URL and Paste Callback URL.'),
        action: 'try_again',
      };
    case 'keychain_locked':
      return {
        summary: t('keychain locked'),
        message: t('The keychain of this computer is locked or was reset, so the saved tokens cannot be read.'),
        nextStep: t('Unlock the keychain, then try again: nothing is lost. If it was reset, sign in again.'),
        action: 'try_again',
      };
    case 'keychain_unavailable':
      return {
        summary: t('no keychain'),
        message: t('This computer has no keychain service that Scopekeeper can use.'),
        nextStep: t('Start one (on Linux gnome-keyring or KWallet), then try again.'),
        action: 'try_again',
      };
    case 'keychain_timeout':
      return {
        summary: t('keychain does not answer'),
        message: t('The keychain of this computer does not answer. It may be waiting for you in another window.'),
        nextStep: t('Answer its question if there is one, then try again.'),
        action: 'try_again',
      };
    case 'keychain_failed':
      return {
        summary: t('keychain failed'),
        message:
          error.details.operation === 'read'
            ? t('The keychain of this computer could not be read.')
            : t('The keychain of this computer did not take the change.'),
        nextStep: t('Try again; the log says more.'),
        action: 'try_again',
      };
    case 'secret_unreadable':
      return {
        summary: t('saved sign-in unreadable'),
        message: t('What the keychain holds for this connection cannot be read; another program may have changed it.'),
        nextStep: t('Sign in again. What is there now is kept beside it.'),
        action: 'sign_in',
      };
    case 'secret_too_new':
      return {
        summary: t('newer version needed'),
        message: t('What the keychain holds for this connection was written by a newer version of Scopekeeper.'),
        nextStep: t('Update Scopekeeper in this editor. Nothing was changed.'),
      };
    case 'secret_elsewhere':
      return {
        summary: t('kept by another editor'),
        message: t(
          'The newest token of this connection is in the secret storage of another editor or profile, which had no keychain then.',
        ),
        nextStep: t('Open that one once, with the keychain unlocked, or sign in again here.'),
        action: 'sign_in',
      };
    case 'storage_failed':
      return {
        summary: t('file problem'),
        message:
          error.details.operation === 'read'
            ? t('Scopekeeper could not read its data in {0}.', shortPath(error.details.path))
            : t('Scopekeeper could not write its data to {0}.', shortPath(error.details.path)),
        nextStep: t('Check that the disk is not full and that you may read and write there.'),
        action: 'try_again',
      };
    case 'storage_broken':
      return {
        summary: t('broken file'),
        message: t('What is in {0} is not what Scopekeeper wrote there.', shortPath(error.details.path)),
        nextStep: t('Mend the file or delete it; Scopekeeper then goes on by itself. Your tokens are not touched.'),
        action: 'open_file',
      };
    case 'journal_broken':
      return {
        summary: t('broken file'),
        message: t(
          'A file that protects a token while it is renewed was damaged. It is kept in {0}.',
          shortPath(error.details.path),
        ),
        nextStep: t('You need not do anything, unless this connection now asks you to sign in.'),
      };
    case 'storage_salvaged':
      return {
        summary: t('broken file'),
        message:
          error.details.lost === 1
            ? t('A part of the list of connections was not what Scopekeeper wrote there. It is left out.')
            : t(
                '{0} parts of the list of connections were not what Scopekeeper wrote there. They are left out.',
                error.details.lost,
              ),
        nextStep: t(
          'Add what is missing again, or mend the copy {0}. The others go on.',
          shortPath(error.details.path),
        ),
        action: 'open_file',
      };
    case 'storage_too_new':
      return {
        summary: t('newer version needed'),
        message: t('A file of Scopekeeper was written by a newer version of it. It was left as it is.'),
        nextStep: t('Update Scopekeeper in this editor.'),
      };
    case 'port_busy':
      return {
        summary: t('port taken'),
        message: t(
          'Another program uses port {0} of this computer, to which your sign-ins and your local clients come.',
          String(error.details.port),
        ),
        nextStep: t(
          'Close that program, or the window that does not answer any more, then try again; or choose another port in the settings.',
        ),
        action: 'try_again',
      };
    case 'unexpected':
      return unexpectedText();
    case 'owner_gone':
      return {
        summary: t('window closed'),
        message: t('The window that manages the connections was closed before it had finished.'),
        nextStep: t('Try again.'),
        action: 'try_again',
      };
    case 'window_outdated':
      return {
        summary: t('older version'),
        message: t('Another window runs a newer version of Scopekeeper and now manages the connections.'),
        nextStep: t('Reload this window; in another editor, update Scopekeeper first.'),
        action: 'reload_window',
      };
  }
}

function missingText(missing: ConnectionErrorDetails['credentials_missing']['missing']): string {
  switch (missing) {
    case 'client':
      return t('This way to sign in needs a client that you registered.');
    case 'assertion':
      return t('This way to sign in needs the identity token of the workload.');
    case 'identity_provider':
      return t('This way to sign in needs the identity provider of your company.');
    case 'access_token':
      return t('This connection needs a token that you enter.');
  }
}
