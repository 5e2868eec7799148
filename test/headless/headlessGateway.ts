import path from 'node:path';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { DEFAULT_LIFETIMES } from '../../src/gateway/authorization/lifetimes.ts';
import type { AskConsent, TokenLifetimes } from '../../src/gateway/ports.ts';
import { createOwnedGateway } from '../../src/gatewayParts.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createConnectionsFile } from '../../src/platform/connectionsFile.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createLoopbackServer } from '../../src/platform/loopbackServer.ts';
import { FolderSecretStore } from './folderSecretStore.ts';
import { createHeadlessManager, type HeadlessOptions } from './headlessManager.ts';

export interface HeadlessGatewayOptions extends HeadlessOptions {
  /** The user's folder. */
  readonly folder: string;
  readonly askConsent: AskConsent;
  readonly lifetimes?: TokenLifetimes;
  readonly stepUpTimeoutMs?: number;
}

/**
 * The gateway as the extension makes it, with everything in the user's folder. Only the editor is missing: a person who
 * is told of a demand signs in, or grants it, at once.
 */
export async function startHeadlessGateway(options: HeadlessGatewayOptions) {
  const { askConsent, clock = systemClock, folder, lifetimes = DEFAULT_LIFETIMES } = options;
  const keychain = new FolderSecretStore(path.join(folder, 'keychain'));
  const headless = createHeadlessManager({
    ...options,
    realKeychain: keychain,
    realFile: createConnectionsFile(path.join(folder, 'connections.json')),
    journalFolder: path.join(folder, 'journal'),
  });
  const { log, manager } = headless;
  const guardedFetch = createGuardedFetch({ version: '0.0.0' });
  const loopback = createLoopbackServer({
    folder,
    routes: {
      onCallback: async () => ({ status: 404, html: '' }),
      onRequest: (request, response, port) => gateway.handle(request, response, port),
      // No other window comes.
      upgrade: { path: '/none', token: 'none', accept: (stream) => void stream.destroy() },
    },
  });
  const { port, role } = await loopback.acquire();
  if (role === 'taken') throw new Error(`port ${port} is taken`);
  const origin = `http://127.0.0.1:${port}`;
  const gateway = createOwnedGateway({
    manager,
    guardedFetch,
    folder,
    keys: new SealingKeys({ keychain, editor: undefined, log }),
    origin: () => origin,
    askConsent,
    // What becomes of it the state of the connection tells.
    tellDemand: async ({ connection }) => void (await manager.authorize(connection).catch(() => undefined)),
    renderPage: ({ type }) => type,
    lifetimes: () => lifetimes,
    stepUpTimeoutMs: () => options.stepUpTimeoutMs ?? 120_000,
    onTrouble: (error) => log.error(String(error)),
    version: '0.0.0',
    clock,
    log,
  });
  await manager.start();
  await gateway.start();
  return {
    ...headless,
    gateway,
    port,
    async dispose(): Promise<void> {
      await loopback.release();
      await gateway.dispose();
      await headless.dispose();
      guardedFetch.dispose();
    },
  };
}
