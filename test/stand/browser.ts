import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { cleanEnvironment } from './processes.ts';
import { findProgram } from './provisionPackages.ts';

const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--password-store=basic',
];

/** How long anything may take to appear, where other work keeps the processors from the browser. */
const BUSY_MACHINE_MS = 60_000;

export interface BrowserSession {
  /** One profile: cookies and localStorage (where code-server keeps `context.secrets`) are shared by its pages. */
  readonly context: BrowserContext;
  /** Closes the browser and removes the profile, unless its folder was given. */
  dispose(): Promise<void>;
}

/**
 * Starts the system's Chromium, without a window.
 * @param profileFolder where the profile lasts; without it the profile goes with the browser
 */
export async function startBrowser(profileFolder?: string): Promise<BrowserSession> {
  const executablePath = await findProgram('chromium');
  if (executablePath === undefined) throw new Error('There is no chromium on the PATH.');
  const scratch = await mkdtemp(path.join(tmpdir(), 'scopekeeper-browser-'));
  const context = await chromium.launchPersistentContext(profileFolder ?? path.join(scratch, 'profile'), {
    executablePath,
    args: CHROMIUM_ARGUMENTS,
    env: cleanEnvironment({ HOME: scratch }),
    viewport: { width: 1280, height: 800 },
    colorScheme: 'dark',
    locale: 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(BUSY_MACHINE_MS);
  return {
    context,
    dispose: async () => {
      await context.close();
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * The frame of each webview asks the browser whether the editor's service worker has changed, and shows nothing before
 * the answer (`registration.update()` in the editor's own webview/browser/pre/index.html). Chromium takes two seconds
 * for it on a free machine and tens of seconds on a busy one, and a webview that is closed and opened anew waits behind
 * the same check. It can find nothing, as the server stays the same; so in these frames it has found nothing at once.
 * What a webview is given, and when, stays as it is.
 */
const WITHOUT_WORKER_UPDATES = `if (location.pathname.endsWith('/webview/browser/pre/index.html')) {
  ServiceWorkerRegistration.prototype.update = async function () { return this; };
}`;

/**
 * Opens a page for a workbench: code-server would compress its 20 MB each time, for a browser on the same machine.
 * Pages that the workbench opens ask as every browser does.
 */
export async function newWorkbenchPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.setExtraHTTPHeaders({ 'accept-encoding': 'identity' });
  await page.addInitScript(WITHOUT_WORKER_UPDATES);
  return page;
}
