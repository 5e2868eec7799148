import * as v from 'valibot';

/** What a process of the bench is asked for by its parent. */
export const questionSchema = v.object({ type: v.literal('usage') });

export const usageSchema = v.object({
  type: v.literal('usage'),
  /** User and system time since its start, in microseconds. */
  cpuUs: v.number(),
  /** Bytes of memory; `pss` counts pages that processes share only in part, and is 0 where the system tells none. */
  rss: v.number(),
  pss: v.number(),
  /** How many connections it has accepted, where it counts them. */
  accepted: v.number(),
});
export type Usage = v.InferOutput<typeof usageSchema>;

/** What a process of the bench tells its parent. */
export const tellingSchema = v.variant('type', [v.object({ type: v.literal('ready'), port: v.number() }), usageSchema]);
export type Telling = v.InferOutput<typeof tellingSchema>;
