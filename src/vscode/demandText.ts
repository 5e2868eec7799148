import type { Demand } from '../gateway/ports.ts';
import { clientText, scopeList } from './causeText.ts';
import { t } from './localize.ts';
import { quoted, withoutLinks } from './untrustedText.ts';

/**
 * What a server demands of the person before a local client's request can succeed: which server, what, for what and
 * for whom.
 * @param name the connection's
 */
export function demandText(name: string, { client, operation, scopes }: Demand): string {
  const server = withoutLinks(name);
  const call = quoted(operation);
  const who = clientText(client) ?? t('A local client');
  if (scopes.length === 0) {
    return call === undefined
      ? t('{0} wants to use {1}, which you have to sign in to again.', who, server)
      : t('{0} wants to use {1} for {2}, which you have to sign in to again.', who, server, call);
  }
  const list = scopeList(scopes);
  return call === undefined
    ? t('{0} wants to use {1}, which demands what you have not granted yet: {2}.', who, server, list)
    : t('{0} wants to use {1} for {2}, which demands what you have not granted yet: {3}.', who, server, call, list);
}
