import * as v from 'valibot';

/** Set, as JSON, while the bench measures the gateway of a real extension host from outside. */
export const BENCH_VARIABLE = 'SCOPEKEEPER_BENCH';

export const benchRequestSchema = v.object({
  /** The server to connect, which takes any token. */
  serverUrl: v.string(),
  /** Where to write what the bench needs; when the file is gone, the bench is done. */
  file: v.string(),
  /** What the second client may use. */
  tools: v.array(v.string()),
});

/** What the bench needs. */
export const hostedGatewaySchema = v.object({
  pid: v.number(),
  url: v.string(),
  token: v.string(),
  /** Of a client that may use some tools only. */
  filteredToken: v.string(),
});
export type HostedGateway = v.InferOutput<typeof hostedGatewaySchema>;
