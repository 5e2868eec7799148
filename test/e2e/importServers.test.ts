import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startFaultyServer } from '../servers/faultyServer.ts';
import { createPlainClient } from '../servers/plainClient.ts';
import { withSession } from './session.ts';

const NARROW = { width: 700, height: 600 };

function json(servers: object): string {
  return `${JSON.stringify({ mcpServers: servers }, undefined, 2)}\n`;
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

test('P36 servers of other clients are shown, taken, and freed of the token that is written in a file', async (t) => {
  const [notes, files] = await Promise.all([startFaultyServer({}), startFaultyServer({})]);
  t.after(async () => Promise.all([notes.close(), files.close()]));
  const { access_token: token } = await createPlainClient(files).signIn();

  await withSession('import-servers', async ({ server, workbench, workspace }) => {
    const { notifications, quickInput, servers } = workbench;
    await mkdir(path.join(workspace, '.git'));
    const shared = path.join(workspace, '.cursor', 'mcp.json');
    await write(
      shared,
      json({ files: { url: files.mcpUrl, headers: { Authorization: `Bearer ${token}` } }, build: { command: 'make' } }),
    );
    await write(
      path.join(server.home, '.gemini', 'settings.json'),
      json({
        notes: { httpUrl: notes.mcpUrl },
        'old wiki': { url: 'http://wiki.example.com/sse' },
        staging: { httpUrl: 'https://${STAGE}.example.com/mcp' },
      }),
    );
    await write(
      path.join(server.home, '.claude.json'),
      JSON.stringify({ projects: { [`${server.home}/site`]: { mcpServers: { notes: { url: notes.mcpUrl } } } } }),
    );
    await write(path.join(server.home, '.codeium', 'windsurf', 'mcp_config.json'), '{\n  "mcpServers": {\n');

    await servers.show();
    await workbench.runCommand('Scopekeeper: Import Servers from mcp.json…');
    await quickInput.waitFor('Tick the servers to take');
    await workbench.screenshot('import-preview-dark');
    await workbench.screenshot('import-preview-light', 'light');
    const rows = await quickInput.rows();
    assert.deepEqual(
      rows.filter(({ checked }) => checked === true).map(({ label }) => label),
      ['notes', 'files'],
    );
    // One that cannot be taken says why, and is not ticked.
    await quickInput.toggle('old wiki');
    await quickInput.waitFor('old wiki is plain http');
    assert.equal((await quickInput.rows()).find(({ label }) => label === 'old wiki')?.checked, false);
    await workbench.screenshot('import-refused-dark');

    await quickInput.accept();
    await quickInput.waitFor('What becomes of it?');
    await workbench.screenshot('import-token-dark');
    await quickInput.pick('Move It to the Keychain');
    await quickInput.waitFor('How do the clients go on?');
    await workbench.screenshot('import-routes-light', 'light');
    await quickInput.pick('Add Them Here Only');

    await servers.row('notes').waitFor();
    await servers.row(/files.*your own token/).waitFor();
    await notifications.item('2 servers are in the list now').waitFor();
    await workbench.screenshot('imported-dark');
    await workbench.page.setViewportSize(NARROW);
    await workbench.screenshot('imported-narrow');
    await notifications.click('2 servers are in the list now', 'Learn Why');
    await notifications.dialog.waitFor();
    await workbench.screenshot('import-rotate-narrow', 'light');
    await notifications.clickDialog('OK');
    const left = await readFile(shared, 'utf8');
    assert.ok(!left.includes(token));
    assert.match(left, /127\.0\.0\.1:\d+\/files\/mcp/);
    assert.ok(!(await readFile(`${shared}.scopekeeper-backup`, 'utf8')).includes(token));

    await workbench.page.setViewportSize({ width: 1280, height: 800 });
    await servers.contextMenu('files', 'Show in mcp.json');
    await workbench.page.locator('.tab.active', { hasText: 'mcp.json' }).waitFor();
    await workbench.screenshot('show-in-config-dark');
  });
});
