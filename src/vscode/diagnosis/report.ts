import type { Connection } from '../../connections/connection.ts';
import type { Diagnosis } from '../../connections/diagnosis/diagnose.ts';
import type { Finding, Verdict } from '../../connections/diagnosis/finding.ts';
import type { AuthorizationTrace, TraceField, TraceStep } from '../../connections/trace.ts';
import { actionLabel, type CommandCall, commandOf } from '../errorActions.ts';
import type { ErrorAction } from '../errorWords.ts';
import { commandIds } from '../ids.ts';
import { t } from '../localize.ts';
import { purposeText } from '../purposeText.ts';
import { displayUrl } from '../untrustedText.ts';
import { findingText } from './findingText.ts';
import { judgedText, verdictText } from './judgedText.ts';

/** A button of the report. */
export interface ReportButton extends CommandCall {
  readonly label: string;
}

/** One rule and what came of it, in words. */
export interface ReportRow {
  readonly verdict: Verdict;
  /** A sign that tells the verdict without colour. */
  readonly sign: string;
  readonly verdictWords: string;
  readonly title: string;
  readonly source?: string;
  readonly text: string;
  readonly nextStep?: string;
  readonly button?: ReportButton;
}

/** One request, or one step in the browser. */
export interface ReportRequest {
  readonly number: number;
  readonly purpose: string;
  readonly request: string;
  readonly answer: string;
  readonly duration: string;
  readonly isFault: boolean;
  readonly sent: readonly TraceField[];
  readonly received: readonly TraceField[];
}

/** A diagnosis in words: what is drawn, and what is copied. All texts are plain; none holds a secret. */
export interface Report {
  /** What the person calls it. */
  readonly name: string;
  readonly host: string;
  readonly serverUrl: string;
  readonly verdict: Verdict;
  /** One sentence that names the cause, or says that there is none. */
  readonly headline: string;
  readonly nextStep?: string;
  readonly buttons: readonly ReportButton[];
  readonly rows: readonly ReportRow[];
  readonly requests: readonly ReportRequest[];
  readonly lastSignIn: readonly ReportRequest[];
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
  readonly tookMs: number;
}

/** What is broken first, and what is not known last; as the rules go otherwise. */
const ORDER: Readonly<Record<Verdict, number>> = { broken: 0, worked_around: 1, passed: 2, not_testable: 3 };

/** Puts a diagnosis into words. */
export function reportOf(diagnosis: Diagnosis, connection: Connection | undefined): Report {
  const { cause, findings, lastSignIn, requests, serverUrl } = diagnosis;
  const { startedAt, endedAt = startedAt } = requests;
  const { host } = new URL(serverUrl);
  const rows = findings
    .toSorted((a, b) => ORDER[a.verdict] - ORDER[b.verdict])
    .map((finding) => rowOf(finding, cause === undefined || finding === cause || !isUnsafe(cause), connection));
  return {
    name: connection?.name ?? host,
    host,
    serverUrl: displayUrl(serverUrl),
    ...headlineOf(cause, findings, connection, serverUrl),
    rows,
    requests: requestsOf(requests),
    lastSignIn: lastSignIn === undefined ? [] : requestsOf(lastSignIn),
    madeAt: startedAt,
    tookMs: endedAt - startedAt,
  };
}

function headlineOf(
  cause: Finding | undefined,
  findings: readonly Finding[],
  connection: Connection | undefined,
  serverUrl: string,
): Pick<Report, 'headline' | 'nextStep' | 'verdict' | 'buttons'> {
  const again: ReportButton = {
    label: t('Diagnose Again'),
    command: commandIds.diagnoseConnection,
    args: [connection?.id ?? serverUrl],
  };
  const copy: ReportButton = { label: t('Copy Report'), command: commandIds.copyDiagnosis, args: [] };
  if (cause !== undefined) {
    const { action, nextStep, text } = findingText(cause);
    const button = buttonOf(action, connection);
    return {
      verdict: 'broken',
      headline: text,
      ...(nextStep !== undefined && { nextStep }),
      buttons: [...(button === undefined ? [] : [button]), copy, again],
    };
  }
  const count = findings.filter(({ verdict }) => verdict === 'worked_around').length;
  const buttons = [copy, again];
  if (count === 0)
    return { verdict: 'passed', headline: t('Nothing is wrong, as far as it shows without signing in.'), buttons };
  const headline =
    count === 1
      ? t('Nothing keeps you from signing in. Scopekeeper works around one thing that is not as it should be.')
      : t(
          'Nothing keeps you from signing in. Scopekeeper works around {0} things that are not as they should be.',
          count,
        );
  return { verdict: 'worked_around', headline, buttons };
}

/** What one must not sign in through, whatever else is set. */
function isUnsafe({ judged }: Finding): boolean {
  return judged === 'P3' || judged === 'P5' || judged === 'P20';
}

/** @param isHelped whether it is of use to set something against this fault. */
function rowOf(finding: Finding, isHelped: boolean, connection: Connection | undefined): ReportRow {
  const { judged, verdict } = finding;
  const { sign, words } = verdictText(verdict);
  const { action, nextStep, text } = findingText(finding);
  const button = verdict === 'broken' && isHelped ? buttonOf(action, connection) : undefined;
  return {
    ...judgedText(judged),
    verdict,
    sign,
    verdictWords: words,
    text,
    ...(verdict === 'broken' && isHelped && nextStep !== undefined && { nextStep }),
    ...(button !== undefined && { button }),
  };
}

/** What helps, where it is more than to try again: for a URL that is not connected there is nothing to set. */
function buttonOf(action: ErrorAction | undefined, connection: Connection | undefined): ReportButton | undefined {
  if (action === undefined || action === 'try_again') return undefined;
  const call = commandOf(action, connection);
  return call === undefined ? undefined : { label: actionLabel(action), ...call };
}

function requestsOf({ steps }: AuthorizationTrace): readonly ReportRequest[] {
  return steps.map((step, index) => ({
    number: index + 1,
    purpose: purposeText(step.purpose),
    request: `${step.method} ${step.url}`,
    answer: answerText(step),
    duration: step.durationMs === undefined ? '' : t('{0} ms', Math.round(step.durationMs)),
    isFault: step.errorCode !== undefined,
    sent: step.sent,
    received: step.received,
  }));
}

function answerText({ errorCode, purpose, status }: TraceStep): string {
  const answer = status === undefined ? '' : String(status);
  if (errorCode !== undefined) return answer === '' ? errorCode : `${answer}, ${errorCode}`;
  if (answer !== '') return answer;
  return purpose === 'authorization' || purpose === 'callback' ? t('in the browser') : t('no answer');
}
