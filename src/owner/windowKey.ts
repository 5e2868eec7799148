import { ConnectionError } from '../connections/errors.ts';
import type { SecretStore } from '../connections/ports.ts';
import { type KeyRing, storedKey } from '../connections/sealingKeys.ts';

/** The key by which windows of one user know each other; the owner makes it when the first guest comes. */
export const WINDOW_KEY = 'owner-key';

/** The keys by which a guest may prove itself: another one than the first while its keychain is locked. */
export async function keysOf({ key, other }: KeyRing): Promise<readonly Buffer[]> {
  return [key, await other?.()].flatMap((text) => (text === undefined ? [] : [Buffer.from(text, 'base64url')]));
}

/**
 * The keys by which a guest may prove itself to this window.
 * @param load gives this owner's own
 * @param asGuest by which this window proved itself to the owner before: the other guests of that one have it too, and
 * the keychain may have been locked or reset since
 * Throws what the keychain says when there is no key at all.
 */
export async function keysOfOwner(
  load: () => Promise<KeyRing>,
  asGuest: Buffer | undefined,
): Promise<readonly Buffer[]> {
  if (asGuest === undefined) return keysOf(await load());
  try {
    return [...(await keysOf(await load())), asGuest];
  } catch {
    return [asGuest];
  }
}

export interface GuestKeyStores {
  readonly keychain: SecretStore;
  /** The editor's secret storage, for a machine whose keychain cannot be used. */
  readonly editor: SecretStore | undefined;
}

/** {@link WINDOW_KEY} as a guest reads it: the only entry of the keychain that it asks for, and it never makes one. */
export class GuestKey {
  readonly #stores: GuestKeyStores;
  /** From the keychain: this one stays. What the editor holds may be overtaken by it. */
  #lasting: Buffer | undefined;

  constructor(stores: GuestKeyStores) {
    this.#stores = stores;
  }

  /** The key of the keychain, once it has been read. */
  get known(): Buffer | undefined {
    return this.#lasting;
  }

  /**
   * Reads what is there before the owner is asked, so that a slow keychain does not keep the owner waiting. What it gives
   * is to be called when the owner has the key, and gives it too, or throws what the keychain says.
   */
  async look(): Promise<() => Promise<Buffer>> {
    const first = await this.#readKeychain();
    return async () => {
      if (first.key !== undefined) return first.key;
      // A keychain that failed is not asked a second time: it may have put a question to the person.
      const second = first.problem === undefined ? await this.#readKeychain() : first;
      const { editor } = this.#stores;
      const key = second.key ?? (editor === undefined ? undefined : (await read(editor)).key);
      if (key !== undefined) return key;
      // The owner has one: so it is not missing, it is hidden.
      throw second.problem ?? new ConnectionError('keychain_locked', {});
    };
  }

  async #readKeychain(): Promise<Reading> {
    if (this.#lasting !== undefined) return { key: this.#lasting };
    const reading = await read(this.#stores.keychain);
    this.#lasting = reading.key;
    return reading;
  }
}

interface Reading {
  readonly key?: Buffer;
  readonly problem?: unknown;
}

async function read(store: SecretStore): Promise<Reading> {
  try {
    const key = await storedKey(store, WINDOW_KEY);
    return key === undefined ? {} : { key: Buffer.from(key, 'base64url') };
  } catch (problem) {
    return { problem };
  }
}
