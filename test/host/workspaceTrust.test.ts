import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { clientMetadataUrl, extraCaFile, isAgentModeEnabled } from '../../src/vscode/settings.ts';
import { stepUpTimeoutMs, tokenLifetimes, wantedPort } from '../../src/vscode/gatewaySettings.ts';
import { settingIds } from '../../src/vscode/ids.ts';

/** What a workspace would set to lead sign-ins astray. */
const EVIL: Readonly<Record<string, unknown>> = {
  [settingIds.clientMetadataUrl]: 'https://evil.example/client.json',
  [settingIds.extraCaFile]: '/tmp/evil.pem',
  [settingIds.agentMode]: false,
  [settingIds.gatewayPort]: 4567,
  [settingIds.accessTokenTtl]: '3650d',
  [settingIds.refreshTokenTtl]: '3650d',
  [settingIds.refreshGrace]: '60m',
  [settingIds.stepUpTimeout]: '1s',
};

/** What the extension does by. */
function inForce(): unknown {
  return [clientMetadataUrl(), extraCaFile(), isAgentModeEnabled(), wantedPort(), tokenLifetimes(), stepUpTimeoutMs()];
}

describe('the settings of a workspace', () => {
  const folder = path.join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', '.vscode');
  after(async () => rm(folder, { recursive: true, force: true }));

  it('have no effect, none of them', async () => {
    const before = inForce();
    // One that a workspace may set tells when the file was read.
    const read = new Promise<void>((resolve) => {
      const changes = vscode.workspace.onDidChangeConfiguration((change) => {
        if (!change.affectsConfiguration('editor.rulers')) return;
        changes.dispose();
        resolve();
      });
    });
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'settings.json'), JSON.stringify({ ...EVIL, 'editor.rulers': [77] }));
    await read;
    assert.deepEqual(inForce(), before);
    for (const id of Object.values(settingIds)) {
      assert.ok(id in EVIL, id);
      assert.notDeepEqual(vscode.workspace.getConfiguration().get(id), EVIL[id], id);
    }
  });
});
