import { array, literal, number, object, safeParse, string } from 'valibot';
import type { ConnectionId } from './connection.ts';
import { type ConnectionSecret, formatConnectionSecret, parseConnectionSecret } from './connectionSecret.ts';
import { asScopekeeperError, ConnectionError, describeError, isConnectionError } from './errors.ts';
import type { Log, SecretStore } from './ports.ts';
import { asideKeys, keepAside } from './secretAside.ts';
import type { ScopekeeperError } from '../oauth/errors.ts';

/** Where a connection's secret was last written. */
export type SecretPlace = SecretStore['name'];

export interface SecretVaultOptions {
  readonly keychain: SecretStore;
  /** The editor's secret storage, used while the keychain cannot be (design.md, "Where secrets live"). */
  readonly editor: SecretStore | undefined;
  readonly log: Log;
}

/** Where a document was stored; `refusal` is why not in the keychain. */
export interface WrittenSecret {
  readonly place: SecretPlace;
  readonly refusal?: ScopekeeperError;
}

/** What one store has for a connection: `failed` may hide a document, or holds what is none. */
type Found =
  | { readonly type: 'document'; readonly secret: ConnectionSecret }
  | { readonly type: 'nothing' }
  | { readonly type: 'failed'; readonly error: ConnectionError };

const SENTINEL_KEY = 'connections';
const VERSION = 1;
const sentinelSchema = object({ version: literal(VERSION), ids: array(string()) });
const versionedSchema = object({ version: number() });
type Sentinel = readonly string[] | 'broken' | 'too_new' | undefined;

/**
 * Keeps each connection's secret document, and knows a locked keychain from an empty one: a locked
 * keychain answers that there is nothing, so a sentinel entry that must be there lists all ids.
 * A keychain that was reset looks like a locked one.
 *
 * What is not a document of ours is copied to an entry beside it before anything is written over it, and what a newer
 * version wrote is not written over at all.
 */
export class SecretVault {
  readonly #keychain: SecretStore;
  readonly #editor: SecretStore | undefined;
  readonly #log: Log;
  /** Hears that the keychain has given something, or taken a write: it is there, and open. */
  onAnswer: (operation: 'read' | 'write') => void = () => undefined;

  constructor({ editor, keychain, log }: SecretVaultOptions) {
    this.#keychain = keychain;
    this.#editor = editor;
    this.#log = log;
  }

  /**
   * The newest stored document of a connection; undefined when there is none on this machine.
   * @param place where it was last written; undefined when never.
   * @param generation the highest that was ever written.
   * Throws `keychain_locked`, `keychain_unavailable`, `keychain_timeout`, `keychain_failed`, `secret_unreadable`,
   * `secret_too_new`; `secret_elsewhere` when the newest was written to the storage of an editor, and this one has not
   * got it: an older one would be refused, and a server that finds it used twice revokes the newest too.
   */
  async read(id: ConnectionId, place: SecretPlace | undefined, generation = 0): Promise<ConnectionSecret | undefined> {
    if (place === undefined) return undefined;
    const inKeychain = await this.#find(this.#keychain, id);
    if (place === 'keychain' && isAsNewAs(inKeychain, generation)) return inKeychain.secret;
    // The keychain may have refused the last write just before the window ended.
    const inEditor = this.#editor === undefined ? NOTHING : await this.#find(this.#editor, id);
    const [newest] = [inEditor, inKeychain]
      .filter((found) => found.type === 'document')
      .map(({ secret }) => secret)
      .toSorted((a, b) => b.generation - a.generation);
    if (newest !== undefined && newest.generation >= generation) return newest;
    if (place === 'editor')
      throw inEditor.type === 'failed' ? inEditor.error : new ConnectionError('secret_elsewhere', { id });
    if (inKeychain.type === 'failed') throw inKeychain.error;
    return newest;
  }

  /**
   * Stores a document: in the keychain, or in the editor's storage when the keychain refuses.
   * Throws `secret_too_new`, or the keychain's error when neither takes it.
   */
  async write(id: ConnectionId, secret: ConnectionSecret, place: SecretPlace | undefined): Promise<WrittenSecret> {
    try {
      await this.#list(id);
      await this.#put(this.#keychain, id, secret);
    } catch (error) {
      if (this.#editor === undefined || !isConnectionError(error) || error.code === 'secret_too_new') throw error;
      this.#log.warn(`The keychain refused a secret (${error.code}); it goes to the editor's secret storage.`);
      await this.#put(this.#editor, id, secret).catch((second: unknown) => {
        this.#log.warn(`The editor's secret storage refused it too: ${describeError(second)}`);
        throw error;
      });
      return { place: 'editor', refusal: asScopekeeperError(error) };
    }
    this.onAnswer('write');
    if (place === 'editor') await this.#forgetIn(this.#editor, id);
    return { place: 'keychain' };
  }

  /** Forgets a connection's document in every place where it may be. Throws what the store throws. */
  async delete(id: ConnectionId, place: SecretPlace | undefined): Promise<void> {
    if (place === undefined) return;
    if (place === 'editor') {
      await this.#forget(this.#editor, id);
      // An older document may have stayed in the keychain from before it was lost.
      await this.#forget(this.#keychain, id).catch((error: unknown) => {
        if (!isConnectionError(error, 'keychain_unavailable')) throw error;
      });
      return;
    }
    // A locked gnome-keyring answers a delete as if it were done.
    await this.#requireUnlocked();
    await this.#forget(this.#keychain, id);
    const ids = await this.#sentinel();
    if (typeof ids === 'object' && ids.includes(id)) await this.#writeSentinel(ids.filter((other) => other !== id));
  }

  /** What a store has. Its errors are a finding, others are thrown. */
  async #find(store: SecretStore, id: ConnectionId): Promise<Found> {
    try {
      let text = await store.get(entryKey(id));
      if (text === undefined && store === this.#keychain) {
        await this.#requireUnlocked();
        // It may have been unlocked only just now.
        text = await store.get(entryKey(id));
      }
      if (text === undefined) return NOTHING;
      if (store === this.#keychain) this.onAnswer('read');
      return { type: 'document', secret: parseConnectionSecret(id, text) };
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      return { type: 'failed', error };
    }
  }

  /** Writes a document over one of ours, and over something else only when that is kept. Throws `secret_too_new`. */
  async #put(store: SecretStore, id: ConnectionId, secret: ConnectionSecret): Promise<void> {
    const before = await store.get(entryKey(id));
    if (before !== undefined && !isOurs(id, before, secret.serverUrl))
      await keepAside(store, entryKey(id), before, this.#log);
    await store.set(entryKey(id), formatConnectionSecret(secret));
  }

  async #forget(store: SecretStore | undefined, id: ConnectionId): Promise<void> {
    const key = entryKey(id);
    await store?.delete(key);
    for (const aside of asideKeys(key)) await store?.delete(aside);
  }

  /** As {@link #forget}, for a copy that is older than the one just stored: where it stays, it does no harm. */
  async #forgetIn(store: SecretStore | undefined, id: ConnectionId): Promise<void> {
    await store?.delete(entryKey(id)).catch((error: unknown) => {
      this.#log.warn(`An older secret of ${id} stays in the ${store.name}: ${describeError(error)}`);
    });
  }

  /** Throws `keychain_locked` unless the sentinel can be read: nothing is missing that is merely hidden. */
  async #requireUnlocked(): Promise<void> {
    if ((await this.#sentinel()) === undefined) throw new ConnectionError('keychain_locked', {});
    this.onAnswer('read');
  }

  async #list(id: ConnectionId): Promise<void> {
    const ids = await this.#sentinel();
    // That it is there is enough.
    if (ids === 'too_new') return;
    if (ids === 'broken') {
      await keepAside(this.#keychain, SENTINEL_KEY, (await this.#keychain.get(SENTINEL_KEY)) ?? '', this.#log);
    }
    const known = typeof ids === 'object' ? ids : [];
    if (!known.includes(id)) await this.#writeSentinel([...known, id]);
  }

  async #sentinel(): Promise<Sentinel> {
    const text = await this.#keychain.get(SENTINEL_KEY);
    if (text === undefined) return undefined;
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return 'broken';
    }
    const result = safeParse(sentinelSchema, document);
    if (result.success) return result.output.ids;
    const versioned = safeParse(versionedSchema, document);
    return versioned.success && versioned.output.version > VERSION ? 'too_new' : 'broken';
  }

  async #writeSentinel(ids: readonly string[]): Promise<void> {
    await this.#keychain.set(SENTINEL_KEY, JSON.stringify({ version: VERSION, ids }));
  }
}

const NOTHING: Found = { type: 'nothing' };

function isAsNewAs(found: Found, generation: number): found is Extract<Found, { type: 'document' }> {
  return found.type === 'document' && found.secret.generation >= generation;
}

/** Whether a text is a document of ours for this very server. Throws `secret_too_new`. */
function isOurs(id: ConnectionId, text: string, serverUrl: string): boolean {
  try {
    return parseConnectionSecret(id, text).serverUrl === serverUrl;
  } catch (error) {
    if (isConnectionError(error, 'secret_unreadable')) return false;
    throw error;
  }
}

function entryKey(id: ConnectionId): string {
  return `connection:${id}`;
}
