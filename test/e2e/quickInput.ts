import type { Locator, Page } from 'playwright-core';

const TICK_MS = 30_000;

export interface QuickPickRow {
  readonly label: string;
  readonly description: string;
  /** Undefined when the quick pick takes only one. */
  readonly checked: boolean | undefined;
}

/** The input box or quick pick at the top of the workbench. */
export class QuickInput {
  readonly #page: Page;
  readonly #widget: Locator;
  /** The field to type into. */
  readonly field: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#widget = page.locator('.quick-input-widget');
    this.field = this.#widget.locator('input.input');
  }

  /** Waits for an input box or quick pick whose title, prompt or placeholder holds `text`. */
  async waitFor(text: string): Promise<void> {
    await this.#widget
      .filter({ hasText: text })
      .or(this.#widget.filter({ has: this.#page.locator(`input[placeholder*="${text}"]`) }))
      .first()
      .waitFor();
  }

  /** Types into the input box and accepts. */
  async answer(value: string): Promise<void> {
    await this.field.fill(value);
    await this.#page.keyboard.press('Enter');
  }

  /** What is said below the field: the prompt, or what is wrong with the value. */
  async message(): Promise<string> {
    return this.#widget.locator('.quick-input-message').innerText();
  }

  /** The rows that are drawn (the list is virtual: the first twenty or so). */
  async rows(): Promise<QuickPickRow[]> {
    await this.#rows.first().waitFor();
    return Promise.all((await this.#rows.all()).map(readRow));
  }

  /** Picks the row with `label` in a quick pick that takes one. */
  async pick(label: string): Promise<void> {
    await this.#row(label).click();
  }

  /** Picks as {@link pick} where a click right after a typed key is not taken: clicks until the list has gone. */
  async pickAtLast(label: string): Promise<void> {
    const row = this.#row(label);
    while (await row.isVisible()) {
      await row.click({ timeout: 1000 }).catch(() => undefined);
      await row.waitFor({ state: 'hidden', timeout: 500 }).catch(() => undefined);
    }
  }

  /** Ticks or unticks the row with `label` in a quick pick that takes several. */
  async toggle(label: string): Promise<void> {
    await this.#row(label).locator('.label-name').first().click();
  }

  /** Ticks the row with `label`: clicks until it is, since a list that was just drawn takes no clicks at first. */
  async tick(label: string): Promise<void> {
    const row = this.#row(label);
    const ticked = row.and(this.#page.locator('[aria-checked="true"]'));
    const giveUpAt = Date.now() + TICK_MS;
    while (!(await ticked.isVisible())) {
      if (Date.now() > giveUpAt) throw new Error(`The row ${label} cannot be ticked.`);
      await row.locator('.label-name').first().click();
      await ticked.waitFor({ timeout: 1000 }).catch(() => undefined);
    }
  }

  /** Accepts the ticked rows. */
  async accept(): Promise<void> {
    await this.#widget.getByRole('button', { name: 'OK', exact: true }).click();
  }

  /** Clicks a button in the title or beside the field. */
  async button(title: string): Promise<void> {
    await this.#widget.getByRole('button', { name: title }).first().click();
  }

  /** Leaves without an answer. */
  async cancel(): Promise<void> {
    await this.#page.keyboard.press('Escape');
    await this.#widget.waitFor({ state: 'hidden' });
  }

  get #rows(): Locator {
    return this.#widget.locator('.quick-input-list .monaco-list-row');
  }

  #row(label: string): Locator {
    const name = this.#page.locator('.label-name').getByText(label, { exact: true });
    return this.#rows.filter({ has: name }).first();
  }
}

async function readRow(row: Locator): Promise<QuickPickRow> {
  const description = row.locator('.quick-input-list-label .label-description');
  const isOneOfMany = (await row.getAttribute('role')) === 'checkbox';
  return {
    label: await row.locator('.label-name').first().innerText(),
    description: (await description.count()) > 0 ? await description.first().innerText() : '',
    checked: isOneOfMany ? (await row.getAttribute('aria-checked')) === 'true' : undefined,
  };
}
