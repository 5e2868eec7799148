import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { ConnectionManager } from '../../src/connections/connectionManager.ts';
import type { Clock, SecretStore } from '../../src/connections/ports.ts';
import { SealingKeys } from '../../src/connections/sealingKeys.ts';
import { SecretVault } from '../../src/connections/secretVault.ts';
import type { PromptingWindow } from '../../src/owner/prompts.ts';
import { shareConnections } from '../../src/owner/shareConnections.ts';
import { readAssertionFile } from '../../src/platform/assertionFile.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createConnectionsFile } from '../../src/platform/connectionsFile.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { createLoopbackServer } from '../../src/platform/loopbackServer.ts';
import { SealedJournal } from '../../src/platform/sealedJournal.ts';
import { MemoryLog } from './memoryPorts.ts';
import { createHeadlessSample } from './sampleStand.ts';
import { createWindowGateway } from './windowGateway.ts';

export interface TestWindowOptions {
  /** The user's folder. */
  readonly folder: string;
  readonly name: string;
  readonly keychain: SecretStore;
  /** Acts for the person, from the URL that this window opens to the callback. */
  readonly browser?: (url: string) => Promise<void>;
  /** The protocol that it speaks; ours by default. */
  readonly version?: number;
  /** The system's by default. */
  readonly clock?: Clock;
  /** How long a local client waits for the person; 120 s by default. */
  readonly stepUpTimeoutMs?: number;
  /** What the person says in this window; nothing at all by default. */
  readonly asks?: Partial<PromptingWindow>;
}

/** A window without an editor: all of it but the user interface, over the real port and the real file. */
export function openTestWindow(options: TestWindowOptions) {
  const { asks, browser, clock = systemClock, folder, keychain, name, version } = options;
  const log = new MemoryLog();
  const keys = new SealingKeys({ keychain, editor: undefined, log });
  const guarded = createGuardedFetch({ version: '0.0.0' });
  const file = createConnectionsFile(path.join(folder, 'connections.json'));
  /** The URLs that this window opened. */
  const opened: string[] = [];
  const openBrowser = async (url: string): Promise<boolean> => {
    opened.push(url);
    await browser?.(url);
    return true;
  };
  const manager: ConnectionManager = new ConnectionManager({
    fetch: guarded.fetch,
    resolveReach: guarded.resolveReach,
    prepareRedirect: async (kind) => shared.redirectUri(kind),
    readAssertion: readAssertionFile,
    clock,
    random: () => 0.5,
    software: { name: 'Scopekeeper', softwareId: 'f3f1b7f2-8f3f-4d0e-9a51-6d2a6b1f0c11', version: '0.0.0' },
    journal: new SealedJournal({
      folder: path.join(folder, 'journal'),
      loadKeys: async () => keys.load('journal-key'),
    }),
    vault: new SecretVault({ keychain, editor: undefined, log }),
    onSecretTrouble: () => undefined,
    onUnsaved: () => undefined,
    file,
    newId: randomUUID,
    openBrowser,
    log,
  });
  const { gateway, prompts, window } = createWindowGateway({
    manager,
    guardedFetch: guarded,
    folder,
    keys,
    origin: () => shared.role.loopbackOrigin(),
    asks,
    stepUpTimeoutMs: options.stepUpTimeoutMs,
    clock,
    log,
  });
  const shared = shareConnections({
    manager,
    gateway,
    sample: createHeadlessSample({ folder, connections: manager, file, clock, log }),
    prompts,
    window,
    createLoopback: (upgrade) =>
      createLoopbackServer({
        folder,
        routes: {
          onCallback: async (url) => {
            const { type } = await manager.handleCallback(url);
            return { status: type === 'connected' ? 200 : 400, html: type };
          },
          onRequest: gateway.handle,
          upgrade,
        },
      }),
    stores: { keychain, editor: undefined },
    keys,
    hasStoredConnections: async () => ((await file.read())?.connections.length ?? 0) > 0,
    editorUri: `test://${name}/callback`,
    windowName: () => name,
    openBrowser,
    clock,
    log,
    ...(version !== undefined && { version }),
  });
  return {
    ...shared,
    manager,
    prompts,
    log,
    opened,
    async dispose(): Promise<void> {
      await shared.dispose();
      guarded.dispose();
    },
  };
}

export type TestWindow = ReturnType<typeof openTestWindow>;
