// Starts a keyring of its own, ends and starts it again, and prints what the store answers at each step.
import { fileURLToPath } from 'node:url';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { createKeytarStore } from '../../../src/platform/keytarStore.ts';
import { withKeyring } from '../../stand/keyring.ts';
import { PREBUILDS } from './keychainSession.ts';

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return (await promise) ?? null;
  } catch (error) {
    return isConnectionError(error) ? error.code : String(error);
  }
}

const processFile = fileURLToPath(new URL('keytarProcess.main.mjs', import.meta.url));

await withKeyring(async (keyring) => {
  const store = createKeytarStore({ prebuildsFolder: PREBUILDS, processFile });
  const otherStore = createKeytarStore({ prebuildsFolder: PREBUILDS, processFile });
  const answers: Record<string, unknown> = {};
  await store.set('key', 'first');
  await keyring.kill();
  answers['get while it is away'] = await outcome(store.get('key'));
  await keyring.restart('unlocked');
  answers['set of another when it is back'] = await outcome(otherStore.set('other', 'value'));
  answers['get when it is back'] = await outcome(store.get('key'));
  answers['set'] = await outcome(store.set('key', 'second'));
  answers['get'] = await outcome(store.get('key'));
  await keyring.kill();
  await keyring.restart('locked');
  answers['get locked'] = await outcome(store.get('key'));
  answers['set locked'] = await outcome(store.set('key', 'third'));
  await keyring.unlock();
  answers['get unlocked'] = await outcome(store.get('key'));
  answers['delete'] = await outcome(store.delete('key'));
  answers['get deleted'] = await outcome(store.get('key'));
  process.stdout.write(JSON.stringify(answers));
});
