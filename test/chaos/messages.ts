import * as v from 'valibot';

/** The moments of a refresh at which a window is killed, in their order. At `sent` the server has rotated already. */
export const STEPS = [
  'before send',
  'sent',
  'headers',
  'body',
  'tmp written',
  'journaled',
  'parsed',
  'stored',
  'announced',
] as const;
export type Step = (typeof STEPS)[number];

const id = v.string();

/** What a window of the bench is told to do. It answers with one {@link Reply}; `open` comes before `done`. */
export const orderSchema = v.variant('type', [
  /** Adds the server and signs in to it. */
  v.object({ type: v.literal('connect'), serverUrl: v.string() }),
  /** Where the browser came back to. */
  v.object({ type: v.literal('callback'), url: v.string() }),
  /** Renews now; ends the process by SIGKILL at the step, if one is given. */
  v.object({ type: v.literal('refresh'), id, killAt: v.exactOptional(v.picklist(STEPS)) }),
  /** Puts its clock forward. There is no answer. */
  v.object({ type: v.literal('pass'), ms: v.number() }),
]);
export type Order = v.InferOutput<typeof orderSchema>;

const replySchema = v.variant('type', [
  /** It knows who keeps the connections. */
  v.object({ type: v.literal('ready') }),
  /** The person is to sign in there. */
  v.object({ type: v.literal('open'), url: v.string() }),
  v.object({ type: v.literal('done'), id }),
  /** With the code of the error. */
  v.object({ type: v.literal('failed'), code: v.string() }),
]);
export type Reply = v.InferOutput<typeof replySchema>;

const newsSchema = v.variant('type', [
  /** It is the owner now. */
  v.object({ type: v.literal('owner') }),
  /** What it shows of a connection has changed; when the token was renewed last, in milliseconds since the epoch. */
  v.object({ type: v.literal('changed'), id, state: v.string(), refreshedAt: v.exactOptional(v.number()) }),
]);
/** What a window tells without being asked. */
export type News = v.InferOutput<typeof newsSchema>;

export const reportSchema = v.variant('type', [replySchema, newsSchema]);
export type Report = Reply | News;
