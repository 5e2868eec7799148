import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { questionSchema, type Telling, type Usage } from './messages.ts';

/**
 * Tells the parent what this process has used, whenever it asks, and ends with the parent.
 * @param accepted gives how many connections were accepted so far
 */
export function answerUsage(accepted?: () => number): void {
  process.on('message', (message) => {
    if (!v.is(questionSchema, message)) return;
    tell(ownUsage(accepted));
  });
  process.on('disconnect', () => process.exit());
  // A program that would end by itself is not kept from it.
  process.channel?.unref();
}

/** What this process has used so far. */
export function ownUsage(accepted: () => number = () => 0): Usage {
  const { user, system } = process.cpuUsage();
  const rss = process.memoryUsage.rss();
  return { type: 'usage', cpuUs: user + system, rss, pss: ownPss(), accepted: accepted() };
}

/** Tells the parent something. */
export function tell(telling: Telling): void {
  process.send?.(telling);
}

/** Linux only. */
function ownPss(): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
