import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startSampleServer } from '../sample/sampleServer.ts';
import { withSession } from './session.ts';
import { connectSample } from './signInPage.ts';
import type { Workbench } from './workbench.ts';

/** What is said and offered stands beside these lines. */
function configuration(mcpUrl: string): string {
  return `{
  "servers": {
    // my notes
    "notes": {
      "type": "http",
      "url": "${mcpUrl}"
    },
    "tracker": {
      "type": "http",
      "url": "http://tracker.example/mcp"
    },
    "code-host": {
      "type": "http",
      "url": "https://mcp.code-host.example/mcp",
      "headers": { "Authorization": "Bearer not-a-real-token-0123456789" }
    },
  }
}
`;
}

async function openFile({ page, quickInput }: Workbench, name: string): Promise<void> {
  await page.keyboard.press('Control+P');
  await quickInput.field.fill(name);
  await page
    .locator('.quick-input-list .monaco-list-row', { hasText: path.basename(name) })
    .first()
    .click();
}

test('a configuration file says how its servers are connected, what is wrong with it, and mends it', async (t) => {
  const sample = await startSampleServer({ accessTokenTtlSeconds: 3600 });
  t.after(async () => sample.close());
  await withSession('language-server', async ({ workbench, workspace }) => {
    const { page, servers } = workbench;
    await mkdir(path.join(workspace, '.vscode'));
    await writeFile(path.join(workspace, '.vscode', 'mcp.json'), configuration(sample.mcpUrl));
    await connectSample(workbench, sample);
    await servers.row('expires in').waitFor();
    await openFile(workbench, '.vscode/mcp.json');

    const editor = page.locator('.editor-instance .monaco-editor').first();
    const lens = editor.locator('.codelens-decoration');
    await lens.filter({ hasText: /connected · expires in \d+ min · 2 scopes/ }).waitFor();
    await lens.filter({ hasText: 'Connect' }).first().waitFor();
    await page.mouse.move(640, 700);
    await workbench.screenshot('config-lens-dark');
    await workbench.screenshot('config-lens-light', 'light');
    assert.ok((await lens.count()) >= 2);
  });
});
