import type { ScopekeeperError } from '../oauth/errors.ts';

/** What a request of a sign-in, a renewal or a diagnosis is for. */
export const TRACE_PURPOSES = [
  'probe',
  'resource_metadata',
  'server_metadata',
  'registration',
  'device_authorization',
  'authorization',
  'callback',
  'token',
  'refresh',
  'revocation',
  'other',
] as const;
export type TracePurpose = (typeof TRACE_PURPOSES)[number];

/** A name and what it said: a parameter, a header or a member of an answer. What is secret is told by its length only. */
export interface TraceField {
  readonly name: string;
  readonly value: string;
}

/** One step: a request and its answer, or the way through the browser. Holds no secret. */
export interface TraceStep {
  /** When it began, in ms since the epoch. */
  readonly at: number;
  /** Undefined while it runs. */
  readonly durationMs?: number;
  readonly purpose: TracePurpose;
  readonly method: string;
  /** Without what is secret in it. */
  readonly url: string;
  readonly sent: readonly TraceField[];
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number;
  readonly received: readonly TraceField[];
  /** The code of the error that this step ended with. */
  readonly errorCode?: string;
  /** The wire rule that the answer broke, such as `P13`. */
  readonly rule?: string;
}

/** The last authorization of a connection, step by step. */
export interface AuthorizationTrace {
  /** In ms since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome: 'running' | 'authorized' | 'cancelled' | 'failed';
  readonly error?: ScopekeeperError;
  readonly steps: readonly TraceStep[];
  /** How many steps in their middle were left out, since there were too many. */
  readonly omitted?: number;
}
