import type { Demand } from '../gateway/ports.ts';
import { t } from './localize.ts';
import { quoted, withoutLinks } from './untrustedText.ts';

/** How many scopes a message has room for. */
const SCOPES_AT_MOST = 6;

/**
 * What a server demands of the person before a local client's request can succeed: which server, what, and for what.
 * @param name the connection's
 */
export function demandText(name: string, { operation, scopes }: Demand): string {
  const server = withoutLinks(name);
  const call = quoted(operation);
  if (scopes.length === 0) {
    return call === undefined
      ? t('A local client wants to use {0}, which you have to sign in to again.', server)
      : t('A local client wants to use {0} for {1}, which you have to sign in to again.', server, call);
  }
  const list = scopeList(scopes);
  return call === undefined
    ? t('A local client wants to use {0}, which demands what you have not granted yet: {1}.', server, list)
    : t(
        'A local client wants to use {0} for {1}, which demands what you have not granted yet: {2}.',
        server,
        call,
        list,
      );
}

function scopeList(scopes: readonly string[]): string {
  const shown = scopes.slice(0, SCOPES_AT_MOST).map((scope) => quoted(scope) ?? '');
  const rest = scopes.length - shown.length;
  return [...shown, ...(rest > 0 ? [t('and {0} more', rest)] : [])].join(', ');
}
