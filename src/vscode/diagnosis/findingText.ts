import type { Finding, Seen } from '../../connections/diagnosis/finding.ts';
import { errorText } from '../errorText.ts';
import type { ErrorAction } from '../errorWords.ts';
import { t } from '../localize.ts';
import { displayUrl, quoted, shortUrl } from '../untrustedText.ts';

/** A finding in words. Plain text: what servers said in it is cut, and is no Markdown and no HTML yet. */
export interface FindingText {
  /** What was seen, and whose fault it is. */
  readonly text: string;
  /** What to do about it. */
  readonly nextStep?: string;
  readonly action?: ErrorAction;
}

/** The words for a finding. */
export function findingText({ seen }: Finding): FindingText {
  if (seen.type === 'error') return errorFindingText(seen);
  if (seen.type === 'unknown_auth_methods') {
    return {
      text: t(
        'The authorization server knows apps only by ways that Scopekeeper does not have: {0}.',
        listText(seen.methods),
      ),
      nextStep: t('Tell the people who run it.'),
    };
  }
  if (seen.type === 'no_resource_metadata') {
    return {
      text: t('The server says nowhere where to sign in, as older servers do.'),
      nextStep: t('Tell the people who run the server.'),
    };
  }
  return { text: seenText(seen) };
}

function errorFindingText({ error, isLastTime }: Extract<Seen, { type: 'error' }>): FindingText {
  const { action, message, nextStep } = errorText(error);
  return {
    text: isLastTime === true ? t('The last sign-in showed: {0}', message) : message,
    nextStep,
    ...(action !== undefined && action !== 'show_log' && { action }),
  };
}

function seenText(
  seen: Exclude<Seen, { type: 'error' } | { type: 'unknown_auth_methods' } | { type: 'no_resource_metadata' }>,
): string {
  switch (seen.type) {
    case 'answers':
      return t('It answers with status {0}.', seen.status);
    case 'resource_metadata':
      return t('Found at {0}.', displayUrl(seen.url));
    case 'resource_metadata_moved':
      return t(
        'The server names {0}, where it is not; it was found at {1}.',
        displayUrl(seen.named),
        displayUrl(seen.url),
      );
    case 'challenge_names_metadata':
      return t('It names {0}.', displayUrl(seen.url));
    case 'challenge_omits_metadata':
      return seen.isLearnt
        ? t('It does not; the place that it named earlier was used.')
        : t('It does not; the usual places were tried.');
    case 'same_resource':
      return t('It is about {0}.', displayUrl(seen.resource));
    case 'resource_prefix':
      return t('It is about {0}, of which this server is a part.', displayUrl(seen.resource));
    case 'server_metadata':
      return t('Found at {0}.', displayUrl(seen.url));
    case 'default_endpoints':
      return t(
        'It does not. A sign-in would try the usual addresses at {0}, as for servers of 2025.',
        shortUrl(seen.origin),
      );
    case 'same_issuer':
      return t('It calls itself {0}.', displayUrl(seen.issuer));
    case 'issuers':
      return seen.issuers.length === 1
        ? t('It names {0}.', listText(seen.issuers.map(displayUrl)))
        : t('It names {0}; the first that answers is used.', listText(seen.issuers.map(displayUrl)));
    case 'issuer_skipped':
      return t(
        '{0}, which it names first, does not work; {1} is used.',
        displayUrl(seen.skipped),
        displayUrl(seen.used),
      );
    case 'names_no_issuer':
      return t('It names none; that of {0} itself is used.', shortUrl(seen.origin));
    case 'challenge':
      return t('It asks for a token of the kind {0}.', seen.scheme === 'dpop' ? 'DPoP' : 'Bearer');
    case 'no_challenge':
      return t('It refuses without saying why: WWW-Authenticate is missing.');
    case 'challenge_unreadable':
      return t('Its WWW-Authenticate asks for no token that Scopekeeper knows.');
    case 'client_entered':
      return t('Not needed: the client ID {0} was entered.', quoted(seen.clientId) ?? '');
    case 'client_document':
      return t('Not needed: the authorization server takes the description that Scopekeeper has on the web.');
    case 'registers':
      return t('Scopekeeper would register by itself at {0}. It did not do so now.', displayUrl(seen.endpoint));
    case 'registration_guessed':
      return t('Nothing says so. A sign-in would try {0}.', displayUrl(seen.endpoint));
    case 'auth_method':
      return authMethodText(seen.method, seen.isRenewable);
    case 'issuer_kept':
      return t('Nothing has changed.');
    case 'issuer_moved':
      return t(
        'It was {0}, and is {1} now. You have to sign in there; nothing of the old one is sent to it.',
        displayUrl(seen.from),
        displayUrl(seen.to),
      );
    case 'pkce':
      return t('The authorization server says that it does S256.');
    case 'pkce_allowed':
      return t('The authorization server does not say so. You have allowed it for this connection.');
    case 'resource_left_out':
      return t('You have set that the address of the server is left out. The token may be good for other servers too.');
    case 'scopes':
      return scopesText(seen);
    case 'iss_advertised':
      return t('The authorization server says that they do, and Scopekeeper insists on it.');
    case 'iss_not_advertised':
      return t('The authorization server does not say that they do. It may all the same; only a sign-in shows it.');
    case 'redirects':
      return seen.offersDevice
        ? t('By a port of this computer, by the editor, or with a code on another device.')
        : t('By a port of this computer, or by the editor. A code on another device is not offered.');
    case 'authorization_endpoint':
      return t('It is at {0}.', displayUrl(seen.url));
    case 'addresses':
      return t('Those of {0}.', listText(seen.hosts));
    case 'held_last_time':
      return t('The last sign-in showed it.');
    case 'needs_sign_in':
      return t('Only a sign-in shows it.');
    case 'not_used':
      return t('Not used by this connection.');
    case 'nothing_to_judge':
      return t('There was nothing to judge it by.');
  }
}

function authMethodText(method: string, isRenewable: boolean): string {
  const how =
    method === 'none' ? t('Scopekeeper needs no secret there.') : t('Scopekeeper would prove itself by {0}.', method);
  return isRenewable
    ? how
    : `${how} ${t('Tokens cannot be renewed there, so you will have to sign in again and again.')}`;
}

function scopesText({ from, scopes }: Extract<Seen, { type: 'scopes' }>): string {
  if (scopes.length === 0) return t('None are named; a sign-in asks for none.');
  const list = listText(scopes);
  switch (from) {
    case 'challenge':
      return t('The refusal asks for {0}.', list);
    case 'settings':
      return t('You have set {0}.', list);
    case 'metadata':
    case 'none':
      return t('The server lists {0}; a first sign-in asks for all of them.', list);
  }
}

const LISTED_AT_MOST = 12;

/** Words of a server, in a row. */
function listText(words: readonly string[]): string {
  const listed = words.slice(0, LISTED_AT_MOST).map((word) => quoted(word)?.slice(1, -1) ?? '');
  const rest = words.length - listed.length;
  const text = listed.join(', ');
  return rest > 0 ? t('{0} and {1} more', text, rest) : text;
}
