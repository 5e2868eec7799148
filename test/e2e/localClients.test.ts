import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLocalClient } from '../headless/localClient.ts';
import { startSampleServer } from '../sample/sampleServer.ts';
import { gatewayUrl } from './gatewayUrl.ts';
import { withSession } from './session.ts';
import { connectSample } from './signInPage.ts';

const NARROW = { width: 700, height: 600 };

test('P43 P44 a client asks for access, the person chooses tools, sees who uses the server, and revokes it', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('local-clients', async ({ browser, workbench }) => {
    const { notifications, quickInput, servers } = workbench;
    await connectSample(workbench, sample);
    await workbench.runCommand('Scopekeeper: Rename');
    await quickInput.waitFor('name of this connection');
    await quickInput.answer('Sample Notes');
    await servers.row('Sample Notes').waitFor();
    await servers.row('nobody yet').waitFor();

    const url = await gatewayUrl(workbench);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[a-z0-9-]+\/mcp$/);
    const client = await startLocalClient(url, 'Claude Code', (authorizationUrl) => {
      void browser.context.newPage().then(async (page) => page.goto(authorizationUrl.href)); // it ends at the client
    });
    t.after(async () => client.close());

    const listing = client.listTools();
    await workbench.page.bringToFront();
    await quickInput.waitFor('May it?');
    await workbench.page.mouse.move(640, 600);
    await workbench.screenshot('consent-dark');
    await workbench.screenshot('consent-light', 'light');
    // Neither Enter nor what was typed for something else says yes.
    await workbench.page.keyboard.press('Enter');
    await workbench.page.keyboard.type('allow all');
    await workbench.page.keyboard.press('Enter');
    while ((await quickInput.field.inputValue()) !== '') await workbench.page.waitForTimeout(50);
    await quickInput.waitFor('The answer goes to');
    const facts = (await quickInput.rows()).map(({ label }) => label);
    assert.equal(facts[0], '“Claude Code” asks to use Sample Notes');
    assert.match(facts[1] ?? '', /^The answer goes to 127\.0\.0\.1:\d+$/);
    assert.deepEqual(facts.slice(-3), ['Allow All Tools', 'Choose Tools…', 'Deny']);

    await quickInput.pickAtLast('Choose Tools…');
    await quickInput.waitFor('Tick the tools');
    await quickInput.tick('list_notes');
    await quickInput.tick('add_note');
    await workbench.screenshot('consent-tools-dark');
    await workbench.screenshot('consent-tools-light', 'light');
    await quickInput.accept();
    await servers.row('Claude Code').waitFor();
    assert.deepEqual(await listing, ['list_notes', 'add_note']);
    await servers.row(/Claude Code.*just now · 2 tools/).waitFor();
    await workbench.screenshot('used-by-dark');
    await workbench.screenshot('used-by-light', 'light');
    await servers.row('Claude Code').hover();
    await workbench.page.locator('.workbench-hover', { hasText: 'a program that calls itself so' }).first().waitFor();
    await workbench.screenshot('used-by-tooltip');
    await workbench.page.mouse.move(640, 600);

    await workbench.runCommand('Scopekeeper: Manage Local Clients…');
    await quickInput.waitFor('Who may use');
    await workbench.screenshot('manage-local-clients-dark');
    await workbench.screenshot('manage-local-clients-light', 'light');
    await quickInput.cancel();

    // Its stream would end with the access, and it would ask anew by itself.
    await client.disconnect();
    await servers.inlineAction('Claude Code', 'Revoke Access…');
    await notifications.dialog.waitFor();
    await workbench.page.setViewportSize(NARROW);
    await workbench.screenshot('revoke-access-narrow');
    await notifications.clickDialog('Revoke');
    await servers.row('nobody yet').waitFor();
    // It is refused, and asks anew, with what was allowed before at hand.
    const again = client.callTool('list_notes').catch((error: unknown) => error);
    await quickInput.waitFor('May it?');
    assert.ok((await quickInput.rows()).some(({ label }) => label === 'Allow 2 Tools'));
    await workbench.screenshot('consent-again-narrow', 'light');
    await quickInput.pick('Deny');
    assert.ok((await again) instanceof Error, 'P44 a client that was denied gets nothing');
  });
});
