// Each command, from the palette and from each menu that shows it, as package.json says.
import assert from 'node:assert/strict';
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
import { type ContributedCommand, readContributedMenus } from './contributedMenus.ts';
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
const IN_BROWSER = 'connection isAuthorizing waitsForBrowser hasScopes';
const AT_DEVICE = 'connection isAuthorizing waitsForDevice';

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

test('each command is reached from the palette and its menus, in order, and Escape leaves all as it was', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  const device = { intervalSeconds: 1, expiresInSeconds: 600, pending: 0, slowDowns: 0 } as const;
  const other = await startFaultyServer({ device: { ...device, outcome: 'wait', omitComplete: true } });
  t.after(async () => other.close());

  await withSession('commands', async (session) => {
    const { notifications, quickInput, servers, page } = session.workbench;

    const walkPalette = async (
      context: Readonly<Record<string, string>>,
      walks: Readonly<Record<string, Walk>>,
    ): Promise<void> => {
      const expected = menus.palette(context);
      assert.deepEqual(sorted(await shownInPalette(session)), sorted(titlesOf(expected)));
      for (const { id, title } of expected) {
        await walks[id]?.(session, async () => session.workbench.runCommand(`Scopekeeper: ${title}`));
      }
    };
    const walked = new Set<string>();
    const walkRow = async (
      row: string | RegExp,
      flags: string,
      walks: Readonly<Record<string, Walk>>,
    ): Promise<void> => {
      const expected = menus.row(flags);
      assert.deepEqual(await servers.contextMenuEntries(row), titlesOf(expected), flags);
      const icons = titlesOf(menus.rowIcons(flags));
      if (icons.length > 0) assert.deepEqual(await servers.inlineActions(row), icons, flags);
      for (const { id, title } of expected) {
        const walk = walks[id];
        // What was walked from another row shows the same here.
        if (walk === undefined || walked.has(id)) continue;
        await walk(session, async () => servers.contextMenu(row, title));
        walked.add(id);
      }
    };

    await servers.show();
    await servers.welcomeAction('Connect a Server').waitFor();
    await walkPalette({}, WALKS_WITHOUT_CONNECTIONS);

    await connectSample(session.workbench, sample);
    await servers.row('expires in').waitFor();
    assert.deepEqual(
      (await servers.titleActions()).filter((title) => titlesOf(menus.commands).includes(title)),
      titlesOf(menus.titleIcons(CONNECTED)),
    );
    await walkPalette(CONNECTED, WALKS);
    await servers.titleAction('Collapse All');
    await walkRow('expires in', READY, WALKS_ON_ROW);
    await session.workbench.statusItem('status').click();
    await quickInput.pick(new URL(sample.mcpUrl).host);
    await servers.row('Used by').waitFor();
    await walkRow('Used by', 'usedBy', WALKS);

    await session.workbench.runCommand('Scopekeeper: New Token for a Local Client…');
    await quickInput.waitFor('What is it for?');
    await quickInput.answer('a script');
    await quickInput.waitFor('Which tools');
    await quickInput.pick('All Tools');
    await quickInput.waitFor('How long');
    await quickInput.pick('90 days');
    await notifications.dialog.waitFor();
    await page.keyboard.press('Escape');
    await walkRow('a script', 'access', WALKS);

    const signInPage = await session.workbench.openedPage(async () =>
      servers.inlineAction('expires in', 'Re-authorize…'),
    );
    await signInPage.close();
    await servers.row('see your browser').waitFor();
    await walkRow('see your browser', IN_BROWSER, omit(WALKS_IN_BROWSER_SIGN_IN, 'scopekeeper.cancelSignIn'));
    await walkPalette(SIGNING_IN, WALKS_IN_BROWSER_SIGN_IN);

    await servers.row('expires in').waitFor();
    await servers.contextMenu('expires in', 'Disconnect…');
    await notifications.clickDialog('Disconnect');
    await servers.row('signed out').waitFor();
    await walkRow('signed out', SIGNED_OUT, WALKS);

    await session.workbench.runCommand('Scopekeeper: Connect Server…');
    await quickInput.waitFor('URL');
    await quickInput.field.fill(other.mcpUrl);
    await quickInput.button('Choose how to sign in');
    await quickInput.waitFor('How do you sign in');
    await quickInput.pick('Device code');
    await servers.row('enter it at').waitFor();
    await walkPalette(SIGNING_IN, omit(WALKS_IN_DEVICE_SIGN_IN, 'scopekeeper.cancelSignIn'));
    await walkRow('enter it at', AT_DEVICE, WALKS_IN_DEVICE_SIGN_IN);
  });
});

function omit(walks: Readonly<Record<string, Walk>>, id: string): Readonly<Record<string, Walk>> {
  return Object.fromEntries(Object.entries(walks).filter(([each]) => each !== id));
}
