// Pictures of what a person sees, to be looked at. `npm run pictures` makes them in all looks.
import { test, type TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { startLocalClient } from '../headless/localClient.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import type { Faults } from '../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../servers/faultyServer.ts';
import { gatewayUrl } from './gatewayUrl.ts';
import { pictureInAllLooks } from './looks.ts';
import { type Session, withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** What each command asks first, or next after an answer. */
const QUESTIONS: readonly (readonly [
  name: string,
  command: string,
  asks: string,
  ...next: readonly (readonly [picked: string, asks: string])[],
])[] = [
  ['rename', 'Rename', 'The name of this connection'],
  ['settings', 'Connection Settings…', 'What do you want to change', ['Scopes', 'exactly these scopes']],
  ['sign-in-another-way', 'Sign In Another Way…', 'How do you sign in'],
  ['registered-client', 'Use a Registered Client…', 'client ID'],
  ['copy-configuration', 'Copy Client Configuration…', 'For which client?'],
  ['add-to-client', 'Add to MCP Client…', 'To which client, in which file?'],
  ['new-token', 'New Token for a Local Client…', 'What is it for?'],
  ['local-clients', 'Manage Local Clients…', 'Local Clients'],
  ['status-pick', 'Show Connection Status', 'MCP Connections'],
];

/** Servers whose connections end up in states of their own. */
const TROUBLES: readonly (readonly [faults: Partial<Faults>, row: string | RegExp])[] = [
  [{ scopesSupported: ['files:read', 'files:write', 'mail:read'], grantOnly: ['files:read'] }, '1 of 3 scopes'],
  [{ noRefreshToken: true, expiresIn: 1800 }, /expires in (29|30) min/],
  [{ registrationStatus: 403, registrationError: 'access_denied' }, 'registration refused'],
  [{ denyAuthorization: true }, 'access denied'],
];

/** As long as pictures of a renewal that is under way take. */
const HELD_MS = 8000;

async function closeTabs({ workbench, browser }: Session): Promise<void> {
  for (const page of browser.context.pages()) if (page !== workbench.page) await page.close();
  await workbench.page.bringToFront();
}

async function connect(session: Session, url: string): Promise<void> {
  await session.workbench.runCommand('Scopekeeper: Connect Server…');
  await session.workbench.quickInput.waitFor('URL');
  await session.workbench.quickInput.answer(url);
}

async function faulty(t: TestContext, faults: Partial<Faults>): Promise<FaultyServer> {
  const server = await startFaultyServer(faults);
  t.after(async () => server.close());
  return server;
}

/** Rests the pointer on something until it says what it is. */
async function hoverOver({ page }: Workbench, target: Locator, text: string): Promise<void> {
  await restPointer(page);
  await target.hover();
  await page.locator('.workbench-hover', { hasText: text }).first().waitFor();
}

async function restPointer(page: Page): Promise<void> {
  await page.mouse.move(700, 600);
  await page.locator('.workbench-hover').first().waitFor({ state: 'hidden' });
}

/** Makes the side bar as narrow as it goes, or as wide as it was. */
async function dragSideBar({ page }: Workbench, from: number, to: number): Promise<void> {
  await page.mouse.move(from, 500);
  await page.mouse.down();
  await page.mouse.move(to, 500, { steps: 3 });
  await page.mouse.up();
  await page.mouse.move(640, 600);
}

async function firstMinutes(session: Session, sample: SampleServer): Promise<void> {
  const { workbench } = session;
  const { quickInput, servers } = workbench;
  await servers.show();
  await servers.welcomeAction('Connect a Server').waitFor();
  await pictureInAllLooks(workbench, 'welcome');
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await quickInput.waitFor('URL');
  await pictureInAllLooks(workbench, 'connect');
  await quickInput.answer('http://example.com/mcp');
  await workbench.page.locator('.quick-input-message', { hasText: 'plain http' }).waitFor();
  await pictureInAllLooks(workbench, 'connect-wrong');
  const signIn = await SignInPage.openedBy(workbench, sample, async () => quickInput.answer(sample.mcpUrl));
  await workbench.page.bringToFront();
  await servers.row('see your browser').waitFor();
  await workbench.notifications.item('Signing in to').waitFor();
  await pictureInAllLooks(workbench, 'signing-in');
  await signIn.decide('allow');
  await signIn.page.close();
  await servers.row('expires in').waitFor();
  await servers.expand('Activity');
  await pictureInAllLooks(workbench, 'connected');
}

async function questions(session: Session): Promise<void> {
  const { workbench } = session;
  const { notifications, quickInput, servers, page } = workbench;
  const overRow = async () => hoverOver(workbench, servers.row('expires in'), 'Renewal');
  await pictureInAllLooks(workbench, 'tooltip', overRow);
  const overStatus = async () => hoverOver(workbench, workbench.statusItem('status'), 'Refresh now');
  await pictureInAllLooks(workbench, 'status-hover', overStatus);
  await restPointer(page);
  await servers.row('expires in').click({ button: 'right' });
  await page.locator('.context-view .monaco-menu').first().waitFor();
  await pictureInAllLooks(workbench, 'row-menu');
  await page.keyboard.press('Escape');
  for (const [name, command, asks, ...next] of QUESTIONS) {
    await workbench.runCommand(`Scopekeeper: ${command}`);
    await quickInput.waitFor(asks);
    await pictureInAllLooks(workbench, `ask-${name}`);
    for (const [picked, then] of next) {
      await quickInput.pick(picked);
      await quickInput.waitFor(then);
      await pictureInAllLooks(workbench, `ask-${name}-${picked.toLowerCase()}`);
    }
    await quickInput.cancel();
  }
  await workbench.runCommand('Scopekeeper: Add to MCP Client…');
  await quickInput.waitFor('To which client');
  await quickInput.pick('VS Code');
  await quickInput.waitFor('How does it get in?');
  await pictureInAllLooks(workbench, 'add-to-client-how');
  await quickInput.pick('It signs in by itself');
  await notifications.dialog.waitFor();
  await pictureInAllLooks(workbench, 'dialog-add-to-client');
  await page.keyboard.press('Escape');
  await notifications.dialog.waitFor({ state: 'hidden' });
  await servers.contextMenu('expires in', 'Diagnose Connection…');
  await workbench.webview.locator('main', { hasText: 'Nothing is wrong' }).waitFor();
  await pictureInAllLooks(workbench, 'diagnosis');
  await workbench.runCommand('View: Close All Editors');
  for (const command of ['Disconnect…', 'Remove']) {
    await workbench.runCommand(`Scopekeeper: ${command}`);
    await notifications.dialog.waitFor();
    await pictureInAllLooks(workbench, `dialog-${command.toLowerCase().replace('…', '')}`);
    await page.keyboard.press('Escape');
    await notifications.dialog.waitFor({ state: 'hidden' });
  }
}

/** What is busy or waits: a token that is renewed just now, and a server that is away. */
async function waits(t: TestContext, session: Session): Promise<void> {
  const { workbench } = session;
  const { servers } = workbench;
  const [slow, gone] = await Promise.all([faulty(t, {}), faulty(t, {})]);
  for (const { mcpUrl } of [slow, gone]) {
    await connect(session, mcpUrl);
    await servers.row(new RegExp(`${new URL(mcpUrl).port}.*expires in`, 's')).waitFor();
    await closeTabs(session);
  }
  await gone.close();
  await servers.inlineAction(new URL(gone.mcpUrl).port, 'Refresh Token Now');
  await servers.row('offline, retrying').waitFor();
  slow.faults.delayMs = { token: HELD_MS };
  await servers.inlineAction(new URL(slow.mcpUrl).port, 'Refresh Token Now');
  await servers.row('renewing').waitFor();
  await pictureInAllLooks(workbench, 'waits');
  slow.faults.delayMs = {};
  await servers.row(new RegExp(`${new URL(slow.mcpUrl).port}.*expires in`, 's')).waitFor();
  await workbench.clearNotifications();
}

async function localClient(t: TestContext, session: Session): Promise<void> {
  const { browser, workbench } = session;
  const { notifications, quickInput, servers, page } = workbench;
  const client = await startLocalClient(await gatewayUrl(workbench), 'Claude Code', (authorizationUrl) => {
    void browser.context.newPage().then(async (tab) => tab.goto(authorizationUrl.href)); // it ends at the client
  });
  t.after(async () => client.close());
  const listing = client.listTools();
  await quickInput.waitFor('May it?');
  await page.bringToFront();
  await pictureInAllLooks(workbench, 'consent');
  await quickInput.pickAtLast('Choose Tools…');
  await quickInput.waitFor('Tick the tools');
  await pictureInAllLooks(workbench, 'consent-tools');
  await quickInput.tick('list_notes');
  await quickInput.accept();
  await servers.row(/Claude Code.*1 tool/).waitFor();
  await listing;
  await closeTabs(session);
  const overClient = async () => hoverOver(workbench, servers.row('Claude Code'), 'a program that calls itself so');
  await pictureInAllLooks(workbench, 'used-by', overClient);
  await restPointer(page);
  await client.disconnect();
  await servers.inlineAction('Claude Code', 'Revoke Access…');
  await notifications.dialog.waitFor();
  await pictureInAllLooks(workbench, 'dialog-revoke');
  await page.keyboard.press('Escape');
  await notifications.dialog.waitFor({ state: 'hidden' });
}

async function troubles(t: TestContext, session: Session): Promise<void> {
  const { workbench } = session;
  const { notifications, quickInput, servers, page } = workbench;
  await servers.titleAction('Collapse All');
  for (const [faults, row] of TROUBLES) {
    const server = await faulty(t, faults);
    await connect(session, server.mcpUrl);
    await servers.row(row).waitFor();
    await closeTabs(session);
  }
  await notifications.item('Access was denied').waitFor();
  await pictureInAllLooks(workbench, 'troubles');
  await workbench.clearNotifications();

  const ended = await faulty(t, {});
  await connect(session, ended.mcpUrl);
  await servers.row(new RegExp(`${new URL(ended.mcpUrl).port}.*expires in`, 's')).waitFor();
  await closeTabs(session);
  ended.faults.invalidGrant = true;
  await servers.inlineAction(new URL(ended.mcpUrl).port, 'Refresh Token Now');
  await servers.row('needs sign-in').waitFor();
  await pictureInAllLooks(workbench, 'needs-sign-in');
  await workbench.clearNotifications();

  const device = { intervalSeconds: 1, expiresInSeconds: 600, pending: 0, slowDowns: 0, outcome: 'wait' } as const;
  const waiting = await faulty(t, { device: { ...device, omitComplete: true } });
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await quickInput.waitFor('URL');
  await quickInput.field.fill(waiting.mcpUrl);
  await quickInput.button('Choose how to sign in');
  await quickInput.waitFor('How do you sign in');
  await pictureInAllLooks(workbench, 'kinds');
  await quickInput.pick('Device code');
  await servers.row('enter it at').waitFor();
  await notifications.item('Signing in to').waitFor();
  await pictureInAllLooks(workbench, 'all-states');
  // Not by a click: the status item would have the focus again after it, and keep its hover.
  await workbench.runCommand('Scopekeeper: Show Connection Status');
  await quickInput.waitFor('Choose a connection to sign in to');
  await pictureInAllLooks(workbench, 'status-pick-urgent');
  await quickInput.cancel();
  const overStatus = async () => hoverOver(workbench, workbench.statusItem('status'), 'Connect Server');
  await pictureInAllLooks(workbench, 'status-hover-urgent', overStatus);
  await restPointer(page);
  await dragSideBar(workbench, 350, 220);
  await pictureInAllLooks(workbench, 'narrow');
}

test('what a person sees from the first minute to the worst, in light and high contrast', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('pictures', async (session) => {
    await firstMinutes(session, sample);
    await questions(session);
    await localClient(t, session);
    await waits(t, session);
    await troubles(t, session);
  });
});
