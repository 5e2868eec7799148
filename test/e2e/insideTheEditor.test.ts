import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { listWith } from '../headless/listWith.ts';
import { startSampleServer } from '../sample/sampleServer.ts';
import { ASKED_FILE, packAskingExtension } from './askingExtension.ts';
import { withSession } from './session.ts';
import { connectSample } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

const sessionSchema = v.object({ accessToken: v.string(), account: v.object({ label: v.string() }) });

/** All that the editor keeps in the browser, as text: what is provided to agent mode is kept there. */
async function browserStorage({ page }: Workbench): Promise<string> {
  return v.parse(
    v.string(),
    await page.evaluate(`(async () => {
      const all = [JSON.stringify({ ...localStorage })];
      const done = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        for (const store of database.objectStoreNames) {
          all.push(JSON.stringify(await done(database.transaction(store).objectStore(store).getAll())));
        }
        database.close();
      }
      return all.join('\\n');
    })()`),
  );
}

test('P43 P44 agent mode and another extension use a connection, each with a token that is kept nowhere', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  const options = { settings: { 'chat.disableAIFeatures': false } };
  await withSession(
    'inside-the-editor',
    async ({ server, workbench }) => {
      const { notifications, quickInput, servers } = workbench;
      await server.installExtension(await packAskingExtension(path.join(server.folder, 'asking')));
      await workbench.reload();
      await connectSample(workbench, sample);
      await servers.row('nobody yet').waitFor();

      await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await workbench.runCommand('Scopekeeper: Copy Gateway URL');
      await workbench.page.getByText('Copied the URL').first().waitFor();
      const url = v.parse(v.string(), await workbench.page.evaluate('navigator.clipboard.readText()'));

      await workbench.runCommand('Asking: Ask');
      await notifications.dialog.waitFor();
      await workbench.screenshot('session-dialog');
      assert.match(await notifications.dialog.innerText(), /Asking.*Scopekeeper/s);
      await notifications.clickDialog('Allow');
      await quickInput.waitFor('May it?');
      await workbench.screenshot('session-consent');
      await quickInput.pickAtLast('Choose Tools…');
      await quickInput.waitFor('Tick the tools');
      await quickInput.tick('list_notes');
      await quickInput.accept();
      await servers.row(/Other extensions.*1 tool/).waitFor();
      const asked = path.join(server.home, ASKED_FILE);
      while ((await readFile(asked, 'utf8').catch(() => '')) === '') await workbench.page.waitForTimeout(100);
      const session = v.parse(sessionSchema, JSON.parse(await readFile(asked, 'utf8')));
      assert.deepEqual(await listWith(url, session.accessToken), ['list_notes']);

      await workbench.runCommand('MCP: List Servers');
      await quickInput.waitFor(session.account.label);
      await workbench.screenshot('mcp-servers');
      await quickInput.pick(session.account.label);
      await quickInput.waitFor('Start Server');
      await quickInput.pick('Start Server');
      await servers.row(/Agent mode.*all tools/).waitFor();
      await workbench.screenshot('agent-mode');

      // The editor writes its state when the window goes.
      await workbench.reload();
      await servers.show();
      await servers.row('expires in').waitFor();
      const kept = await browserStorage(workbench);
      assert.ok(kept.includes(url), 'the editor keeps what it was provided with');
      assert.ok(!kept.includes('skg_a_'), 'P36 a token is kept in the browser');
    },
    options,
  );
});
