import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { userFolder } from '../../src/platform/userFolder.ts';
import { scopekeeper, theProbe, untilRole } from './theProbe.ts';

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
    const contributed = await contributedCommands();
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(
      contributed.map(({ command }) => command).filter((command) => !registered.includes(command)),
      [],
    );
    assert.ok(contributed.length > 0, 'it contributes none');
  });

  it('gives each command its category and a title in words', async () => {
    for (const { command, category, title } of await contributedCommands()) {
      assert.equal(category, 'Scopekeeper', command);
      assert.ok(title !== undefined && title !== '' && !title.startsWith('%'), `${command} is called ${title}`);
    }
  });
});

describe('activation without connections', () => {
  it('reads, opens, loads and starts nothing while it runs', async () => {
    const probe = await theProbe();
    await scopekeeper();
    assert.ok(probe.context(), 'the probe did not see the activation');
    assert.deepEqual(
      probe.recorder.calls.filter(({ phase }) => phase !== 'running'),
      [],
    );
  });

  it('reads the public file after it, and nothing else', async () => {
    const probe = await theProbe();
    await scopekeeper();
    await untilRole(probe, 'idle');
    // The window may have had the focus meanwhile: then it looks again.
    const done = new Set(probe.recorder.calls.map(({ api, target }) => `${api} ${target}`));
    assert.deepEqual([...done], [`fs/promises.readFile ${path.join(publicFolder(), 'connections.json')}`]);
  });

  it('makes no file and holds no port', () => {
    assert.equal(existsSync(publicFolder()), false);
  });

  it('leaves the keychain library out of the process', async () => {
    const { recorder } = await theProbe();
    assert.deepEqual(
      recorder.calls.filter(({ api }) => /dlopen|native|keychain|secrets/.test(api)),
      [],
    );
    if (process.platform === 'linux') assert.doesNotMatch(readFileSync('/proc/self/maps', 'utf8'), /keytar/);
  });
});

async function contributedCommands(): Promise<{ command: string; category?: string; title?: string }[]> {
  const extension = vscode.extensions.getExtension(EXTENSION_ID);
  await extension?.activate();
  return extension?.packageJSON.contributes?.commands ?? [];
}

function publicFolder(): string {
  return userFolder(process.platform, process.env, homedir());
}
