import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type InferOutput, number, object, parse, string } from 'valibot';
import type { SampleServer } from '../sample/sampleServer.ts';

/** What is built from browser.main.ts, beside the tests. */
const WORKER_FILE = 'browser.main.cjs';

const answerSchema = object({ url: string(), status: number(), page: string() });

/** Where a browser ended, and what it showed there. */
export type Opened = InferOutput<typeof answerSchema>;

/**
 * Opens a URL as a person's browser does.
 * @param sample signs in there first; the URL is then an authorization URL, and the end is the callback
 */
export async function open(url: URL, sample?: SampleServer): Promise<Opened> {
  const person = sample && { issuer: sample.issuer, user: sample.user, password: sample.password };
  const workerData = { url: url.href, ...(person !== undefined && { sample: person }) };
  const worker = new Worker(path.join(__dirname, WORKER_FILE), { workerData });
  const [answer]: unknown[] = await once(worker, 'message');
  return parse(answerSchema, answer);
}
