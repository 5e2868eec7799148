import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../src/connections/deferred.ts';
import { percentile } from './speed.ts';
import { HOLD_MS } from './streamedAnswers.ts';
import type { HttpTarget, Target } from './targets.ts';

/** Between two looks at the memory. */
const SAMPLE_MS = 50;
/**
 * V8 lets 64 MiB of what was read lie before it collects it, in any program on node:http: that much is taken once, and
 * what grows after it is ours.
 */
const WARM_UP_BYTES = 256 * 1024 * 1024;

/** How long an event takes from the server's write to the client, at the median. The streams get events in turn. */
export async function measureEventDelay(targets: readonly Target[], events: number): Promise<Map<Target, number>> {
  const all = await Promise.all(
    targets.map(async (target) => {
      const delays: number[] = [];
      const done = deferred<void>();
      const stream = await target.openStream((text) => {
        const receivedAt = process.hrtime.bigint();
        for (const [, sentAt = '0'] of text.matchAll(/"data":"(\d+)"/g)) {
          delays.push(Number(receivedAt - BigInt(sentAt)) / 1e6);
        }
        if (delays.length >= events) done.resolve();
      });
      return { target, delays, done, stream };
    }),
  );
  await Promise.all(all.map(async ({ done }) => done.promise));
  for (const { stream } of all) stream.close();
  return new Map(all.map(({ target, delays }) => [target, percentile(delays, 0.5)]));
}

export interface StreamedAnswer {
  readonly seconds: number;
  /** How much more memory the proxy held at the worst moment than at the worst moment of a shorter answer before. */
  readonly growthBytes: number;
}

/** Has an answer of so many bytes streamed through a target, and looks at the memory of its process meanwhile. */
export async function measureStreamedAnswer(target: HttpTarget, bytes: number): Promise<StreamedAnswer> {
  const before = await mostMemory(target, WARM_UP_BYTES);
  const startedAt = performance.now();
  const most = await mostMemory(target, bytes);
  return { seconds: (performance.now() - startedAt) / 1000, growthBytes: Math.max(0, most - before) };
}

/** The memory that a target's process held at the worst moment of an answer of so many bytes. */
async function mostMemory(target: HttpTarget, bytes: number): Promise<number> {
  const rss = async (): Promise<number> => (await target.usage?.())?.rss ?? 0;
  let most = await rss();
  const consumed = consume(await target.callTool('stream', { bytes }));
  let received: number | undefined;
  while (received === undefined) {
    most = Math.max(most, await rss());
    received = await Promise.race([consumed, delay(SAMPLE_MS, undefined)]);
  }
  if (received < bytes) throw new Error(`Only ${received} bytes came`);
  return most;
}

/** Reads an answer to its end; gives its size. */
async function consume(answer: IncomingMessage): Promise<number> {
  let received = 0;
  answer.on('data', (chunk: Buffer) => (received += chunk.length));
  await once(answer, 'end');
  return received;
}

/** When the first event of an answer comes whose rest the server holds back, in milliseconds. */
export async function measureFirstEvent(target: HttpTarget): Promise<number> {
  const startedAt = performance.now();
  const answer = await target.callTool('hold', {});
  const consumed = consume(answer);
  await once(answer, 'data');
  const firstAt = performance.now();
  await consumed;
  const wholeMs = performance.now() - startedAt;
  if (wholeMs < HOLD_MS / 2) throw new Error('The server held nothing back');
  return firstAt - startedAt;
}
