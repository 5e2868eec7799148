import { test } from 'node:test';
import { startLocalClient } from '../headless/localClient.ts';
import { startSampleServer } from '../sample/sampleServer.ts';
import { gatewayUrl } from './gatewayUrl.ts';
import { withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';

test('a connection gets the name that the person gives it, as the pictures of the README show', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('readme', async ({ browser, workbench }) => {
    const { notifications, quickInput, servers } = workbench;
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    const signIn = await SignInPage.openedBy(workbench, sample, async () => quickInput.answer(sample.mcpUrl));
    await servers.row('see your browser').waitFor();
    await workbench.page.bringToFront();
    await workbench.runCommand('Scopekeeper: Rename');
    await quickInput.waitFor('name of this connection');
    await quickInput.answer('Sample Notes');
    await servers.row('Sample Notes').waitFor();
    await notifications.item('waiting for you in the browser').waitFor();
    await workbench.screenshot('readme-signing-in', 'dark', { x: 810, y: 660, width: 470, height: 140 });
    await signIn.decide('allow');
    await signIn.page.close();

    await servers.row('notes:write').waitFor();
    await servers.row(/Sample Notes.*expires in \d+ min · 2 scopes/s).waitFor();
    await workbench.page.mouse.move(640, 400);
    await workbench.screenshot('readme-connected', 'dark', { x: 0, y: 0, width: 720, height: 340 });
    await workbench.statusItem('status').hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Refresh now' }).first().waitFor();
    await workbench.screenshot('readme-status', 'dark', { x: 810, y: 670, width: 470, height: 130 });
    await servers.row('Sample Notes').hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'Renewal' }).first().waitFor();
    await workbench.screenshot('readme-tooltip', 'dark', { x: 0, y: 0, width: 720, height: 340 });

    const client = await startLocalClient(await gatewayUrl(workbench), 'Claude Code', (authorizationUrl) => {
      void browser.context.newPage().then(async (tab) => tab.goto(authorizationUrl.href)); // it ends at the client
    });
    t.after(async () => client.close());
    const listing = client.listTools();
    await workbench.page.bringToFront();
    await quickInput.waitFor('May it?');
    await workbench.page.mouse.move(640, 600);
    await workbench.screenshot('readme-consent', 'dark', { x: 0, y: 0, width: 960, height: 300 });
    await quickInput.pickAtLast('Allow All Tools');
    await servers.row(/Claude Code.*all tools/).waitFor();
    await listing;
  });
});
