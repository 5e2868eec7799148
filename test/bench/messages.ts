import * as v from 'valibot';

/** What a process of the bench is asked for by its parent. */
export const questionSchema = v.object({ type: v.literal('usage'), isMemoryWanted: v.boolean() });

export const usageSchema = v.object({
  type: v.literal('usage'),
  /** User and system time since its start, in microseconds. */
  cpuUs: v.number(),
  /** Bytes of memory. */
  rss: v.number(),
  /**
   * The same, with pages that processes share counted only in part. Undefined where the system tells none, and unless it
   * was asked for: to find it out takes the process 10 ms.
   */
  pss: v.exactOptional(v.number()),
  /** How many connections it has had, where it counts them. */
  accepted: v.number(),
});
export type Usage = v.InferOutput<typeof usageSchema>;

/** What a process of the bench tells its parent. */
export const tellingSchema = v.variant('type', [v.object({ type: v.literal('ready'), port: v.number() }), usageSchema]);
export type Telling = v.InferOutput<typeof tellingSchema>;
