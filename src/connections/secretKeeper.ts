import type { ScopekeeperError } from '../oauth/errors.ts';
import type { ConnectionId } from './connection.ts';
import type { ConnectionSecret } from './connectionSecret.ts';
import { asScopekeeperError, ConnectionError, describeError } from './errors.ts';
import { KeyedQueue } from './keyedQueue.ts';
import type { Clock, Disposable, Log } from './ports.ts';
import type { SecretPlace, SecretVault } from './secretVault.ts';

const WRITE_RETRY_MS = 30_000;

export interface SecretKeeperOptions {
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the connection's secret was last written, as the public data say. */
  readonly placeOf: (id: ConnectionId) => SecretPlace | undefined;
  /** Called when a document was stored, or is gone. */
  readonly onPlaced: (id: ConnectionId, place: SecretPlace | null, generation: number) => void;
  /** Called with a document that was read from where it is stored, before it is used. Never rejects. */
  readonly onRead: (id: ConnectionId, stored: ConnectionSecret) => Promise<void>;
}

/**
 * The secrets in use, over the vault: read when first needed, and kept in memory though the keychain
 * refuses to store them, so that a login is good at least until the window ends.
 */
export class SecretKeeper {
  readonly #options: SecretKeeperOptions;
  readonly #inUse = new Map<ConnectionId, ConnectionSecret>();
  readonly #retries = new Map<ConnectionId, Disposable>();
  readonly #queue = new KeyedQueue();

  constructor(options: SecretKeeperOptions) {
    this.#options = options;
  }

  /**
   * Runs what reads a document and stores another one, so that no two such tasks of one connection
   * interleave: signing in, renewing, configuring and ending it.
   */
  async exclusive<T>(id: ConnectionId, task: () => Promise<T>): Promise<T> {
    return this.#queue.run(id, task);
  }

  /** The document in use, else the stored one. Throws what {@link SecretVault.read} throws. */
  async current(id: ConnectionId, serverUrl: string): Promise<ConnectionSecret | undefined> {
    return this.#inUse.get(id) ?? this.newest(id, serverUrl);
  }

  /**
   * The document of the highest generation, stored or in use (P30).
   * Throws `secret_unreadable` too when it belongs to another server than `serverUrl`.
   */
  async newest(id: ConnectionId, serverUrl: string): Promise<ConnectionSecret | undefined> {
    const inUse = this.#inUse.get(id);
    const stored = await this.#read(id, inUse !== undefined);
    if (stored !== undefined && stored.serverUrl !== serverUrl) throw new ConnectionError('secret_unreadable', { id });
    if (stored !== undefined) await this.#options.onRead(id, stored);
    const newest = stored !== undefined && stored.generation >= (inUse?.generation ?? 0) ? stored : inUse;
    if (newest !== undefined) this.#inUse.set(id, newest);
    return newest;
  }

  /** Reads the stored document. One in use serves while the keychain cannot: no other window writes. */
  async #read(id: ConnectionId, hasInUse: boolean): Promise<ConnectionSecret | undefined> {
    const { log, placeOf, vault } = this.#options;
    try {
      return await vault.read(id, placeOf(id));
    } catch (error) {
      if (!hasInUse) throw error;
      log.warn(`The secret of ${id} could not be read; the one in use is taken: ${describeError(error)}`);
      return undefined;
    }
  }

  /**
   * Takes a document into use and stores it. When it cannot be stored it stays in use, and storing is
   * tried again; the error is thrown all the same.
   */
  async keep(id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    this.#inUse.set(id, secret);
    const { vault, placeOf, onPlaced, clock } = this.#options;
    this.#stopRetrying(id);
    try {
      const place = await vault.write(id, secret, placeOf(id));
      onPlaced(id, place, secret.generation);
    } catch (error) {
      const retry = (): void => void this.exclusive(id, async () => this.#storeAgain(id, secret));
      this.#retries.set(id, clock.after(WRITE_RETRY_MS, retry));
      throw error;
    }
  }

  /**
   * Stores a document, then takes it into use. When it cannot be stored nothing has changed.
   * Throws what {@link SecretVault.write} throws.
   */
  async replace(id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    const { vault, placeOf, onPlaced } = this.#options;
    const place = await vault.write(id, secret, placeOf(id));
    this.#stopRetrying(id);
    this.#inUse.set(id, secret);
    onPlaced(id, place, secret.generation);
  }

  /** Never rejects. */
  async #storeAgain(id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    if (this.#inUse.get(id) !== secret) return;
    await this.tryKeep(id, secret);
  }

  #stopRetrying(id: ConnectionId): void {
    this.#retries.get(id)?.dispose();
    this.#retries.delete(id);
  }

  /** As {@link keep}, but gives the error, if any, to be shown: the tokens are in use all the same. */
  async tryKeep(id: ConnectionId, secret: ConnectionSecret): Promise<ScopekeeperError | undefined> {
    try {
      await this.keep(id, secret);
      return undefined;
    } catch (error) {
      this.#options.log.error(`The secret of ${id} could not be stored: ${describeError(error)}`);
      return asScopekeeperError(error);
    }
  }

  /** Forgets a document here and in the store. Throws what {@link SecretVault.delete} throws. */
  async forget(id: ConnectionId): Promise<void> {
    const { vault, placeOf, onPlaced } = this.#options;
    this.#stopRetrying(id);
    const generation = this.#inUse.get(id)?.generation ?? 0;
    await vault.delete(id, placeOf(id));
    this.#inUse.delete(id);
    onPlaced(id, null, generation);
  }

  /** Stops using a document that the store would not give up. */
  drop(id: ConnectionId): void {
    this.#stopRetrying(id);
    this.#inUse.delete(id);
  }

  /** Tries a last time to store what is not stored, and stops. */
  async dispose(): Promise<void> {
    const unstored = [...this.#retries.keys()];
    await Promise.all(
      unstored.map(async (id) => {
        const secret = this.#inUse.get(id);
        if (secret !== undefined) await this.exclusive(id, async () => this.#storeAgain(id, secret));
      }),
    );
    for (const retry of this.#retries.values()) retry.dispose();
    this.#retries.clear();
    this.#inUse.clear();
  }
}
