import { brokenRule } from '../brokenRule.ts';
import { type AnyScopekeeperError, isConnectionError } from '../errors.ts';
import { isOAuthError, type OAuthErrorCode, type ScopekeeperError } from '../../oauth/errors.ts';
import type { TracePurpose } from '../trace.ts';
import { type Facts, isInBrowser } from './facts.ts';
import { type Finding, finding, type Judged, JUDGED } from './finding.ts';

/** What only a sign-in shows: what discovery shows is judged anew, whatever the last sign-in ended with. */
const SHOWN_BY_SIGN_IN: ReadonlySet<string> = new Set<OAuthErrorCode>([
  'registration_refused',
  'client_rejected',
  'authorization_denied',
  'authorization_failed',
  'callback_issuer_mismatch',
  'callback_state_unknown',
  'resource_rejected',
  'identity_ended',
  'device_code_expired',
  'access_token_refused',
  'grant_rejected',
  'token_request_failed',
  'token_response_invalid',
]);

/** The rules that only a sign-in shows, with the step whose success shows that they held. */
const BY_STEP = [
  ['P9', 'registration'],
  ['P12', 'registration'],
  ['P14', 'token'],
  ['P16', 'callback'],
] as const satisfies readonly (readonly [Judged, TracePurpose])[];

/** What the last sign-in tells of the rules that cannot be judged without one. */
export function judgeLastSignIn(facts: Facts): readonly Finding[] {
  const { connection, lastSignIn } = facts;
  const failure = shownBySignIn(lastSignIn === undefined ? connection?.lastError : lastSignIn.error);
  const rule = failure === undefined ? undefined : judgedOf(failure);
  const error = failure === undefined ? undefined : ({ type: 'error', error: failure, isLastTime: true } as const);
  const steps = lastSignIn?.steps ?? [];
  const byStep = BY_STEP.map(([judged, purpose]) => {
    if (judged === 'P14' && connection?.settings.omitResource === true) {
      return finding(judged, 'worked_around', { type: 'resource_left_out' });
    }
    if (judged === 'P16' && !isInBrowser(facts)) return finding(judged, 'not_testable', { type: 'not_used' });
    const hasHeld = steps.some((step) => step.purpose === purpose && isGood(step.status, purpose));
    return hasHeld
      ? finding(judged, 'passed', { type: 'held_last_time' })
      : finding(judged, 'not_testable', { type: 'needs_sign_in' });
  });
  if (error === undefined) {
    const signIn =
      lastSignIn?.outcome === 'authorized' ? [finding('sign_in', 'passed', { type: 'held_last_time' })] : [];
    return [...byStep, ...signIn];
  }
  const told = finding(rule ?? 'sign_in', 'broken', error);
  return [...byStep.filter(({ judged }) => judged !== told.judged), told];
}

function isGood(status: number | undefined, purpose: TracePurpose): boolean {
  return purpose === 'callback' || (status !== undefined && status < 300);
}

function judgedOf(error: AnyScopekeeperError): Judged | undefined {
  const { rule } = brokenRule(error);
  return JUDGED.find((judged) => judged === rule);
}

function shownBySignIn(error: ScopekeeperError | undefined): AnyScopekeeperError | undefined {
  if (isConnectionError(error, 'authorization_timed_out') || isConnectionError(error, 'credentials_missing'))
    return error;
  return isOAuthError(error) && SHOWN_BY_SIGN_IN.has(error.code) ? error : undefined;
}
