import type { ConnectionId } from '../connections/connection.ts';
import type { LocalClient } from '../connections/scopeDemand.ts';
import type { AccessKind, AllowedTools, LocalAccess } from '../gateway/localAccess.ts';
import { settingIds } from './ids.ts';
import { t } from './localize.ts';
import { absoluteText, agoText, expiryText } from './relativeTime.ts';
import { instantText, joined, row, type RowText, type TooltipLine } from './rowText.ts';

/** The accesses that are good for `connection`, in their order. */
export function accessesOf(accesses: readonly LocalAccess[], connection: ConnectionId): readonly LocalAccess[] {
  return accesses.filter((access) => access.connection === undefined || access.connection === connection);
}

/** What a local client is called. Of one that asked for its access it is only its own claim (P44); not yet escaped. */
export function accessName({ kind, label }: LocalClient): string {
  switch (kind) {
    case 'oauth':
    case 'token':
      return label;
    case 'editor':
      return t('Agent mode');
    case 'extension':
      return t('Other extensions');
  }
}

const KIND_ICONS: Readonly<Record<AccessKind, string>> = {
  oauth: 'plug',
  token: 'key',
  editor: 'comment-discussion',
  extension: 'extensions',
};

/** The id of the theme icon that tells how a client came to its access. */
export function accessIcon({ kind }: LocalAccess): string {
  return KIND_ICONS[kind];
}

/** The row above the local clients of a connection. `now` is ms since the epoch. */
export function usedByText(accesses: readonly LocalAccess[], now: number): RowText {
  const icon = { id: 'vm-connect' };
  if (accesses.length === 0) return row(t('Used by'), t('nobody yet'), icon, 'usedBy');
  const count = accesses.length === 1 ? t('1 client') : t('{0} clients', accesses.length);
  const last = Math.max(...accesses.map(({ lastUsedAt = -Infinity }) => lastUsedAt));
  const used = useText(last === -Infinity ? undefined : last, now);
  return row(t('Used by'), joined(count, used), icon, 'usedBy');
}

/** The row of one local client. */
export function accessText(access: LocalAccess, now: number): RowText {
  const { expiresAt, lastUsedAt, allowedTools } = access;
  const isOver = expiresAt !== undefined && expiresAt <= now;
  const name = accessName(access);
  const tools = toolsText(allowedTools);
  const spoken = joined(isOver ? expiryText(expiresAt, now) : useText(lastUsedAt, now), tools);
  // Below *Used by* and in a narrow view, the word is left out.
  const isUsed = lastUsedAt !== undefined && !isOver;
  const description = isUsed ? joined(agoText(lastUsedAt, now), tools) : spoken;
  return row(name, description, { id: accessIcon(access) }, 'access', t('{0}, {1}', name, spoken));
}

/** `used 5 min ago`, or `not used yet`. */
export function useText(lastUsedAt: number | undefined, now: number): string {
  return lastUsedAt === undefined ? t('not used yet') : t('used {0}', agoText(lastUsedAt, now));
}

/** How many tools a client may use: `all tools`, `2 tools`. */
export function toolsText(allowed: AllowedTools): string {
  if (allowed === '*') return t('all tools');
  if (allowed.length === 0) return t('no tools');
  return allowed.length === 1 ? t('1 tool') : t('{0} tools', allowed.length);
}

/** All that is known of a local client. Values are plain text of anybody's and must be escaped. */
export function accessTooltipLines(access: LocalAccess, now: number): readonly TooltipLine[] {
  const { allowedTools, createdAt, lastUsedAt } = access;
  const tools = allowedTools === '*' ? t('all, also those to come') : allowedTools.join(', ') || t('none');
  return [
    { label: t('Who'), value: accessKindText(access.kind) },
    { label: t('Tools'), value: tools },
    { label: t('Let in'), value: instantText(createdAt, now) },
    { label: t('Last used'), value: lastUsedAt === undefined ? t('never') : instantText(lastUsedAt, now) },
    { label: t('Ends'), value: instantOfEnd(access, now) ?? t('when you revoke it') },
  ];
}

function instantOfEnd({ expiresAt }: LocalAccess, now: number): string | undefined {
  return expiresAt === undefined ? undefined : joined(absoluteText(expiresAt), expiryText(expiresAt, now));
}

/** When an access ends: `expires in 3 h`, or `until you revoke it`. */
export function endText({ expiresAt }: LocalAccess, now: number): string {
  return expiresAt === undefined ? t('until you revoke it') : expiryText(expiresAt, now);
}

/** How a client of this kind came to its access, in a few words. */
export function accessKindText(kind: AccessKind): string {
  switch (kind) {
    case 'oauth':
      return t('a program that calls itself so');
    case 'token':
      return t('whoever has the token that you made');
    case 'editor':
      return t('the agent mode of your editors that have Scopekeeper');
    case 'extension':
      return t('extensions of your editors that you let use it');
  }
}

/** What follows when the person revokes an access of this kind. */
export function revokeDetail(kind: AccessKind): string {
  switch (kind) {
    case 'oauth':
      return t('It is refused from now on, and asks you again when it wants to get back in.');
    case 'token':
      return t('Whoever has this token is refused from now on. You can make another one.');
    case 'editor':
      return t(
        'Its token is refused from now on. When agent mode starts the server again it gets another one, unless you turn off the setting {0}.',
        settingIds.agentMode,
      );
    case 'extension':
      return t('The extensions that use it are signed out, and ask you again when they want to get back in.');
  }
}
