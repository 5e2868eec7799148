import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserContext, Locator } from 'playwright-core';
import type { Faults } from '../servers/faults.ts';
import { startFaultyServer } from '../servers/faultyServer.ts';
import { findViolations, overflowOf } from './axe.ts';
import { withSession } from './session.ts';
import type { Workbench } from './workbench.ts';

/** The report, once it says so. */
async function report({ webview }: Workbench, headline: RegExp): Promise<Locator> {
  const main = webview.locator('main').filter({ hasText: headline });
  await main.waitFor();
  return main;
}

/** In the page no script runs, and so no axe-core either: it looks at a copy, with the colours of the theme. */
async function violationsOfReport({ webview }: Workbench, context: BrowserContext): Promise<string[]> {
  const html = await webview.locator('html').evaluate((element) => element.outerHTML);
  const page = await context.newPage();
  try {
    await page.setContent(html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''));
    await page.locator('main .headline').waitFor();
    return await findViolations(page.locator('html'));
  } finally {
    await page.close();
  }
}

async function enterUrl(workbench: Workbench, command: string, url: string): Promise<void> {
  await workbench.runCommand(command);
  await workbench.quickInput.waitFor('URL');
  await workbench.quickInput.answer(url);
}

test('from a broken server to a sentence that names the cause it is one press, and the report is for its makers', async (t) => {
  const broken: Partial<Faults> = {
    challengeResourceMetadata: false,
    metadataIssuer: 'https://evil.example',
    noRegistration: true,
    device: { intervalSeconds: 5, expiresInSeconds: 600, pending: 0, slowDowns: 0, outcome: 'approve' },
  };
  const [first, second, third] = await Promise.all([broken, { noPkce: true }, {}].map(startFaultyServer));
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  t.after(async () => Promise.all([first, second, third].map(async (server) => server.close())));
  await withSession('diagnosis', async ({ workbench, browser }) => {
    const { notifications, servers } = workbench;
    await servers.show();
    await enterUrl(workbench, 'Scopekeeper: Connect Server…', first.mcpUrl);
    await notifications.item(/calls itself/).waitFor();
    await workbench.screenshot('diagnose-offered');
    await notifications.click(/calls itself/, 'Diagnose…');
    const main = await report(workbench, /One could be posing as the other/);
    assert.equal(await main.locator('.headline').count(), 1);
    const verdicts = await main.locator('tbody .verdict').allInnerTexts();
    assert.deepEqual(
      verdicts.filter((text) => /broken|worked around/.test(text)).map((text) => text.replace(/\s+/g, ' ').trim()),
      ['✗ broken', '✗ broken', '! worked around'],
    );
    await workbench.clearNotifications();
    await workbench.screenshot('diagnosis-broken');
    assert.deepEqual(await violationsOfReport(workbench, browser.context), []);
    await workbench.screenshot('diagnosis-broken-light', 'light');
    await main.locator('summary', { hasText: 'issuer_mismatch' }).first().click();
    await workbench.screenshot('diagnosis-requests');
    await main.getByText('Copy Report').click();
    await workbench.page.locator('.statusbar', { hasText: 'Read it before you post it' }).waitFor();

    await workbench.clearNotifications();
    await enterUrl(workbench, 'Scopekeeper: Connect Server…', second.mcpUrl);
    await notifications.item(/protects sign-ins/).waitFor();
    await workbench.clearNotifications();
    await servers.contextMenu(/no protected sign-in/, 'Diagnose Connection…');
    const other = await report(workbench, /does not say that it protects sign-ins/);
    await workbench.screenshot('diagnosis-setting');
    // The setting that helps, as a person would: its confirmation is the editor's.
    await other.locator('nav').getByText('Allow…').click();
    await notifications.dialog.waitFor();
    await notifications.clickDialog('Cancel');

    await workbench.runCommand('Scopekeeper: Diagnose Connection…');
    await workbench.quickInput.waitFor('Diagnose');
    await workbench.screenshot('diagnose-quick-pick');
    await workbench.quickInput.pick('Another URL…');
    await workbench.quickInput.waitFor('URL');
    await workbench.screenshot('diagnose-url');
    await workbench.quickInput.answer(third.mcpUrl);
    await report(workbench, /Nothing is wrong, as far as it shows/);
    await workbench.screenshot('diagnosis-well');
    await workbench.page.setViewportSize({ width: 640, height: 800 });
    await workbench.screenshot('diagnosis-narrow');
    assert.equal(await overflowOf(workbench.webview.locator('html')), 0);
    assert.deepEqual([...third.requestsTo('registration'), ...third.requestsTo('authorization')], []);
  });
});
