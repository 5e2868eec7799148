import type { Duplex } from 'node:stream';
import type { Clock, Log, OpenBrowser, PrepareRedirect, RedirectKind } from '../connections/ports.ts';
import type { SealingKeys } from '../connections/sealingKeys.ts';
import type { GatewayService } from '../gateway/gatewayService.ts';
import { plainText } from '../oauth/errors.ts';
import { UPGRADE_PATH, UPGRADE_TOKEN } from './greeting.ts';
import { GuestDoor } from './guestDoor.ts';
import type { PromptingWindow, Prompts } from './prompts.ts';
import { type OwnedConnections, serveGuest } from './serveGuest.ts';
import { SharedConnections } from './sharedConnections.ts';
import { SharedGateway } from './sharedGateway.ts';
import { visitOwner } from './visitOwner.ts';
import { GuestKey, type GuestKeyStores, keysOfOwner, WINDOW_KEY } from './windowKey.ts';
import { LONGEST_WINDOW_NAME, PROTOCOL_VERSION } from './windowProtocol.ts';
import { type LoopbackPort, WindowRole } from './windowRole.ts';

/** Where guests come in at the loopback port. */
export interface GuestRoute {
  readonly path: string;
  readonly token: string;
  readonly accept: (stream: Duplex, port: number) => void;
}

/** What an owner keeps, from when it is the owner. */
interface Kept {
  start(): Promise<void>;
  dispose(): Promise<void>;
}

export interface ShareConnectionsPorts {
  /** Used while this window is the owner. */
  readonly manager: OwnedConnections & Kept;
  /** Used while this window is the owner, and started after the manager. */
  readonly gateway: GatewayService & Kept;
  /** Served while this window is the owner, and started before the manager, whose connections may need it at once. */
  readonly sample: Kept & { readonly url: () => Promise<string> };
  /** Where the owner asks the person, this window among the others. */
  readonly prompts: Prompts;
  /** This window, for what an owner asks the person in it. */
  readonly window: PromptingWindow;
  readonly createLoopback: (guests: GuestRoute) => LoopbackPort;
  /** Where a guest finds the key by which windows know each other. */
  readonly stores: GuestKeyStores;
  /** From where the owner has it. */
  readonly keys: SealingKeys;
  readonly hasStoredConnections: () => Promise<boolean>;
  /** Where the editor itself receives callbacks. */
  readonly editorUri: string;
  /** Where sign-ins come back to that may come back anywhere; to the loopback port unless given. */
  readonly defaultRedirect?: () => RedirectKind;
  /** A name of this window for the others, such as its workspace. */
  readonly windowName: () => string;
  readonly openBrowser: OpenBrowser;
  readonly clock: Clock;
  readonly log: Log;
  /** The protocol that this window speaks. */
  readonly version?: number;
}

export interface SharedWindow {
  readonly role: WindowRole;
  /** The connections, whichever window keeps them. */
  readonly connections: SharedConnections;
  /** The gateway, whichever window runs it. */
  readonly gateway: SharedGateway;
  /** Where this window has sign-ins come back to, as the owner. */
  readonly redirectUri: PrepareRedirect;
  /** Ends what is under way, then gives the port back, and leaves the owner. */
  dispose(): Promise<void>;
}

/** Puts together what makes one of several windows the owner of the connections and the others its guests. Does nothing yet. */
export function shareConnections(ports: ShareConnectionsPorts): SharedWindow {
  const { clock, editorUri, keys, log, manager, openBrowser, prompts, version = PROTOCOL_VERSION, window } = ports;
  const windowName = (): string => plainText(ports.windowName(), LONGEST_WINDOW_NAME) ?? '';
  const key = new GuestKey(ports.stores);
  const redirectUri: PrepareRedirect = async (kind = ports.defaultRedirect?.() ?? 'loopback') =>
    kind === 'loopback' ? role.loopbackRedirectUri() : editorUri;
  const door = new GuestDoor({
    keys: async () => keysOfOwner(async () => keys.load(WINDOW_KEY), key.known),
    onGuest: (reader) =>
      serveGuest(reader, {
        service: manager,
        gateway: ports.gateway,
        prompts,
        redirectUri,
        sampleUrl: async () => ports.sample.url(),
        whenLoaded: async () => role.whenLoaded(),
        windowName,
        log,
      }),
    onNewerGuest: () => void role.yield(), // it never rejects
    version,
    log,
  });
  // Clients are let go first: what they ask for now would only be cut off later.
  const stopService = async (): Promise<void> => {
    prompts.dispose();
    await ports.gateway.dispose();
    await manager.dispose();
    await ports.sample.dispose();
  };
  const role = new WindowRole({
    loopback: ports.createLoopback({
      path: UPGRADE_PATH,
      token: UPGRADE_TOKEN,
      accept: (stream, port) => door.accept(stream, port),
    }),
    visit: async (port, signal) =>
      visitOwner(
        port,
        { key, windowName, focusedAt: () => prompts.ownFocusedAt, openBrowser, window, clock, log, version },
        signal,
      ),
    hasStoredConnections: ports.hasStoredConnections,
    startService: async () => {
      await ports.sample.start();
      await manager.start();
      await ports.gateway.start();
    },
    stopService,
    clock,
    log,
  });
  const connections = new SharedConnections({
    own: manager,
    ownRedirectUri: redirectUri,
    ownSampleUrl: async () => ports.sample.url(),
    role,
    onFocus: () => prompts.noteFocus(),
    log,
  });
  const gateway = new SharedGateway({ own: ports.gateway, role, log });
  return {
    role,
    connections,
    gateway,
    redirectUri,
    async dispose() {
      await stopService();
      await role.dispose();
      connections.dispose();
      gateway.dispose();
    },
  };
}
