// Runs in a keyring session of its own: stores a secret, locks the keyring, and prints what the store answers then.
import { isConnectionError } from '../../../src/connections/errors.ts';
import { createKeytarStore } from '../../../src/platform/keytarStore.ts';
import { lockKeyring } from '../../stand/keyring.ts';
import { PREBUILDS } from './keychainSession.ts';

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return (await promise) ?? null;
  } catch (error) {
    return isConnectionError(error) ? { code: error.code } : { unexpected: String(error) };
  }
}

const store = createKeytarStore({ prebuildsFolder: PREBUILDS });
const splitting = createKeytarStore({ prebuildsFolder: PREBUILDS, service: 'scopekeeper-split', maxEntryBytes: 8 });
const before = [await outcome(store.set('key', 'secret')), await outcome(store.get('key'))];
lockKeyring();
const answers = {
  before,
  get: await outcome(store.get('key')),
  set: await outcome(store.set('key', 'other')),
  setNew: await outcome(store.set('new', 'other')),
  setSplit: await outcome(splitting.set('key', 'longer than eight')),
  delete: await outcome(store.delete('key')),
};
process.stdout.write(JSON.stringify(answers));
