import type { Fetch } from '../../oauth/fetchPort.ts';
import { parseServerUrl } from '../../oauth/serverUrl.ts';
import type { Connection } from '../connection.ts';
import { fetchOf } from '../fetchOf.ts';
import type { Clock, ResolveReach } from '../ports.ts';
import type { AuthorizationTrace } from '../trace.ts';
import { TraceRecorder } from '../traceRecorder.ts';
import { type Finding, JUDGED } from './finding.ts';
import {
  judgeAddresses,
  judgeAuthorizationEndpoint,
  judgeClientWays,
  judgeIssAdvertised,
  judgeIssuer,
  judgeIssuers,
  judgeMove,
  judgePkce,
  judgeRedirects,
  judgeRegistration,
  judgeServerMetadata,
} from './judgeAuthorizationServer.ts';
import type { Facts } from './facts.ts';
import { judgeLastSignIn } from './judgeLastSignIn.ts';
import {
  judgeChallenge,
  judgeNamedMetadata,
  judgeReach,
  judgeResource,
  judgeResourceMetadata,
  judgeScopes,
} from './judgeServer.ts';
import { observe, type ObserveOptions } from './observe.ts';

/** What a diagnosis found. Holds no secret. */
export interface Diagnosis {
  readonly serverUrl: string;
  /** In the order of {@link JUDGED}; a rule that was broken in two ways is there once. */
  readonly findings: readonly Finding[];
  /** What keeps a person from signing in; undefined when nothing is known that does. */
  readonly cause?: Finding;
  /** The requests that were made for it. */
  readonly requests: AuthorizationTrace;
  /** The sign-in whose outcome was taken into account. */
  readonly lastSignIn?: AuthorizationTrace;
}

export interface DiagnosePorts {
  readonly fetch: Fetch;
  readonly resolveReach: ResolveReach;
  readonly clock: Pick<Clock, 'now'>;
  /** The URL of this software's client metadata document, if it has one. */
  readonly clientMetadataUrl: () => string | undefined;
}

export interface DiagnoseRequest {
  readonly serverUrl: string;
  /** Undefined for a URL that is not connected. */
  readonly connection?: Connection | undefined;
  readonly lastSignIn?: AuthorizationTrace | undefined;
  readonly onStep?: ObserveOptions['onStep'];
  readonly signal: AbortSignal;
}

/**
 * Runs the steps of discovery anew, without signing in and without registering, and judges the rules P1-P20 as far as
 * they show. A step that fails ends nothing: all that can be told is told.
 * Throws `invalid_server_url`, `insecure_url` for the URL itself, and the signal's reason.
 */
export async function diagnose(ports: DiagnosePorts, request: DiagnoseRequest): Promise<Diagnosis> {
  const { connection, lastSignIn, onStep = () => undefined, serverUrl, signal } = request;
  const server = parseServerUrl(serverUrl);
  const recorder = new TraceRecorder(ports.clock);
  const observations = await observe(recorder, fetchOf(ports.fetch, connection?.settings ?? {}), server, {
    reach: await ports.resolveReach(server.href),
    learntResourceMetadataUrl: connection?.resourceMetadataUrl,
    knownIssuer: connection?.issuer,
    chosenIssuer: connection?.settings.issuer,
    onStep,
    signal,
  });
  signal.throwIfAborted();
  recorder.end('authorized');
  const findings = judge({
    observations,
    connection,
    lastSignIn,
    hasClientDocument: ports.clientMetadataUrl() !== undefined,
  });
  const cause = causeOf(findings);
  return {
    serverUrl: server.href,
    findings,
    ...(cause !== undefined && { cause }),
    requests: recorder.trace,
    ...(lastSignIn !== undefined && { lastSignIn }),
  };
}

const JUDGES: readonly ((facts: Facts) => Finding)[] = [
  judgeReach,
  judgeResourceMetadata,
  judgeNamedMetadata,
  judgeResource,
  judgeServerMetadata,
  judgeIssuer,
  judgeIssuers,
  judgeChallenge,
  judgeRegistration,
  judgeClientWays,
  judgeMove,
  judgePkce,
  judgeScopes,
  judgeIssAdvertised,
  judgeRedirects,
  judgeAuthorizationEndpoint,
  judgeAddresses,
];

/** Judges what was observed: one finding for each rule, in their order. */
export function judge(facts: Facts): readonly Finding[] {
  const findings = new Map(JUDGES.map((judgeOne) => judgeOne(facts)).map((one) => [one.judged, one]));
  for (const one of judgeLastSignIn(facts)) {
    // What is broken now counts, else what a sign-in has shown.
    if (findings.get(one.judged)?.verdict !== 'broken') findings.set(one.judged, one);
  }
  return JUDGED.flatMap((judged) => findings.get(judged) ?? []);
}

/** In which order faults are causes: of what is broken, the first of these makes the others, or hides them. */
const CAUSES: readonly Finding['judged'][] = [
  'P20',
  'reach',
  'P1',
  'P3',
  'P6',
  'P5',
  'P4',
  'P19',
  'P10',
  'P13',
  'P11',
  'P8',
];

function causeOf(findings: readonly Finding[]): Finding | undefined {
  const broken = findings.filter(({ verdict }) => verdict === 'broken');
  const first = CAUSES.map((judged) => broken.find((one) => one.judged === judged)).find((one) => one !== undefined);
  return first ?? broken[0];
}
