import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SecretStore } from '../../src/connections/ports.ts';

/** A keychain for several processes: a file for each entry. */
export class FolderSecretStore implements SecretStore {
  readonly name = 'keychain';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(key: string): Promise<string | undefined> {
    return readFile(this.#fileOf(key), 'utf8').catch(() => undefined);
  }

  async set(key: string, value: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const file = this.#fileOf(key);
    await writeFile(`${file}.${process.pid}`, value);
    await rename(`${file}.${process.pid}`, file);
  }

  async delete(key: string): Promise<void> {
    await rm(this.#fileOf(key), { force: true });
  }

  #fileOf(key: string): string {
    return path.join(this.#folder, encodeURIComponent(key));
  }
}
