import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { startSampleServer } from '../sample/sampleServer.ts';
import { withSession } from './session.ts';
import { connectSample } from './signInPage.ts';

test('a broken file and a taken port are told, nothing is lost, and all goes on when they are mended', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('this-machine', async ({ server, workbench }) => {
    const { notifications, servers } = workbench;
    await connectSample(workbench, sample);
    await servers.row(/2 scopes/).waitFor();

    const folder = path.join(server.configHome, 'scopekeeper');
    const file = path.join(folder, 'connections.json');
    const good = await readFile(file, 'utf8');
    await server.stop();
    await writeFile(file, good.slice(0, 40));
    await server.restart();
    await workbench.reload();
    await notifications.item(/connections\.json is not what Scopekeeper wrote/).waitFor();
    await servers.show();
    await servers.welcomeAction('A file in which Scopekeeper keeps your connections').waitFor();
    await workbench.screenshot('broken-file');
    await notifications.close(/connections\.json is not what/);
    await servers.welcomeAction('Show Problem').click();
    const problem = workbench.page.locator('.notifications-center', { hasText: 'connections.json is not what' });
    await problem.waitFor();
    await workbench.screenshot('broken-file-again');
    await problem.locator('.monaco-button', { hasText: 'Open File' }).click();
    await workbench.page.getByRole('tab', { name: 'connections.json' }).waitFor();
    await writeFile(file, good);
    await servers.row(/2 scopes/).waitFor();

    await server.stop();
    const { port } = JSON.parse(await readFile(path.join(folder, 'port.json'), 'utf8'));
    // It is asked who it is, and never answers.
    const stranger = createServer((socket) => socket.on('error', () => undefined).resume());
    stranger.listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    await server.restart();
    await workbench.reload();
    await notifications.item(`Another program uses port ${port}`).waitFor();
    await servers.show();
    await servers.welcomeAction('Choose Another Port').waitFor();
    await workbench.screenshot('port-taken');
    await workbench.screenshot('port-taken-light', 'light');
    await servers.welcomeAction('Choose Another Port').click();
    const setting = workbench.page.locator('.setting-item-contents', { hasText: 'Gateway: Port' });
    await setting.waitFor();
    await workbench.screenshot('port-setting');
    await workbench.page
      .locator('.monaco-modal-editor-block')
      .getByRole('button', { name: /^Close/ })
      .click();
    await setting.waitFor({ state: 'detached' });
    stranger.close();
    await once(stranger, 'close');
    await servers.show();
    await servers.row(/2 scopes/).waitFor();
    await workbench.runCommand('Scopekeeper: Refresh Token Now');
    await servers.expand(/2 scopes/);
    await servers.row('Token renewed').waitFor();
  });
});
