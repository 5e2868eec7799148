import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanEnvironment, exitCodeOf, outputOf, spawnBound } from './processes.ts';

/** Protects nothing: the keyring holds what tests and the sample server made up. */
const KEYRING_PASSWORD = 'test-password';
const READY_TIMEOUT_MS = 10_000;

export interface Keyring {
  /** What a program needs in its environment to use this keyring instead of the person's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the keyring and its bus; removes its data unless a folder was given. */
  dispose(): Promise<void>;
}

/**
 * Starts a private session bus with a keyring on it.
 * @param dataFolder where its secrets last; without it they go with the keyring
 * @param state a locked keyring is there and hides what it has, as before a person has logged in
 */
export async function startKeyring(dataFolder?: string, state: 'unlocked' | 'locked' = 'unlocked'): Promise<Keyring> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'scopekeeper-keyring-'));
  const data = dataFolder ?? path.join(scratch, 'data');
  const runtime = path.join(scratch, 'run');
  await Promise.all([data, runtime].map(async (folder) => mkdir(folder, { recursive: true })));
  await chmod(runtime, 0o700);

  const address = `unix:path=${path.join(scratch, 'bus')}`;
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  // The kernel ends the bus with us, however we end; the keyring ends with its bus.
  const bus = spawnBound('dbus-daemon', ['--session', '--nofork', '--print-address', `--address=${address}`], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const dispose = async (): Promise<void> => {
    await Promise.all([end(daemon), end(bus)]);
    await rm(scratch, { recursive: true, force: true });
  };
  let daemon: ChildProcess | undefined;
  try {
    if (bus.stdout === null) throw new Error('unreachable: the output was asked for');
    await once(bus.stdout, 'data', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const unlock = state === 'unlocked' ? ['--unlock'] : [];
    daemon = spawn('gnome-keyring-daemon', ['--foreground', ...unlock, '--components=secrets'], {
      env: cleanEnvironment({ ...env, XDG_DATA_HOME: data, XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: runtime }),
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    daemon.stdin?.end(KEYRING_PASSWORD);
    await waitForSecretService(env);
  } catch (error) {
    await dispose();
    throw new Error('The keyring of the tests did not start.', { cause: error });
  }
  return { env, dispose };
}

/** Runs `body` with a keyring in THIS process's environment (for libsecret), and ends the keyring after it. */
export async function withKeyring<T>(body: (keyring: Keyring) => Promise<T>, dataFolder?: string): Promise<T> {
  const keyring = await startKeyring(dataFolder);
  const before = process.env['DBUS_SESSION_BUS_ADDRESS'];
  Object.assign(process.env, keyring.env);
  try {
    return await body(keyring);
  } finally {
    if (before === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
    else process.env['DBUS_SESSION_BUS_ADDRESS'] = before;
    await keyring.dispose();
  }
}

/** A program that asked too early would start a second, locked keyring: so ask the bus, not the keyring. */
async function waitForSecretService(env: Record<string, string>): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  const ask = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner'];
  while (Date.now() < deadline) {
    const reply = await outputOf('dbus-send', [...ask, 'string:org.freedesktop.secrets'], {
      env: cleanEnvironment(env),
    });
    if (reply.includes('boolean true')) return;
    await delay(20);
  }
  throw new Error(`No secret service on the bus after ${READY_TIMEOUT_MS} ms.`);
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined) return;
  child.kill('SIGTERM');
  await exitCodeOf(child);
}
