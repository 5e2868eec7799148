import type { ConnectionId } from '../../connections/connection.ts';
import {
  type AnyConnectionError,
  ConnectionError,
  describeError,
  isConnectionError,
} from '../../connections/errors.ts';
import { Emitter } from '../../connections/emitter.ts';
import { KeyedQueue } from '../../connections/keyedQueue.ts';
import type { Clock, Disposable, Log } from '../../connections/ports.ts';
import {
  type AccessEntry,
  EMPTY_STATE,
  prune,
  type RegistryState,
  withoutConnections,
  withUses,
} from './registryState.ts';
import type { ServedResources } from './servedResources.ts';
import { documentOf, type RegistryFile, stateOf } from './storedRegistry.ts';

/** A use is written down so much later at most. */
const LAZY_WRITE_MS = 60_000;

export interface RegistryStoreParts {
  readonly file: RegistryFile;
  readonly connections: ServedResources;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a change makes of the state, and what it gives to whoever asked for it. */
export interface Change<T> {
  readonly state: RegistryState;
  readonly result: T;
}

type Status =
  | { readonly type: 'closed' }
  | { readonly type: 'ready'; readonly state: RegistryState; readonly index: TokenIndex }
  /** The file cannot be used: nobody has access, and nothing is written. */
  | { readonly type: 'refused'; readonly error: AnyConnectionError };

/** The entries by the hashes of their tokens. */
export interface TokenIndex {
  readonly access: ReadonlyMap<string, AccessEntry>;
  readonly refresh: ReadonlyMap<string, AccessEntry>;
}

/**
 * Keeps the state of the registry: the one writer of it and of its file. A change is one transaction (P41): it is in
 * the file before it is in memory, and in memory before it is answered; one that cannot be written changes nothing.
 */
export class RegistryStore {
  readonly #parts: RegistryStoreParts;
  readonly #changes: Emitter<object>;
  readonly #turns = new KeyedQueue();
  #status: Status = { type: 'closed' };
  /** When entries were used, where that is not in the state yet. */
  #uses = new Map<string, number>();
  /** Connections that were removed, where that is not in the state yet. */
  readonly #gone = new Set<ConnectionId>();
  #lazyWrite: Disposable | undefined;
  #connectionListener: Disposable | undefined;

  constructor(parts: RegistryStoreParts) {
    this.#parts = parts;
    this.#changes = new Emitter((error) =>
      parts.log.error(`Telling of a local client failed: ${describeError(error)}`),
    );
  }

  /** Reads the file. Throws why nobody gets access: `storage_failed`, `storage_too_new` or `storage_broken`. */
  async load(): Promise<void> {
    await this.#turns.run('', async () => this.#load());
  }

  async #load(): Promise<void> {
    const { connections, file } = this.#parts;
    try {
      const document = await file.read();
      this.#uses = new Map();
      this.#gone.clear();
      this.#become(document === undefined ? EMPTY_STATE : stateOf(document));
    } catch (error) {
      const refusal = isConnectionError(error) ? error : new ConnectionError('unexpected', { problem: 'registry' });
      this.#status = { type: 'refused', error: refusal };
      this.#changes.fire({});
      throw refusal;
    }
    this.#connectionListener ??= connections.onDidChangeConnection(({ connection, type }) => {
      if (type !== 'removed') return;
      // What local clients may do with a connection goes with it: another of the same name is not what was allowed.
      this.#gone.add(connection.id);
      void this.#flush(); // it never rejects
    });
  }

  /** Why nobody has access: the file cannot be used, or is not read. Undefined when all is well. */
  get problem(): AnyConnectionError | undefined {
    switch (this.#status.type) {
      case 'refused':
        return this.#status.error;
      case 'closed':
        return new ConnectionError('owner_gone', {});
      case 'ready':
        return undefined;
      default:
        return this.#status satisfies never;
    }
  }

  /** What holds now; empty while the file cannot be used. */
  get state(): RegistryState {
    return this.#status.type === 'ready' ? this.#status.state : EMPTY_STATE;
  }

  /** The entries by their tokens; undefined while the file cannot be used. */
  get index(): TokenIndex | undefined {
    return this.#status.type === 'ready' ? this.#status.index : undefined;
  }

  /** Uses that are not in the state yet, by the id of the entry. */
  get uses(): ReadonlyMap<string, number> {
    return this.#uses;
  }

  onDidChange(listener: () => void): Disposable {
    return this.#changes.listen(listener);
  }

  /** Notes the use of an entry: at once in memory, and soon in the file. */
  noteUse(entry: AccessEntry): void {
    const isFirst = !this.isUsed(entry);
    this.#uses.set(entry.id, this.#parts.clock.now());
    // From now on the refresh token before it gives no successor any more (P40): that has to outlive this process.
    if (isFirst && entry.generation > 1) void this.#flush(); // it never rejects
    else this.#flushLater();
  }

  /** Whether a token of the entry was used. */
  isUsed(entry: AccessEntry): boolean {
    return entry.isUsed || this.#uses.has(entry.id);
  }

  /**
   * Changes the state, after all changes before it. Gives the result once it is in the file; a state that is given back
   * as it was is not written. Throws `storage_failed`, what is the matter with the file, `owner_gone` after
   * {@link dispose}, and what `step` throws; nothing has changed then.
   */
  async change<T>(step: (state: RegistryState, now: number) => Promise<Change<T>> | Change<T>): Promise<T> {
    return this.#turns.run('', async () => {
      if (this.#status.type !== 'ready') throw this.problem ?? new ConnectionError('owner_gone', {});
      const before = this.#status.state;
      const now = this.#parts.clock.now();
      const { result, state } = await step(before, now);
      if (state !== before || this.#uses.size > 0 || this.#gone.size > 0) await this.#write(state, now);
      return result;
    });
  }

  async #write(state: RegistryState, now: number): Promise<void> {
    const uses = new Map(this.#uses);
    const gone = new Set(this.#gone);
    const next = prune(withUses(withoutConnections(state, gone), uses), now);
    try {
      await this.#parts.file.write(documentOf(next));
    } catch (error) {
      this.#flushLater();
      throw error;
    }
    // What was used meanwhile is for the next time.
    for (const [id, at] of uses) if (this.#uses.get(id) === at) this.#uses.delete(id);
    for (const id of gone) this.#gone.delete(id);
    this.#become(next);
  }

  #become(state: RegistryState): void {
    this.#status = { type: 'ready', state, index: indexOf(state) };
    this.#changes.fire({});
  }

  #flushLater(): void {
    this.#lazyWrite ??= this.#parts.clock.after(LAZY_WRITE_MS, () => void this.#flush()); // it never rejects
  }

  /** Writes what is only in memory; what could not be written is tried again later. */
  async #flush(): Promise<void> {
    this.#lazyWrite?.dispose();
    this.#lazyWrite = undefined;
    if (this.#status.type !== 'ready') return;
    try {
      await this.change((state) => ({ state, result: undefined }));
    } catch (error) {
      this.#parts.log.warn(`When local clients were last here could not be saved: ${describeError(error)}`);
    }
  }

  /** Writes what is only in memory, and lets nobody in any more. May be loaded again. */
  async dispose(): Promise<void> {
    this.#connectionListener?.dispose();
    this.#connectionListener = undefined;
    await this.#flush();
    await this.#turns.run('', async () => {
      this.#status = { type: 'closed' };
    });
    this.#lazyWrite?.dispose();
    this.#lazyWrite = undefined;
  }
}

function indexOf({ entries }: RegistryState): TokenIndex {
  const access = new Map<string, AccessEntry>();
  const refresh = new Map<string, AccessEntry>();
  for (const entry of entries.values()) {
    access.set(entry.hash, entry);
    if (entry.refresh !== undefined) refresh.set(entry.refresh.hash, entry);
  }
  return { access, refresh };
}
