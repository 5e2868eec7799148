import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Connection } from '../../src/connections/connection.ts';
import { ConnectionManager } from '../../src/connections/connectionManager.ts';
import type { CallbackOutcome } from '../../src/connections/connectionService.ts';
import type { Clock, ConnectionsFile, SecretStore } from '../../src/connections/ports.ts';
import { type KeyRing, SealingKeys } from '../../src/connections/sealingKeys.ts';
import { SecretVault } from '../../src/connections/secretVault.ts';
import type { Fetch } from '../../src/oauth/fetchPort.ts';
import { readAssertionFile } from '../../src/platform/assertionFile.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createOutlivingFetch } from '../../src/platform/exchange/outlivingFetch.ts';
import { createGuardedFetch } from '../../src/platform/guardedFetch.ts';
import { SealedJournal, type SealedJournalOptions } from '../../src/platform/sealedJournal.ts';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { EXCHANGE_SCRIPT } from '../stand/standPaths.ts';
import { MemoryFile, MemoryLog, MemorySecretStore } from './memoryPorts.ts';

/** Acts for the person: takes the authorization URL and gives the callback URL, or undefined for a closed tab. */
export type Browser = (authorizationUrl: string) => Promise<URL | undefined>;

export interface HeadlessOptions {
  readonly browser: Browser;
  readonly clock?: Clock;
  readonly keychain?: MemorySecretStore;
  /** Instead of `keychain`. */
  readonly realKeychain?: SecretStore;
  readonly editor?: MemorySecretStore;
  readonly file?: MemoryFile;
  /** Instead of `file`. */
  readonly realFile?: ConnectionsFile;
  /** Where the journal is; one of its own by default. */
  readonly journalFolder?: string;
  readonly journal?: Partial<SealedJournalOptions>;
  /** Sends refreshes from a process of their own, as the extension does. */
  readonly isOutliving?: boolean;
  readonly redirectUri?: () => string;
  readonly clientMetadataUrl?: string;
  /** Puts something between the manager and the network. */
  readonly wrapFetch?: (fetch: Fetch) => Fetch;
  /** How long a request may take; as in the extension unless set. */
  readonly timeoutMs?: number;
}

/** Made when it is first needed: a process that has a folder of its own may be killed, and would leave this one. */
let journals: string | undefined;

function newJournalFolder(): string {
  journals ??= makeJournals();
  return path.join(journals, randomUUID());
}

function makeJournals(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'scopekeeper-journals-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The real token manager over the real guarded fetch; only editor, keychain and the public data are in memory. */
export function createHeadlessManager(options: HeadlessOptions) {
  const keychain = options.keychain ?? new MemorySecretStore('keychain');
  const editor = options.editor;
  const file = options.file ?? new MemoryFile();
  const log = new MemoryLog();
  const journalFolder = options.journalFolder ?? newJournalFolder();
  const keys = new SealingKeys({ keychain: options.realKeychain ?? keychain, editor, log });
  const loadKeys = async (): Promise<KeyRing> => keys.load('journal-key');
  const journal = new SealedJournal({ folder: journalFolder, loadKeys, ...options.journal });
  const guarded = createGuardedFetch({
    version: '0.0.0',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
  });
  /** What the person was told of the keychain; undefined that it is well again. */
  /** The same of the public data. */
  const unsaved: (string | undefined)[] = [];
  const troubles: (string | undefined)[] = [];
  /** What the callback pages said. */
  const pages: CallbackOutcome[] = [];
  const manager = new ConnectionManager({
    fetch: options.wrapFetch?.(guarded.fetch) ?? guarded.fetch,
    resolveReach: guarded.resolveReach,
    prepareRedirect: async () => options.redirectUri?.() ?? 'http://127.0.0.1:45678/callback',
    readAssertion: readAssertionFile,
    clock: options.clock ?? systemClock,
    random: () => 0.5,
    software: { name: 'Scopekeeper', softwareId: 'f3f1b7f2-8f3f-4d0e-9a51-6d2a6b1f0c11', version: '0.0.0' },
    vault: new SecretVault({ keychain: options.realKeychain ?? keychain, editor, log }),
    onSecretTrouble: (trouble) => troubles.push(trouble && `${trouble.effect} ${trouble.error.code}`),
    onUnsaved: (error) => unsaved.push(error?.code),
    file: options.realFile ?? file,
    journal,
    ...(options.isOutliving === true && {
      outlivingFetch: createOutlivingFetch({
        guardedFetch: guarded,
        journal,
        journalFolder,
        loadKeys,
        script: EXCHANGE_SCRIPT,
        version: '0.0.0',
        log,
      }),
    }),
    clientMetadataUrl: () => options.clientMetadataUrl,
    newId: randomUUID,
    log,
    openBrowser: async (url) => {
      const callback = await options.browser(url);
      if (callback !== undefined) pages.push(await manager.handleCallback(callback));
      return true;
    },
  });
  return {
    manager,
    keychain,
    file,
    journalFolder,
    log,
    troubles,
    unsaved,
    pages,
    /** Adds a server and signs in to it. */
    async connect(serverUrl: string): Promise<Connection> {
      const { id } = await manager.add(serverUrl);
      await manager.authorize(id);
      const connection = manager.get(id);
      if (connection === undefined) throw new Error('the connection is gone');
      return connection;
    },
    /** Gives the next connection that satisfies `test`, at once if it does already. */
    async until(id: string, test: (connection: Connection) => boolean): Promise<Connection> {
      const now = manager.get(id);
      if (now !== undefined && test(now)) return now;
      return new Promise((resolve) => {
        const listener = manager.onDidChangeConnection(({ connection }) => {
          if (connection.id !== id || !test(connection)) return;
          listener.dispose();
          resolve(connection);
        });
      });
    },
    /** Lets all end that waits for neither the network nor the clock. */
    async settled(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
    },
    async dispose(): Promise<void> {
      await manager.dispose();
      guarded.dispose();
    },
  };
}

export type Headless = ReturnType<typeof createHeadlessManager>;

export interface StartOptions extends Partial<Omit<HeadlessOptions, 'browser'>> {
  /** Puts something between the person and the server. */
  readonly wrapBrowser?: (browser: Browser) => Browser;
}

/** A faulty server and a manager whose browser authorizes at once, both closed when the test ends. */
export async function startWithFaults(
  t: TestContext,
  faults: Partial<Faults> = {},
  { wrapBrowser, ...options }: StartOptions = {},
): Promise<{ server: FaultyServer; headless: Headless }> {
  const server = await startFaultyServer(faults);
  t.after(async () => server.close());
  const browser: Browser = async (url) => server.authorize(url);
  const headless = createHeadlessManager({ browser: wrapBrowser?.(browser) ?? browser, ...options });
  t.after(async () => headless.dispose());
  return { server, headless };
}
