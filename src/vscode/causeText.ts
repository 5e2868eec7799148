import { type Connection, currentGrant } from '../connections/connection.ts';
import { missingScopes } from '../connections/grant.ts';
import { openDemands, type ScopeDemand } from '../connections/scopeDemand.ts';
import { union } from '../oauth/scopeSet.ts';
import { accessName } from './accessText.ts';
import { t } from './localize.ts';
import { joined } from './rowText.ts';
import { quoted } from './untrustedText.ts';

/** What was refused, and whose request it was. */
export type Cause = Pick<ScopeDemand, 'operation' | 'client'>;

const TOOL_CALL = 'tools/call ';
/** How many scopes a message has room for. */
const SCOPES_AT_MOST = 6;
/** How many causes a line has room for. */
const CAUSES_AT_MOST = 3;

/** What scopes are asked for and by whom, for a narrow row: `add_note · Claude Code`. Plain text of anybody's. */
export function causeText({ client, operation }: Cause): string | undefined {
  const name = operation?.startsWith(TOOL_CALL) === true ? operation.slice(TOOL_CALL.length) : operation;
  const text = joined(name, client === undefined ? undefined : accessName(client));
  return text === '' ? undefined : text;
}

/** The same in full, fit for a message: `for “tools/call add_note” of “Claude Code”`. */
export function causeClause({ client, operation }: Cause): string | undefined {
  const call = quoted(operation);
  const who = clientText(client);
  if (call === undefined) return who === undefined ? undefined : t('for {0}', who);
  return who === undefined ? t('for {0}', call) : t('for {0} of {1}', call, who);
}

/** A local client, fit for a message: what it calls itself is quoted (P44). */
export function clientText(client: Cause['client']): string | undefined {
  if (client === undefined) return undefined;
  const name = accessName(client);
  return client.kind === 'oauth' || client.kind === 'token' ? quoted(name) : name;
}

/** Scopes, fit for a message: the first of them, and how many there are besides. */
export function scopeList(scopes: readonly string[]): string {
  const shown = scopes.slice(0, SCOPES_AT_MOST).map((scope) => quoted(scope) ?? '');
  const rest = scopes.length - shown.length;
  return [...shown, ...(rest > 0 ? [t('and {0} more', rest)] : [])].join(', ');
}

/** The scopes that a sign-in would add to what is granted because a server demands them. Empty without a grant. */
export function newScopes(connection: Connection): readonly string[] {
  const { challenged, state } = connection;
  const grant = currentGrant(connection);
  if (grant === undefined) return [];
  const missing = state.type === 'needsConsent' ? state.missing : [];
  const demanded = openDemands(connection).flatMap(({ scopes }) => scopes);
  return missingScopes(union(missing, demanded, challenged), grant.granted);
}

/**
 * Which scopes a sign-in would add and why, fit for a message: `New: “a”, for “tools/call add_note” of “Claude Code”`.
 * Undefined when there are none.
 */
export function newScopesText(connection: Connection): string | undefined {
  const scopes = newScopes(connection);
  if (scopes.length === 0) return undefined;
  const clauses = new Set(openDemands(connection).toReversed().map(causeClause));
  const why = [...clauses].filter((clause) => clause !== undefined).slice(0, CAUSES_AT_MOST);
  return t('New: {0}', [scopeList(scopes), ...why].join(', '));
}
