import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseJson, pipe, safeParse, string } from 'valibot';
import { describeError } from '../../connections/errors.ts';
import { EXCHANGE_MS, type OutlivingFetch } from '../../connections/exchangeJournal.ts';
import type { Log } from '../../connections/ports.ts';
import type { KeyRing } from '../../connections/sealingKeys.ts';
import { shownUrl } from '../../oauth/addressPolicy.ts';
import { OAuthError } from '../../oauth/errors.ts';
import type { GuardedFetch } from '../guardedFetch.ts';
import { identityOf } from '../processIdentity.ts';
import type { SealedJournal } from '../sealedJournal.ts';
import { type ExchangeOrder, type ExchangeReport, exchangeReportSchema, READY } from './exchangeMessages.ts';

export interface OutlivingFetchOptions {
  readonly guardedFetch: Pick<GuardedFetch, 'isPlain' | 'privateHosts'>;
  readonly journal: SealedJournal;
  readonly journalFolder: string;
  readonly loadKeys: () => Promise<KeyRing>;
  /** Absolute path of the bundle of `exchangeProcess.ts`. */
  readonly script: string;
  readonly version: string;
  readonly log: Log;
  /** What runs the script: the editor's own runtime by default. */
  readonly runtime?: string;
  /** 10 s by default: more than an old machine needs after a night's sleep. */
  readonly startTimeoutMs?: number;
}

/** The variables that a process needs to reach the network: nothing of the person's, and no proxy. */
const ENVIRONMENT = ['SystemRoot', 'LD_LIBRARY_PATH', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** A process that runs and waits for its order. */
interface Courier {
  readonly pid: number;
  /** Gives the order and the report; undefined when there is none. May be called once. */
  readonly run: (order: ExchangeOrder) => Promise<ExchangeReport | undefined>;
  readonly kill: () => void;
}

/**
 * Sends refreshes from a short-lived process of their own, which outlives this one: an answer that sits unread in a
 * process that is killed is gone, journal or not.
 *
 * That process does not have what the editor adds to HTTP, so a request that needs a proxy or an authority of the
 * person's own is not for it; nor is one to a host whose certificate it did not trust before. Where such a process
 * does not run at all, that is told in the log, once, and none is started again.
 */
export function createOutlivingFetch(options: OutlivingFetchOptions): OutlivingFetch {
  const { guardedFetch, journal, journalFolder, loadKeys, log, version } = options;
  /** Hosts whose certificates only the editor's own authorities vouch for. */
  const untrusted = new Set<string>();
  let isUseless = false;

  async function start(): Promise<Courier | undefined> {
    try {
      return await startCourier(options);
    } catch (error) {
      isUseless = true;
      log.warn(`Refreshes are sent by this window itself: ${describeError(error)}`);
      return undefined;
    }
  }

  return async (exchange, url, request) => {
    const { host } = new URL(url);
    if (isUseless || untrusted.has(host) || !(await guardedFetch.isPlain(url, request))) return undefined;
    const keys = await loadKeys().catch(() => undefined);
    const courier = keys === undefined ? undefined : await start();
    if (keys === undefined || courier === undefined) return undefined;
    try {
      await journal.begin(exchange, Date.now() + EXCHANGE_MS, identityOf(courier.pid));
    } catch {
      // The same is tried, and told, when this process sends it.
      courier.kill();
      return undefined;
    }
    const { body = '', headers = {}, reach } = request;
    const report = await courier.run({
      url,
      reach,
      headers: { ...headers },
      body,
      privateHosts: [...guardedFetch.privateHosts],
      version,
      journal: { folder: journalFolder, key: keys.key },
      exchange: { ...exchange },
    });
    if (report?.type === 'answered') {
      const response = new Response(report.body === '' ? null : report.body, report);
      return { response, isRecorded: report.isRecorded === true };
    }
    if (report?.type === 'not_sent') {
      if (report.isUntrusted === true) untrusted.add(host);
      return undefined;
    }
    const failure = report?.failure ?? 'other';
    throw new OAuthError('server_unreachable', { url: shownUrl(new URL(url)), failure });
  };
}

/** Starts the process and waits until it runs. Throws when it does not. */
async function startCourier(options: OutlivingFetchOptions): Promise<Courier> {
  const { runtime = process.execPath, script, startTimeoutMs = 10_000 } = options;
  const inherited = ENVIRONMENT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const child = spawn(runtime, [script], {
    // A group of its own, so that what ends this process' group does not end it; no folder of the person's is held.
    detached: true,
    cwd: path.dirname(script),
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
    // The editor's own binary is a plain Node with it.
    env: { ...Object.fromEntries(inherited), ELECTRON_RUN_AS_NODE: '1' },
  });
  child.unref();
  const { pid, stdin, stdout } = child;
  // What goes wrong shows in what is not told.
  for (const emitter of [child, stdin, stdout]) emitter.on('error', () => undefined);
  const reader = createInterface({ input: stdout });
  const lines = reader[Symbol.asyncIterator]();
  const nextLine = async (timeoutMs: number): Promise<string | undefined> => {
    const timer = setTimeout(() => reader.close(), timeoutMs);
    const { done, value } = await lines.next();
    clearTimeout(timer);
    return done === true ? undefined : value;
  };
  if ((await nextLine(startTimeoutMs)) !== READY || pid === undefined) {
    child.kill('SIGKILL');
    throw new Error('a process of its own does not run');
  }
  return {
    pid,
    run: async (order) => {
      stdin.end(JSON.stringify(order));
      const told = safeParse(pipe(string(), parseJson(), exchangeReportSchema), await nextLine(EXCHANGE_MS));
      return told.success ? told.output : undefined;
    },
    kill: () => child.kill('SIGKILL'),
  };
}
