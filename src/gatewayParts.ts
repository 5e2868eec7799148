import path from 'node:path';
import type { ConnectionManager } from './connections/connectionManager.ts';
import type { Clock, Log } from './connections/ports.ts';
import type { SealingKeys } from './connections/sealingKeys.ts';
import { createAuthorizationServer } from './gateway/authorization/authorizationServer.ts';
import { LocalAccessRegistry } from './gateway/authorization/localAccessRegistry.ts';
import { resourceMetadataUrl } from './gateway/authorization/metadata.ts';
import { createSendAuthorized } from './gateway/authorizedExchange.ts';
import { Demands } from './gateway/demands.ts';
import { createGateway } from './gateway/gateway.ts';
import { OwnedGateway } from './gateway/ownedGateway.ts';
import type { AskConsent, RenderAuthorizationPage, TellDemand, TokenLifetimes } from './gateway/ports.ts';
import { createToolCatalog } from './gateway/toolCatalog.ts';
import type { GuardedFetch } from './platform/guardedFetch.ts';
import { createRegistryFile } from './platform/registryFile.ts';
import { createUpstream } from './platform/upstream.ts';

export interface GatewayPartsOptions {
  readonly manager: ConnectionManager;
  readonly guardedFetch: GuardedFetch;
  readonly extraCaFile?: () => string | undefined;
  /** The user's folder. */
  readonly folder: string;
  readonly keys: SealingKeys;
  /** Where the gateway is served. Throws `owner_gone` while it is not. */
  readonly origin: () => string;
  readonly askConsent: AskConsent;
  readonly tellDemand: TellDemand;
  readonly renderPage: RenderAuthorizationPage;
  readonly lifetimes: () => TokenLifetimes;
  readonly stepUpTimeoutMs: () => number;
  /** Hears why nobody can be let in. */
  readonly onTrouble: (error: unknown) => void;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Builds the gateway of this window and wires it; it does nothing until it is started. */
export function createOwnedGateway(options: GatewayPartsOptions): OwnedGateway {
  const { clock, guardedFetch, keys, log, manager } = options;
  const registry = new LocalAccessRegistry({
    file: createRegistryFile(path.join(options.folder, 'gateway.json')),
    connections: manager,
    loadKeys: async () => keys.load('gateway-key'),
    lifetimes: options.lifetimes,
    clock,
    log,
  });
  const { extraCaFile, stepUpTimeoutMs, tellDemand: tell } = options;
  const tokens = new Demands({ tokens: manager, connections: manager, tell, stepUpTimeoutMs, clock, log });
  const upstream = createUpstream({ guardedFetch, clock, ...(extraCaFile !== undefined && { extraCaFile }) });
  const authorizationServer = createAuthorizationServer({
    grants: registry.grants,
    connections: manager,
    askConsent: options.askConsent,
    renderPage: options.renderPage,
    clock,
    log,
  });
  const gateway = createGateway({
    accesses: registry,
    authorizationServer,
    resourceMetadataUrl,
    connections: manager,
    tokens,
    upstream,
    stepUpTimeoutMs,
    onDidDecline: (listener) => tokens.onDidDecline(listener),
    clock,
    log,
  });
  const send = createSendAuthorized({ tokens, upstream });
  const catalog = createToolCatalog({ send, clock, version: options.version });
  return new OwnedGateway({
    registry,
    connections: manager,
    handle: (request, response, port) => gateway.handle(request, response, port),
    listTools: async (connection, signal) => catalog.listTools(connection, signal),
    origin: options.origin,
    onTrouble: options.onTrouble,
    disposables: [gateway, tokens, upstream],
    clock,
  });
}
