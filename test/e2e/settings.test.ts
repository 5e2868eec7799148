import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { withSession } from './session.ts';
import type { Workbench } from './workbench.ts';

const CONNECTED = /expires in .* 1 scope/;

async function start(t: TestContext, faults: Partial<Faults>): Promise<FaultyServer> {
  const server = await startFaultyServer(faults);
  t.after(async () => server.close());
  return server;
}

async function connectTo(workbench: Workbench, server: FaultyServer): Promise<void> {
  const { quickInput, servers } = workbench;
  await servers.show();
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await quickInput.waitFor('URL');
  await quickInput.answer(server.mcpUrl);
}

/** The authorization requests that the browser made. */
function authorizations(server: FaultyServer): readonly URLSearchParams[] {
  return server.requestsTo('authorization').map(({ url }) => new URL(url).searchParams);
}

test('P14 P15 a server that refuses a scope and `resource`: each error leads to its setting, and they to a connection', async (t) => {
  const server = await start(t, {
    scopesSupported: ['files:read', 'files:write'],
    rejectScopes: ['files:write'],
    rejectResource: true,
  });
  await withSession('settings', async ({ workbench, browser }) => {
    const { notifications, quickInput, servers } = workbench;
    /** Back to the editor, as a person who closes the tab of a sign-in. */
    const closeTabs = async (): Promise<void> => {
      for (const page of browser.context.pages()) if (page !== workbench.page) await page.close();
      await workbench.page.bringToFront();
    };
    await connectTo(workbench, server);
    await notifications.item('refused the scopes').waitFor();
    await servers.row('scopes refused').waitFor();
    await closeTabs();
    await workbench.screenshot('settings-scopes-refused');
    await notifications.click('refused the scopes', 'Choose Scopes…');

    await quickInput.waitFor('exactly these scopes');
    assert.equal(await quickInput.field.inputValue(), 'files:read files:write');
    await quickInput.field.fill('files:read "');
    await workbench.page.locator('.quick-input-message', { hasText: 'cannot be a scope' }).waitFor();
    await workbench.screenshot('settings-scopes-wrong');
    await quickInput.field.fill('files:read');
    await workbench.page.locator('.quick-input-message', { hasText: 'exactly these scopes' }).waitFor();
    await workbench.screenshot('settings-scopes');
    await workbench.page.keyboard.press('Enter');

    await notifications.item('does not accept the address').waitFor();
    await servers.row('resource not accepted').waitFor();
    await closeTabs();
    await workbench.screenshot('settings-resource-refused');
    await notifications.click('does not accept the address', 'Leave It Out…');
    await quickInput.waitFor('Address of the server in requests');
    await workbench.screenshot('settings-resource');
    await workbench.screenshot('settings-resource-light', 'light');
    await quickInput.pick('left out');

    await servers.row(CONNECTED).waitFor();
    await closeTabs();
    await workbench.screenshot('settings-connected');
    const asked = authorizations(server).map((query) => [query.get('scope'), query.get('resource')]);
    assert.deepEqual(asked, [
      ['files:read files:write', server.mcpUrl],
      ['files:read', server.mcpUrl],
      ['files:read', null],
    ]);

    await servers.contextMenu(CONNECTED, 'Connection Settings…');
    await quickInput.waitFor('What do you want to change');
    await workbench.screenshot('settings-all');
    const rows = await quickInput.rows();
    const valueOf = (label: string) => rows.find((row) => row.label === label)?.description;
    assert.equal(valueOf('Scopes'), 'files:read');
    assert.equal(valueOf('Address of the server in requests'), 'left out');
    await quickInput.cancel();
    await servers.inlineAction(CONNECTED, 'Refresh Token Now');
    await servers.row('Token renewed').waitFor();
  });
});

test('P6 a server whose first authorization server registers nobody: the error leads to the other one', async (t) => {
  const server = await start(t, {
    issuers: 'both',
    registrationStatus: 403,
    registrationStatusAt: 'first',
    scopesSupported: ['files:read'],
  });
  await withSession('issuers', async ({ workbench }) => {
    const { notifications, quickInput, servers } = workbench;
    await connectTo(workbench, server);
    await notifications.item('refused to register').waitFor();
    await workbench.screenshot('settings-other-server');
    await notifications.click('refused to register', 'Other Authorization Server…');
    await quickInput.waitFor('Authorization server');
    await workbench.screenshot('settings-issuers');
    // Enter does not lead to the same failure once more.
    const active = workbench.page.locator('.quick-input-list .monaco-list-row.focused');
    assert.match(await active.innerText(), new RegExp(new URL(server.secondIssuer).host));
    const rows = await quickInput.rows();
    assert.deepEqual(
      rows.map(({ label, description }) => [label, description]),
      [
        ['the first that works', 'in use'],
        [new URL(server.issuer).host, 'did not work'],
        [new URL(server.secondIssuer).host, ''],
      ],
    );
    await quickInput.pick(new URL(server.secondIssuer).host);
    await servers.row(CONNECTED).waitFor();
    await workbench.page.bringToFront();
    await servers.row(new URL(server.secondIssuer).host).waitFor();
    await workbench.screenshot('settings-at-other-server');
  });
});
