// Runs in a worker: the editor notes every URL that its extension host requests in its log, and what a browser opens
// does not belong there.
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { parentPort, workerData } from 'node:worker_threads';
import { object, optional, parse, string } from 'valibot';
import { createPerson } from '../sample/person.ts';

const taskSchema = object({
  url: string(),
  /** Signs in there first, and then opens the URL that this leads to. */
  sample: optional(object({ issuer: string(), user: string(), password: string() })),
});

async function run(): Promise<void> {
  const { url: start, sample } = parse(taskSchema, workerData);
  const url = sample === undefined ? new URL(start) : await createPerson(sample).authorize(start, 'allow');
  // As an address bar does it: `fetch` says that it is a script's, which the callback refuses.
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on('error', reject);
  });
  parentPort?.postMessage({ url: url.href, status: response.statusCode, page: await text(response) }, []);
}

void run(); // A rejection ends the worker, which tells who started it.
