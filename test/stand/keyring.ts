import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanEnvironment, exitCodeOf, outputOf, spawnBound } from './processes.ts';

/** Protects nothing: the keyring holds what tests and the sample server made up. */
const KEYRING_PASSWORD = 'test-password';
const READY_TIMEOUT_MS = 10_000;

/** A session bus that starts nothing by itself: it would start another keyring, over other data, for one that ended. */
export const BUS_WITHOUT_SERVICES = `
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`.trimStart();

/** Names the socket by which a program in the environment of a keyring unlocks it. */
const CONTROL_VARIABLE = 'SCOPEKEEPER_TEST_KEYRING';

export interface Keyring {
  /** What a program needs in its environment to use this keyring instead of the person's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the keyring at once, as a crash does; its bus goes on. */
  kill(): Promise<void>;
  /** Starts a keyring over the same data after {@link kill}. */
  restart(state: KeyringState): Promise<void>;
  /** Unlocks it, as the person does at a prompt. */
  unlock(): Promise<void>;
  /** Ends the keyring and its bus; removes its data unless a folder was given. */
  dispose(): Promise<void>;
}

/** A locked keyring is there and hides what it has, as before a person has logged in. */
export type KeyringState = 'unlocked' | 'locked';

/**
 * Starts a private session bus with a keyring on it.
 * @param dataFolder where its secrets last; without it they go with the keyring
 */
export async function startKeyring(dataFolder?: string, state: KeyringState = 'unlocked'): Promise<Keyring> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'scopekeeper-keyring-'));
  const data = dataFolder ?? path.join(scratch, 'data');
  const runtime = path.join(scratch, 'run');
  await Promise.all([data, runtime].map(async (folder) => mkdir(folder, { recursive: true })));
  await chmod(runtime, 0o700);

  const address = `unix:path=${path.join(scratch, 'bus')}`;
  const control = path.join(runtime, 'keyring', 'control');
  const env = { DBUS_SESSION_BUS_ADDRESS: address, [CONTROL_VARIABLE]: control };
  const config = path.join(scratch, 'bus.conf');
  await writeFile(config, BUS_WITHOUT_SERVICES);
  // The kernel ends the bus with us, however we end; the keyring ends with its bus.
  const bus = spawnBound(
    'dbus-daemon',
    ['--nofork', '--print-address', `--config-file=${config}`, `--address=${address}`],
    {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let daemon: ChildProcess | undefined;
  const folders = { XDG_DATA_HOME: data, XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: runtime };
  const dispose = async (): Promise<void> => {
    await Promise.all([end(daemon), end(bus)]);
    await rm(scratch, { recursive: true, force: true });
  };
  const startDaemon = async (wanted: KeyringState): Promise<void> => {
    const unlock = wanted === 'unlocked' ? ['--unlock'] : [];
    daemon = spawn('gnome-keyring-daemon', ['--foreground', ...unlock, '--components=secrets'], {
      env: cleanEnvironment({ ...env, ...folders }),
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    daemon.stdin?.end(KEYRING_PASSWORD);
    await waitForSecretService(env);
  };
  try {
    if (bus.stdout === null) throw new Error('unreachable: the output was asked for');
    await once(bus.stdout, 'data', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    await startDaemon(state);
  } catch (error) {
    await dispose();
    throw new Error('The keyring of the tests did not start.', { cause: error });
  }
  return {
    env,
    dispose,
    restart: startDaemon,
    async kill() {
      if (daemon?.pid === undefined) return;
      daemon.kill('SIGKILL');
      await exitCodeOf(daemon);
    },
    unlock: async () => unlockThrough(control),
  };
}

/** Unlocks the keyring in whose environment this process runs. */
export async function unlockKeyring(): Promise<void> {
  await unlockThrough(process.env[CONTROL_VARIABLE] ?? '');
}

/** Locks the default collection of the session's secret service. */
export function lockKeyring(): void {
  const call = ['call', '--session', '--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets'];
  const lock = ['--method', 'org.freedesktop.Secret.Service.Lock', '["/org/freedesktop/secrets/aliases/default"]'];
  execFileSync('gdbus', [...call, ...lock], { stdio: 'ignore' });
}

/** What pam_gnome_keyring sends when a person logs in (gkd-control-codes.h): the operation and the password. */
async function unlockThrough(socketFile: string): Promise<void> {
  const password = Buffer.from(KEYRING_PASSWORD);
  const packet = Buffer.alloc(12 + password.length);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(1, 4); // GKD_CONTROL_OP_UNLOCK
  packet.writeUInt32BE(password.length, 8);
  password.copy(packet, 12);
  const socket = connect(socketFile);
  try {
    // The first byte is there for the credentials that the kernel sends along.
    socket.write(Buffer.concat([Buffer.alloc(1), packet]));
    const [answer] = await once(socket, 'data');
    if (!Buffer.isBuffer(answer) || answer.readUInt32BE(4) !== 0) throw new Error('The keyring was not unlocked.');
  } finally {
    socket.destroy();
  }
}

/** Runs `body` with a keyring in THIS process's environment (for libsecret), and ends the keyring after it. */
export async function withKeyring<T>(body: (keyring: Keyring) => Promise<T>, dataFolder?: string): Promise<T> {
  const keyring = await startKeyring(dataFolder);
  const before = Object.keys(keyring.env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, keyring.env);
  try {
    return await body(keyring);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
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
