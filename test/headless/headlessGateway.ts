import { createServer } from 'node:http';
import path from 'node:path';
import type { Connection, ConnectionId } from '../../src/connections/connection.ts';
import { ConnectionError } from '../../src/connections/errors.ts';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { createAuthorizationServer } from '../../src/gateway/authorization/authorizationServer.ts';
import { DEFAULT_LIFETIMES } from '../../src/gateway/authorization/lifetimes.ts';
import { LocalAccessRegistry } from '../../src/gateway/authorization/localAccessRegistry.ts';
import { resourceMetadataUrl } from '../../src/gateway/authorization/metadata.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { AskConsent, TokenLifetimes } from '../../src/gateway/ports.ts';
import { createAnswerFilter, filterAnswer, judgeRequest } from '../../src/gateway/toolFilter.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createConnectionsFile } from '../../src/platform/connectionsFile.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createRegistryFile } from '../../src/platform/registryFile.ts';
import { createUpstream } from '../../src/platform/upstream.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { FolderSecretStore } from './folderSecretStore.ts';
import { createHeadlessManager, type HeadlessOptions } from './headlessManager.ts';

export interface HeadlessGatewayOptions extends HeadlessOptions {
  /** The user's folder. */
  readonly folder: string;
  readonly askConsent: AskConsent;
  /** 0, the default, for a free one. */
  readonly port?: number;
  readonly lifetimes?: TokenLifetimes;
  readonly stepUpTimeoutMs?: number;
  /** Whether the person signs in and authorizes whenever a client's request needs it; so it is by default. */
  readonly isPersonThere?: boolean;
}

/** The real gateway over the real token manager, with everything in the user's folder. Only the editor is missing. */
export async function startHeadlessGateway(options: HeadlessGatewayOptions) {
  const { askConsent, clock = systemClock, folder, isPersonThere = true, lifetimes = DEFAULT_LIFETIMES } = options;
  const keychain = new FolderSecretStore(path.join(folder, 'keychain'));
  const headless = createHeadlessManager({
    ...options,
    realKeychain: keychain,
    realFile: createConnectionsFile(path.join(folder, 'connections.json')),
    journalFolder: path.join(folder, 'journal'),
  });
  const { log, manager } = headless;
  const keys = new SealingKeys({ keychain, editor: undefined, log });
  const registry = new LocalAccessRegistry({
    file: createRegistryFile(path.join(folder, 'clients.json')),
    connections: manager,
    loadKeys: async () => keys.load('gateway-key'),
    lifetimes: () => lifetimes,
    clock,
    log,
  });
  const guardedFetch = createGuardedFetch({ version: '0.0.0' });
  const upstream = createUpstream({ guardedFetch, clock });
  const gateway = createGateway({
    connections: manager,
    tokens: manager,
    accesses: registry,
    upstream,
    toolFilter: { judgeRequest, createAnswerFilter, filterAnswer },
    authorizationServer: createAuthorizationServer({
      grants: registry.grants,
      connections: manager,
      askConsent,
      renderPage: ({ type }) => type,
      clock,
      log,
    }),
    resourceMetadataUrl,
    stepUpTimeoutMs: () => options.stepUpTimeoutMs ?? 120_000,
    // What comes of it the connection's state tells.
    onPersonNeeded: ({ id }) => void (isPersonThere && manager.authorize(id).catch(() => undefined)),
    clock,
    log,
  });
  await manager.start();
  await registry.load();
  const server = createServer();
  const origin = await listenOnLoopback(server, options.port);
  const port = Number(new URL(origin).port);
  server.on('request', (request, response) => gateway.handle(request, response, port));

  return {
    ...headless,
    registry,
    port,
    /** The connection's URL at the gateway. */
    url(id: ConnectionId): string {
      const connection: Connection | undefined = manager.get(id);
      if (connection === undefined) throw new ConnectionError('connection_unknown', { id });
      return `${origin}/${connection.slug}/mcp`;
    },
    async dispose(): Promise<void> {
      await stopServer(server);
      gateway.dispose();
      upstream.dispose();
      await registry.dispose();
      await headless.dispose();
      guardedFetch.dispose();
    },
  };
}

export type HeadlessGateway = Awaited<ReturnType<typeof startHeadlessGateway>>;
