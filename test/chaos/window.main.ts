// A window of the bench: everything of the extension but the editor, in a process of its own.
// node window.main.mjs FOLDER SERVICE SENDER: the user's folder; the name of the entries in the real keychain;
// `window` when it is to send refreshes itself, instead of from a process that outlives it.
// It is told by messages what to do (messages.ts), and ends with the one who tells it.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import * as v from 'valibot';
import { ConnectionManager } from '../../src/connections/connectionManager.ts';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { SecretVault } from '../../src/connections/secretVault.ts';
import { createHeadlessSample } from '../headless/sampleStand.ts';
import { ScopekeeperError } from '../../src/oauth/errors.ts';
import { shareConnections } from '../../src/owner/shareConnections.ts';
import { readAssertionFile } from '../../src/platform/assertionFile.ts';
import { createConnectionsFile } from '../../src/platform/connectionsFile.ts';
import { createOutlivingFetch } from '../../src/platform/exchange/outlivingFetch.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createKeytarStore } from '../../src/platform/keytarStore.ts';
import { createLoopbackServer } from '../../src/platform/loopbackServer.ts';
import { SealedJournal } from '../../src/platform/sealedJournal.ts';
import { MemoryLog } from '../headless/memoryPorts.ts';
import { createWindowGateway } from '../headless/windowGateway.ts';
import { PREBUILDS } from '../integration/platform/keychainSession.ts';
import { EXCHANGE_SCRIPT } from '../stand/standPaths.ts';
import { killAt, reach, watchedStore, watchSteps } from './killSteps.ts';
import { type Order, orderSchema, type Report } from './messages.ts';
import { ShiftedClock } from './shiftedClock.ts';

const VERSION = '0.0.0';
const [folder = '', service = '', sender] = process.argv.slice(2);
watchSteps();

const log = new MemoryLog();
const clock = new ShiftedClock();
const guardedFetch = createGuardedFetch({ version: VERSION });
const keychain = watchedStore(createKeytarStore({ prebuildsFolder: PREBUILDS, service }));
const stores = { keychain, editor: undefined };
const keys = new SealingKeys({ ...stores, log });
const journalFolder = path.join(folder, 'journal');
const loadKeys = async () => keys.load('journal-key');
const journal = new SealedJournal({ folder: journalFolder, loadKeys });
const file = createConnectionsFile(path.join(folder, 'connections.json'));
const openBrowser = async (url: string): Promise<boolean> => {
  tell({ type: 'open', url });
  return true;
};
const script = EXCHANGE_SCRIPT;
const outliving = { guardedFetch, journal, journalFolder, loadKeys, script, version: VERSION, log };
const manager = new ConnectionManager({
  fetch: guardedFetch.fetch,
  resolveReach: guardedFetch.resolveReach,
  prepareRedirect: async (kind) => redirectUri(kind),
  readAssertion: readAssertionFile,
  software: { name: 'Scopekeeper', softwareId: randomUUID(), version: VERSION },
  clientMetadataUrl: () => undefined,
  clock,
  random: Math.random,
  vault: new SecretVault({ ...stores, log }),
  onSecretTrouble: () => undefined,
  onUnsaved: () => undefined,
  file,
  journal,
  ...(sender !== 'window' && { outlivingFetch: createOutlivingFetch(outliving) }),
  newId: randomUUID,
  log,
  openBrowser,
});
const { gateway, prompts, window } = createWindowGateway({
  manager,
  guardedFetch,
  folder,
  keys,
  origin: () => role.loopbackOrigin(),
  clock,
  log,
});
const { connections, redirectUri, role } = shareConnections({
  manager,
  gateway,
  sample: createHeadlessSample({ folder, connections: manager, file, clock, log }),
  prompts,
  window,
  createLoopback: (upgrade) =>
    createLoopbackServer({ folder, routes: { onCallback, onRequest: gateway.handle, upgrade } }),
  stores,
  keys,
  hasStoredConnections: async () => ((await file.read())?.connections.length ?? 0) > 0,
  editorUri: 'vscode://scopekeeper.scopekeeper/callback',
  windowName: () => `window ${process.pid}`,
  openBrowser,
  clock,
  log,
});

async function onCallback(url: URL): Promise<{ status: number; html: string }> {
  const { type } = await manager.handleCallback(url);
  return { status: type === 'connected' ? 200 : 400, html: type };
}

function tell(report: Report): void {
  process.send?.(report);
}

async function follow(order: Order): Promise<void> {
  switch (order.type) {
    case 'connect': {
      await role.ensureReady();
      const { id } = await connections.add(order.serverUrl);
      await connections.authorize(id);
      tell({ type: 'done', id });
      return;
    }
    case 'callback':
      await connections.handleCallback(new URL(order.url));
      return;
    case 'refresh':
      killAt(order.killAt);
      await connections.refresh(order.id);
      tell({ type: 'done', id: order.id });
      return;
    case 'pass':
      clock.pass(order.ms);
  }
}

manager.onDidChangeConnection(({ connection: { state } }) => {
  if (state.type === 'ready') reach('announced');
});
connections.onDidChangeConnection(({ connection }) => {
  const { id, state } = connection;
  const refreshedAt = state.type === 'ready' ? state.grant.refreshedAt : undefined;
  tell({ type: 'changed', id, state: state.type, ...(refreshedAt !== undefined && { refreshedAt }) });
});
role.onDidChange(({ type }) => {
  if (type === 'owner') tell({ type: 'owner' });
});
process.on('message', (message) => {
  follow(v.parse(orderSchema, message)).catch((error: unknown) => {
    tell({ type: 'failed', code: error instanceof ScopekeeperError ? error.code : String(error) });
  });
});
process.on('disconnect', () => process.exit());
await role.look();
tell({ type: 'ready' });
