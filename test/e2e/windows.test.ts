import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import type { CodeServer } from '../stand/codeServer.ts';
import { listeningProcess } from '../stand/listeningProcess.ts';
import { signalProcess, waitForEnd } from '../stand/processes.ts';
import { withSession } from './session.ts';
import { SignInPage } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

const CONNECTED = /expires in .* 2 scopes/;

/** The first moment at which the side bar shows what is looked for, in ms since the epoch. */
async function shownAt(workbench: Workbench, text: RegExp): Promise<number> {
  const script = `new Promise((resolve) => {
    const sideBar = document.querySelector('.sidebar');
    const look = () => {
      if (!${String(text)}.test(sideBar.textContent)) return;
      observer.disconnect();
      resolve(Date.now());
    };
    const observer = new MutationObserver(look);
    observer.observe(sideBar, { subtree: true, childList: true, characterData: true });
    look();
  })`;
  return Number(await workbench.page.evaluate(script));
}

async function portOf(server: CodeServer): Promise<number> {
  const { port } = JSON.parse(await readFile(path.join(server.configHome, 'scopekeeper', 'port.json'), 'utf8'));
  return Number(port);
}

async function isAnswered(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function requestsOf(sample: SampleServer, grantType: string): number {
  return sample.requests.filter(({ body }) => body['grant_type'] === grantType).length;
}

async function rename(workbench: Workbench, name: string): Promise<void> {
  await workbench.runCommand('Scopekeeper: Rename');
  await workbench.quickInput.waitFor('The name of this connection');
  await workbench.quickInput.answer(name);
}

test('P29 two windows show the same within a second, both sign in, and one takes the place of the other when it is killed', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('windows', async ({ server, workbench: first, openWindow }) => {
    await first.servers.show();
    await first.runCommand('Scopekeeper: Connect Server…');
    await first.quickInput.waitFor('URL');
    const signIn = await SignInPage.openedBy(first, sample, async () => first.quickInput.answer(sample.mcpUrl));
    await signIn.decide('allow');
    await signIn.page.close();
    await first.servers.row(CONNECTED).waitFor();

    const second = await openWindow();
    await second.servers.show();
    await second.servers.row(CONNECTED).waitFor();
    await second.screenshot('second-window');
    const both = [first, second];
    const port = await portOf(server);
    const owner = (await listeningProcess(port)) ?? assert.fail('nobody holds the port');
    assert.equal((await server.extensionHosts()).length, 2);
    assert.ok((await server.extensionHosts()).includes(owner));

    /** Does something in one window, and measures when both show what comes of it. */
    const seenByBoth = async (what: string, text: RegExp, act: () => Promise<void>): Promise<void> => {
      const seen = Promise.all(both.map(async (workbench) => shownAt(workbench, text)));
      await act();
      const [inFirst = 0, inSecond = 0] = await seen;
      const apartMs = Math.abs(inFirst - inSecond);
      t.diagnostic(`${what}: ${apartMs} ms apart`);
      assert.ok(apartMs < 1000);
    };
    await seenByBoth('renamed in the owner', /Of the owner/, async () => rename(first, 'Of the owner'));
    await seenByBoth('renamed in the guest', /Of the guest/, async () => rename(second, 'Of the guest'));
    for (const { servers } of both) {
      await servers.expand('Of the guest');
      await servers.expand('Activity');
    }
    await seenByBoth('renewed in the guest', /Token renewed/, async () =>
      second.runCommand('Scopekeeper: Refresh Token Now'),
    );
    await seenByBoth('disconnected in the owner', /signed out/, async () => {
      await first.runCommand('Scopekeeper: Disconnect…');
      await first.notifications.clickDialog('Disconnect');
    });

    const waiting = Promise.all(both.map(async (workbench) => shownAt(workbench, /see your browser/)));
    const again = await SignInPage.openedBy(second, sample, async () =>
      second.runCommand('Scopekeeper: Re-authorize…'),
    );
    assert.equal(await again.page.opener(), second.page, 'the window that asked has opened the browser');
    const [inFirst = 0, inSecond = 0] = await waiting;
    t.diagnostic(`sign-in begun in the guest: ${Math.abs(inFirst - inSecond)} ms apart`);
    await second.notifications.item('Signing in to').waitFor();
    await second.screenshot('second-window-signing-in');
    await first.screenshot('first-window-while-second-signs-in');
    assert.equal(await first.notifications.item('Signing in to').count(), 0, 'only the window that asked tells of it');
    await seenByBoth('signed in in the guest', CONNECTED, async () => {
      await again.decide('allow');
      await again.page.close();
    });

    // A sign-in of another window can be cancelled from this one.
    await SignInPage.openedBy(second, sample, async () => second.runCommand('Scopekeeper: Re-authorize…'));
    await first.servers.row('see your browser').waitFor();
    await seenByBoth('cancelled in the owner', CONNECTED, async () =>
      first.servers.inlineAction('Of the guest', 'Cancel Sign-In'),
    );

    const signIns = requestsOf(sample, 'authorization_code');
    const renewals = requestsOf(sample, 'refresh_token');
    const killedAt = Date.now();
    signalProcess(owner, 'SIGKILL');
    await waitForEnd([owner], 1000);
    // A port announces nothing.
    while (!(await isAnswered(port))) await delay(5);
    const takenMs = Date.now() - killedAt;
    const next = await listeningProcess(port);
    assert.ok(next !== undefined && (await server.extensionHosts()).includes(next));
    t.diagnostic(`the port is held by the other window ${takenMs} ms after the kill`);
    assert.ok(takenMs < 1000);
    await second.screenshot('second-window-as-owner');
    await second.runCommand('Scopekeeper: Refresh Token Now');
    await second.page.getByText('Renewed the token of').waitFor();
    assert.equal(requestsOf(sample, 'refresh_token'), renewals + 1);
    assert.equal(requestsOf(sample, 'authorization_code'), signIns);

    // The editor starts the killed extension host again, which becomes a guest.
    await first.reload();
    await first.servers.show();
    await first.servers.row(CONNECTED).waitFor();
    assert.equal(await listeningProcess(port), next);
    await seenByBoth('renamed after that', /At last/, async () => rename(first, 'At last'));
    await first.screenshot('first-window-as-guest');

    // A window that is closed hands over, too.
    await second.close();
    await first.runCommand('Scopekeeper: Refresh Token Now');
    await first.page.getByText('Renewed the token of').waitFor();
    assert.equal(requestsOf(sample, 'authorization_code'), signIns);
  });
});
