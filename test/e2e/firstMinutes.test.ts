import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import { withSession } from './session.ts';

async function picture(page: Page, name: string, colorScheme: 'dark' | 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: path.join(SCREENSHOTS_FOLDER, `${name}-${colorScheme}.png`) });
}

test('from the installed extension to a connected server in three actions, and round in the walkthrough', async () => {
  await withSession('first-minutes', async ({ workbench }) => {
    const { notifications, page, quickInput, servers } = workbench;
    // One.
    await servers.show();
    const link = servers.welcomeAction('Try with the Sample Server');
    await link.waitFor();
    await workbench.screenshot('welcome-dark');
    await workbench.screenshot('welcome-light', 'light');
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

    await workbench.runCommand('Welcome: Open Walkthrough...');
    await quickInput.answer('First Minutes with Scopekeeper');
    const steps = page.locator('.getting-started-step');
    await steps.first().waitFor();
    for (const [index, title] of [
      'Connect a server',
      'See scopes and expiry',
      'Use it from your MCP client',
      'Ask for more, or for less',
    ].entries()) {
      await steps.filter({ hasText: title }).first().click();
      await page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame').locator('svg').waitFor();
      await workbench.screenshot(`walkthrough-${index + 1}-dark`);
      await workbench.screenshot(`walkthrough-${index + 1}-light`, 'light');
    }
    // The first two ended by what was done above.
    const isDone = async (title: string) =>
      (await steps.filter({ hasText: title }).first().locator('.codicon-getting-started-step-checked').count()) > 0;
    assert.deepEqual(
      [await isDone('Connect a server'), await isDone('See scopes and expiry'), await isDone('Use it from')],
      [true, true, false],
    );

    // What the sample leaves with its connection.
    await servers.contextMenu('Sample Notes', 'Remove');
    await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Remove' }).click();
    await servers.welcomeAction('Connect a Server').waitFor();
  });
});
