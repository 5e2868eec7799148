import type { ScopekeeperError } from '../oauth/errors.ts';
import type { ConnectionId } from './connection.ts';
import type { ConnectionSecret } from './connectionSecret.ts';
import { asScopekeeperError, ConnectionError, describeError, isKeychainError, type KeychainError } from './errors.ts';
import { KeyedQueue } from './keyedQueue.ts';
import { KeychainTrouble, type SecretTrouble } from './keychainTrouble.ts';
import type { Clock, Log, Random } from './ports.ts';
import type { SecretPlace, SecretVault } from './secretVault.ts';

export interface SecretKeeperOptions {
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where each connection's secret was last written, and the highest generation, as the public data say. */
  readonly written: () => ReadonlyMap<ConnectionId, WrittenPlace>;
  /** Hears of each trouble with the keychain once, and of its end. */
  readonly onTrouble: (trouble: SecretTrouble | undefined) => void;
  /** Called when the keychain is asked again, after what was not stored. Never rejects. */
  readonly onRetry: () => Promise<void>;
  /** Called when a document was stored, or is gone. */
  readonly onPlaced: (id: ConnectionId, place: SecretPlace | null, generation: number) => void;
  /** Called with a document that was read from where it is stored, before it is used. Never rejects. */
  readonly onRead: (id: ConnectionId, stored: ConnectionSecret) => Promise<void>;
}

/** What the public data say of a secret. */
export interface WrittenPlace {
  readonly secretIn?: SecretPlace;
  readonly generation: number;
}

/**
 * The secrets in use, over the vault: read when first needed, and kept in memory though the keychain
 * refuses to store them, so that a login is good at least until the window ends. What is not in the keychain goes
 * there as soon as it answers.
 */
export class SecretKeeper {
  readonly #options: SecretKeeperOptions;
  readonly #inUse = new Map<ConnectionId, ConnectionSecret>();
  /** Documents that are stored nowhere. */
  readonly #unstored = new Set<ConnectionId>();
  readonly #queue = new KeyedQueue();
  readonly #trouble: KeychainTrouble;
  /** How often the keychain has answered. */
  #answers = 0;

  constructor(options: SecretKeeperOptions) {
    this.#options = options;
    const { clock, onRetry, onTrouble, random, vault } = options;
    this.#trouble = new KeychainTrouble({
      clock,
      random,
      tell: onTrouble,
      retry: async () => {
        await this.#storeAll();
        await onRetry();
      },
    });
    vault.onAnswer = (operation) => {
      this.#answers += 1;
      this.#trouble.noteAnswer(operation);
    };
  }

  /** When the keychain is asked again by itself, in ms since the epoch. */
  get retryAt(): number {
    return this.#trouble.retryAt;
  }

  /** Asks a keychain that did not answer again now, unless that was done just before and nobody asks for it. */
  hasten(isAskedFor: boolean): void {
    this.#trouble.hasten(isAskedFor);
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
    const answersBefore = this.#answers;
    const stored = await this.#read(id, serverUrl, inUse !== undefined);
    if (stored !== undefined) await this.#options.onRead(id, stored);
    const newest = stored !== undefined && stored.generation >= (inUse?.generation ?? 0) ? stored : inUse;
    if (newest !== undefined) this.#inUse.set(id, newest);
    const isBack = this.#answers !== answersBefore && this.#written(id)?.secretIn === 'editor';
    if (isBack) void this.exclusive(id, async () => this.#storeAgain(id)); // it never rejects
    return newest;
  }

  #written(id: ConnectionId): WrittenPlace | undefined {
    return this.#options.written().get(id);
  }

  /** Reads the stored document. One in use serves while the keychain cannot: no other window writes. */
  async #read(id: ConnectionId, serverUrl: string, hasInUse: boolean): Promise<ConnectionSecret | undefined> {
    const { log, vault } = this.#options;
    const { generation = 0, secretIn } = this.#written(id) ?? {};
    try {
      const stored = await vault.read(id, secretIn, generation);
      if (stored !== undefined && stored.serverUrl !== serverUrl) {
        throw new ConnectionError('secret_unreadable', { id });
      }
      return stored;
    } catch (error) {
      if (!hasInUse) {
        if (isKeychainError(error)) this.#trouble.note('hidden', error);
        throw error;
      }
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
    try {
      await this.#write(id, secret);
    } catch (error) {
      this.#unstored.add(id);
      this.#trouble.note('in_memory', asScopekeeperError(error));
      throw error;
    }
  }

  /**
   * Stores a document, then takes it into use. When it cannot be stored nothing has changed.
   * Throws what {@link SecretVault.write} throws.
   */
  async replace(id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    await this.#write(id, secret);
    this.#inUse.set(id, secret);
  }

  async #write(id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    const { onPlaced, vault } = this.#options;
    const { place, refusal } = await vault.write(id, secret, this.#written(id)?.secretIn);
    this.#unstored.delete(id);
    onPlaced(id, place, secret.generation);
    if (refusal !== undefined) this.#trouble.note('in_editor', refusal);
  }

  /** Notes that the keychain hides what it has, whoever found that out. */
  noteHidden(error: KeychainError): void {
    this.#trouble.note('hidden', error);
  }

  /** Asks the keychain for a document, though it may be in use. Throws what {@link SecretVault.read} throws. */
  async ask(id: ConnectionId): Promise<void> {
    const { generation = 0, secretIn } = this.#written(id) ?? {};
    await this.#options.vault.read(id, secretIn, generation);
  }

  /** Stores what is not stored, and takes into the keychain what the editor has; ends with the first that it refuses. */
  async #storeAll(): Promise<void> {
    const inEditor = [...this.#options.written()].filter(([, { secretIn }]) => secretIn === 'editor');
    for (const id of new Set([...this.#unstored, ...inEditor.map(([id]) => id)])) {
      if (!(await this.exclusive(id, async () => this.#storeAgain(id)))) return;
    }
  }

  /** Stores a document that is not in the keychain, if it is still so. Never rejects; gives whether it is there now. */
  async #storeAgain(id: ConnectionId): Promise<boolean> {
    const written = this.#written(id);
    if (written === undefined || (written.secretIn !== 'editor' && !this.#unstored.has(id))) return true;
    const secret =
      this.#inUse.get(id) ??
      (await this.#options.vault.read(id, written.secretIn, written.generation).catch(() => undefined));
    // What cannot be read stays where it is.
    if (secret === undefined) return true;
    const unstored = await this.tryKeep(id, secret);
    return unstored === undefined && this.#written(id)?.secretIn === 'keychain';
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
    const { vault, onPlaced } = this.#options;
    const generation = this.#inUse.get(id)?.generation ?? 0;
    await vault.delete(id, this.#written(id)?.secretIn);
    this.drop(id);
    onPlaced(id, null, generation);
  }

  /** Stops using a document that the store would not give up. */
  drop(id: ConnectionId): void {
    this.#unstored.delete(id);
    this.#inUse.delete(id);
  }

  /** Tries a last time to store what is not stored, and stops. */
  async dispose(): Promise<void> {
    await Promise.all([...this.#unstored].map(async (id) => this.exclusive(id, async () => this.#storeAgain(id))));
    this.#trouble.dispose();
    this.#unstored.clear();
    this.#inUse.clear();
  }
}
