import { text } from 'node:stream/consumers';
import { parse, parseJson, pipe, string } from 'valibot';
import { isOAuthError } from '../../oauth/errors.ts';
import { createGuardedFetch } from '../guardedFetch.ts';
import { SealedJournal } from '../sealedJournal.ts';
import { type ExchangeOrder, exchangeOrderSchema, type ExchangeReport, READY } from './exchangeMessages.ts';

/**
 * A process of its own that sends one refresh and has the answer in the journal before anything else, so that the
 * editor's process can end at any moment. It does nothing before it has its whole order: one that was cut off by the
 * end of the editor is no JSON.
 */
async function main(): Promise<void> {
  // The editor may be gone, and then nobody listens.
  process.stdout.on('error', () => undefined);
  process.stdout.write(`${READY}\n`);
  const order = parse(pipe(string(), parseJson(), exchangeOrderSchema), await text(process.stdin));
  const report = await send(order);
  process.stdout.end(`${lineOf(report)}\n`);
}

/** JSON in one line, also for those versions of Node whose `readline` ends one at U+2028 and U+2029. */
function lineOf(report: ExchangeReport): string {
  return JSON.stringify(report).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

async function send(order: ExchangeOrder): Promise<ExchangeReport> {
  const { body, exchange, headers, journal: place, privateHosts, reach, url, version } = order;
  const { fetch } = createGuardedFetch({ version, privateHosts });
  const journal = new SealedJournal({ folder: place.folder, loadKeys: async () => ({ key: place.key }) });
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, body, reach });
  } catch (error) {
    return failureReport(error);
  }
  const answer = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    answeredAt: Date.now(),
  };
  const isRecorded = response.ok && (await succeeds(journal.record(exchange, answer)));
  await succeeds(journal.end(exchange));
  const { answeredAt: _, ...told } = answer;
  return { type: 'answered', ...told, ...(isRecorded && { isRecorded }) };
}

function failureReport(error: unknown): ExchangeReport {
  if (!isOAuthError(error, 'server_unreachable')) {
    return isOAuthError(error, 'response_too_large') ? { type: 'failed', failure: 'other' } : { type: 'not_sent' };
  }
  const { failure } = error.details;
  switch (failure) {
    case 'dns':
    case 'refused':
      return { type: 'not_sent' };
    case 'tls':
      return { type: 'not_sent', isUntrusted: true };
    case 'timeout':
    case 'reset':
      return { type: 'failed', failure };
    case 'proxy':
    case 'other':
      return { type: 'failed', failure: 'other' };
  }
}

/** A journal that fails costs no answer: the editor still gets it. */
async function succeeds(task: Promise<void>): Promise<boolean> {
  return task.then(
    () => true,
    () => false,
  );
}

void main().catch(() => {
  process.exitCode = 1;
});
