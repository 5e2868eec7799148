import path from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { newWorkbenchPage } from '../stand/browser.ts';
import type { CodeServer } from '../stand/codeServer.ts';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import { Notifications } from './notifications.ts';
import { QuickInput } from './quickInput.ts';
import { TreeView } from './treeView.ts';

const COMMAND_TIMEOUT_MS = 30_000;

/** A part of the window, in pixels from its upper left corner. */
export interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One window of the editor, as a person sees it. */
export class Workbench {
  readonly page: Page;
  readonly quickInput: QuickInput;
  readonly servers: TreeView;
  readonly notifications: Notifications;

  private constructor(page: Page) {
    this.page = page;
    this.quickInput = new QuickInput(page);
    this.servers = new TreeView(page);
    this.notifications = new Notifications(page);
  }

  /** Opens a window on `folder` (absolute) and waits until it can be used. */
  static async open(context: BrowserContext, server: CodeServer, folder: string): Promise<Workbench> {
    const page = await newWorkbenchPage(context);
    const workbench = new Workbench(page);
    await page.goto(server.urlFor(folder), { waitUntil: 'commit' });
    await workbench.#waitUntilUsable();
    return workbench;
  }

  /** Reloads the window; its extension host ends and another one starts. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#waitUntilUsable();
  }

  /** Closes the window as a person would; its extension host ends soon after. */
  async close(): Promise<void> {
    await this.page.close();
  }

  /**
   * Runs a command from the palette.
   * @param title with the category, as shown: `Scopekeeper: Connect Server…`
   */
  async runCommand(title: string): Promise<void> {
    const row = this.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ has: this.page.locator('.label-name').getByText(title, { exact: true }) })
      .first();
    const deadline = Date.now() + COMMAND_TIMEOUT_MS;
    for (;;) {
      await this.#askPalette(title);
      try {
        await row.waitFor({ timeout: 2000 });
        break;
      } catch (error) {
        // The palette lists what was known when it opened, and extensions come later.
        await this.quickInput.cancel();
        if (Date.now() > deadline) throw new Error(`The palette has no command ${title}.`, { cause: error });
      }
    }
    await row.click();
    // What the command shows comes in the same place, and is not to be taken for the palette.
    await row.waitFor({ state: 'hidden' });
  }

  /** Closes all notifications. */
  async clearNotifications(): Promise<void> {
    await this.runCommand('Notifications: Clear All Notifications');
    await this.page.locator('.notifications-toasts .notification-list-item').first().waitFor({ state: 'hidden' });
  }

  /** The titles that the palette shows for `text`. */
  async findCommands(text: string): Promise<string[]> {
    await this.#askPalette(text);
    const rows = await this.quickInput.rows();
    await this.quickInput.cancel();
    return rows.map((row) => row.label).filter((label) => label !== 'No matching commands');
  }

  /** An item of the status bar; its text is without icons, its aria-label the tooltip. */
  statusItem(id: string, extension = 'scopekeeper.scopekeeper'): Locator {
    return this.page.locator(`[id="${extension}.${id}"]`);
  }

  /**
   * Does `action` and gives the browser tab that the editor opened because of it (`env.openExternal`).
   * Loopback addresses open at once; for others the editor asks first, and gets *Open*.
   */
  async openedPage(action: () => Promise<void>, timeoutMs = 45_000): Promise<Page> {
    let isOpened = false;
    const question = this.page.locator('.monaco-dialog-box', { hasText: 'open the external website' });
    const answered = question.waitFor({ timeout: timeoutMs }).then(async () => {
      if (!isOpened) await question.getByRole('button', { name: 'Open', exact: true }).click();
    });
    answered.catch(() => undefined); // No question came: the address was a loopback one.
    const [page] = await Promise.all([this.page.context().waitForEvent('page', { timeout: timeoutMs }), action()]);
    isOpened = true;
    await page.waitForLoadState('domcontentloaded');
    return page;
  }

  /** The content of the webview that is shown. */
  get webview(): ReturnType<Page['frameLocator']> {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /**
   * Saves a picture of the window as out/screenshots/NAME.png, in the dark theme or the light one.
   * @param clip the part of the window to take, in pixels; all of it by default
   */
  async screenshot(name: string, theme: 'dark' | 'light' = 'dark', clip?: Clip): Promise<void> {
    await this.#useTheme(theme);
    await this.waitUntilStill();
    const file = path.join(SCREENSHOTS_FOLDER, `${name}.png`);
    await this.page.screenshot({ path: file, ...(clip !== undefined && { clip }) });
    await this.#useTheme('dark');
  }

  /** Toasts fade in, menus and hovers too; what turns without end is not waited for. */
  async waitUntilStill(): Promise<void> {
    await this.page.evaluate(`(async () => {
      const drawn = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await drawn();
      await drawn();
      const ending = document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime !== Infinity);
      await Promise.all(ending.map((each) => each.finished.catch(() => undefined)));
      await drawn();
    })()`);
  }

  /**
   * Opens the palette with `text` in it. An input box that is about to close takes the palette with it, and says nowhere
   * when it has: so the key is pressed until the palette is there.
   */
  async #askPalette(text: string): Promise<void> {
    const deadline = Date.now() + COMMAND_TIMEOUT_MS;
    for (;;) {
      await this.page.keyboard.press('F1');
      try {
        await this.quickInput.field.fill(`>${text}`, { timeout: 3000 });
        return;
      } catch (error) {
        if (Date.now() > deadline) throw new Error('The palette does not open.', { cause: error });
      }
    }
  }

  async #useTheme(theme: 'dark' | 'light'): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme });
    await this.page.locator(`.monaco-workbench.${theme === 'dark' ? 'vs-dark' : 'vs'}`).waitFor();
  }

  async #waitUntilUsable(): Promise<void> {
    await this.page.locator('.monaco-workbench .activitybar').getByRole('tab').first().waitFor();
    await this.page.locator('.statusbar .statusbar-item').first().waitFor();
  }
}
