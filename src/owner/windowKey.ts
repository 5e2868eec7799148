import { randomBytes } from 'node:crypto';
import { ConnectionError } from '../connections/errors.ts';
import type { SecretStore } from '../connections/ports.ts';
import { KEY_BYTES } from './handshake.ts';

const ENTRY = 'owner-key';

export interface WindowKeyOptions {
  readonly keychain: SecretStore;
  /** The editor's secret storage, for a machine whose keychain cannot be used. */
  readonly editor: SecretStore | undefined;
}

/**
 * The key by which windows of one user know each other. The owner makes it when the first guest comes, so a window that
 * is alone never asks a keychain for it; it is the only entry of the keychain that a guest reads.
 */
export class WindowKey {
  readonly #keychain: SecretStore;
  readonly #editor: SecretStore | undefined;
  /** From the keychain: this one stays. What the editor holds may be overtaken by it. */
  #lasting: Buffer | undefined;

  constructor({ keychain, editor }: WindowKeyOptions) {
    this.#keychain = keychain;
    this.#editor = editor;
  }

  /**
   * For a guest: what can be read now, for {@link forGuest}. Asked for before the owner is, so that a slow keychain
   * does not keep the owner waiting.
   */
  async look(): Promise<() => Promise<Buffer>> {
    const first = await this.#read(this.#keychain);
    return async () => this.#forGuest(first);
  }

  /** @param first what the keychain gave before the owner was asked */
  async #forGuest(first: Reading): Promise<Buffer> {
    if (first.key !== undefined) return first.key;
    // A keychain that failed is not asked a second time: it may have put a question to the person.
    const second = first.problem === undefined ? await this.#read(this.#keychain) : first;
    const key = second.key ?? (this.#editor === undefined ? undefined : (await this.#read(this.#editor)).key);
    if (key !== undefined) return key;
    // The owner has one: so it is not missing, it is hidden.
    throw second.problem ?? new ConnectionError('keychain_locked', {});
  }

  /** For the owner: the keys by which a guest may prove itself; made when there is none. Throws when none can be kept. */
  async forOwner(): Promise<readonly Buffer[]> {
    const { key, problem } = await this.#read(this.#keychain);
    // A guest whose keychain is locked has only this one.
    const known = this.#editor === undefined ? undefined : (await this.#read(this.#editor)).key;
    if (key !== undefined) return known === undefined ? [key] : [key, known];
    const kept = known ?? randomBytes(KEY_BYTES);
    const refusal = problem ?? (await this.#write(this.#keychain, kept));
    if (refusal === undefined) this.#lasting = kept;
    else if (this.#editor === undefined) throw refusal;
    else if (known === undefined) await this.#editor.set(ENTRY, kept.toString('base64url'));
    return [kept];
  }

  async #read(store: SecretStore): Promise<Reading> {
    if (store === this.#keychain && this.#lasting !== undefined) return { key: this.#lasting };
    try {
      const text = await store.get(ENTRY);
      const key = text === undefined ? undefined : Buffer.from(text, 'base64url');
      // What is there and is no key was not written by us: it is made anew.
      if (key?.length !== KEY_BYTES) return {};
      if (store === this.#keychain) this.#lasting = key;
      return { key };
    } catch (problem) {
      return { problem };
    }
  }

  async #write(store: SecretStore, key: Buffer): Promise<unknown> {
    try {
      await store.set(ENTRY, key.toString('base64url'));
      return undefined;
    } catch (problem) {
      return problem;
    }
  }
}

interface Reading {
  readonly key?: Buffer;
  readonly problem?: unknown;
}
