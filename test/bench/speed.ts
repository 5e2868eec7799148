import type { Target } from './targets.ts';

/** So short that all targets meet the same load of the machine, and long enough that a proxy is warm in most of it. */
const CALLS_PER_BLOCK = 20;
const CALLS_AT_ONCE = 16;

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Throughput {
  /** Of the window in the middle: what else the machine did in one of them does not count. */
  readonly perSecond: number;
  /** Undefined without a process of its own. */
  readonly cpuUsPerRequest?: number;
}

/** The value below which `share` of the values are. */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

/** Calls one after the other, in small blocks that take turns. The first blocks are not counted. */
export async function measureLatency(
  targets: readonly Target[],
  blocks: number,
  warmUp: number,
): Promise<Map<Target, Latency>> {
  const lanes = await Promise.all(
    targets.map(async (target) => ({ target, lane: await target.openLane(), times: new Array<number>() })),
  );
  for (let block = -warmUp; block < blocks; block++) {
    // Whose turn is first changes, so that none profits from what comes before it.
    const first = (block + warmUp) % lanes.length;
    for (const { lane, times } of [...lanes.slice(first), ...lanes.slice(0, first)]) {
      for (let call = 0; call < CALLS_PER_BLOCK; call++) {
        const startedAt = performance.now();
        await lane.call();
        if (block >= 0) times.push(performance.now() - startedAt);
      }
    }
  }
  return new Map(
    lanes.map(({ target, lane, times }) => {
      lane.close();
      return [target, { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }];
    }),
  );
}

/** Calls many at once, in short windows that take turns. The first round is not counted. */
export async function measureThroughput(
  targets: readonly Target[],
  rounds: number,
  windowMs: number,
): Promise<Map<Target, Throughput>> {
  const all = await Promise.all(
    targets.map(async (target) => ({
      target,
      lanes: await Promise.all(Array.from({ length: CALLS_AT_ONCE }, async () => target.openLane())),
      rates: new Array<number>(),
      calls: 0,
      cpuUs: 0,
    })),
  );
  for (let round = -1; round < rounds; round++) {
    for (const one of all) {
      const before = (await one.target.usage?.())?.cpuUs ?? 0;
      const startedAt = performance.now();
      const until = startedAt + windowMs;
      const calls = await Promise.all(
        one.lanes.map(async (lane) => {
          let done = 0;
          for (; performance.now() < until; done++) await lane.call();
          return done;
        }),
      );
      const elapsedMs = performance.now() - startedAt;
      const after = (await one.target.usage?.())?.cpuUs ?? 0;
      if (round < 0) continue;
      const sum = calls.reduce((total, done) => total + done, 0);
      one.rates.push((sum / elapsedMs) * 1000);
      one.calls += sum;
      one.cpuUs += after - before;
    }
  }
  return new Map(
    all.map(({ target, lanes, rates, calls, cpuUs }) => {
      for (const lane of lanes) lane.close();
      const cpu = target.usage === undefined ? {} : { cpuUsPerRequest: cpuUs / calls };
      return [target, { perSecond: percentile(rates, 0.5), ...cpu }];
    }),
  );
}
