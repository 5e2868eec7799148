import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import type { Session } from './session.ts';

/** What is kept of the connections; of their activity that a sign-in was cancelled, which is no change. */
const keptSchema = v.object({
  connections: v.optional(
    v.array(
      v.looseObject({
        activity: v.pipe(
          v.unknown(),
          v.transform(() => 'not compared'),
        ),
      }),
    ),
    [],
  ),
});

/**
 * Runs a command by `run`, sees the first thing that it shows or does, and leaves all as it was.
 * @param session in which the command is shown now
 */
export type Walk = (session: Session, run: () => Promise<void>) => Promise<void>;

/** A command that asks in the quick input: `text` is its title, prompt or placeholder. */
function asks(text: string): Walk {
  return undone(async ({ workbench: { quickInput } }, run) => {
    await run();
    await quickInput.waitFor(text);
    await quickInput.cancel();
  });
}

/** A command that asks in a modal dialog. */
function asksInDialog(text: string): Walk {
  return undone(async ({ workbench: { notifications, page } }, run) => {
    await run();
    await notifications.dialog.filter({ hasText: text }).waitFor();
    await page.keyboard.press('Escape');
    await notifications.dialog.waitFor({ state: 'hidden' });
  });
}

/** A command that copies. */
function copies(what: RegExp): Walk {
  return undone(async ({ workbench: { page } }, run) => {
    await page.evaluate(`navigator.clipboard.writeText('')`);
    await run();
    await page.waitForFunction(`navigator.clipboard.readText().then((text) => ${String(what)}.test(text))`);
  });
}

/** A command that says something at the lower right. */
function says(text: string): Walk {
  return undone(async ({ workbench }, run) => {
    await run();
    await workbench.notifications.item(text).waitFor();
    await workbench.notifications.close(text);
  });
}

/** A command that opens a page in the browser. */
const opensPage: Walk = async ({ workbench }, run) => {
  const page = await openedBy(workbench.page, async () => workbench.openedPage(run));
  await page.close();
};

/** A command that opens a webview beside the files. */
function opensEditor(heading: RegExp, look: (session: Session) => Promise<void> = async () => undefined): Walk {
  return undone(async (session, run) => {
    const { workbench } = session;
    await run();
    await workbench.webview.getByRole('heading', { level: 1, name: heading }).waitFor();
    await look(session);
    await workbench.runCommand('View: Close All Editors');
    await workbench.page.locator('iframe.webview.ready').first().waitFor({ state: 'hidden' });
  });
}

/** A sign-in that is begun, and cancelled. */
const signsIn: Walk = undone(async (session, run) => {
  await opensPage(session, run);
  const { notifications, servers } = session.workbench;
  await servers.row('see your browser').waitFor();
  await notifications.click('Signing in to', 'Cancel');
  await servers.row('see your browser').waitFor({ state: 'hidden' });
});

/** What each command shows first where there is one connection, that is signed in or out. */
export const WALKS: Readonly<Record<string, Walk>> = {
  'scopekeeper.connectServer': asks('URL'),
  'scopekeeper.signIn': signsIn,
  'scopekeeper.reauthorize': signsIn,
  'scopekeeper.refreshToken': async (session, run) => {
    const { page } = session.workbench;
    const before = JSON.stringify(await shownAndKept(session));
    await run();
    await page.getByText('Renewed the token of').first().waitFor();
    // The list is written a little later, and a file announces nothing.
    while (JSON.stringify(await shownAndKept(session)) === before) await page.waitForTimeout(50);
  },
  'scopekeeper.disconnect': asksInDialog('Disconnect'),
  'scopekeeper.remove': asksInDialog('Remove'),
  'scopekeeper.rename': asks('The name of this connection'),
  'scopekeeper.useRegisteredClient': asks('client ID'),
  'scopekeeper.signInAnotherWay': asks('How do you sign in'),
  'scopekeeper.connectionSettings': asks('What do you want to change'),
  'scopekeeper.copyGatewayUrl': copies(/^http:\/\/127\.0\.0\.1:\d+\/[a-z0-9-]+\/mcp$/),
  'scopekeeper.manageLocalClients': asks('Local Clients'),
  'scopekeeper.copyClientConfiguration': asks('For which client?'),
  'scopekeeper.addToClient': asks('To which client, in which file?'),
  'scopekeeper.newToken': asks('What is it for?'),
  'scopekeeper.changeTools': asks('Tools for'),
  'scopekeeper.revokeAccess': asksInDialog('Revoke the access'),
  'scopekeeper.chooseScopes': asks('Scopes of'),
  'scopekeeper.importServers': says('No configuration file'),
  'scopekeeper.showInConfig': says('No configuration file of an MCP client names'),
  'scopekeeper.showDetails': opensEditor(/127\.0\.0\.1/),
  'scopekeeper.exportDiagnostics': asks('Export Diagnostics'),
  'scopekeeper.diagnoseConnection': asks('Diagnose which server?'),
  'scopekeeper.trySampleServer': undone(async (session, run) => {
    await opensPage(session, run);
    const { notifications, servers } = session.workbench;
    await notifications.click('Signing in to', 'Cancel');
    await servers.contextMenu('Sample Notes', 'Remove');
    await notifications.clickDialog('Remove');
    await servers.row('Sample Notes').waitFor({ state: 'hidden' });
  }),
  'scopekeeper.connectSynced': asks('Connect Servers from Your Other Computers'),
  'scopekeeper.showStatus': asks('MCP Connections'),
  'scopekeeper.showLog': async ({ workbench: { page } }, run) => {
    await run();
    const output = page.locator('.panel').filter({ hasText: 'Scopekeeper' }).first();
    await output.waitFor();
    await page
      .locator('.panel')
      .getByRole('button', { name: /^Hide Panel/ })
      .click();
    await output.waitFor({ state: 'hidden' });
  },
};

/** What shows something else where there is no connection. */
export const WALKS_WITHOUT_CONNECTIONS: Readonly<Record<string, Walk>> = {
  ...WALKS,
  'scopekeeper.diagnoseConnection': asks('Nothing is signed in to'),
};

/** What shows something else on the row of a connection. */
export const WALKS_ON_ROW: Readonly<Record<string, Walk>> = {
  ...WALKS,
  'scopekeeper.diagnoseConnection': opensEditor(/Diagnosis|127\.0\.0\.1/, async ({ workbench }) => {
    await workbench.runCommand('Scopekeeper: Copy Diagnosis Report');
    await workbench.page.waitForFunction('navigator.clipboard.readText().then((text) => /127\\.0\\.0\\.1/.test(text))');
  }),
};

/** What those show that are there while a sign-in waits for the browser. The last one ends it. */
export const WALKS_IN_BROWSER_SIGN_IN: Readonly<Record<string, Walk>> = {
  'scopekeeper.copySignInUrl': copies(/^http.*[?&]code_challenge=/),
  'scopekeeper.pasteCallbackUrl': asks('address'),
  'scopekeeper.copyDeviceCode': says('No connection needs that now'),
  'scopekeeper.openDevicePage': says('No connection needs that now'),
  'scopekeeper.cancelSignIn': async ({ workbench: { servers } }, run) => {
    await run();
    await servers.row('see your browser').waitFor({ state: 'hidden' });
  },
};

/** The same while a sign-in waits for a code to be entered. */
export const WALKS_IN_DEVICE_SIGN_IN: Readonly<Record<string, Walk>> = {
  'scopekeeper.copySignInUrl': says('No sign-in is waiting for a browser'),
  'scopekeeper.pasteCallbackUrl': asks('address'),
  'scopekeeper.copyDeviceCode': copies(/^[A-Z]{4}-[A-Z]{4}$/),
  'scopekeeper.openDevicePage': opensPage,
  'scopekeeper.cancelSignIn': async ({ workbench: { servers } }, run) => {
    await run();
    await servers.row('enter it at').waitFor({ state: 'hidden' });
  },
};

/** Commands that only a button of a message or a link of a hover runs, and which test does that. */
export const RUN_FROM_ELSEWHERE: Readonly<Record<string, string>> = {
  'scopekeeper.allowUnadvertisedPkce': 'errors.test.ts: no PKCE',
  'scopekeeper.chooseCaFile': 'test/host/proxy.test.ts',
  'scopekeeper.copyDiagnosis': 'commandWalks.ts: with the report of Diagnose Connection…',
  'scopekeeper.connectConfigServer': 'test/host/languageServer.test.ts: a code lens',
  'scopekeeper.useThroughGateway': 'test/host/languageServer.test.ts: a code lens',
  'scopekeeper.moveTokenToKeychain': 'test/host/languageServer.test.ts: a quick fix',
  'scopekeeper.openSetting': 'thisMachine.test.ts: the view without connections',
  'scopekeeper.showProblem': 'thisMachine.test.ts: the view without connections',
  'scopekeeper.reveal': 'commands.test.ts: the list of the status bar',
};

/** A walk after which the list of connections, and what is shown of them, is what it was. */
function undone(walk: Walk): Walk {
  return async (session, run) => {
    const before = await shownAndKept(session);
    await walk(session, run);
    assert.deepEqual(await shownAndKept(session), before);
  };
}

async function shownAndKept({ server, workbench: { servers } }: Session): Promise<unknown> {
  const file = path.join(server.configHome, 'scopekeeper', 'connections.json');
  const kept = v.parse(keptSchema, JSON.parse(await readFile(file, 'utf8').catch(() => '{}')));
  const rows = (await servers.rows()).filter(({ level }) => level === 1);
  return { kept, rows: rows.map(({ name }) => name) };
}

async function openedBy(editor: Page, open: () => Promise<Page>): Promise<Page> {
  const page = await open();
  await page.locator('body').waitFor();
  await editor.bringToFront();
  return page;
}
