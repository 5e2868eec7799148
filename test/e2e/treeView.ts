import type { Locator, Page } from 'playwright-core';

export interface TreeRow {
  readonly name: string;
  readonly description: string;
  /** 1 at the top. */
  readonly level: number;
  /** What a screen reader says. */
  readonly accessibleName: string;
}

/** A menu that has the entry takes it long before. */
const MENU_MS = 20_000;

/** The tree of a view in the side bar. */
export class TreeView {
  readonly #page: Page;
  readonly #container: string;

  /** @param container the title of its view container in the activity bar */
  constructor(page: Page, container = 'MCP Connections') {
    this.#page = page;
    this.#container = container;
  }

  /** Shows the view container; does nothing when it is shown already. */
  async show(): Promise<void> {
    const tab = this.#page.locator('.activitybar').getByRole('tab', { name: this.#container });
    await tab.waitFor();
    const title = this.#page.locator('.sidebar .composite.title', { hasText: this.#container });
    // A click on the tab of what is shown hides it, and a window that was reloaded shows it a little later.
    for (let tries = 3; tries > 0; tries -= 1) {
      if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
      const isShown = await title.waitFor({ timeout: tries === 1 ? 30_000 : 3000 }).then(
        () => true,
        () => false,
      );
      if (isShown) break;
    }
    await title.waitFor();
    // Off the tab, or its hover stays over the view.
    await this.#page.mouse.move(640, 400);
  }

  /** All rows that are drawn, from the top. */
  async rows(): Promise<TreeRow[]> {
    return Promise.all((await this.#rows.all()).map(readRow));
  }

  /** The first row whose text holds `text`; use it to wait, or with the methods below. */
  row(text: string | RegExp): Locator {
    return this.#rows.filter({ hasText: text }).first();
  }

  /** Opens a row's children and waits until it says that it is open. */
  async expand(text: string | RegExp): Promise<void> {
    const row = this.row(text);
    await row.waitFor();
    if ((await row.getAttribute('aria-expanded')) === 'true') return;
    await row.locator('.monaco-tl-twistie').click();
    await this.#page.locator('.sidebar .monaco-list-row[aria-expanded="true"]', { hasText: text }).first().waitFor();
  }

  /** Clicks an icon at the right end of a row. */
  async inlineAction(text: string | RegExp, title: string): Promise<void> {
    const row = this.row(text);
    await row.hover();
    await row.getByRole('button', { name: title }).click();
  }

  /** The entries of a row's context menu; closes it again. */
  async contextMenuEntries(text: string | RegExp): Promise<string[]> {
    return this.#readEntries(await this.#openContextMenu(text));
  }

  /** What the icons at the right end of a row say, from the left. */
  async inlineActions(text: string | RegExp): Promise<string[]> {
    const row = this.row(text);
    await row.hover();
    const buttons = row.locator('.actions').getByRole('button');
    await buttons.first().waitFor();
    return Promise.all((await buttons.all()).map(async (button) => (await button.getAttribute('aria-label')) ?? ''));
  }

  /** Runs an entry of a row's context menu. */
  async contextMenu(text: string | RegExp, entry: string): Promise<void> {
    await clickEntry(await this.#openContextMenu(text), entry);
  }

  /** The entries behind the dots in the view's title bar, the editor's own too; closes them again. */
  async titleMenuEntries(): Promise<string[]> {
    return this.#readEntries(await this.#openTitleMenu());
  }

  /** Runs an entry from behind the dots in the view's title bar. */
  async titleMenu(entry: string): Promise<void> {
    await clickEntry(await this.#openTitleMenu(), entry);
  }

  /** Clicks an icon in the view's title bar. */
  async titleAction(title: string): Promise<void> {
    const sideBar = this.#page.locator('.sidebar');
    await sideBar.locator('.pane-header, .composite.title').first().hover();
    await sideBar.locator('.actions-container').getByRole('button', { name: title }).first().click();
  }

  /** What the icons in the view's title bar say, from the left. */
  async titleActions(): Promise<string[]> {
    const sideBar = this.#page.locator('.sidebar');
    await sideBar.locator('.pane-header, .composite.title').first().hover();
    const buttons = await sideBar.locator('.composite.title .actions-container').getByRole('button').all();
    const labels = await Promise.all(buttons.map(async (button) => button.getAttribute('aria-label')));
    return labels.map((label) => label ?? '').filter((label) => label !== '');
  }

  /** A button or link in the welcome text of an empty view. */
  welcomeAction(title: string): Locator {
    return this.#page.locator('.sidebar .welcome-view').getByText(title);
  }

  get #rows(): Locator {
    return this.#page.locator('.sidebar .tree-explorer-viewlet-tree-view .monaco-list-row');
  }

  async #openContextMenu(text: string | RegExp): Promise<Locator> {
    await this.row(text).click({ button: 'right' });
    return this.#openedMenu();
  }

  async #openTitleMenu(): Promise<Locator> {
    await this.titleAction('Views and More Actions');
    return this.#openedMenu();
  }

  async #openedMenu(): Promise<Locator> {
    const menu = this.#page.locator('.context-view .monaco-menu').first();
    await menu.waitFor();
    return menu;
  }

  async #readEntries(menu: Locator): Promise<string[]> {
    const entries = await menu.getByRole('menuitem').allInnerTexts();
    await this.#page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
    return entries.map((entry) => entry.trim()).filter((entry) => entry !== '');
  }
}

async function clickEntry(menu: Locator, entry: string): Promise<void> {
  const giveUpAt = Date.now() + MENU_MS;
  // For its first 100 ms a menu takes no clicks, and says nowhere when it does: so click until it closes.
  while (await menu.isVisible()) {
    if (Date.now() > giveUpAt) throw new Error(`The menu has no ${entry} that can be clicked.`);
    await menu
      .getByRole('menuitem', { name: entry, exact: true })
      .click({ timeout: 1000 })
      .catch(() => undefined);
    await menu.waitFor({ state: 'hidden', timeout: 200 }).catch(() => undefined);
  }
}

async function readRow(row: Locator): Promise<TreeRow> {
  const description = row.locator('.label-description');
  return {
    name: await row.locator('.label-name').first().innerText(),
    description: (await description.count()) > 0 ? await description.first().innerText() : '',
    level: Number(await row.getAttribute('aria-level')),
    accessibleName: (await row.getAttribute('aria-label')) ?? '',
  };
}
