import { array, exactOptional, type GenericSchema, number, object, picklist, pipe, readonly, string } from 'valibot';
import { type AuthorizationTrace, TRACE_PURPOSES, type TraceStep } from '../connections/trace.ts';
import { revivedErrorSchema } from './wireErrors.ts';

const fields = pipe(array(object({ name: string(), value: string() })), readonly());

const stepSchema = object({
  at: number(),
  durationMs: exactOptional(number()),
  purpose: picklist(TRACE_PURPOSES),
  method: string(),
  url: string(),
  sent: fields,
  status: exactOptional(number()),
  received: fields,
  errorCode: exactOptional(string()),
  rule: exactOptional(string()),
  // Nothing may be left out: a schema drops what it does not name.
} satisfies { readonly [K in keyof Required<TraceStep>]: GenericSchema });

/** The steps of a sign-in, as the owner tells them to a guest. */
export const traceSchema = object({
  startedAt: number(),
  endedAt: exactOptional(number()),
  outcome: picklist(['running', 'authorized', 'cancelled', 'failed']),
  error: exactOptional(revivedErrorSchema),
  steps: pipe(array(stepSchema), readonly()),
  omitted: exactOptional(number()),
} satisfies { readonly [K in keyof Required<AuthorizationTrace>]: GenericSchema });
