import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ConnectionService } from './connections/connectionService.ts';
import type { Clock, ConnectionsFile, Log } from './connections/ports.ts';
import type { SealingKeys } from './connections/sealingKeys.ts';
import { createAuthorizationServer } from './gateway/authorization/authorizationServer.ts';
import { LocalAccessRegistry } from './gateway/authorization/localAccessRegistry.ts';
import { DEFAULT_LIFETIMES } from './gateway/authorization/lifetimes.ts';
import type { RenderAuthorizationPage, TokenLifetimes } from './gateway/ports.ts';
import { createLoopbackServer } from './platform/loopbackServer.ts';
import { createPortFiles } from './platform/portFiles.ts';
import { createRegistryFile } from './platform/registryFile.ts';
import { SampleHost } from './sample/sampleHost.ts';
import { SAMPLE_RESOURCES } from './sample/sampleResource.ts';
import type { createSampleServer, SampleServerParts } from './sample/sampleServer.ts';

/** So short that a renewal is seen by who looks on for some minutes. */
const LIFETIMES: TokenLifetimes = { ...DEFAULT_LIFETIMES, accessTokenMs: 5 * 60_000 };

/** What is in the bundle of the sample server. */
export interface SampleModule {
  readonly createSampleServer: typeof createSampleServer;
}

export interface SampleHostOptions {
  /** The user's folder. */
  readonly folder: string;
  readonly connections: ConnectionService;
  readonly file: ConnectionsFile;
  readonly keys: SealingKeys;
  /** Loads the bundle. */
  readonly load: () => SampleModule;
  readonly renderConsent: SampleServerParts['renderConsent'];
  readonly renderPage: RenderAuthorizationPage;
  /** Those of the sample unless given. */
  readonly lifetimes?: TokenLifetimes;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Builds the host of the sample server; it does nothing until it is started. */
export function createSampleHost(options: SampleHostOptions): SampleHost {
  const { clock, connections, file, keys, lifetimes = LIFETIMES, load, log } = options;
  const folder = path.join(options.folder, 'sample');
  return new SampleHost({
    connections,
    storedUrls: async () => (await file.read())?.connections.map(({ serverUrl }) => serverUrl) ?? [],
    keptPort: async () =>
      createPortFiles(folder)
        .readPort()
        .catch(() => undefined),
    createPort: (onRequest) =>
      createLoopbackServer({
        folder,
        routes: {
          // Nobody signs in through the sample server, and no window comes here.
          onCallback: async () => ({ status: 404, html: '' }),
          onRequest,
          upgrade: { path: '/none', token: 'none', accept: (stream) => void stream.destroy() },
        },
      }),
    createServer: () => {
      const registry = new LocalAccessRegistry({
        file: createRegistryFile(path.join(folder, 'tokens.json')),
        connections: SAMPLE_RESOURCES,
        // Of the same person and machine; one more entry of the keychain would have to be deleted with the sample.
        loadKeys: async () => keys.load('gateway-key'),
        lifetimes: () => lifetimes,
        clock,
        log,
      });
      const server = load().createSampleServer({
        grants: registry.grants,
        accesses: registry,
        createAuthorizationServer,
        renderConsent: options.renderConsent,
        renderPage: options.renderPage,
        version: options.version,
        clock,
        log,
      });
      return {
        handle: (request, response, port) => server.handle(request, response, port),
        load: async () => registry.load(),
        dispose: async () => registry.dispose(),
      };
    },
    forget: async () => rm(folder, { recursive: true, force: true }),
    log,
  });
}

/** The bundle of the sample server, which is loaded when it is first needed. */
export function loadSampleModule(script: string): SampleModule {
  const loaded: SampleModule = createRequire(script)(script);
  return loaded;
}
