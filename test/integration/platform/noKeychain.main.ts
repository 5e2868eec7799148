// Runs without a session bus: prints what the store answers.
import { isConnectionError } from '../../../src/connections/errors.ts';
import { createKeytarStore } from '../../../src/platform/keytarStore.ts';
import { PREBUILDS } from './keychainSession.ts';

const store = createKeytarStore({ prebuildsFolder: PREBUILDS });
const codes: unknown[] = [];
for (const call of [store.get('key'), store.set('key', 'value'), store.delete('key')]) {
  try {
    codes.push(await call);
  } catch (error) {
    codes.push(isConnectionError(error) ? error.code : String(error));
  }
}
process.stdout.write(JSON.stringify(codes));
