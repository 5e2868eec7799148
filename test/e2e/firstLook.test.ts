import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSession } from './session.ts';

test('the installed extension shows its view, and its commands are in the palette', async () => {
  await withSession('first-look', async ({ workbench }) => {
    await workbench.servers.show();
    const connect = workbench.servers.welcomeAction('Connect a Server');
    await connect.waitFor();
    assert.deepEqual(await workbench.servers.rows(), []);
    await workbench.screenshot('empty-dark');
    await workbench.screenshot('empty-light', 'light');

    const titles = await workbench.findCommands('Scopekeeper: ');
    assert.ok(titles.includes('Scopekeeper: Connect Server…'), `found ${titles.join(', ')}`);
  });
});
