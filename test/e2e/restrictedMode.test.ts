import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startFaultyServer } from '../servers/faultyServer.ts';
import { withSession } from './session.ts';

test('a folder that is not trusted has its servers neither asked nor offered, until the person trusts it', async (t) => {
  const [own, foreign] = await Promise.all([startFaultyServer({}), startFaultyServer({})]);
  t.after(async () => Promise.all([own.close(), foreign.close()]));
  const options = { hasWorkspaceTrust: true, settings: { 'security.workspace.trust.startupPrompt': 'never' } };
  await withSession(
    'restricted-mode',
    async ({ server, workbench, workspace }) => {
      const { page, quickInput, servers } = workbench;
      await mkdir(path.join(workspace, '.vscode'));
      await writeFile(
        path.join(workspace, '.vscode', 'mcp.json'),
        JSON.stringify({ servers: { foreign: { type: 'http', url: foreign.mcpUrl } } }, undefined, 2),
      );
      await mkdir(path.join(server.home, '.gemini'));
      await writeFile(
        path.join(server.home, '.gemini', 'settings.json'),
        JSON.stringify({ mcpServers: { own: { httpUrl: own.mcpUrl } } }),
      );
      const offered = async (): Promise<readonly string[]> => {
        await workbench.runCommand('Scopekeeper: Import Servers from mcp.json…');
        await quickInput.waitFor('Tick the servers to take');
        const labels = (await quickInput.rows()).filter(({ checked }) => checked !== undefined);
        return labels.map(({ label }) => label);
      };

      await servers.show();
      assert.deepEqual(await offered(), ['own']);
      await workbench.screenshot('restricted-import-dark');
      await quickInput.cancel();
      // What one opens is shown, and nothing more.
      await page.keyboard.press('Control+P');
      await quickInput.field.fill('mcp.json');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'mcp.json' }).first().click();
      await page.locator('.codelens-decoration', { hasText: 'Connect' }).waitFor();
      await workbench.screenshot('restricted-config-dark');
      assert.deepEqual([...foreign.requests, ...own.requests], []);

      await workbench.runCommand('Workspaces: Manage Workspace Trust');
      await page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).click();
      await page.locator('.workspace-trust-editor.trusted').waitFor();
      assert.deepEqual((await offered()).toSorted(), ['foreign', 'own']);
      await quickInput.cancel();
      assert.deepEqual([...foreign.requests, ...own.requests], []);
    },
    options,
  );
});
