import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { cleanEnvironment } from '../stand/processes.ts';
import { type Order, type Report, reportSchema, type Step } from './messages.ts';

/** Longer than anything that a window does here; what takes longer is a fault of the bench. */
const LIMIT_MS = 30_000;

/** What belongs to one user: the folder with the public data, and the name of the entries in the keychain. */
export interface User {
  readonly folder: string;
  readonly service: string;
}

/** What became of a refresh. */
export type Renewal =
  | { readonly type: 'renewed' }
  | { readonly type: 'failed'; readonly code: string }
  | { readonly type: 'killed' };

/** Does what a browser does with an authorization URL, and gives the callback URL. */
export type Authorize = (url: string) => Promise<URL>;

/** A window, or what it is compared with, in a process of its own. */
export class Window {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Starts `<program>.main.ts`, and gives it once it is ready. */
  static async open(program: string, args: readonly string[]): Promise<Window> {
    const file = fileURLToPath(new URL(`./${program}.main.mjs`, import.meta.url));
    const child = fork(file, args, {
      env: cleanEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const window = new Window(child);
    await window.#report();
    return window;
  }

  /** Adds the server and signs in to it; gives the connection's id. */
  async connect(serverUrl: string, authorize: Authorize): Promise<string> {
    this.#order({ type: 'connect', serverUrl });
    for (;;) {
      const report = await this.#report();
      if (report?.type === 'done') return report.id;
      if (report?.type !== 'open') throw new Error(`No sign-in: ${JSON.stringify(report)}`);
      const { href } = await authorize(report.url);
      this.#order({ type: 'callback', url: href });
    }
  }

  /** Renews now, and ends itself at the step if one is given. */
  async refresh(id: string, killAt?: Step): Promise<Renewal> {
    this.#order({ type: 'refresh', id, ...(killAt !== undefined && { killAt }) });
    const report = await this.#report();
    if (report === undefined) return { type: 'killed' };
    return report.type === 'failed' ? report : { type: 'renewed' };
  }

  /** Ends it by SIGKILL, unless it has ended already. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Ends it by SIGKILL, and waits until it is gone. */
  async close(): Promise<void> {
    this.kill();
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  #order(order: Order): void {
    if (this.#process.connected) this.#process.send(order);
  }

  /** The next report; undefined when the process has ended instead. */
  async #report(): Promise<Report | undefined> {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(LIMIT_MS)]);
    const message = once(this.#process, 'message', { signal }).then(([first]) => v.parse(reportSchema, first));
    const end = once(this.#process, 'exit', { signal }).then(() => undefined);
    try {
      return await Promise.race([message, end]);
    } finally {
      settled.abort();
      await Promise.allSettled([message, end]);
    }
  }
}
