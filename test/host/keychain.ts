import assert from 'node:assert/strict';
import path from 'node:path';
import { type ConnectionSecret, parseConnectionSecret } from '../../src/connections/connectionSecret.ts';
import { createKeytarStore } from '../../src/platform/keytarStore.ts';

/** The tests' own access to the keychain: not through the extension's copy of the native part. */
export const testKeychain = createKeytarStore({
  prebuildsFolder: path.join(__dirname, '../../../node_modules/@github/keytar/prebuilds'),
});

/** What the keychain holds for a connection. */
export async function storedSecret(id: string): Promise<ConnectionSecret> {
  const text = await storedText(`connection:${id}`);
  assert.ok(text, 'the keychain holds nothing for this connection');
  return parseConnectionSecret(id, text);
}

/** What the keychain holds under a key, as it is. */
export async function storedText(key: string): Promise<string | undefined> {
  return testKeychain.get(key);
}

/** Puts something else in the place of a connection's secret. */
export async function spoilSecret(id: string, text: string): Promise<void> {
  await testKeychain.set(`connection:${id}`, text);
}
