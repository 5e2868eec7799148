import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { startSampleServer } from '../sample/sampleServer.ts';
import { startFaultyServer } from '../servers/faultyServer.ts';
import { findViolations, frameOf, overflowOf } from './axe.ts';
import { withSession } from './session.ts';
import { connectSample } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** What has the focus in a page: the action of a button, or the name of its tag. */
const FOCUSED = 'document.activeElement.dataset.action ?? document.activeElement.tagName';

const WIDE = { width: 1280, height: 800 };

/** Waits for the details view of a connection, and gives what is in it. */
async function detailsOf(workbench: Workbench, name: string | RegExp): Promise<Locator> {
  const main = workbench.webview.locator('main#details');
  await main.getByRole('heading', { level: 1, name }).waitFor();
  return main;
}

async function useTheme(workbench: Workbench, label: string, className: string): Promise<void> {
  await workbench.runCommand('Preferences: Color Theme');
  await workbench.quickInput.field.fill(label);
  await workbench.quickInput.pick(label);
  await workbench.page.locator(`.monaco-workbench.${className}`).waitFor();
}

async function assertAccessible(main: Locator, what: string): Promise<void> {
  assert.deepEqual(await findViolations(main), [], what);
  assert.equal(await overflowOf(main), 0, `${what}: nothing is cut off at the side`);
}

test('the details of a connection: its life, its scopes, its last sign-in; by mouse, by keyboard, after a restart', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('details', async ({ workbench }) => {
    const { page, servers } = workbench;
    await page.setViewportSize(WIDE);
    await connectSample(workbench, sample);
    await page.bringToFront();
    await servers.row(/expires in \d+ min · 2 scopes/).waitFor();
    await workbench.clearNotifications();
    await servers.inlineAction(/expires in/, 'Show Connection Details');
    const main = await detailsOf(workbench, /127\.0\.0\.1/);
    await main.getByText('Connected', { exact: true }).waitFor();
    assert.match(await main.locator('header').innerText(), /Server\s+http:\/\/127\.0\.0\.1:\d+\/mcp/);
    assert.match(await main.locator('header').innerText(), /Expires\s+in \d+ min · renews itself/);

    // The last sign-in, as it went over the wire, with no secret in it.
    const steps = main.getByRole('list', { name: 'Steps, in order' });
    await steps.getByText('Get the tokens').waitFor();
    const told = await steps.innerText();
    for (const title of ['Ask the server without a token', 'Register as a client', 'Open the sign-in page']) {
      assert.ok(told.includes(title), `${title} in ${told}`);
    }
    await steps.getByText('Get the tokens').click();
    await steps.getByText('code_verifier').waitFor();
    await main.locator('h1').scrollIntoViewIfNeeded();
    await workbench.screenshot('details', 'dark');
    await workbench.screenshot('details-light', 'light');
    await assertAccessible(main, 'dark');

    // A renewal is seen at once, and what the keyboard is at stays so.
    const refresh = main.getByRole('button', { name: 'Refresh Token Now' });
    await refresh.focus();
    await page.keyboard.press('Enter');
    await main.getByRole('list').getByText('Token renewed').waitFor();
    await main.getByText('Connected', { exact: true }).waitFor();
    await refresh.waitFor();
    assert.equal(await steps.locator('details[open]').count(), 1, 'what was folded out stays so');
    await main.getByRole('status').filter({ hasText: 'Token renewed' }).waitFor({ state: 'attached' });

    // All of it can be reached by the keyboard alone.
    const frame = await frameOf(main);
    const reached = new Set<string>();
    await main.getByRole('button').first().focus();
    for (let presses = 0; presses < 25; presses += 1) {
      reached.add(String(await frame.evaluate(FOCUSED)));
      await page.keyboard.press('Tab');
    }
    for (const part of [
      'reauthorize',
      'refreshToken',
      'chooseScopes',
      'diagnose',
      'copyGatewayUrl',
      'export',
      'DIV',
      'SUMMARY',
    ]) {
      assert.ok(reached.has(part), `${part} of ${[...reached].join()}`);
    }

    await main.locator('#matrix').evaluate((heading) => heading.scrollIntoView());
    await workbench.screenshot('details-scopes', 'dark');
    await main.locator('#sequence').evaluate((heading) => heading.scrollIntoView());
    await workbench.screenshot('details-steps', 'dark');
    await workbench.screenshot('details-steps-light', 'light');

    // A tab is one connection: it is not opened twice, and comes back after a restart.
    await workbench.runCommand('Scopekeeper: Show Connection Details');
    const tabs = page.locator('.tabs-container .tab', { hasText: '127.0.0.1' });
    assert.equal(await tabs.count(), 1);
    await workbench.reload();
    const again = await detailsOf(workbench, /127\.0\.0\.1/);
    await again.getByText('Connected', { exact: true }).waitFor();
    await again.getByText('Token renewed').first().waitFor();
    assert.equal(await tabs.count(), 1);
    await again.getByText('No authorization was recorded since').waitFor();

    for (const [label, className, picture] of [
      ['Dark High Contrast', 'hc-black', 'details-contrast'],
      ['Light High Contrast', 'hc-light', 'details-contrast-light'],
    ] as const) {
      await useTheme(workbench, label, className);
      await workbench.webview.locator('body.vscode-high-contrast').waitFor();
      await again.locator('h1').scrollIntoViewIfNeeded();
      await workbench.waitUntilStill();
      await page.screenshot({ path: path.join('out', 'screenshots', `${picture}.png`) });
      await assertAccessible(again, label);
    }
    await useTheme(workbench, 'Dark Modern', 'vs-dark');
    await page.setViewportSize({ width: 640, height: 900 });
    await again.locator('h1').scrollIntoViewIfNeeded();
    await workbench.screenshot('details-narrow', 'dark');
    await workbench.screenshot('details-narrow-light', 'light');
    await page.emulateMedia({ colorScheme: 'light' });
    await assertAccessible(again, 'light and narrow');
    await page.setViewportSize(WIDE);

    // What the view exports says where it is, and holds no token.
    await again.getByRole('button', { name: 'Export…' }).click();
    await workbench.quickInput.field.waitFor();
    await page.keyboard.press('Enter');
    const saved = await workbench.notifications.item('Saved to').innerText();
    await workbench.screenshot('details-exported', 'dark');
    const text = await readFile(/Saved to (.*\.json)\./.exec(saved)?.[1] ?? '', 'utf8');
    assert.match(text, /"product": "Scopekeeper"/);
    assert.match(text, /"type": "connected"/);
  });
});

test('P13 the step at which a sign-in failed is shown with the rule that was broken and what to do', async (t) => {
  const server = await startFaultyServer({ noPkce: true });
  t.after(async () => server.close());
  await withSession('details-failed', async ({ workbench }) => {
    const { notifications, page, quickInput, servers } = workbench;
    await page.setViewportSize(WIDE);
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.answer(server.mcpUrl);
    await notifications.item('does not say that it protects sign-ins').waitFor();
    await workbench.clearNotifications();
    await servers.contextMenu('no protected sign-in', 'Show Connection Details');
    const main = await detailsOf(workbench, /127\.0\.0\.1/);
    const failed = main.locator('.steps li.failed');
    await failed.getByText('RFC 7636 §4.2', { exact: true }).waitFor();
    await failed.getByText('you can allow it for this connection').waitFor();
    await main.getByRole('button', { name: 'Allow…' }).waitFor();
    await workbench.screenshot('details-failed', 'dark');
    await failed.evaluate((step) => step.scrollIntoView({ block: 'center' }));
    await workbench.screenshot('details-failed-step', 'dark');
    await assertAccessible(main, 'failed');
    await page.setViewportSize({ width: 740, height: 900 });
    await failed.evaluate((step) => step.scrollIntoView({ block: 'center' }));
    await workbench.screenshot('details-failed-narrow', 'dark');
    await assertAccessible(main, 'failed and narrow');
    await page.setViewportSize(WIDE);
    await servers.contextMenu('no protected sign-in', 'Remove');
    await page.locator('.monaco-dialog-box .monaco-button', { hasText: 'Remove' }).click();
    await page.locator('.tabs-container .tab', { hasText: '127.0.0.1' }).waitFor({ state: 'hidden' });
  });
});
