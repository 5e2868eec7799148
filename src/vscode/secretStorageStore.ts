import type { SecretStorage } from 'vscode';
import { ConnectionError, type ConnectionErrorDetails } from '../connections/errors.ts';
import type { SecretStore } from '../connections/ports.ts';

type Operation = ConnectionErrorDetails['keychain_failed']['operation'];

/** The {@link SecretStore} over the editor's own secret storage, for a machine without a keychain. */
export function secretStorageStore(secrets: SecretStorage): SecretStore {
  return {
    name: 'editor',
    get: (key) => attempt('read', async () => secrets.get(key)),
    set: (key, value) => attempt('write', async () => secrets.store(key, value)),
    delete: (key) => attempt('delete', async () => secrets.delete(key)),
  };
}

async function attempt<T>(operation: Operation, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    // The editor's message stays out: nobody promises that it holds no part of the value.
    const problem = cause instanceof Error ? cause.name : typeof cause;
    throw new ConnectionError('keychain_failed', { operation, problem });
  }
}
