import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { cleanEnvironment } from '../stand/processes.ts';
import { type News, type Order, type Reply, reportSchema, type Step } from './messages.ts';

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
  readonly #reports = new EventEmitter<{ reply: [Reply]; news: [News] }>();
  /** What it told last of its connection. */
  #changed: Extract<News, { type: 'changed' }> | undefined;
  #isOwner = false;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', (message) => {
      const report = v.parse(reportSchema, message);
      if (report.type === 'owner') this.#isOwner = true;
      if (report.type === 'changed') this.#changed = report;
      if (report.type === 'owner' || report.type === 'changed') this.#reports.emit('news', report);
      else this.#reports.emit('reply', report);
    });
  }

  /** Starts `<program>.main.ts`, and gives it once it is ready. */
  static async open(program: string, args: readonly string[]): Promise<Window> {
    const file = fileURLToPath(new URL(`./${program}.main.mjs`, import.meta.url));
    const child = fork(file, args, { env: cleanEnvironment(), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const window = new Window(child);
    await window.#reply();
    return window;
  }

  /** Whether it keeps the connections. */
  get isOwner(): boolean {
    return this.#isOwner;
  }

  /** When the token of its one connection was renewed last, in milliseconds since the epoch, while it is ready. */
  get refreshedAt(): number | undefined {
    return this.#changed?.state === 'ready' ? this.#changed.refreshedAt : undefined;
  }

  /** Waits until `test` holds, which is looked at whenever the window tells something. */
  async until(what: string, test: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    while (!test()) {
      await once(this.#reports, 'news', { signal }).catch(() => {
        throw new Error(`Not within ${LIMIT_MS} ms: ${what}; last ${JSON.stringify(this.#changed)}`);
      });
    }
  }

  /** Puts its clock forward. */
  pass(ms: number): void {
    this.#order({ type: 'pass', ms });
  }

  /** Adds the server and signs in to it; gives the connection's id. */
  async connect(serverUrl: string, authorize: Authorize): Promise<string> {
    let reply = this.#ask({ type: 'connect', serverUrl });
    for (;;) {
      const told = await reply;
      if (told?.type === 'done') return told.id;
      if (told?.type !== 'open') throw new Error(`No sign-in: ${JSON.stringify(told)}`);
      const { href } = await authorize(told.url);
      reply = this.#ask({ type: 'callback', url: href });
    }
  }

  /** Renews now, and ends itself at the step if one is given. */
  async refresh(id: string, killAt?: Step): Promise<Renewal> {
    const reply = await this.#ask({ type: 'refresh', id, ...(killAt !== undefined && { killAt }) });
    if (reply === undefined) return { type: 'killed' };
    return reply.type === 'failed' ? reply : { type: 'renewed' };
  }

  /** Ends it by SIGKILL, unless it has ended already. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Ends it by SIGKILL, and waits until it is gone. */
  async close(): Promise<void> {
    this.kill();
    if (this.#isGone) return;
    await once(this.#process, 'exit');
  }

  get #isGone(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #order(order: Order): void {
    if (this.#process.connected) this.#process.send(order);
  }

  /** Gives an order and its reply; undefined when the process has ended instead. */
  async #ask(order: Order): Promise<Reply | undefined> {
    const reply = this.#reply();
    this.#order(order);
    return reply;
  }

  async #reply(): Promise<Reply | undefined> {
    if (this.#isGone) return undefined;
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(LIMIT_MS)]);
    const reply = once(this.#reports, 'reply', { signal }).then(([first]) => first);
    const end = once(this.#process, 'exit', { signal }).then(() => undefined);
    try {
      return await Promise.race([reply, end]);
    } finally {
      settled.abort();
      await Promise.allSettled([reply, end]);
    }
  }
}
