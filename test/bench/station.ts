import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import * as v from 'valibot';
import { cleanEnvironment, exitCodeOf } from '../stand/processes.ts';
import { OUT_FOLDER } from '../stand/standPaths.ts';
import { tellingSchema, type Usage } from './messages.ts';

/** Nothing that a process is asked here takes longer. */
const LIMIT_MS = 30_000;

/** A process of the bench. */
export class Station {
  readonly child: ChildProcess;
  readonly #told = new EventEmitter<{ ready: [number]; usage: [Usage] }>();

  /** Takes a process that was forked and answers usage. */
  constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (message) => {
      const telling = v.safeParse(tellingSchema, message);
      if (!telling.success) return; // Others may talk to it too.
      if (telling.output.type === 'ready') this.#told.emit('ready', telling.output.port);
      else this.#told.emit('usage', telling.output);
    });
  }

  /** Starts `test/bench/<name>.main.ts`, and gives it with its port once it listens. */
  static async start(name: string, ...args: readonly string[]): Promise<{ station: Station; port: number }> {
    const child = fork(benchScript(name), args, { env: cleanEnvironment(), execArgv: [] });
    const station = new Station(child);
    const [port] = await once(station.#told, 'ready', { signal: AbortSignal.timeout(LIMIT_MS) });
    return { station, port };
  }

  /** What it has used so far. */
  async usage(isMemoryWanted = false): Promise<Usage> {
    const told = once(this.#told, 'usage', { signal: AbortSignal.timeout(LIMIT_MS) });
    this.child.send({ type: 'usage', isMemoryWanted });
    return (await told)[0];
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await exitCodeOf(this.child);
  }
}

/** The bundle of `test/bench/<name>.main.ts`. */
export function benchScript(name: string): string {
  return path.join(OUT_FOLDER, 'test', 'bench', `${name}.main.mjs`);
}
