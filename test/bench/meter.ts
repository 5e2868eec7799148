import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { questionSchema, type Telling, type Usage } from './messages.ts';

/**
 * Tells the parent what this process has used, whenever it asks, and ends with the parent.
 * @param accepted gives how many connections there were so far
 */
export function answerUsage(accepted?: () => number): void {
  process.on('message', (message) => {
    if (v.is(questionSchema, message)) tell(ownUsage(message.isMemoryWanted, accepted));
  });
  process.on('disconnect', () => process.exit());
  // A program that would end by itself is not kept from it.
  process.channel?.unref();
}

/** What this process has used so far. */
export function ownUsage(isMemoryWanted: boolean, accepted: () => number = () => 0): Usage {
  const { user, system } = process.cpuUsage();
  const rss = process.memoryUsage.rss();
  const pss = isMemoryWanted ? ownPss() : undefined;
  return { type: 'usage', cpuUs: user + system, rss, ...(pss !== undefined && { pss }), accepted: accepted() };
}

/** Tells the parent something. */
export function tell(telling: Telling): void {
  process.send?.(telling);
}

/** Linux only. */
function ownPss(): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
