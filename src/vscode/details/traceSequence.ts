import { JUDGED } from '../../connections/diagnosis/finding.ts';
import type { AuthorizationTrace, TraceField, TracePurpose, TraceStep } from '../../connections/trace.ts';
import type { ScopekeeperError } from '../../oauth/errors.ts';
import { plainText } from '../../oauth/errors.ts';
import { judgedText } from '../diagnosis/judgedText.ts';
import { errorText } from '../errorText.ts';
import { t, userLanguage } from '../localize.ts';
import { purposeText } from '../purposeText.ts';
import { absoluteText, agoText } from '../relativeTime.ts';
import { displayUrl } from '../untrustedText.ts';
import {
  type DetailsProblem,
  type Lane,
  LANES,
  type SequenceModel,
  type StepModel,
  type Tone,
} from './detailsMessages.ts';

/** More than any sign-in takes; a server that leads on for ever is cut off here. */
const MOST_STEPS = 100;
const LONGEST_VALUE = 2000;

/**
 * The last authorization as a sequence of steps, at the instant `now` (ms since the epoch).
 * @param trace undefined when none is known
 * @param isOwnToken whether the person brings the token, so that there is no authorization to be seen
 */
export function traceSequence(trace: AuthorizationTrace | undefined, isOwnToken: boolean, now: number): SequenceModel {
  const base = {
    title: t('Last authorization'),
    lanes: LANES.map((lane) => ({ lane, name: laneName(lane) })),
    stepsTitle: t('Steps, in order'),
  };
  if (trace === undefined || trace.steps.length === 0) {
    const problem = trace?.error === undefined ? {} : { problem: problemOf(trace.error) };
    return { ...base, ...problem, empty: emptyText(isOwnToken), tone: 'quiet', outcome: '', steps: [], omitted: '' };
  }
  const failed = failedStep(trace);
  const steps = trace.steps.slice(0, MOST_STEPS).map((step, index) => {
    const problem = failed === index && trace.error !== undefined ? problemOf(trace.error, step.rule) : undefined;
    return stepModel(step, index, trace, problem);
  });
  const isTold = failed !== undefined && failed < steps.length;
  return {
    ...base,
    tone: OUTCOME_TONES[trace.outcome],
    outcome: outcomeText(trace, now),
    steps,
    omitted: omittedText(trace),
    ...(trace.error !== undefined && !isTold && { problem: problemOf(trace.error) }),
  };
}

function emptyText(isOwnToken: boolean): string {
  return isOwnToken
    ? t('There is no authorization to be seen: you entered the token yourself.')
    : t('No authorization was recorded since this editor started. The next one is shown here step by step.');
}

function omittedText({ omitted = 0, steps }: AuthorizationTrace): string {
  const left = omitted + Math.max(0, steps.length - MOST_STEPS);
  return left === 0 ? '' : t('{0} more steps are left out.', left);
}

/** The index of the step at which it failed: the last one that ended with that error, or with any. */
function failedStep({ error, steps }: AuthorizationTrace): number | undefined {
  if (error === undefined) return undefined;
  const same = steps.findLastIndex(({ errorCode }) => errorCode === error.code);
  const any = same === -1 ? steps.findLastIndex(({ errorCode }) => errorCode !== undefined) : same;
  return any === -1 ? undefined : any;
}

function problemOf(error: ScopekeeperError, rule?: string): DetailsProblem {
  const { message, nextStep } = errorText(error);
  const judged = JUDGED.find((known) => known === rule);
  if (judged === undefined) return { message, nextStep };
  const { source = judged, title } = judgedText(judged);
  return { rule: { source, text: t('Not so: {0}', title) }, message, nextStep };
}

const OUTCOME_TONES: Readonly<Record<AuthorizationTrace['outcome'], Tone>> = {
  running: 'working',
  authorized: 'good',
  cancelled: 'quiet',
  failed: 'bad',
};

function outcomeText({ outcome, startedAt, endedAt, steps }: AuthorizationTrace, now: number): string {
  const when = absoluteText(startedAt);
  const ago = agoText(startedAt, now);
  const count = steps.length === 1 ? t('1 step') : t('{0} steps', steps.length);
  const took = endedAt === undefined ? count : t('{0} in {1}', count, durationText(endedAt - startedAt));
  switch (outcome) {
    case 'running':
      return t('Running since {0} ({1}), {2} so far', when, ago, count);
    case 'authorized':
      return t('Authorized on {0} ({1}), {2}', when, ago, took);
    case 'cancelled':
      return t('Cancelled on {0} ({1}), {2}', when, ago, took);
    case 'failed':
      return t('Failed on {0} ({1}), {2}', when, ago, took);
  }
}

function stepModel(
  step: TraceStep,
  index: number,
  { startedAt, outcome }: AuthorizationTrace,
  problem: DetailsProblem | undefined,
): StepModel {
  const isRunning = outcome === 'running' && step.durationMs === undefined && step.errorCode === undefined;
  const arrows = arrowsOf(step);
  return {
    key: String(index),
    title: purposeText(step.purpose),
    route: routeText(arrows),
    arrows,
    request: `${step.method} ${displayUrl(step.url)}`.trim(),
    time: timeText(step, startedAt),
    tone: problem !== undefined ? 'bad' : isRunning ? 'working' : step.errorCode === undefined ? 'good' : 'warning',
    status: statusText(step, isRunning),
    fields: [
      fieldList(t('Sent'), t('nothing'), step.sent),
      fieldList(t('Received'), isRunning ? t('nothing yet') : t('nothing'), step.received),
    ],
    ...(problem !== undefined && { problem }),
  };
}

function fieldList(title: string, empty: string, fields: readonly TraceField[]): StepModel['fields'][number] {
  return {
    title,
    empty,
    fields: fields.map(({ name, value }) => ({
      label: plainText(name, LONGEST_VALUE) ?? '',
      value: plainText(value, LONGEST_VALUE) ?? t('(empty)'),
    })),
  };
}

function statusText({ errorCode, status }: TraceStep, isRunning: boolean): string {
  if (isRunning) return t('waiting…');
  const code = errorCode?.replaceAll('_', ' ');
  if (status === undefined) return code ?? t('done');
  return code === undefined ? String(status) : t('{0}, {1}', status, code);
}

/** `+0.35 s, 120 ms`: since the beginning, and how long it took. */
function timeText({ at, durationMs }: TraceStep, startedAt: number): string {
  const since = t('+{0}', durationText(at - startedAt));
  return durationMs === undefined ? since : t('{0}, took {1}', since, durationText(durationMs));
}

function durationText(ms: number): string {
  const length = Math.max(0, ms);
  return length < 1000 ? t('{0} ms', numberText(length, 0)) : t('{0} s', numberText(length / 1000, 1));
}

function numberText(value: number, maximumFractionDigits: number): string {
  return new Intl.NumberFormat(userLanguage(), { maximumFractionDigits }).format(value);
}

const ANSWERED_BY: Readonly<Record<Exclude<TracePurpose, 'authorization' | 'callback'>, Lane>> = {
  probe: 'server',
  resource_metadata: 'server',
  server_metadata: 'authorizationServer',
  registration: 'authorizationServer',
  device_authorization: 'authorizationServer',
  token: 'authorizationServer',
  refresh: 'authorizationServer',
  revocation: 'authorizationServer',
  other: 'server',
};

/** Who tells whom. The authorization goes through the browser, both ways; all else is asked and answered. */
function arrowsOf({ purpose, status }: TraceStep): StepModel['arrows'] {
  if (purpose === 'authorization') {
    return [
      { from: 'scopekeeper', to: 'browser', isAnswer: false },
      { from: 'browser', to: 'authorizationServer', isAnswer: false },
    ];
  }
  if (purpose === 'callback') {
    return [
      { from: 'authorizationServer', to: 'browser', isAnswer: true },
      { from: 'browser', to: 'scopekeeper', isAnswer: true },
    ];
  }
  const lane = ANSWERED_BY[purpose];
  const asked = { from: 'scopekeeper', to: lane, isAnswer: false } as const;
  return status === undefined ? [asked] : [asked, { from: lane, to: 'scopekeeper', isAnswer: true }];
}

function routeText(arrows: StepModel['arrows']): string {
  const isAskedAndAnswered = arrows[0]?.from === arrows[1]?.to;
  const way = isAskedAndAnswered ? arrows.slice(0, 1) : arrows;
  const lanes = way.flatMap(({ from, to }, index) => (index === 0 ? [from, to] : [to]));
  return lanes.map(laneName).join(' → ');
}

function laneName(lane: Lane): string {
  switch (lane) {
    case 'scopekeeper':
      return 'Scopekeeper';
    case 'browser':
      return t('Browser');
    case 'server':
      return t('MCP server');
    case 'authorizationServer':
      return t('Authorization server');
  }
}
