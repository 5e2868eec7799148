import { type Connection, currentGrant } from '../connections/connection.ts';
import type { DevicePrompt } from '../connections/connectionService.ts';
import { openDemands, type ScopeDemand } from '../connections/scopeDemand.ts';
import type { LocalAccess } from '../gateway/localAccess.ts';
import { accessesOf, accessName, toolsText } from './accessText.ts';
import { deviceText } from './deviceText.ts';
import { errorText } from './errorText.ts';
import { signsInText } from './kindText.ts';
import { t } from './localize.ts';
import { returnHere, returnText } from './remote/signInReturn.ts';
import { absoluteText, agoText, expiryText } from './relativeTime.ts';
import { instantText, joined, type TooltipLine } from './rowText.ts';
import { scopeRows, type ScopeRow } from './scopeRows.ts';
import { renewalText, statusText } from './treeText.ts';
import { displayUrl } from './untrustedText.ts';

/** Why scopes are missed, the newest first: older ones are in the activity. */
const DEMANDS_SHOWN = 3;

/** What was refused for want of which scopes, as a line of a tooltip. */
export function demandLine(demand: ScopeDemand, now: number): TooltipLine {
  const { at, client, operation, scopes } = demand;
  const who = client === undefined ? undefined : accessName(client);
  return { label: t('Asked for'), value: joined(scopes.join(' '), operation, who, agoText(at, now)) };
}

/** What the tooltip of a connection tells beside the connection itself. */
export interface TooltipContext {
  /** As for {@link connectionText}. */
  readonly device?: DevicePrompt | undefined;
  /** Who has access through the gateway. */
  readonly accesses?: readonly LocalAccess[];
}

/** The tooltip of a connection: everything known about it that is no secret. */
export function tooltipLines(
  connection: Connection,
  now: number,
  { accesses = [], device }: TooltipContext = {},
): readonly TooltipLine[] {
  const users = accessesOf(accesses, connection.id).map((one) => `${accessName(one)} (${toolsText(one.allowedTools)})`);
  const grant = currentGrant(connection);
  const { lastError } = connection;
  const scopes = (status: readonly ScopeRow['status'][]) =>
    scopeRows(connection)
      .filter((scope) => status.includes(scope.status))
      .map(({ scope }) => scope)
      .join(' ');
  const signsIn = signsInText(connection);
  const missing = scopes(['dropped', 'demanded', 'not_granted']);
  const lines: (TooltipLine | undefined)[] = [
    { label: t('Server'), value: displayUrl(connection.serverUrl) },
    connection.resource === undefined
      ? undefined
      : { label: t('Token is for'), value: displayUrl(connection.resource) },
    connection.issuer === undefined
      ? undefined
      : { label: t('Authorization server'), value: displayUrl(connection.issuer) },
    signsIn === undefined ? undefined : { label: t('Signs in with'), value: signsIn },
    connection.kind === 'authorization_code'
      ? { label: t('Sign-in comes back to'), value: returnText(returnHere(connection.settings.redirect)) }
      : undefined,
    connection.account === undefined ? undefined : { label: t('Account'), value: connection.account },
    { label: t('State'), value: device === undefined ? statusText(connection, now) : deviceText(device) },
    connection.requested.length === 0 ? undefined : { label: t('Requested'), value: connection.requested.join(' ') },
    grant === undefined || connection.kind === 'static_token'
      ? undefined
      : { label: t('Granted'), value: grant.granted.join(' ') || t('no scopes') },
    missing === '' ? undefined : { label: t('Not granted'), value: missing },
    ...openDemands(connection)
      .toReversed()
      .slice(0, DEMANDS_SHOWN)
      .map((demand) => demandLine(demand, now)),
    grant === undefined ? undefined : { label: t('Signed in'), value: instantText(grant.issuedAt, now) },
    grant?.refreshedAt === undefined ? undefined : { label: t('Renewed'), value: instantText(grant.refreshedAt, now) },
    grant?.expiresAt === undefined
      ? undefined
      : { label: t('Expires'), value: joined(absoluteText(grant.expiresAt), expiryText(grant.expiresAt, now)) },
    grant === undefined ? undefined : { label: t('Renewal'), value: renewalText(connection, grant) },
    users.length === 0 ? undefined : { label: t('Used by'), value: users.join(', ') },
    lastError === undefined ? undefined : { label: t('Last error'), value: errorText(lastError).message },
  ];
  return lines.filter((line) => line !== undefined);
}
