import { plainText } from '../../oauth/errors.ts';
import { t, userLanguage } from '../localize.ts';

/** The words of the page on which the person decides what the sample server grants. */
export interface SampleConsentWords {
  readonly title: string;
  readonly message: string;
  readonly legend: string;
  readonly scopes: readonly { readonly scope: string; readonly meaning: string }[];
  readonly allow: string;
  readonly deny: string;
  readonly hint: string;
  readonly lang: string;
}

/** @param question who asks for which scopes; the name is the client's own claim */
export function sampleConsentWords(question: {
  readonly clientName: string;
  readonly scopes: readonly string[];
}): SampleConsentWords {
  return {
    title: t('Connect to Sample Notes?'),
    message: t('{0} asks for access to the sample server in your editor.', plainText(question.clientName) ?? '?'),
    legend: t('Untick a scope to see what becomes of it:'),
    scopes: question.scopes.map((scope) => ({ scope, meaning: meaningOf(scope) })),
    allow: t('Allow'),
    deny: t('Deny'),
    hint: t('There is no account, and nothing leaves this computer.'),
    lang: userLanguage(),
  };
}

function meaningOf(scope: string): string {
  switch (scope) {
    case 'notes:read':
      return t('Read the notes');
    case 'notes:write':
      return t('Add notes');
    case 'notes:admin':
      return t('Delete all notes');
    default:
      return '';
  }
}
