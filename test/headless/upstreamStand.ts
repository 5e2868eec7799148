import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { Connection } from '../../src/connections/connection.ts';
import type { UpstreamAnswer } from '../../src/gateway/ports.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createGuardedFetch, type GuardedFetchOptions } from '../../src/platform/guardedFetch.ts';
import { createUpstream } from '../../src/platform/upstream.ts';
import type { ManualClock } from './memoryPorts.ts';

export type Lookup = NonNullable<GuardedFetchOptions['lookup']>;

export const NO_BODY = Buffer.alloc(0);

/** A connection that is here for its URL and settings only. */
export function connectionTo(serverUrl: string, settings: Connection['settings'] = {}): Connection {
  return {
    id: 'one',
    name: 'One',
    slug: 'one',
    serverUrl,
    kind: 'static_token',
    requested: [],
    challenged: [],
    settings,
    state: { type: 'disconnected' },
  };
}

interface UpstreamStandOptions {
  readonly lookup?: Lookup;
  readonly clock?: ManualClock;
  readonly extraCaFile?: () => string | undefined;
}

/** What sends requests to MCP servers, without a gateway before it. */
export function startUpstream(t: TestContext, { clock, extraCaFile, lookup }: UpstreamStandOptions = {}) {
  const more = { ...(lookup !== undefined && { lookup }), ...(extraCaFile !== undefined && { extraCaFile }) };
  const guardedFetch = createGuardedFetch({ version: '0', ...more });
  const upstream = createUpstream({ guardedFetch, clock: clock ?? systemClock, ...more });
  t.after(() => {
    upstream.dispose();
    guardedFetch.dispose();
  });
  return {
    upstream,
    /** Sends a request, reads its answer, and gives the status. */
    get: async (connection: Connection): Promise<number> => {
      const head = { method: 'GET', url: connection.serverUrl, headers: [] };
      return (await readAnswer(upstream.send(connection, head, NO_BODY).answer)).status;
    },
  };
}

/** All of an answer; afterwards its connection is free. */
export async function readAnswer(answered: Promise<UpstreamAnswer>) {
  const answer = await answered;
  const { headers, statusCode: status, whole } = answer;
  const body = whole ?? (await buffer(answer.body));
  // The connection is free at the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  return { status, headers, body: body.toString() };
}
