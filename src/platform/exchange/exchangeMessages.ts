import { array, type InferOutput, literal, number, object, optional, picklist, record, string, variant } from 'valibot';

/** What the process that sends a refresh is given, over its standard input and nowhere else: it is all secret. */
export const exchangeOrderSchema = object({
  url: string(),
  reach: picklist(['public', 'private', 'loopback']),
  headers: record(string(), string()),
  body: string(),
  /** Names that must have private addresses alone. */
  privateHosts: array(string()),
  /** Of the extension, for the `User-Agent`. */
  version: string(),
  journal: object({ folder: string(), key: string() }),
  exchange: object({ connectionId: string(), generation: number(), refreshToken: string() }),
});

export type ExchangeOrder = InferOutput<typeof exchangeOrderSchema>;

/** The first line that it tells: it runs, and can be given its order. */
export const READY = 'ready';

/** The second and last line: what became of it. */
export const exchangeReportSchema = variant('type', [
  /** `isRecorded`: it is a success, and in the journal. */
  object({
    type: literal('answered'),
    status: number(),
    headers: record(string(), string()),
    body: string(),
    isRecorded: optional(literal(true)),
  }),
  /** The server has got nothing of the request: it can be sent in another way. `isUntrusted`: its certificate is why. */
  object({ type: literal('not_sent'), isUntrusted: optional(literal(true)) }),
  /** Whether the server got it is not known. */
  object({ type: literal('failed'), failure: picklist(['timeout', 'reset', 'other']) }),
]);

export type ExchangeReport = InferOutput<typeof exchangeReportSchema>;
