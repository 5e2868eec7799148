import type { ScopekeeperError } from '../oauth/errors.ts';
import type { ConnectionId } from './connection.ts';
import type { ConnectionSecret } from './connectionSecret.ts';
import { asScopekeeperError, ConnectionError, describeError } from './errors.ts';
import type { Clock, Disposable, Log } from './ports.ts';
import type { SecretPlace, SecretVault } from './secretVault.ts';

const WRITE_RETRY_MS = 30_000;

export interface SecretKeeperOptions {
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the connection's secret was last written, as the public data say. */
  readonly placeOf: (id: ConnectionId) => SecretPlace | undefined;
  readonly onPlaced: (id: ConnectionId, place: SecretPlace | null) => void;
}

/**
 * The secrets in use, over the vault: read when first needed, and kept in memory though the keychain
 * refuses to store them, so that a login is good at least until the window ends.
 */
export class SecretKeeper {
  readonly #options: SecretKeeperOptions;
  readonly #inUse = new Map<ConnectionId, ConnectionSecret>();
  readonly #retries = new Map<ConnectionId, Disposable>();

  constructor(options: SecretKeeperOptions) {
    this.#options = options;
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
    const { vault, placeOf, onPlaced, clock, log } = this.#options;
    this.#retries.get(id)?.dispose();
    this.#retries.delete(id);
    try {
      onPlaced(id, await vault.write(id, secret, placeOf(id)));
    } catch (error) {
      const retry = (): void => {
        if (this.#inUse.get(id) !== secret) return;
        this.keep(id, secret).catch((again: unknown) =>
          log.warn(`The secret of ${id} is still not stored: ${describeError(again)}`),
        );
      };
      this.#retries.set(id, clock.after(WRITE_RETRY_MS, retry));
      throw error;
    }
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
    await vault.delete(id, placeOf(id));
    this.#inUse.delete(id);
    this.#retries.get(id)?.dispose();
    this.#retries.delete(id);
    onPlaced(id, null);
  }

  dispose(): void {
    for (const retry of this.#retries.values()) retry.dispose();
    this.#retries.clear();
    this.#inUse.clear();
  }
}
