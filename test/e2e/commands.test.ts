// Each command, from the palette and from each menu that shows it, as package.json says.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startSampleServer } from '../sample/sampleServer.ts';
import { startFaultyServer } from '../servers/faultyServer.ts';
import {
  RUN_FROM_ELSEWHERE,
  type Walk,
  WALKS,
  WALKS_IN_BROWSER_SIGN_IN,
  WALKS_IN_DEVICE_SIGN_IN,
  WALKS_ON_ROW,
  WALKS_WITHOUT_CONNECTIONS,
} from './commandWalks.ts';
import { type Context, type ContributedCommand, readContributedMenus } from './contributedMenus.ts';
import { type Session, withSession } from './session.ts';
import { connectSample } from './signInPage.ts';

/** High enough for all of our commands to be drawn in the palette. */
const HIGH = { width: 1280, height: 2200 };

const CONNECTED = { 'scopekeeper.hasConnections': 'true' };
/** After a diagnosis, whose report stays at hand. */
const SIGNING_IN = { ...CONNECTED, 'scopekeeper.hasDiagnosis': 'true', 'scopekeeper.isAuthorizing': 'true' };

/** What rows are, as the `viewItem` of package.json's conditions. */
const READY = 'connection canReauthorize canRefresh canDisconnect hasScopes';
const SIGNED_OUT = 'connection canSignIn hasScopes';
const IN_BROWSER = 'connection isAuthorizing waitsForBrowser';
const AT_DEVICE = 'connection isAuthorizing waitsForDevice';

/** What is walked where servers are offered. */
const OFFERED = { 'scopekeeper.connectSynced': WALKS['scopekeeper.connectSynced'] ?? assert.fail() };

const menus = await readContributedMenus();

function titlesOf(commands: readonly ContributedCommand[]): string[] {
  return commands.map(({ title }) => title);
}

/** All of our commands that the palette shows. */
async function shownInPalette({ workbench }: Session): Promise<string[]> {
  await workbench.page.setViewportSize(HIGH);
  const prefix = 'Scopekeeper: ';
  const found = await workbench.findCommands(prefix);
  await workbench.page.setViewportSize({ width: 1280, height: 800 });
  return found.filter((title) => title.startsWith(prefix)).map((title) => title.slice(prefix.length));
}

function sorted(titles: readonly string[]): string[] {
  return titles.toSorted((one, other) => one.localeCompare(other));
}

test('each command is shown somewhere, or run by a button or link that a test pushes', () => {
  const walks = { ...WALKS, ...WALKS_IN_BROWSER_SIGN_IN, ...WALKS_IN_DEVICE_SIGN_IN, ...RUN_FROM_ELSEWHERE };
  for (const { id } of menus.commands) assert.ok(id in walks, `${id} has no walk in commandWalks.ts`);
});

type Walks = Readonly<Record<string, Walk>>;

/** Sees that the palette shows what it should, and walks it. */
async function walkPalette(session: Session, context: Context, walks: Walks): Promise<void> {
  const expected = menus.palette(context);
  assert.deepEqual(sorted(await shownInPalette(session)), sorted(titlesOf(expected)));
  for (const { id, title } of expected) {
    await walks[id]?.(session, async () => session.workbench.runCommand(`Scopekeeper: ${title}`));
  }
}

/** Sees that the title of the view has the icons and the menu that it should, and walks both. */
async function walkTitle(session: Session): Promise<void> {
  const { servers } = session.workbench;
  const ours = (titles: readonly string[]): string[] =>
    titles.filter((title) => titlesOf(menus.commands).includes(title));
  const icons = menus.titleIcons(CONNECTED);
  assert.deepEqual(ours(await servers.titleActions()), titlesOf(icons));
  const entries = menus.titleMenu(CONNECTED);
  assert.deepEqual(ours(await servers.titleMenuEntries()), titlesOf(entries));
  for (const { id, title } of icons) await WALKS[id]?.(session, async () => servers.titleAction(title));
  for (const { id, title } of entries) await WALKS[id]?.(session, async () => servers.titleMenu(title));
}

/**
 * Sees that a row has the menu and the icons that it should, and walks the menu.
 * @param walked what was walked from another row, where it showed the same
 */
async function walkRow(
  session: Session,
  walked: Set<string>,
  row: string | RegExp,
  flags: string,
  walks: Walks,
): Promise<void> {
  const { servers } = session.workbench;
  const expected = menus.row(flags);
  assert.deepEqual(await servers.contextMenuEntries(row), titlesOf(expected), flags);
  const icons = titlesOf(menus.rowIcons(flags));
  if (icons.length > 0) assert.deepEqual(await servers.inlineActions(row), icons, flags);
  for (const { id, title } of expected) {
    const walk = walks[id];
    if (walk === undefined || walked.has(id)) continue;
    await walk(session, async () => servers.contextMenu(row, title));
    walked.add(id);
  }
}

test('each command is reached from the palette and its menus, in order, and Escape leaves all as it was', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  const device = { intervalSeconds: 1, expiresInSeconds: 600, pending: 0, slowDowns: 0 } as const;
  const other = await startFaultyServer({ device: { ...device, outcome: 'wait', omitComplete: true } });
  t.after(async () => other.close());

  await withSession('commands', async (session) => {
    const { notifications, quickInput, servers, page } = session.workbench;

    const walked = new Set<string>();

    await servers.show();
    await servers.welcomeAction('Connect a Server').waitFor();
    await walkPalette(session, {}, WALKS_WITHOUT_CONNECTIONS);

    await connectSample(session.workbench, sample);
    await servers.row('expires in').waitFor();
    await walkPalette(session, CONNECTED, WALKS);
    await walkTitle(session);
    await servers.titleAction('Collapse All');
    await walkRow(session, walked, 'expires in', READY, WALKS_ON_ROW);
    await session.workbench.statusItem('status').click();
    await quickInput.pick(new URL(sample.mcpUrl).host);
    await servers.row('Used by').waitFor();
    await walkRow(session, walked, 'Granted scopes', 'scopes', WALKS);
    await walkRow(session, walked, 'Used by', 'usedBy', WALKS);

    await session.workbench.runCommand('Scopekeeper: New Token for a Local Client…');
    await quickInput.waitFor('What is it for?');
    await quickInput.answer('a script');
    await quickInput.waitFor('Which tools');
    await quickInput.pick('All Tools');
    await quickInput.waitFor('How long');
    await quickInput.pick('90 days');
    await notifications.dialog.waitFor();
    await page.keyboard.press('Escape');
    await walkRow(session, walked, 'a script', 'access', WALKS);

    const signInPage = await session.workbench.openedPage(async () =>
      servers.inlineAction('expires in', 'Re-authorize…'),
    );
    await signInPage.close();
    await servers.row('see your browser').waitFor();
    await walkRow(
      session,
      walked,
      'see your browser',
      IN_BROWSER,
      omit(WALKS_IN_BROWSER_SIGN_IN, 'scopekeeper.cancelSignIn'),
    );
    await walkPalette(session, SIGNING_IN, WALKS_IN_BROWSER_SIGN_IN);

    await servers.row('expires in').waitFor();
    await servers.contextMenu('expires in', 'Disconnect…');
    await notifications.clickDialog('Disconnect');
    await servers.row('signed out').waitFor();
    await walkRow(session, walked, 'signed out', SIGNED_OUT, WALKS);

    await session.workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.field.fill(other.mcpUrl);
    await quickInput.button('Choose how to sign in');
    await quickInput.waitFor('How do you sign in');
    await quickInput.pick('Device code');
    await servers.row('enter it at').waitFor();
    await walkPalette(session, SIGNING_IN, omit(WALKS_IN_DEVICE_SIGN_IN, 'scopekeeper.cancelSignIn'));
    await walkRow(session, walked, 'enter it at', AT_DEVICE, WALKS_IN_DEVICE_SIGN_IN);
  });
});

function omit(walks: Walks, id: string): Walks {
  return Object.fromEntries(Object.entries(walks).filter(([each]) => each !== id));
}

test('the servers of another computer are offered in the palette', async () => {
  await withSession('offers', async (session) => {
    const { server, workbench } = session;
    const { notifications, quickInput, servers } = workbench;
    await servers.show();
    await workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    // A name that there is not: RFC 6761 section 6.4.
    await quickInput.answer('https://mcp.invalid/mcp');
    await notifications.item('mcp.invalid').waitFor();
    await servers.row('mcp.invalid').waitFor();
    // What Settings Sync carries is all that comes to another computer.
    await server.stop();
    await rm(path.join(server.configHome, 'scopekeeper', 'connections.json'));
    await server.restart();
    await workbench.reload();
    await servers.show();
    await servers.welcomeAction('Connect a Server').waitFor();
    await walkPalette(session, { 'scopekeeper.hasOffers': 'true' }, OFFERED);
  });
});
