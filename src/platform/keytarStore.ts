import { ConnectionError } from '../connections/errors.ts';
import type { SecretStore } from '../connections/ports.ts';
import { plainText } from '../oauth/errors.ts';
import { loadKeytar, type Keytar } from './keytarAddon.ts';
import { keytarElsewhere, outlivingService } from './keytarElsewhere.ts';
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
  /** The bundle of `keytarProcess.ts`, for when the secret service was started anew; without it that is an error. */
  readonly processFile?: string;
}

export interface KeytarStore extends SecretStore {
  /** How many `get` calls have reached the keychain, for diagnostics and tests. */
  readonly reads: number;
}

type Operation = 'read' | 'write' | 'delete';

/** While the keychain is at a call that was given up, others wait for their turn no longer than this. */
const STUCK_WAIT_MS = 500;

/** What a read gave that nobody waited for any more is good for the next one for so long. */
const LATE_READ_MS = 60_000;

/** CRED_MAX_CREDENTIAL_BLOB_SIZE; keytar writes UTF-8 there (keytar_win.cc). */
const WINDOWS_ENTRY_BYTES = 2560;

/**
 * The OS keychain as a {@link SecretStore}. Nothing is loaded before the first call.
 *
 * One call at a time reaches the keychain, in the order in which they were made: so writes to a key cannot
 * overtake one another, and a prompt that nobody answers holds one thread of Node's small pool, not all four.
 * Each call has its own timeout, the wait for its turn included; one that has timed out before its turn is not made,
 * and while the keychain is at a call that was given up, the others give up soon too.
 * A read that was made and timed out is not made again by the next one of its key: that waits for the same answer,
 * or has it at once. So a keychain that is slower than the timeout is read all the same, and one prompt is not
 * followed by the next.
 */
export function createKeytarStore(options: KeytarStoreOptions): KeytarStore {
  const { prebuildsFolder, service = 'scopekeeper', load = loadKeytar, processFile } = options;
  const { readTimeoutMs = 5000, writeTimeoutMs = 15_000 } = options;
  const { maxEntryBytes = process.platform === 'win32' ? WINDOWS_ENTRY_BYTES : Infinity } = options;
  let access: Promise<EntryAccess> | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();
  /** The call that the keychain is at. */
  let current: { readonly isLate: boolean } | undefined;
  const lateReads = new Map<string, LateRead>();
  let reads = 0;
  let changes = 0;

  async function loadOnce(): Promise<EntryAccess> {
    access ??= load(prebuildsFolder).then((near) => {
      const keytar =
        processFile === undefined ? near : outlivingService(near, keytarElsewhere(processFile, prebuildsFolder));
      return { keytar, service, maxEntryBytes };
    });
    try {
      return await access;
    } catch (error) {
      access = undefined;
      throw new ConnectionError('keychain_unavailable', { problem: problemOf(error) });
    }
  }

  /** Makes a call when it is its turn, unless nobody waits for it any more. */
  function enqueue<T>(call: (access: EntryAccess) => Promise<T>, timedOut: ConnectionError): Turn<T> {
    const turn: Turn<T> = {
      isLate: false,
      hasBegun: false,
      result: lastTurn.then(async () => {
        if (turn.isLate) throw timedOut;
        turn.hasBegun = true;
        current = turn;
        try {
          return await call(await loadOnce());
        } finally {
          current = undefined;
        }
      }),
    };
    // The next turn begins when this one has really ended, not when its caller gave up waiting.
    lastTurn = turn.result.catch(() => undefined);
    return turn;
  }

  async function wait<T>(turn: Turn<T>, operation: Operation, timedOut: ConnectionError): Promise<T> {
    const longestMs = operation === 'read' ? readTimeoutMs : writeTimeoutMs;
    const timeoutMs = current?.isLate === true ? Math.min(longestMs, STUCK_WAIT_MS) : longestMs;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        turn.isLate = true;
        reject(timedOut);
      }, timeoutMs);
    });
    try {
      return await Promise.race([turn.result, late]);
    } catch (error) {
      throw error instanceof ConnectionError ? error : keychainError(operation, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function change(operation: 'write' | 'delete', call: (access: EntryAccess) => Promise<void>): Promise<void> {
    // What was read before this is old from now on.
    changes++;
    lateReads.clear();
    const timedOut = new ConnectionError('keychain_timeout', { operation, timeoutMs: writeTimeoutMs });
    await wait(enqueue(call, timedOut), operation, timedOut);
  }

  /** The turn of an earlier read of `key` that is of use still: a slow keychain takes several to get anywhere. */
  function lateRead(key: string): Turn<string | undefined> | undefined {
    const late = lateReads.get(key);
    if (late !== undefined && !late.hasFailed && performance.now() <= late.goodUntil) return late.turn;
    lateReads.delete(key);
    return undefined;
  }

  function keepLateRead(key: string, turn: Turn<string | undefined>): void {
    if (lateReads.get(key)?.turn === turn) return;
    const late: LateRead = { turn, hasFailed: false, goodUntil: Infinity };
    lateReads.set(key, late);
    void turn.result.then(
      () => (late.goodUntil = performance.now() + LATE_READ_MS),
      () => (late.hasFailed = true),
    );
  }

  return {
    name: 'keychain',
    get reads() {
      return reads;
    },
    async get(key) {
      const timedOut = new ConnectionError('keychain_timeout', { operation: 'read', timeoutMs: readTimeoutMs });
      const changesBefore = changes;
      const read = async (access: EntryAccess): Promise<string | undefined> => {
        reads++;
        return readEntry(access, key);
      };
      const turn = lateRead(key) ?? enqueue(read, timedOut);
      try {
        return await wait(turn, 'read', timedOut);
      } catch (error) {
        if (error === timedOut && turn.hasBegun && changes === changesBefore) keepLateRead(key, turn);
        throw error;
      }
    },
    async set(key, value) {
      // keytar refuses the one and cuts the value at the other.
      if (value === '' || value.includes('\0')) {
        throw new ConnectionError('keychain_failed', { operation: 'write', problem: 'empty, or with a NUL in it' });
      }
      await change('write', async (access) => writeEntry(access, key, value));
    },
    async delete(key) {
      await change('delete', async (access) => deleteEntry(access, key));
    },
  };
}

/** One call of the keychain, in its place of the queue. */
interface Turn<T> {
  /** Whether its caller has given up waiting. */
  isLate: boolean;
  /** Whether the keychain has been asked. */
  hasBegun: boolean;
  readonly result: Promise<T>;
}

interface LateRead {
  readonly turn: Turn<string | undefined>;
  hasFailed: boolean;
  /** In ms of `performance.now()`. */
  goodUntil: number;
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
