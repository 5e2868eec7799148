import { base64url } from 'jose';
import { ConnectionError, describeError, isConnectionError } from './errors.ts';
import { KeyedQueue } from './keyedQueue.ts';
import type { Log, SecretStore } from './ports.ts';
import { keepAside } from './secretAside.ts';

/** The keys of one name, as base64url of 256 bits. */
export interface KeyRing {
  /** What to seal with. */
  readonly key: string;
  /** Gives another one, with which something may have been sealed while the keychain could not be used. */
  readonly other?: () => Promise<string | undefined>;
  /** Why the keychain gave none: what does not open now may open when it does. */
  readonly hidden?: unknown;
}

/** The keys of a ring, the one to seal with first. The other one is asked for only when it comes to that. */
export async function* keysIn({ key, other }: KeyRing): AsyncGenerator<string> {
  yield key;
  const second = await other?.();
  if (second !== undefined) yield second;
}

export interface SealingKeysOptions {
  readonly keychain: SecretStore;
  /** The editor's secret storage, used while the keychain cannot be. */
  readonly editor: SecretStore | undefined;
  readonly log: Log;
}

const KEY_BYTES = 32;

/**
 * The keys of this user that files and messages are sealed or signed with: an entry of the keychain each, made when
 * it is first asked for, and kept in memory. While the keychain refuses, one in the editor's storage serves.
 * Only the owner may be the first to ask for a key: a keychain cannot tell which of two writers came first.
 */
export class SealingKeys {
  readonly #options: SealingKeysOptions;
  readonly #rings = new Map<string, KeyRing>();
  readonly #turns = new KeyedQueue();

  constructor(options: SealingKeysOptions) {
    this.#options = options;
  }

  /** Throws the keychain's error when no store gives a key. */
  async load(name: string): Promise<KeyRing> {
    // Two that found none at the same time would each make one.
    return this.#turns.run(name, async () => this.#load(name));
  }

  async #load(name: string): Promise<KeyRing> {
    const known = this.#rings.get(name);
    if (known !== undefined && known.hidden === undefined) return known;
    const ring = known === undefined ? await this.#read(name) : await this.#readAgain(name, known);
    this.#rings.set(name, ring);
    return ring;
  }

  async #read(name: string): Promise<KeyRing> {
    const { editor, keychain, log } = this.#options;
    try {
      return this.#ringOf(name, await readOrMake(keychain, name, log));
    } catch (error) {
      if (editor === undefined || !isConnectionError(error)) throw error;
      const key = await readOrMake(editor, name, log);
      log.warn(`The keychain gave no ${name} (${describeError(error)}); the editor keeps another.`);
      return { key, hidden: error };
    }
  }

  /** Looks whether the keychain is back; nothing is written to it, which could make it ask the person each time. */
  async #readAgain(name: string, known: KeyRing): Promise<KeyRing> {
    const key = await storedKey(this.#options.keychain, name).catch(() => undefined);
    return key === undefined ? known : this.#ringOf(name, key);
  }

  /** Nothing is asked of the editor while the keychain has what is needed. */
  #ringOf(name: string, key: string): KeyRing {
    const { editor } = this.#options;
    return editor === undefined ? { key } : { key, other: async () => storedKey(editor, name) };
  }
}

/** The stored key, or a new one once it is sure that there is none. What is read after writing is what counts. */
async function readOrMake(store: SecretStore, name: string, log: Log): Promise<string> {
  const known = await store.get(name);
  if (known !== undefined && isKey(known)) return known;
  if (known !== undefined) await keepAside(store, name, known, log);
  // A locked keychain hides what it has, and is unlocked by a write at the latest: one that would do no harm.
  const probe = `${name}.probe`;
  await store.set(probe, 'open');
  if ((await storedKey(store, name)) === undefined) await store.set(name, newKey());
  await store.delete(probe);
  const kept = await storedKey(store, name);
  if (kept === undefined) throw new ConnectionError('keychain_locked', {});
  return kept;
}

/** What `store` has for the key of this name, if it is one. */
export async function storedKey(store: SecretStore, name: string): Promise<string | undefined> {
  const text = await store.get(name);
  return text !== undefined && isKey(text) ? text : undefined;
}

function isKey(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

function newKey(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}
