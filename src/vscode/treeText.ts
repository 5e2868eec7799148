import type { ActivityEntry } from '../connections/activity.ts';
import {
  currentGrant,
  type AuthorizationStep,
  type Connection,
  type Grant,
  type SignInReason,
} from '../connections/connection.ts';
import type { DevicePrompt } from '../connections/connectionService.ts';
import { healthOf, type HealthLevel } from '../connections/health.ts';
import { isOAuthError, type ScopekeeperError } from '../oauth/errors.ts';
import { causeText } from './causeText.ts';
import { deviceRowText, deviceText } from './deviceText.ts';
import { errorCodeText } from './errorCodeText.ts';
import { errorText } from './errorText.ts';
import { signsInText } from './kindText.ts';
import { t } from './localize.ts';
import { agoText, clockText, expiryText, inText } from './relativeTime.ts';
import { type IconText, joined, row, type RowText } from './rowText.ts';
import { scopeRows, type ScopeRow } from './scopeRows.ts';
import { shortUrl } from './untrustedText.ts';

const HEALTH_ICONS: Readonly<Record<HealthLevel, IconText>> = {
  ok: { id: 'pass', color: 'testing.iconPassed' },
  working: { id: 'sync~spin' },
  offline: { id: 'debug-disconnect', color: 'list.warningForeground' },
  attention: { id: 'warning', color: 'list.warningForeground' },
  error: { id: 'error', color: 'list.errorForeground' },
  failed: { id: 'error', color: 'list.errorForeground' },
  off: { id: 'circle-slash', color: 'disabledForeground' },
};

/**
 * The row of a connection at the instant `now` (ms since the epoch).
 * @param device what its sign-in waits for to be entered
 */
export function connectionText(connection: Connection, now: number, device?: DevicePrompt): RowText {
  const prompt = connection.state.type === 'authorizing' ? device : undefined;
  const description = prompt === undefined ? statusText(connection, now) : deviceRowText(prompt);
  return {
    label: connection.name,
    description,
    icon: HEALTH_ICONS[healthOf(connection, now)],
    contextValue: connectionFlags(connection).join(' '),
    spoken: t('{0}, {1}', connection.name, prompt === undefined ? description : deviceText(prompt)),
  };
}

/**
 * How a connection is, in one line: `expires in 42 min · 5 scopes`. Where scopes are missing they come first, since a
 * narrow side bar cuts the end off, unless the end is near: `4 of 6 scopes · expires in 9 days`.
 */
export function statusText(connection: Connection, now: number): string {
  const { state } = connection;
  const count = state.type === 'ready' || state.type === 'refreshing' ? scopeCount(connection, state.grant) : undefined;
  const text = stateText(connection, now);
  if (count === undefined) return text;
  const scopes = scopeCountText(count);
  const isNews = count.granted < count.all && healthOf(connection, now) !== 'attention';
  return isNews ? joined(scopes, text) : joined(text, scopes);
}

/** How a connection is, without its scopes: `expires in 42 min`. */
export function stateText(connection: Connection, now: number): string {
  const { state, lastError } = connection;
  switch (state.type) {
    case 'disconnected':
      return lastError === undefined ? t('signed out') : errorText(lastError).summary;
    case 'authorizing':
      // A row is narrow; the notification has the whole sentence.
      return state.step === 'waitingForBrowser' ? t('see your browser…') : stepText(state.step);
    case 'ready':
      return grantExpiryText(connection, state.grant, now);
    case 'refreshing':
      return t('renewing');
    case 'needsConsent':
      return state.missing.length === 1 ? t('needs 1 more scope') : t('needs {0} more scopes', state.missing.length);
    case 'needsSignIn':
      return t('needs sign-in · {0}', signInReasonText(state.reason));
    case 'unreachable':
      return t('{0}, retrying {1}', troubleText(state.error), inText(state.retryAt, now));
  }
}

/** What keeps a connection from being renewed, in a word or two. */
function troubleText(error: ScopekeeperError): string {
  if (isOAuthError(error, 'server_unreachable')) return t('offline');
  // What is asked for anew by itself has not ended.
  if (isOAuthError(error, 'grant_rejected') && error.details.of === undefined) return t('token refused');
  return errorText(error).summary;
}

/** What a sign-in is doing. */
export function stepText(step: AuthorizationStep): string {
  switch (step) {
    case 'discovering':
      return t('finding out where to sign in…');
    case 'registering':
      return t('registering…');
    case 'waitingForBrowser':
      return t('waiting for you in the browser…');
    case 'waitingForDevice':
      return t('waiting for you to enter the code…');
    case 'exchanging':
      return t('finishing…');
  }
}

function signInReasonText(reason: SignInReason): string {
  switch (reason) {
    case 'grant_rejected':
      return t('the sign-in has ended');
    case 'client_rejected':
      return t('the app is no longer known');
    case 'expired':
      return t('the token has expired');
    case 'token_rejected':
      return t('the server refuses the token');
    case 'secret_missing':
      return t('the token is not on this computer');
    case 'secret_unreadable':
      return t('what was saved cannot be read');
    case 'issuer_changed':
      return t('the server has moved its sign-in');
  }
}

function grantExpiryText({ kind, state }: Connection, grant: Grant, now: number): string {
  if (kind === 'static_token' && grant.expiresAt === undefined) return t('your own token');
  if (grant.expiresAt === undefined) return t('no expiry given');
  // A token that renews itself is never "expired" for the person: it is renewed when it is needed.
  const canRenew = grant.refreshable && state.type !== 'unreachable';
  if (canRenew && grant.expiresAt <= now) return t('renews when needed');
  return expiryText(grant.expiresAt, now);
}

interface ScopeCount {
  readonly granted: number;
  /** With those that were not granted. */
  readonly all: number;
}

/** How many scopes there are of a connection; undefined for a server without scopes, and while nobody is signed in. */
function scopeCount(connection: Connection, grant = currentGrant(connection)): ScopeCount | undefined {
  const all = scopeRows(connection).length;
  return grant === undefined || all === 0 ? undefined : { granted: grant.granted.length, all };
}

/** `5 scopes`, or `4 of 6 scopes` when some were not granted. */
function scopeCountText({ all, granted }: ScopeCount): string {
  if (granted < all) return t('{0} of {1} scopes', granted, all);
  return granted === 1 ? t('1 scope') : t('{0} scopes', granted);
}

/** `5`, or `4 of 6` when some were not granted; nothing for a server without scopes, and while nobody is signed in. */
export function scopeNumbers(connection: Connection): string {
  const count = scopeCount(connection);
  if (count === undefined) return '';
  return count.granted < count.all ? t('{0} of {1}', count.granted, count.all) : String(count.granted);
}

const WAITING_FLAGS: Readonly<Partial<Record<AuthorizationStep, string>>> = {
  waitingForBrowser: 'waitsForBrowser',
  waitingForDevice: 'waitsForDevice',
};

/** What can be done with a connection now, as words for the `viewItem` context key. */
export function connectionFlags(connection: Connection): readonly string[] {
  const { kind, state } = connection;
  if (state.type === 'authorizing') {
    const waiting = WAITING_FLAGS[state.step];
    return ['connection', 'isAuthorizing', ...(waiting === undefined ? [] : [waiting])];
  }
  const grant = currentGrant(connection);
  const flags = [
    'connection',
    ...(kind === 'static_token' ? [] : ['hasScopes']),
    state.type === 'disconnected' ? 'canSignIn' : 'canReauthorize',
  ];
  if (grant?.refreshable === true && state.type !== 'refreshing') flags.push('canRefresh');
  if (state.type !== 'disconnected') flags.push('canDisconnect');
  return flags;
}

/** The row above the scopes. */
export function scopesText(connection: Connection): RowText {
  const rows = scopeRows(connection);
  const granted = rows.filter(({ status }) => status === 'granted').length;
  let description = t('{0} of {1}', granted, rows.length);
  if (granted === rows.length) description = String(granted);
  if (rows.length === 0 || currentGrant(connection) === undefined) description = t('none');
  return row(t('Granted scopes'), description, { id: 'shield' }, 'scopes');
}

/** The row of one scope. A scope is a server's text: it is the label, never more. */
export function scopeText({ demand, scope, status }: ScopeRow): RowText {
  const why = demand === undefined ? undefined : causeText(demand);
  switch (status) {
    case 'granted':
      return row(scope, '', { id: 'check', color: 'testing.iconPassed' }, 'scope', t('{0}, granted', scope));
    case 'dropped':
      return row(scope, t('dropped by a refresh'), { id: 'warning', color: 'list.warningForeground' }, 'scope');
    case 'demanded': {
      const icon = { id: 'lock', color: 'list.warningForeground' };
      const said = t('demanded, not granted');
      if (why === undefined) return row(scope, said, icon, 'scope');
      return row(scope, t('for {0}', why), icon, 'scope', t('{0}, {1}, {2}', scope, said, t('for {0}', why)));
    }
    case 'not_asked_yet':
      return row(scope, t('asked for at sign-in'), { id: 'circle-outline', color: 'disabledForeground' }, 'scope');
    case 'not_granted':
      return row(scope, t('requested, not granted'), { id: 'circle-slash', color: 'disabledForeground' }, 'scope');
  }
}

/** The row that says until when. */
export function expiresText(connection: Connection, now: number): RowText {
  const grant = currentGrant(connection);
  if (grant === undefined) return row(t('Expires'), t('not signed in'), { id: 'watch' }, 'expires');
  if (grant.expiresAt === undefined) {
    const why = connection.kind === 'static_token' ? t('not known') : t('the server does not say when');
    return row(t('Expires'), why, { id: 'watch' }, 'expires');
  }
  const isOver = grant.expiresAt <= now;
  const relative = isOver ? grantExpiryText(connection, grant, now) : inText(grant.expiresAt, now);
  // The most important first: a narrow side bar cuts the end off.
  return row(
    t('Expires'),
    joined(relative, shortRenewalText(connection, grant), clockText(grant.expiresAt, now)),
    { id: 'watch' },
    'expires',
  );
}

/** {@link renewalText} for a narrow row. */
function shortRenewalText(connection: Connection, grant: Grant): string {
  const isYours = connection.kind !== 'static_token' && !grant.refreshable;
  return isYours ? t('sign in then') : renewalText(connection, grant);
}

/** What happens at the end of a grant. */
export function renewalText({ kind }: Connection, grant: Grant): string {
  if (kind === 'static_token') return t('you enter another one when it has ended');
  return grant.refreshable ? t('renews itself') : t('sign in again then');
}

/** The row that says who gives the tokens. */
export function authorizationServerText(connection: Connection): RowText {
  const icon = { id: 'verified' };
  if (connection.issuer === undefined) {
    return row(t('Authorization server'), t('not known yet'), icon, 'authorizationServer');
  }
  // Which one it is matters more than that it is one: it stands where it is not cut off.
  const label = shortUrl(connection.issuer);
  const description = connection.account ?? t('signs you in');
  const spoken = joined(t('{0}, {1}', t('Authorization server'), label), connection.account);
  return row(label, description, icon, 'authorizationServer', spoken);
}

/** The row that says how tokens are got, for a connection that does it in another way than most. */
export function signInText(connection: Connection): RowText {
  return row(t('Sign-in'), signsInText(connection) ?? '', { id: 'key' }, 'signIn');
}

/** The row above the last events. */
export function activityText(entries: readonly ActivityEntry[], now: number): RowText {
  const last = entries.at(-1);
  const description = last === undefined ? t('nothing yet') : joined(eventText(last), agoText(last.at, now));
  return row(t('Activity'), description, { id: 'history' }, 'activity');
}

const EVENT_ICONS: Readonly<Record<ActivityEntry['type'], IconText>> = {
  added: { id: 'add' },
  connected: { id: 'plug' },
  refreshed: { id: 'refresh' },
  scopes_dropped: { id: 'warning', color: 'list.warningForeground' },
  scopes_restored: { id: 'check' },
  sign_in_failed: { id: 'error', color: 'list.errorForeground' },
  sign_in_cancelled: { id: 'circle-slash' },
  refresh_failed: { id: 'warning', color: 'list.warningForeground' },
  sign_in_needed: { id: 'account' },
  consent_needed: { id: 'account' },
  disconnected: { id: 'debug-disconnect' },
};

/** The row of one event. */
export function activityEntryText(entry: ActivityEntry, now: number): RowText {
  const scopes = entry.scopes?.join(' ');
  const why = entry.type === 'consent_needed' ? causeText(entry) : undefined;
  const error = errorCodeText(entry.errorCode);
  return row(eventText(entry), joined(agoText(entry.at, now), scopes, why, error), EVENT_ICONS[entry.type], 'event');
}

/** What an event is called. */
export function eventText(entry: Pick<ActivityEntry, 'type'>): string {
  switch (entry.type) {
    case 'added':
      return t('Added');
    case 'connected':
      return t('Signed in');
    case 'refreshed':
      return t('Token renewed');
    case 'scopes_dropped':
      return t('Scopes dropped');
    case 'scopes_restored':
      return t('Scopes restored');
    case 'sign_in_failed':
      return t('Sign-in failed');
    case 'sign_in_cancelled':
      return t('Sign-in cancelled');
    case 'refresh_failed':
      return t('Renewal failed');
    case 'consent_needed':
      return t('More scopes needed');
    case 'sign_in_needed':
      return t('Sign-in needed');
    case 'disconnected':
      return t('Disconnected');
  }
}
