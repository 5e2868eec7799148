import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BrowserSession, startBrowser } from '../stand/browser.ts';
import { CodeServer, type CodeServerOptions } from '../stand/codeServer.ts';
import { INSTALLED_EXTENSIONS } from '../stand/installedExtension.ts';
import { withKeyring } from '../stand/keyring.ts';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import { Workbench } from './workbench.ts';

/** An editor with the packed extension in it, a browser, and a first window. */
export interface Session {
  readonly server: CodeServer;
  readonly browser: BrowserSession;
  /** The folder that is open. */
  readonly workspace: string;
  readonly workbench: Workbench;
  /** Opens one more window, on a folder of its own. */
  readonly openWindow: () => Promise<Workbench>;
}

/** Agent mode starts a process and a dozen of widgets for each window; who tests it sets this to false. */
const WITHOUT_AGENTS = { 'chat.disableAIFeatures': true };

/** By this variable programs find the keyring. */
const BUS_VARIABLE = 'DBUS_SESSION_BUS_ADDRESS';

/**
 * Does `body` in a fresh editor with a home folder, keyring, extensions and settings of its own, and removes all of it:
 * sessions of several test files run at the same time. A session that is given a bus in `options.env` uses that one.
 * When `body` fails, a picture of each window stays as out/screenshots/failed-NAME-N.png.
 */
export async function withSession(
  name: string,
  body: (session: Session) => Promise<void>,
  options: CodeServerOptions = {},
): Promise<void> {
  const settled = { ...options, settings: { ...WITHOUT_AGENTS, ...options.settings } };
  if (options.env?.[BUS_VARIABLE] !== undefined) await runSession(name, body, settled);
  else await withKeyring(async () => runSession(name, body, settled));
}

async function runSession(
  name: string,
  body: (session: Session) => Promise<void>,
  options: CodeServerOptions,
): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'scopekeeper-e2e-'));
  const server = await CodeServer.start({ extensions: INSTALLED_EXTENSIONS, ...options });
  try {
    const browser = await startBrowser();
    try {
      const openWindow = async (): Promise<Workbench> =>
        Workbench.open(browser.context, server, await mkdtemp(path.join(scratch, 'window-')));
      const workspace = path.join(scratch, 'workspace');
      await mkdir(workspace);
      const workbench = await Workbench.open(browser.context, server, workspace);
      await body({ server, browser, workspace, workbench, openWindow });
    } catch (error) {
      await takePictures(name, browser);
      throw error;
    } finally {
      await browser.dispose();
    }
  } finally {
    await server.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function takePictures(name: string, browser: BrowserSession): Promise<void> {
  for (const [index, page] of browser.context.pages().entries()) {
    const file = path.join(SCREENSHOTS_FOLDER, `failed-${name}-${index}.png`);
    // A picture must not hide why the test failed.
    await page.screenshot({ path: file }).catch(() => undefined);
  }
}
