import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const EXTENSION_ID = 'scopekeeper.scopekeeper';

describe('the packed extension', () => {
  it('activates', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION_ID);
    assert.ok(extension, 'it is not installed');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('is what the VSIX holds, and not the work tree', () => {
    const folder = vscode.extensions.getExtension(EXTENSION_ID)?.extensionPath ?? '';
    assert.match(folder, /out[/\\]host[/\\]extension$/);
  });

  it('registers every command that it contributes', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION_ID);
    await extension?.activate();
    const contributed: { command: string }[] = extension?.packageJSON.contributes?.commands ?? [];
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(
      contributed.map(({ command }) => command).filter((command) => !registered.includes(command)),
      [],
    );
    assert.ok(contributed.length > 0, 'it contributes none');
  });
});
