import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { createPerson } from '../sample/person.ts';
import { startSampleServer } from '../sample/sampleServer.ts';
import type { Faults } from '../servers/faults.ts';
import { startFaultyServer } from '../servers/faultyServer.ts';
import { withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** What the person does, and what they must then be told. */
interface Mishap {
  readonly name: string;
  readonly faults: Partial<Faults>;
  /** In the notification: what happened, and whose fault it is. */
  readonly says: RegExp;
  readonly button: string;
  /** On the row, afterwards. */
  readonly row: RegExp;
}

const MISHAPS: readonly Mishap[] = [
  {
    name: 'needs no login',
    faults: { unprotected: true, noResourceMetadata: true },
    says: /lets everyone in without signing in/,
    button: 'Change URL…',
    row: /needs no sign-in/,
  },
  {
    name: 'a web page',
    faults: { html: true, noResourceMetadata: true },
    says: /is a web page and not an MCP server/,
    button: 'Change URL…',
    row: /not an MCP server/,
  },
  {
    name: 'no metadata',
    faults: { noMetadata: true },
    says: /no description of that authorization server was found/,
    button: 'Try Again',
    row: /no sign-in found/,
  },
  {
    name: 'wrong issuer',
    faults: { metadataIssuer: 'https://evil.example' },
    says: /calls itself .*evil\.example/,
    button: 'Show Log',
    row: /wrong authorization server/,
  },
  {
    name: 'no PKCE',
    faults: { noPkce: true },
    says: /does not say that it protects sign-ins/,
    button: 'Allow…',
    row: /no protected sign-in/,
  },
  {
    name: 'registration refused',
    faults: { registrationStatus: 403, registrationError: 'access_denied' },
    says: /refused to register Scopekeeper/,
    button: 'Enter Client ID…',
    row: /registration refused/,
  },
  {
    name: 'token endpoint 500',
    faults: { tokenStatus: 500 },
    says: /is failing \(status 500\)/,
    button: 'Try Again',
    row: /authorization server failing/,
  },
  {
    name: 'the person denies',
    faults: { denyAuthorization: true },
    says: /Access was denied in the browser/,
    button: 'Try Again',
    row: /access denied/,
  },
];

async function enterUrl(workbench: Workbench, url: string): Promise<void> {
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await workbench.quickInput.waitFor('URL');
  await workbench.quickInput.answer(url);
}

test('what is typed wrongly is told below the field, before anything is sent', async () => {
  await withSession('typed', async ({ workbench }) => {
    await workbench.runCommand('Scopekeeper: Connect Server…');
    for (const [input, says] of [
      ['hello', /not a URL/],
      ['http://example.com/mcp', /plain http/],
      ['ftp://example.com', /begins with https/],
      ['https://me:secret@example.com', /user name or password/],
    ] as const) {
      await workbench.quickInput.answer(input);
      await workbench.page.locator('.quick-input-message', { hasText: says }).waitFor();
    }
    await workbench.screenshot('not-a-url');
    await workbench.quickInput.cancel();
    assert.deepEqual(await workbench.servers.rows(), []);
  });
});

test('each mishap of a sign-in has its own words and next step, and the connection stays listed', async (t) => {
  await withSession('mishaps', async ({ workbench, browser }) => {
    const { notifications, servers } = workbench;
    await servers.show();
    for (const { name, faults, says, button, row } of MISHAPS) {
      const server = await startFaultyServer(faults);
      t.after(async () => server.close());
      await enterUrl(workbench, server.mcpUrl);
      const toast = notifications.item(says);
      await toast.waitFor();
      await toast.locator('.monaco-button', { hasText: button }).waitFor();
      await servers.row(row).waitFor();
      await workbench.screenshot(`mishap-${name.replaceAll(' ', '-')}`);
      await workbench.clearNotifications();
      for (const page of browser.context.pages()) if (page !== workbench.page) await page.close();
    }
    assert.equal((await servers.rows()).length, MISHAPS.length);
    await workbench.runCommand('Scopekeeper: Re-authorize…');
    await workbench.quickInput.waitFor('Re-authorize');
    assert.equal((await workbench.quickInput.rows()).length, MISHAPS.length);
    await workbench.screenshot('re-authorize-quick-pick');
    await workbench.quickInput.cancel();
    await workbench.statusItem('status').click();
    await workbench.quickInput.rows();
    await workbench.screenshot('status-quick-pick');
    await workbench.quickInput.cancel();
  });
});

test('a denied sign-in, a cancelled one and a foreign callback leave a way on', async (t) => {
  const sample = await startSampleServer();
  t.after(async () => sample.close());
  await withSession('denied', async ({ workbench, browser, server }) => {
    const { notifications, servers } = workbench;
    await servers.show();
    const denied = await SignInPage.openedBy(workbench, sample, async () => enterUrl(workbench, sample.mcpUrl));
    const { port } = JSON.parse(await readFile(path.join(server.configHome, 'scopekeeper', 'port.json'), 'utf8'));

    const foreign = await browser.context.newPage();
    await foreign.goto(`http://127.0.0.1:${port}/callback?code=stolen&state=guessed`);
    assert.match(await foreign.locator('main').innerText(), /belongs to no sign-in/);
    await foreign.screenshot({ path: 'out/screenshots/callback-foreign.png' });
    await foreign.close();
    await servers.row('see your browser').waitFor();

    assert.match(await denied.decide('deny'), /Not connected.*denied/s);
    await denied.screenshot('callback-denied');
    await denied.page.close();
    await notifications.item(/Access was denied/).waitFor();

    const again = await SignInPage.openedBy(workbench, sample, async () =>
      notifications.click(/Access was denied/, 'Try Again'),
    );
    await again.page.close();
    await notifications.click('Signing in to', 'Cancel');
    await servers.row('signed out').or(servers.row('access denied')).first().waitFor();

    const last = await SignInPage.openedBy(workbench, sample, async () =>
      servers.inlineAction(/127\.0\.0\.1/, 'Sign In'),
    );
    await last.decide('allow');
    await servers.row(/2 scopes/).waitFor();
  });
});

test('signing in works with a browser on another computer: copy the URL there, paste the callback here', async (t) => {
  const sample = await startSampleServer();
  t.after(async () => sample.close());
  await withSession('paste', async ({ workbench }) => {
    await workbench.servers.show();
    const unused = await SignInPage.openedBy(workbench, sample, async () => enterUrl(workbench, sample.mcpUrl));
    await unused.page.close();
    await workbench.page.bringToFront();
    await workbench.notifications.item('Signing in to').getByText('Copy URL').click();
    await workbench.page.getByText('Open it in a browser that you trust').waitFor();
    const copied = await workbench.page.evaluate('navigator.clipboard.readText()');
    const callback = await createPerson(sample).authorize(new URL(String(copied)), 'allow');
    await workbench.notifications.item('Signing in to').getByText('Paste callback URL').click();
    await workbench.quickInput.waitFor('address');
    await workbench.screenshot('paste-callback-url');
    await workbench.quickInput.answer(callback.href);
    await workbench.servers.row(/2 scopes/).waitFor();
  });
});
