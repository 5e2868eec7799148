import { ConnectionError } from '../connections/errors.ts';
import type { SecretStore } from '../connections/ports.ts';
import { plainText } from '../oauth/errors.ts';
import { loadKeytar, type Keytar } from './keytarAddon.ts';
import { deleteEntry, readEntry, writeEntry, type EntryAccess } from './splitEntry.ts';

export interface KeytarStoreOptions {
  /** Absolute path of keytar's `prebuilds`: in the packed extension `dist/prebuilds`. */
  readonly prebuildsFolder: string;
  /** The name under which the keychain keeps the entries. `scopekeeper` by default. */
  readonly service?: string;
  /** The longest value of one entry, in bytes of UTF-8; longer ones are split. By default 2,560 on Windows. */
  readonly maxEntryBytes?: number;
  /** 5 s by default. */
  readonly readTimeoutMs?: number;
  /** Of writing and deleting, which may have to wait for the person at a prompt. 15 s by default. */
  readonly writeTimeoutMs?: number;
  /** Loads the native part; {@link loadKeytar} by default. */
  readonly load?: (prebuildsFolder: string) => Promise<Keytar>;
}

export interface KeytarStore extends SecretStore {
  /** How many `get` calls have reached the keychain, for diagnostics and tests. */
  readonly reads: number;
}

type Operation = 'read' | 'write' | 'delete';

/** CRED_MAX_CREDENTIAL_BLOB_SIZE; keytar writes UTF-8 there (keytar_win.cc). */
const WINDOWS_ENTRY_BYTES = 2560;

/**
 * The OS keychain as a {@link SecretStore}. Nothing is loaded before the first call.
 *
 * One call at a time reaches the keychain, in the order in which they were made: so writes to a key cannot
 * overtake one another, and a prompt that nobody answers holds one thread of Node's small pool, not all four.
 * Each call has its own timeout, the wait for its turn included; one that has timed out before its turn is not made.
 */
export function createKeytarStore(options: KeytarStoreOptions): KeytarStore {
  const { prebuildsFolder, service = 'scopekeeper', load = loadKeytar } = options;
  const { readTimeoutMs = 5000, writeTimeoutMs = 15_000 } = options;
  const { maxEntryBytes = process.platform === 'win32' ? WINDOWS_ENTRY_BYTES : Infinity } = options;
  let access: Promise<EntryAccess> | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();
  let reads = 0;

  async function loadOnce(): Promise<EntryAccess> {
    access ??= load(prebuildsFolder).then((keytar) => ({ keytar, service, maxEntryBytes }));
    try {
      return await access;
    } catch (error) {
      access = undefined;
      throw new ConnectionError('keychain_unavailable', { problem: problemOf(error) });
    }
  }

  async function run<T>(operation: Operation, call: (access: EntryAccess) => Promise<T>): Promise<T> {
    const timeoutMs = operation === 'read' ? readTimeoutMs : writeTimeoutMs;
    const timedOut = new ConnectionError('keychain_timeout', { operation, timeoutMs });
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(timedOut);
      }, timeoutMs);
    });
    const turn = lastTurn.then(async () => {
      if (isLate) throw timedOut;
      return call(await loadOnce());
    });
    // The next turn begins when this one has really ended, not when its caller gave up waiting.
    lastTurn = turn.catch(() => undefined);
    try {
      return await Promise.race([turn, late]);
    } catch (error) {
      throw error instanceof ConnectionError ? error : keychainError(operation, error);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    name: 'keychain',
    get reads() {
      return reads;
    },
    async get(key) {
      return run('read', async (access) => {
        reads++;
        return readEntry(access, key);
      });
    },
    async set(key, value) {
      // keytar refuses the one and cuts the value at the other.
      if (value === '' || value.includes('\0')) {
        throw new ConnectionError('keychain_failed', { operation: 'write', problem: 'empty, or with a NUL in it' });
      }
      await run('write', async (access) => writeEntry(access, key, value));
    },
    async delete(key) {
      await run('delete', async (access) => deleteEntry(access, key));
    },
  };
}

/** No secret service: no bus, or nothing on it that keeps secrets (libsecret passes on what D-Bus says). */
const UNAVAILABLE =
  /autolaunch D-Bus|Could not connect|Connection refused|org\.freedesktop\.(?:secrets|DBus\.Error)|not provided by any|Error spawning|The connection is closed|no keychain is available/i;
/** libsecret: a locked collection, a prompt that was dismissed. macOS: errSecInteractionNotAllowed, errSecAuthFailed, user cancelled. */
const LOCKED = /locked|dismissed|user interaction is not allowed|cancell?ed|passphrase you entered/i;

/** Sorts an error of keytar, which has nothing but the text of the system's own library. */
function keychainError(operation: Operation, error: unknown): ConnectionError {
  const problem = problemOf(error);
  if (LOCKED.test(problem)) return new ConnectionError('keychain_locked', {});
  if (UNAVAILABLE.test(problem)) return new ConnectionError('keychain_unavailable', { problem });
  return new ConnectionError('keychain_failed', { operation, problem });
}

function problemOf(error: unknown): string {
  return plainText(error instanceof Error ? error.message : undefined) ?? 'unknown';
}
