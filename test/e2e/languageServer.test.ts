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

    const line = (text: string) => editor.locator('.view-line', { hasText: text }).locator('span span').last();
    const hover = page.locator('.monaco-hover', { hasText: 'notes:read' });
    await editor.locator('.view-line', { hasText: '"notes"' }).getByText('"notes"').hover();
    await hover.first().waitFor();
    await workbench.screenshot('config-hover-dark');
    await workbench.screenshot('config-hover-light', 'light');

    // As a person finds it: where it is wrong, by the keyboard.
    await page.keyboard.press('Escape');
    await editor.locator('.squiggly-warning').first().waitFor();
    const menu = page.locator('.action-widget:not(.action-list-submenu-panel)');
    const fixesFor = async (text: string) => {
      await line(text).click();
      await page.keyboard.press('Control+.');
      await menu.waitFor();
    };
    await fixesFor('not-a-real-token');
    await menu.getByText('Move the Token to the Keychain…').waitFor();
    await workbench.screenshot('config-quick-fix-dark');
    await workbench.screenshot('config-quick-fix-light', 'light');
    await page.keyboard.press('Escape');
    await fixesFor('http://tracker.example');
    await menu.getByText('Use https').click();
    await editor.locator('.view-line', { hasText: 'https://tracker.example/mcp' }).waitFor();
    await page.keyboard.press('Control+Z');
    await editor.locator('.view-line', { hasText: 'http://tracker.example/mcp' }).waitFor();

    // A new entry: the servers that are known are offered, with their addresses at the gateway.
    await line('// my notes').click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('"');
    const offers = page.locator('.suggest-widget.visible .monaco-list-row');
    await offers.filter({ hasText: '127.0.0.1' }).first().waitFor();
    await workbench.screenshot('config-completion-dark');
    await workbench.screenshot('config-completion-light', 'light');
    await offers.filter({ hasText: '127.0.0.1' }).first().click();
    await lens
      .filter({ hasText: /connected/ })
      .nth(1)
      .waitFor();
    await workbench.screenshot('config-completed-dark');
  });
});
