import type { ActivityEntry } from '../../connections/activity.ts';
import { currentGrant, type Connection } from '../../connections/connection.ts';
import type { DevicePrompt } from '../../connections/connectionService.ts';
import { healthOf, type HealthLevel } from '../../connections/health.ts';
import type { AuthorizationTrace } from '../../connections/trace.ts';
import { plainText } from '../../oauth/errors.ts';
import { deviceText } from '../deviceText.ts';
import { errorText } from '../errorText.ts';
import { signsInText } from '../kindText.ts';
import { t } from '../localize.ts';
import { instantText } from '../rowText.ts';
import { connectionFlags, eventText, expiresText, statusText } from '../treeText.ts';
import { displayUrl } from '../untrustedText.ts';
import type { DetailsAction, DetailsModel, HeaderModel, Tone } from './detailsMessages.ts';
import { lastErrorFix } from './lastErrorFix.ts';
import { scopeMatrix } from './scopeMatrix.ts';
import { timelineModel } from './timelineModel.ts';
import { traceSequence } from './traceSequence.ts';

const LONGEST_TEXT = 300;

/** All that the details view draws of one connection. Holds no secret. */
export interface DetailsInput {
  readonly connection: Connection;
  readonly activity: readonly ActivityEntry[];
  readonly trace: AuthorizationTrace | undefined;
  /** What its sign-in waits for to be entered. */
  readonly device: DevicePrompt | undefined;
  /** In ms since the epoch. */
  readonly now: number;
}

/** What the details view shows at the instant `now`. */
export function detailsModel(input: DetailsInput): DetailsModel {
  const { activity, connection, now, trace } = input;
  const header = headerModel(input);
  const last = activity.at(-1);
  return {
    header,
    timeline: timelineModel(connection, activity, now),
    matrix: scopeMatrix(connection, activity, now),
    sequence: traceSequence(trace, connection.kind === 'static_token', now),
    announcement: [header.name, header.state, ...(last === undefined ? [] : [eventText(last)])].join(', '),
  };
}

const TONE_OF: Readonly<Record<HealthLevel, Tone>> = {
  ok: 'good',
  working: 'working',
  offline: 'away',
  attention: 'warning',
  error: 'bad',
  failed: 'bad',
  off: 'quiet',
};

function headerModel({ connection, device, now }: DetailsInput): HeaderModel {
  const level = healthOf(connection, now);
  const { lastError, state } = connection;
  const prompt = state.type === 'authorizing' ? device : undefined;
  return {
    name: plainText(connection.name, LONGEST_TEXT) ?? '',
    tone: TONE_OF[level],
    state: stateText(connection, level),
    status: prompt === undefined ? statusText(connection, now) : deviceText(prompt),
    factsTitle: t('About this connection'),
    facts: factsOf(connection, now),
    ...(lastError !== undefined && { problem: withoutAction(lastError) }),
    actionsTitle: t('Actions'),
    actions: actionsOf(connection, level),
  };
}

function withoutAction(error: unknown): { readonly message: string; readonly nextStep: string } {
  const { message, nextStep } = errorText(error);
  return { message, nextStep };
}

/** The state in a word or two: what the icon beside it says. */
function stateText({ state }: Connection, level: HealthLevel): string {
  switch (level) {
    case 'ok':
      return t('Connected');
    case 'working':
      return state.type === 'refreshing' ? t('Renewing') : t('Signing in');
    case 'offline':
      return t('Trying again by itself');
    case 'attention':
      return state.type === 'needsConsent' ? t('Needs more scopes') : t('Needs you soon');
    case 'error':
      return t('Needs sign-in');
    case 'failed':
      return t('Not connected');
    case 'off':
      return t('Signed out');
  }
}

function factsOf(connection: Connection, now: number): HeaderModel['facts'] {
  const { account, issuer, kind, resource, serverUrl } = connection;
  const grant = currentGrant(connection);
  const facts: readonly (readonly [string, string | undefined])[] = [
    [t('Server'), displayUrl(serverUrl)],
    [t('Token is for'), resource === undefined ? undefined : displayUrl(resource)],
    [t('Authorization server'), issuer === undefined ? undefined : displayUrl(issuer)],
    [t('Account'), account],
    [t('Signs in with'), signsInText(connection)],
    [kind === 'static_token' ? t('Entered') : t('Signed in'), grant && instantText(grant.issuedAt, now)],
    [t('Renewed'), grant?.refreshedAt === undefined ? undefined : instantText(grant.refreshedAt, now)],
    [t('Expires'), grant && expiresText(connection, now).description],
  ];
  return facts.flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, value: plainText(value, LONGEST_TEXT) ?? '' }],
  );
}

/** The buttons: what a menu would offer on the row of this connection, the most useful first. */
function actionsOf(connection: Connection, level: HealthLevel): HeaderModel['actions'] {
  const flags = new Set(connectionFlags(connection));
  const needsPerson = ['error', 'failed', 'attention', 'off'].includes(level);
  const fix = lastErrorFix(connection);
  const hasFix = fix !== undefined;
  const offered: readonly (readonly [DetailsAction, string, boolean, isPrimary?: boolean])[] = [
    ['fix', fix?.label ?? '', hasFix, true],
    ['signIn', t('Sign In'), flags.has('canSignIn'), !hasFix],
    ['reauthorize', t('Re-authorize'), flags.has('canReauthorize'), needsPerson && !hasFix],
    ['copySignInUrl', t('Copy Sign-In URL'), flags.has('waitsForBrowser'), true],
    ['cancelSignIn', t('Cancel Sign-In'), flags.has('isAuthorizing')],
    ['refreshToken', t('Refresh Token Now'), flags.has('canRefresh')],
    ['chooseScopes', t('Choose Scopes…'), flags.has('hasScopes')],
    ['diagnose', t('Diagnose…'), connection.kind !== 'static_token' && !flags.has('isAuthorizing')],
    ['copyGatewayUrl', t('Copy Gateway URL'), true],
    ['export', t('Export…'), true],
  ];
  return offered
    .filter(([, , isOffered]) => isOffered)
    .map(([action, label, , isPrimary = false]) => ({ action, label, isPrimary }));
}
