import { type Connection, currentGrant } from '../connections/connection.ts';
import { missingScopes } from '../connections/grant.ts';
import { difference, isScopeToken, union } from '../oauth/scopeSet.ts';
import { causeClause, scopeList } from './causeText.ts';
import { t } from './localize.ts';
import { joined } from './rowText.ts';
import { scopeRows, type ScopeRow } from './scopeRows.ts';
import { withoutLinks } from './untrustedText.ts';

/** A scope to choose, or what was typed and cannot be one. */
export interface ScopeChoice {
  readonly scope: string;
  readonly label: string;
  /** Its badge: how it stands now. */
  readonly description: string;
  /** Why it is asked for, or what it does. */
  readonly detail: string;
  readonly isTicked: boolean;
  /** Without it the text is a message, and whether it is ticked means nothing. */
  readonly isScope: boolean;
}

/**
 * All scopes that are known of a connection, with how each stands: what it has to do with already first, then what the
 * metadata list, then what was typed. What the next sign-in would ask for by itself is ticked.
 */
export function scopeChoices(connection: Connection, typed: readonly string[] = []): readonly ScopeChoice[] {
  const { declined = [], requested, scopesSupported = [], settings } = connection;
  const rows = scopeRows(connection);
  const known = rows.map(({ scope }) => scope);
  // Some are in use though no answer names them.
  const unnamed = difference(union(requested, currentGrant(connection)?.authorized ?? []), known);
  const isTicked = (scope: string): boolean => settings.fixedScopes?.includes(scope) ?? true;
  const offered = difference(union(scopesSupported, declined, settings.fixedScopes ?? []), union(known, unnamed));
  return [
    ...rows.map((row) => choice(row.scope, badge(row), isTicked(row.scope), reason(row))),
    ...unnamed.map((scope) => choice(scope, t('requested'), isTicked(scope))),
    ...offered.map((scope) => choice(scope, t('new'), settings.fixedScopes?.includes(scope) === true)),
    ...difference(typed, union(known, unnamed, offered)).map((scope) => choice(scope, t('new, typed by you'), true)),
  ];
}

/** What stands for a text that is being typed and is no scope of the list: a new one, or why it can be none. */
export function typedChoice(text: string): ScopeChoice {
  if (isScopeToken(text)) return choice(text, t('new, typed by you'), true);
  return {
    ...choice(text, '', false, t('A scope is printable ASCII without spaces, quotation marks and backslashes.')),
    label: t('{0} cannot be a scope.', withoutLinks(text)),
    isScope: false,
  };
}

function choice(scope: string, description: string, isTicked: boolean, detail = ''): ScopeChoice {
  const offline = t('Keeps you signed in. It is asked for wherever the authorization server has it.');
  const shown = scope === 'offline_access' && detail === '' ? offline : detail;
  return { scope, label: withoutLinks(scope), description, detail: shown, isTicked, isScope: true };
}

function badge({ status }: ScopeRow): string {
  switch (status) {
    case 'granted':
      return t('granted');
    case 'dropped':
      return t('dropped');
    case 'demanded':
      return t('new, demanded');
    case 'not_granted':
      return t('requested, not granted');
    case 'not_asked_yet':
      return t('requested');
  }
}

function reason({ demand, status }: ScopeRow): string {
  if (demand !== undefined) return causeClause(demand) ?? '';
  return status === 'dropped' ? t('A refresh came back without it.') : '';
}

/** What choosing `scopes` changes: those that would be asked for anew, and those that would be lost. */
export function scopeChanges(
  connection: Connection,
  scopes: readonly string[],
): { readonly added: readonly string[]; readonly dropped: readonly string[] } {
  const granted = currentGrant(connection)?.granted ?? [];
  return { added: missingScopes(scopes, granted), dropped: missingScopes(granted, scopes) };
}

/** What choosing `scopes` changes, fit for a message: `New: “b” · Dropped: “a”`. Undefined when it changes nothing. */
export function scopeChangesText(connection: Connection, scopes: readonly string[]): string | undefined {
  const { added, dropped } = scopeChanges(connection, scopes);
  if (added.length + dropped.length === 0) return undefined;
  return joined(
    added.length === 0 ? undefined : t('New: {0}', scopeList(added)),
    dropped.length === 0 ? undefined : t('Dropped: {0}', scopeList(dropped)),
  );
}
