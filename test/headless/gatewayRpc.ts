import * as v from 'valibot';
import { request } from '../../src/owner/windowProtocol.ts';
import { usageSchema } from '../bench/messages.ts';

const nothing = v.object({});

/** How a gateway process is started: its one argument, as JSON. */
export const gatewayOptionsSchema = v.object({
  /** The user's folder: connections, journal, keychain, registry and the port are there. */
  folder: v.string(),
  /** Whether the clock can be put forward. Such a one is slower than the system's. */
  hasMovableClock: v.boolean(),
  stepUpTimeoutMs: v.exactOptional(v.number()),
  lifetimes: v.exactOptional(v.object({ accessTokenMs: v.number(), refreshTokenMs: v.number(), graceMs: v.number() })),
});
export type GatewayOptions = v.InferOutput<typeof gatewayOptionsSchema>;

/** What a test asks of a gateway process, besides what a window may ask of the gateway. */
export const processRequests = {
  /** Answered when the gateway is served. */
  ready: request('ready', nothing, v.object({ port: v.number() })),
  /** Adds a server, and signs in to it unless the person has brought a token. The URL is the gateway's. */
  connect: request(
    'connect',
    v.object({ serverUrl: v.string(), accessToken: v.exactOptional(v.string()) }),
    v.object({ id: v.string(), url: v.string() }),
  ),
  /** Puts the clock forward, where it can be. */
  pass: request('pass', v.object({ ms: v.number() }), nothing),
  /** What it has used so far. */
  usage: request('usage', v.object({ isMemoryWanted: v.boolean() }), usageSchema),
};

/** What a gateway process asks of the test. */
export const personRequests = {
  /** Does what the person does in the browser; where it came back to. */
  browse: request('browse', v.object({ url: v.string() }), v.object({ callback: v.string() })),
};
