import { isLoopbackHost } from '../oauth/addressPolicy.ts';
import { shortened } from '../oauth/errors.ts';
import type { AllowedTools } from '../gateway/localAccess.ts';
import { t } from './localize.ts';
import type { Choice, Fact } from './questions.ts';
import { quoted, shortUrl, withoutLinks } from './untrustedText.ts';

/** Who asks for access. What a client says of itself is its own claim (P44). */
export type Requester =
  | { readonly type: 'client'; readonly name: string; readonly redirectUri: string }
  /** The editor tells no more than that one asks, and asks the person itself which. */
  | { readonly type: 'extension' };

/** A longer name would push what follows it out of sight. */
const LONGEST_NAME = 48;

/** The name that a client gives itself, as a quotation. */
export function clientText(name: string): string {
  return quoted(shortened(name.trim(), LONGEST_NAME)) ?? t('A program without a name');
}

/** Who asks, at the beginning of a sentence. */
export function requesterText(requester: Requester): string {
  return requester.type === 'client' ? clientText(requester.name) : t('An extension of this editor');
}

/** Where an answer goes: to a port of this computer, or to the app that has a scheme (RFC 8252 sections 7.1, 7.3). */
export function destinationText(redirectUri: string): { readonly where: string; readonly explanation: string } {
  if (!URL.canParse(redirectUri)) return { where: shortUrl(redirectUri), explanation: '' };
  const { protocol, host, hostname } = new URL(redirectUri);
  return isLoopbackHost(hostname) && protocol === 'http:'
    ? {
        where: withoutLinks(host),
        explanation: t('A program on this computer. Allow only what you just started.'),
      }
    : {
        where: withoutLinks(protocol),
        explanation: t('The app that opens such links. Allow only what you just started.'),
      };
}

/** What the person has to know before they answer. */
export function consentFacts(requester: Requester, serverName: string): readonly Fact[] {
  const label = t('{0} asks to use {1}', requesterText(requester), withoutLinks(serverName));
  if (requester.type === 'extension') {
    return [
      { label, icon: 'extensions', detail: t('It gets a token of Scopekeeper for this server, never your own one.') },
      {
        label: t('The editor has just told you which extension it is'),
        icon: 'info',
        detail: t('It asks you again before it gives this access to other extensions.'),
      },
    ];
  }
  const { where, explanation } = destinationText(requester.redirectUri);
  return [
    { label, icon: 'plug', detail: t('It calls itself so; nobody has checked that.') },
    { label: t('The answer goes to {0}', where), icon: 'arrow-right', detail: explanation },
  ];
}

/**
 * - `same`: the tools that the client was allowed before
 * - `all`: all tools, also those to come
 * - `tools`: those that the person ticks
 */
export type ConsentChoice = 'same' | 'all' | 'tools' | 'deny';

/** What the person can answer. One line each: a low window cuts a long list off at its end, where *Deny* is. */
export function consentChoices(serverName: string, remembered?: AllowedTools): readonly Choice<ConsentChoice>[] {
  const all: Choice<ConsentChoice> = {
    value: 'all',
    label: t('Allow All Tools'),
    icon: 'check-all',
    description:
      remembered === '*'
        ? t('as before: all that {0} has, also those to come', withoutLinks(serverName))
        : t('all that {0} has, also those to come', withoutLinks(serverName)),
  };
  const tools: Choice<ConsentChoice> = {
    value: 'tools',
    label: t('Choose Tools…'),
    icon: 'checklist',
    description: t('only those that you tick'),
  };
  const deny: Choice<ConsentChoice> = {
    value: 'deny',
    label: t('Deny'),
    icon: 'circle-slash',
    description: t('as Escape does'),
  };
  if (remembered === undefined || remembered === '*' || remembered.length === 0) return [all, tools, deny];
  const same: Choice<ConsentChoice> = {
    value: 'same',
    label: remembered.length === 1 ? t('Allow 1 Tool') : t('Allow {0} Tools', remembered.length),
    icon: 'check',
    description: t('as before: {0}', withoutLinks(remembered.join(', '))),
  };
  return [same, all, tools, deny];
}
