import type { AuthorizationPage } from '../gateway/ports.ts';
import { plainText } from '../oauth/errors.ts';
import { t, userLanguage } from './localize.ts';

/** The words of a page that the browser shows while, or because, a local client asks for access. */
export interface AuthorizationWords {
  readonly tone: 'waiting' | 'failure';
  readonly title: string;
  readonly message: string;
  readonly hint: string;
  readonly lang: string;
}

/** What the browser says of a local client that asks for access: where to answer, or why it cannot ask. */
export function authorizationWords(page: AuthorizationPage): AuthorizationWords {
  const lang = userLanguage();
  if (page.type === 'asking') {
    return {
      tone: 'waiting',
      title: t('Answer in the editor'),
      message: t('A program that calls itself {0} asks for access to your servers.', plainText(page.clientName) ?? '?'),
      hint: t('Scopekeeper asks you in the editor. Close this tab to take the question back.'),
      lang,
    };
  }
  return { tone: 'failure', title: t('No access'), ...refusalWords(page.problem), lang };
}

type Problem = Extract<AuthorizationPage, { type: 'refused' }>['problem'];

function refusalWords(problem: Problem): { readonly message: string; readonly hint: string } {
  const again = t('Start again from the program that asked for access.');
  switch (problem) {
    case 'unknown_client':
      return {
        message: t('The program that opened this page is not known here, or not any more.'),
        hint: t('Sign out in that program, and connect it again.'),
      };
    case 'wrong_redirect':
      return { message: t('The program wants the answer at an address that it has not registered.'), hint: again };
    case 'invalid_request':
      return { message: t('The request for access is not as it should be.'), hint: again };
    case 'page_expired':
      return { message: t('This page has been used already, or waited too long.'), hint: again };
    case 'unavailable':
      return {
        message: t('Scopekeeper cannot let anybody in now.'),
        hint: t('The editor says why. Start again when that is mended.'),
      };
    default:
      return problem satisfies never;
  }
}
