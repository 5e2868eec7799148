import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { userFolder } from '../../src/platform/userFolder.ts';
import type { PublicConnection, ScopekeeperApi } from '../../src/vscode/api.ts';
import { openTestWindow, type TestWindow } from '../headless/testWindow.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { open } from './browser.ts';
import { connect, signInBy } from './connecting.ts';
import { storedSecret, testKeychain } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe, untilRole } from './theProbe.ts';

describe('a window beside another one', () => {
  let probe: Probe;
  let sample: SampleServer;
  let api: ScopekeeperApi;
  let other: TestWindow;
  let id: string;

  before(async () => {
    [probe, api, sample] = await Promise.all([
      theProbe(),
      scopekeeper(),
      startSampleServer({ accessTokenTtlSeconds: 3600 }),
    ]);
    await connect(probe, sample);
    id = api.connections().find(({ serverUrl }) => serverUrl === sample.mcpUrl)?.id ?? '';
    other = openTestWindow({
      folder: userFolder(process.platform, process.env, homedir()),
      name: 'the other window',
      keychain: testKeychain,
    });
  });

  after(async () => {
    await other.dispose();
    await untilRole(probe, 'owner');
    await sample.close();
  });

  /** Waits until the connection is as wanted, as other extensions see it. */
  async function until(test: (connection: PublicConnection) => boolean): Promise<PublicConnection> {
    return new Promise((resolve) => {
      const look = () => {
        const found = api.connections().find((connection) => connection.id === id);
        if (found === undefined || !test(found)) return;
        changes.dispose();
        resolve(found);
      };
      const changes = api.onDidChangeConnections(look);
      look();
    });
  }

  it('lets it in by the key in the keychain, and shows it the connections', async () => {
    await other.role.look();
    assert.equal(other.role.state.type, 'guest');
    assert.equal(other.connections.get(id)?.state.type, 'ready');
  });

  it('is followed by it when it ends, and then is its guest, which writes nothing to the keychain', async () => {
    const callsBefore = probe.recorder.calls.length;
    api = await probe.restart(async () => {
      while (other.role.state.type !== 'owner') await new Promise(setImmediate);
    });
    await untilRole(probe, 'guest');
    assert.equal((await until(({ state }) => state === 'ready')).serverUrl, sample.mcpUrl);
    const calls = probe.recorder.calls.slice(callsBefore).map(({ api: name, target }) => `${name} ${target}`);
    const read = calls.filter((call) => call.startsWith('keychain.'));
    assert.ok(read.length > 0);
    assert.deepEqual(
      read.filter((call) => !call.startsWith('keychain.getPassword')),
      [],
    );
    await other.connections.rename(id, 'Named elsewhere');
    await until(({ name }) => name === 'Named elsewhere');
  });

  it('P18 signs in with its own browser', async () => {
    const { generation } = await storedSecret(id);
    await signInBy(
      probe,
      async () => void (await vscode.commands.executeCommand('scopekeeper.reauthorize', id)),
      async (authorizationUrl) => open(authorizationUrl, sample),
    );
    assert.deepEqual(other.opened, []);
    assert.ok((await storedSecret(id)).generation > generation);
  });

  it('takes the place of the other when that ends, and renews', async () => {
    await other.dispose();
    await untilRole(probe, 'owner');
    const { generation } = await storedSecret(id);
    await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
    assert.ok((await storedSecret(id)).generation > generation);
  });
});
