import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Variables by which an editor, a test runner or a code-server around us would steer what we start. */
const FOREIGN_VARIABLES =
  /^(VSCODE_|CODE_SERVER_|CS_|NODE_TEST_CONTEXT$|NODE_OPTIONS$|ELECTRON_RUN_AS_NODE$|PORT$|PASSWORD$|HASHED_PASSWORD$)/;

export interface Finished {
  /** The exit code; 128 and more when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** This process's environment, without what would steer a child, and with `extra` on top. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !FOREIGN_VARIABLES.test(name)) kept[name] = value;
  }
  return { ...kept, ...extra };
}

/** Waits for the end of `child`. Gives its exit code, 128 when a signal ended it. Throws when it cannot start. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? 128;
}

/** Runs `command` to its end and gives what it wrote. Throws only when it cannot be started. */
export async function runQuietly(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, { env: cleanEnvironment(), ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  // 'close' and not 'exit': only then all output has been read.
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : 128, ...written };
}

/** Runs `command` with this process's own input and output. Gives its exit code. */
export async function runLoudly(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return exitCodeOf(spawn(command, args, { env: cleanEnvironment(), ...options, stdio: 'inherit' }));
}

/** Runs `command` and gives its standard output. Throws, with the end of what it wrote, when it fails. */
export async function outputOf(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const finished = await runQuietly(command, args, options);
  if (finished.code !== 0) {
    const tail = `${finished.stdout}\n${finished.stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(`${[command, ...args].join(' ')} failed with exit code ${finished.code}:\n${tail}`);
  }
  return finished.stdout;
}

/**
 * Starts a program that the kernel ends when this process ends, however that happens.
 * It is in a process group of its own, so that Ctrl-C reaches only us, who end things in order.
 */
export function spawnBound(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], { ...options, detached: true });
}

export interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly commandLine: string;
}

/** All processes that descend from `pid`, nearest first. Linux only: reads /proc. */
export async function descendantsOf(pid: number): Promise<RunningProcess[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(names.map(async (name) => readProcess(Number(name))))).filter(
    (found) => found !== undefined,
  );
  const found: RunningProcess[] = [];
  let parents = [pid];
  while (parents.length > 0) {
    const children = all.filter((each) => parents.includes(each.parentPid));
    found.push(...children);
    parents = children.map((each) => each.pid);
  }
  return found;
}

async function readProcess(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name, second, is in parentheses and may hold spaces; the parent comes two fields after it.
    const parentPid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return { pid, parentPid, commandLine: commandLine.replaceAll('\0', ' ').trim() };
  } catch {
    return undefined; // It ended while we looked.
  }
}

/** Whether a process runs. An ended one that nobody has reaped (a container's first process may not) does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** Sends `signal` to `pid`; nothing happens when it has ended already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended already: that is what was wanted.
  }
}

/** Waits until none of `pids` lives. Gives those that still live after `timeoutMs`. */
export async function waitForEnd(pids: readonly number[], timeoutMs: number): Promise<number[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const alive = pids.filter(isAlive);
    if (alive.length === 0 || Date.now() > deadline) return alive;
    await delay(20); // Processes that are not our children announce no end.
  }
}

/**
 * Ends `child` and all its descendants: asks, and after `graceMs` kills.
 * @param isAwaited which descendants get so long; all by default. The others are killed once those have ended.
 */
export async function endProcessTree(
  child: ChildProcess,
  graceMs: number,
  isAwaited: (descendant: RunningProcess) => boolean = () => true,
): Promise<void> {
  if (child.pid === undefined) return;
  const descendants = await descendantsOf(child.pid);
  child.kill('SIGTERM');
  // Our own child is a zombie until Node has reaped it, hence the wait for both.
  const awaited = [child.pid, ...descendants.filter(isAwaited).map(({ pid }) => pid)];
  await waitForEnd(awaited, graceMs);
  const left = [child.pid, ...descendants.map(({ pid }) => pid)].filter(isAlive);
  for (const pid of left) signalProcess(pid, 'SIGKILL');
  await exitCodeOf(child);
  await waitForEnd(left, 5000);
}
