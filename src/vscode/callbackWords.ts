import { currentGrant } from '../connections/connection.ts';
import type { CallbackOutcome } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { errorText } from './errorText.ts';
import { t, userLanguage } from './localize.ts';
import { scopeRows } from './scopeRows.ts';

/** The words of the page that ends a sign-in in the browser. */
export interface CallbackWords {
  readonly tone: 'success' | 'failure';
  readonly title: string;
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string;
  readonly lang: string;
}

/** What the browser says at the end of a sign-in: what was connected, or why not, and what to do. */
export function callbackWords(outcome: CallbackOutcome): CallbackWords {
  const lang = userLanguage();
  if (outcome.type === 'failed') {
    const { message, nextStep } = errorText(outcome.error);
    const hint = `${nextStep} ${t('You can close this tab.')}`;
    // Also when the page of a good sign-in is loaded again.
    const isOver = isOAuthError(outcome.error, 'callback_repeated');
    const title = isOver ? t('Nothing to do here') : t('Not connected');
    return { tone: 'failure', title, message, details: [], hint, lang };
  }
  const { connection } = outcome;
  const granted = currentGrant(connection)?.granted ?? [];
  const missing = scopeRows(connection).filter(({ status }) => status !== 'granted');
  return {
    tone: 'success',
    title: t('Connected to {0}', connection.name),
    message: t('You are signed in. The connection is kept on this computer and shown in the MCP Connections view.'),
    details: [
      ...(granted.length > 0 ? [t('Granted: {0}', granted.join(', '))] : []),
      ...(missing.length > 0 ? [t('Not granted: {0}', missing.map(({ scope }) => scope).join(', '))] : []),
    ],
    hint: t('You can close this tab and go back to the editor.'),
    lang,
  };
}
