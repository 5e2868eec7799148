import type { Judged, Verdict } from '../../connections/diagnosis/finding.ts';
import { t } from '../localize.ts';

/** What a rule is about: as a person sees it, and where its makers can read it. */
export interface JudgedText {
  readonly title: string;
  /** The section of the standard, which is the same in all languages. */
  readonly source?: string;
}

/** The words for what is judged. */
export function judgedText(judged: Judged): JudgedText {
  switch (judged) {
    case 'reach':
      return { title: t('The server answers and asks for a sign-in') };
    case 'P1':
      return { title: t('The server says how to sign in'), source: 'RFC 9728 §3' };
    case 'P2':
      return { title: t('Its refusal says where that is written'), source: 'RFC 9728 §5.1' };
    case 'P3':
      return { title: t('What is written there is about this server'), source: 'RFC 9728 §3.3' };
    case 'P4':
      return { title: t('The authorization server describes itself'), source: 'RFC 8414 §3' };
    case 'P5':
      return { title: t('The authorization server goes by its right name'), source: 'RFC 8414 §3.3' };
    case 'P6':
      return { title: t('The server names its authorization servers'), source: 'RFC 9728 §2' };
    case 'P7':
      return { title: t('Its refusal can be read'), source: 'RFC 9110 §11.6.1' };
    case 'P8':
      return { title: t('Apps can register'), source: 'RFC 7591 §3' };
    case 'P9':
      return { title: t('Registration takes scopes as one text'), source: 'RFC 7591 §2' };
    case 'P10':
      return { title: t('Tokens are given in a way that Scopekeeper knows'), source: 'RFC 8414 §2' };
    case 'P11':
      return { title: t('The authorization server is the same as before'), source: 'RFC 9728 §7.6' };
    case 'P12':
      return { title: t('The registration is accepted'), source: 'RFC 7591 §3.2' };
    case 'P13':
      return { title: t('Sign-ins are protected against interception (PKCE)'), source: 'RFC 7636 §4.2' };
    case 'P14':
      return { title: t('Tokens can be made for this server alone'), source: 'RFC 8707 §2' };
    case 'P15':
      return { title: t('Which scopes to ask for'), source: 'RFC 6749 §3.3' };
    case 'P16':
      return { title: t('Answers belong to the sign-in that is open'), source: 'RFC 6749 §10.12' };
    case 'P17':
      return { title: t('Answers name the server that they come from'), source: 'RFC 9207 §2' };
    case 'P18':
      return { title: t('Ways to come back from the sign-in'), source: 'RFC 8252 §7' };
    case 'P19':
      return { title: t('The sign-in page is safe to open'), source: 'RFC 6749 §3.1' };
    case 'P20':
      return { title: t('All addresses are encrypted, and where they should be'), source: 'RFC 8414 §6' };
    case 'sign_in':
      return { title: t('The last sign-in') };
  }
}

/** The words for a verdict, with a sign beside them that is no colour. */
export function verdictText(verdict: Verdict): { readonly sign: string; readonly words: string } {
  switch (verdict) {
    case 'passed':
      return { sign: '✓', words: t('as it should be') };
    case 'broken':
      return { sign: '✗', words: t('broken') };
    case 'worked_around':
      return { sign: '!', words: t('worked around') };
    case 'not_testable':
      return { sign: '–', words: t('not testable') };
  }
}
