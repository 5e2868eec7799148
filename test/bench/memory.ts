import { setTimeout as delay } from 'node:timers/promises';
import type { AskUsage, Target } from './targets.ts';

/** What starting has used is given back by then, where it is given back at all. */
const SETTLE_MS = 2000;

export interface Memory {
  readonly rss: number;
  readonly pss: number;
}

/**
 * The memory that processes take while each target has been called once and then is idle, with its stream open.
 * @param usages asks each process once
 */
export async function measureIdleMemory(targets: readonly Target[], usages: readonly AskUsage[]): Promise<Memory> {
  const streams = await Promise.all(targets.map(async (target) => target.openStream(() => undefined)));
  for (const target of targets) {
    const lane = await target.openLane();
    await lane.call();
    lane.close();
  }
  await delay(SETTLE_MS);
  const used = await Promise.all(usages.map(async (usage) => usage(true)));
  for (const stream of streams) stream.close();
  return {
    rss: used.reduce((sum, { rss }) => sum + rss, 0),
    pss: used.reduce((sum, { pss }) => sum + (pss ?? 0), 0),
  };
}
