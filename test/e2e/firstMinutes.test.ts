import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import { withSession } from './session.ts';

const TITLES = [
  'Connect a server',
  'See scopes and expiry',
  'Use it from your MCP client',
  'Ask for more, or for less',
];

async function picture(page: Page, name: string, colorScheme: 'dark' | 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: path.join(SCREENSHOTS_FOLDER, `${name}-${colorScheme}.png`) });
}

test('from the installed extension to a connected server in three actions, and round in the walkthrough', async () => {
  await withSession('first-minutes', async ({ workbench }) => {
    const { notifications, page, servers } = workbench;
    // One.
    await servers.show();
    const link = servers.welcomeAction('Try with the Sample Server');
    await link.waitFor();
    await workbench.screenshot('welcome-dark');
    await workbench.screenshot('welcome-light', 'light');
    // Who looks around first sees the steps end as they are done.
    await page.setViewportSize({ width: 1680, height: 900 });
    await servers.welcomeAction('Show me around').click();
    const step = (title: string) => page.locator('.getting-started-step').filter({ hasText: title }).first();
    await step('Connect a server').waitFor();
    // Two.
    const consent = await workbench.openedPage(async () => link.click());
    const allow = consent.getByRole('button', { name: 'Allow' });
    await allow.waitFor();
    await picture(consent, 'sample-consent', 'dark');
    await picture(consent, 'sample-consent', 'light');
    // Three.
    await allow.click();
    await consent.waitForURL(/\/callback\?/);
    assert.match(await consent.locator('main').innerText(), /Connected to Sample Notes/);
    await consent.close();
    const tabs = page.context().pages().length;
    await servers.row(/Sample Notes.*expires in \d+ min · 2 scopes/s).waitFor();
    assert.deepEqual(await notifications.all(), []);

    // Who tries it again finds it where it is, and no browser opens.
    await workbench.runCommand('Scopekeeper: Try with the Sample Server');
    await workbench.page.locator('.statusbar').getByText('connected already').waitFor();
    assert.equal(page.context().pages().length, tabs);

    // A scope that is unticked is told as one that was not granted.
    const again = await workbench.openedPage(async () => servers.contextMenu('Sample Notes', 'Re-authorize…'));
    await again.getByLabel('notes:write').uncheck();
    await again.getByRole('button', { name: 'Allow' }).click();
    await again.waitForURL(/\/callback\?/);
    await again.close();
    await servers.row(/Sample Notes.*1 (of 2|scope)/s).waitFor();
    await workbench.screenshot('sample-unticked');

    for (const [index, title] of TITLES.entries()) {
      await step(title).click();
      await workbench.webview.locator('svg').waitFor();
      await workbench.screenshot(`walkthrough-${index + 1}-dark`);
      await workbench.screenshot(`walkthrough-${index + 1}-light`, 'light');
    }
    await step('See scopes and expiry').click();
    await page.getByRole('button', { name: 'Open the Servers View' }).click();
    await step('See scopes and expiry').locator('.codicon-getting-started-step-checked').first().waitFor();
    const done = await Promise.all(
      TITLES.map(async (title) => step(title).locator('.codicon-getting-started-step-checked').count()),
    );
    assert.deepEqual(
      done.map((count) => count > 0),
      [true, true, false, true],
    );

    // What the sample leaves with its connection.
    await servers.contextMenu('Sample Notes', 'Remove');
    await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Remove' }).click();
    await servers.welcomeAction('Connect a Server').waitFor();
  });
});
