// A window of the bench: the token manager as the extension builds it, in a process of its own without an editor.
// node window.main.mjs FOLDER SERVICE: the user's folder, and the name of the entries in the real keychain.
// It is told by messages what to do (messages.ts) and ends with the one who tells it.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import * as v from 'valibot';
import { ConnectionManager } from '../../src/connections/connectionManager.ts';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { SecretVault } from '../../src/connections/secretVault.ts';
import { ScopekeeperError } from '../../src/oauth/errors.ts';
import { readAssertionFile } from '../../src/platform/assertionFile.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createConnectionsFile } from '../../src/platform/connectionsFile.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createKeytarStore } from '../../src/platform/keytarStore.ts';
import { SealedJournal } from '../../src/platform/sealedJournal.ts';
import { MemoryLog } from '../headless/memoryPorts.ts';
import { PREBUILDS } from '../integration/platform/keychainSession.ts';
import { killAt, reach, watchedStore, watchSteps } from './killSteps.ts';
import { type Order, orderSchema, type Report } from './messages.ts';

const [folder = '', service = ''] = process.argv.slice(2);
watchSteps();

const log = new MemoryLog();
const guarded = createGuardedFetch({ version: '0.0.0' });
const keychain = watchedStore(createKeytarStore({ prebuildsFolder: PREBUILDS, service }));
const keys = new SealingKeys({ keychain, editor: undefined, log });
const manager = new ConnectionManager({
  fetch: guarded.fetch,
  resolveReach: guarded.resolveReach,
  prepareRedirect: async () => 'http://127.0.0.1:45678/callback',
  readAssertion: readAssertionFile,
  software: { name: 'Scopekeeper', softwareId: randomUUID(), version: '0.0.0' },
  clientMetadataUrl: () => undefined,
  clock: systemClock,
  random: Math.random,
  vault: new SecretVault({ keychain, editor: undefined, log, onFallback: () => undefined }),
  file: createConnectionsFile(path.join(folder, 'connections.json')),
  journal: new SealedJournal({
    folder: path.join(folder, 'journal'),
    loadKeys: async () => keys.load('journal-key'),
  }),
  newId: randomUUID,
  log,
  openBrowser: async (url) => {
    tell({ type: 'open', url });
    return true;
  },
});

function tell(report: Report): void {
  process.send?.(report);
}

async function follow(order: Order): Promise<void> {
  switch (order.type) {
    case 'connect': {
      const { id } = await manager.add(order.serverUrl);
      await manager.authorize(id);
      tell({ type: 'done', id });
      return;
    }
    case 'callback':
      await manager.handleCallback(new URL(order.url));
      return;
    case 'refresh':
      killAt(order.killAt);
      await manager.refresh(order.id);
      tell({ type: 'done', id: order.id });
  }
}

manager.onDidChangeConnection(({ connection }) => {
  if (connection.state.type === 'ready') reach('announced');
});
await manager.start();
process.on('message', (message) => {
  follow(v.parse(orderSchema, message)).catch((error: unknown) => {
    tell({ type: 'failed', code: error instanceof ScopekeeperError ? error.code : String(error) });
  });
});
process.on('disconnect', () => process.exit());
tell({ type: 'ready' });
