import type { Locator, Page } from 'playwright-core';

export interface Notification {
  readonly text: string;
  readonly buttons: readonly string[];
}

/** The toasts at the lower right, and modal dialogs. */
export class Notifications {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** All notifications that are shown now. */
  async all(): Promise<Notification[]> {
    return Promise.all((await this.#items.all()).map(readNotification));
  }

  /** The notification whose text holds `text`; use it to wait. */
  item(text: string | RegExp): Locator {
    return this.#items.filter({ hasText: text }).first();
  }

  /** Waits for a notification and clicks a button of it. */
  async click(text: string | RegExp, button: string): Promise<void> {
    await this.item(text)
      .locator('.notification-list-item-buttons-container .monaco-button', { hasText: button })
      .click();
  }

  /** Closes the notification whose text holds `text`. */
  async close(text: string | RegExp): Promise<void> {
    await this.item(text).hover();
    await this.item(text).getByRole('button', { name: 'Clear Notification' }).click();
    await this.item(text).waitFor({ state: 'hidden' });
  }

  /** The modal dialog that is open; use it to wait and to read. */
  get dialog(): Locator {
    return this.#page.locator('.monaco-dialog-box');
  }

  /** Waits for the modal dialog and clicks a button of it. */
  async clickDialog(button: string): Promise<void> {
    await this.dialog.getByRole('button', { name: button, exact: true }).click();
  }

  get #items(): Locator {
    return this.#page.locator('.notifications-toasts .notification-list-item');
  }
}

async function readNotification(item: Locator): Promise<Notification> {
  return {
    text: await item.locator('.notification-list-item-message').innerText(),
    buttons: await item.locator('.notification-list-item-buttons-container .monaco-button').allInnerTexts(),
  };
}
