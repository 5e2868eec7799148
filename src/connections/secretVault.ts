import { array, literal, object, safeParse, string } from 'valibot';
import type { ConnectionId } from './connection.ts';
import { type ConnectionSecret, formatConnectionSecret, parseConnectionSecret } from './connectionSecret.ts';
import { ConnectionError, isConnectionError } from './errors.ts';
import type { Log, SecretStore } from './ports.ts';

/** Where a connection's secret was last written. */
export type SecretPlace = SecretStore['name'];

export interface SecretVaultOptions {
  readonly keychain: SecretStore;
  /** The editor's secret storage, used while the keychain cannot be (design.md, "Where secrets live"). */
  readonly editor: SecretStore | undefined;
  readonly log: Log;
  /** Called for the first secret that had to go to the editor's storage, with the keychain's error. */
  readonly onFallback: (error: unknown) => void;
}

const SENTINEL_KEY = 'connections';
const sentinelSchema = object({ version: literal(1), ids: array(string()) });

/**
 * Keeps each connection's secret document, and knows a locked keychain from an empty one: a locked
 * keychain answers that there is nothing, so a sentinel entry that must be there lists all ids.
 * A keychain that was reset looks like a locked one.
 */
export class SecretVault {
  readonly #keychain: SecretStore;
  readonly #editor: SecretStore | undefined;
  readonly #log: Log;
  readonly #onFallback: (error: unknown) => void;
  #hasToldFallback = false;

  constructor(options: SecretVaultOptions) {
    this.#keychain = options.keychain;
    this.#editor = options.editor;
    this.#log = options.log;
    this.#onFallback = options.onFallback;
  }

  /**
   * The newest stored document of a connection; undefined when there is none on this machine.
   * @param place where it was last written; undefined when never.
   * Throws `keychain_locked`, `keychain_unavailable`, `keychain_timeout`, `keychain_failed`, `secret_unreadable`.
   */
  async read(id: ConnectionId, place: SecretPlace | undefined): Promise<ConnectionSecret | undefined> {
    if (place === undefined) return undefined;
    if (place === 'editor') return this.#readBoth(id);
    const text = await this.#keychain.get(entryKey(id));
    if (text !== undefined) return parseConnectionSecret(id, text);
    await this.#requireUnlocked();
    return undefined;
  }

  /**
   * Stores a document: in the keychain, or in the editor's storage when the keychain refuses.
   * Gives the place. Throws the keychain's error when neither takes it.
   */
  async write(id: ConnectionId, secret: ConnectionSecret, place: SecretPlace | undefined): Promise<SecretPlace> {
    const text = formatConnectionSecret(secret);
    try {
      await this.#list(id);
      await this.#keychain.set(entryKey(id), text);
    } catch (error) {
      if (this.#editor === undefined || !isConnectionError(error)) throw error;
      this.#log.warn(`The keychain refused a secret (${error.code}); it goes to the editor's secret storage.`);
      await this.#editor.set(entryKey(id), text);
      if (!this.#hasToldFallback) this.#onFallback(error);
      this.#hasToldFallback = true;
      return 'editor';
    }
    if (place === 'editor') await this.#editor?.delete(entryKey(id));
    return 'keychain';
  }

  /** Forgets a connection's document in every place where it may be. Throws what the store throws. */
  async delete(id: ConnectionId, place: SecretPlace | undefined): Promise<void> {
    if (place === undefined) return;
    if (place === 'editor') {
      await this.#editor?.delete(entryKey(id));
      // An older document may have stayed in the keychain from before it was lost.
      await this.#keychain.delete(entryKey(id)).catch((error: unknown) => {
        if (!isConnectionError(error, 'keychain_unavailable')) throw error;
      });
      return;
    }
    // A locked gnome-keyring answers a delete as if it were done.
    await this.#requireUnlocked();
    await this.#keychain.delete(entryKey(id));
    const ids = (await this.#sentinel()) ?? [];
    if (ids.includes(id)) await this.#writeSentinel(ids.filter((other) => other !== id));
  }

  /** Of the two documents that there may be, the one of the higher generation. */
  async #readBoth(id: ConnectionId): Promise<ConnectionSecret | undefined> {
    const inEditor = await this.#editor?.get(entryKey(id));
    const inKeychain = await this.#keychain.get(entryKey(id)).catch((error: unknown) => {
      if (!isConnectionError(error)) throw error;
      return undefined;
    });
    const found = [inEditor, inKeychain].flatMap((text) =>
      text === undefined ? [] : [parseConnectionSecret(id, text)],
    );
    return found.toSorted((a, b) => b.generation - a.generation)[0];
  }

  /** Throws `keychain_locked` unless the sentinel can be read: nothing is missing that is merely hidden. */
  async #requireUnlocked(): Promise<void> {
    if ((await this.#sentinel()) === undefined) throw new ConnectionError('keychain_locked', {});
  }

  async #list(id: ConnectionId): Promise<void> {
    const ids = (await this.#sentinel()) ?? [];
    if (!ids.includes(id)) await this.#writeSentinel([...ids, id]);
  }

  async #sentinel(): Promise<readonly string[] | undefined> {
    const text = await this.#keychain.get(SENTINEL_KEY);
    if (text === undefined) return undefined;
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return [];
    }
    const result = safeParse(sentinelSchema, document);
    return result.success ? result.output.ids : [];
  }

  async #writeSentinel(ids: readonly string[]): Promise<void> {
    await this.#keychain.set(SENTINEL_KEY, JSON.stringify({ version: 1, ids }));
  }
}

function entryKey(id: ConnectionId): string {
  return `connection:${id}`;
}
