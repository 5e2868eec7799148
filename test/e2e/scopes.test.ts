import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { startLocalClient } from '../headless/localClient.ts';
import { startSampleServer } from '../sample/sampleServer.ts';
import { withSession } from './session.ts';
import { connectSample, SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** The URL that *Copy Gateway URL* puts on the clipboard. */
async function gatewayUrl(workbench: Workbench): Promise<string> {
  await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await workbench.servers.contextMenu('expires in', 'Copy Gateway URL');
  await workbench.page.getByText('Copied the URL').first().waitFor();
  return v.parse(v.string(), await workbench.page.evaluate('navigator.clipboard.readText()'));
}

/** What the list of scopes shows: `scope | badge`, with a + for those that are ticked. */
async function choices({ quickInput }: Workbench): Promise<readonly string[]> {
  const rows = await quickInput.rows();
  return rows.map(({ checked, description, label }) => `${checked === true ? '+' : '-'} ${label} | ${description}`);
}

test('P22 P23 the person sees which scopes are new and why, and chooses the scopes to ask for', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('scopes', async ({ browser, workbench }) => {
    const { notifications, page, quickInput, servers } = workbench;
    await connectSample(workbench, sample);
    await workbench.runCommand('Scopekeeper: Rename');
    await quickInput.waitFor('name of this connection');
    await quickInput.answer('Sample Notes');
    await servers.row('Sample Notes').waitFor();
    await servers.row('notes:read').waitFor();

    await servers.row('2 scopes').waitFor();
    await servers.contextMenu('Sample Notes', 'Choose Scopes…');
    await quickInput.waitFor('Scopes of Sample Notes');
    const others = ['openid', 'profile', 'email', 'notes:admin'].map((scope) => `- ${scope} | new`);
    const listed = ['+ offline_access | requested', ...others];
    const all = ['+ notes:read | granted', '+ notes:write | granted', ...listed];
    assert.deepEqual(await choices(workbench), all);
    await quickInput.toggle('notes:write');
    await quickInput.waitFor('Dropped: “notes:write”');
    await workbench.screenshot('choose-scopes-dark');
    await workbench.screenshot('choose-scopes-light', 'light');
    await quickInput.field.pressSequentially('a"b');
    await page.locator('.quick-input-list').getByText('cannot be a scope.').first().waitFor();
    await workbench.screenshot('choose-scopes-invalid');
    await quickInput.field.fill('notes:other');
    await page.locator('.quick-input-list').getByText('typed by you').waitFor();
    await quickInput.field.pressSequentially(' ');
    await quickInput.waitFor('New: “notes:other”');
    // The list is whole again a moment after the field is empty.
    await page.locator('.quick-input-list').getByText('notes:admin').waitFor();
    const unticked = ['+ notes:read | granted', '- notes:write | granted', ...listed];
    assert.deepEqual(await choices(workbench), [...unticked, '+ notes:other | new, typed by you']);
    await workbench.screenshot('choose-scopes-typed');
    await quickInput.cancel();
    await servers.row('2 scopes').waitFor();

    await workbench.runCommand('Scopekeeper: Choose Scopes…');
    await quickInput.waitFor('Scopes of Sample Notes');
    assert.deepEqual(await choices(workbench), all, 'Escape changes nothing');
    await quickInput.toggle('notes:write');
    await quickInput.waitFor('Dropped: “notes:write”');
    const narrower = await SignInPage.openedBy(workbench, sample, async () => quickInput.accept());
    await page.bringToFront();
    await notifications.item('Dropped: “notes:write”').waitFor();
    await workbench.screenshot('choose-scopes-sign-in');
    await narrower.page.bringToFront();
    await narrower.decide('allow');
    await narrower.page.close();
    await page.bringToFront();
    await page.getByText('Connected to Sample Notes, without “notes:write”').first().waitFor();
    await servers.row(/· 1 scope\b/).waitFor();

    const client = await startLocalClient(await gatewayUrl(workbench), 'Claude Code', (authorizationUrl) => {
      void browser.context.newPage().then(async (opened) => opened.goto(authorizationUrl.href)); // it ends at the client
    });
    t.after(async () => client.close());
    const listing = client.listTools();
    await page.bringToFront();
    await quickInput.waitFor('May it?');
    await quickInput.pickAtLast('Allow All Tools');
    await servers.row(/Claude Code.*all tools/).waitFor();
    await listing;

    const call = client.callTool('add_note');
    await notifications.item('“Claude Code” wants to use Sample Notes for “tools/call add_note”').waitFor();
    await servers.row(/notes:write.*for add_note · Claude Code/).waitFor();
    await workbench.screenshot('scopes-demanded-dark');
    await workbench.screenshot('scopes-demanded-light', 'light');
    await servers.row('Sample Notes').hover();
    await page.locator('.workbench-hover', { hasText: 'tools/call add_note · Claude Code' }).first().waitFor();
    await workbench.screenshot('scopes-demanded-tooltip');
    await page.mouse.move(640, 600);

    const signIn = await SignInPage.openedBy(workbench, sample, async () =>
      notifications.click('wants to use Sample Notes', 'Sign In'),
    );
    await page.bringToFront();
    await notifications.item('New: “notes:write”, for “tools/call add_note” of “Claude Code”').waitFor();
    await workbench.screenshot('scopes-sign-in');
    await signIn.page.bringToFront();
    await signIn.decide('allow');
    await signIn.page.close();
    await call;
    await page.bringToFront();
    await servers.row('2 scopes').waitFor();
  });
});
