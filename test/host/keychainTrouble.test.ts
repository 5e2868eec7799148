import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ScopekeeperApi } from '../../src/vscode/api.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { lockKeyring, unlockKeyring } from '../stand/keyring.ts';
import { open } from './browser.ts';
import { connect, signInBy } from './connecting.ts';
import { spoilSecret, storedSecret, storedText } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe, untilRole } from './theProbe.ts';
import { treeTexts } from './visible.ts';

const DRAWN_EVERY_MS = 10;

describe('what the person is told of a keychain in trouble', () => {
  let samples: readonly SampleServer[];
  let probe: Probe;
  let api: ScopekeeperApi;
  let ids: readonly string[];

  before(async () => {
    probe = await theProbe();
    samples = await Promise.all([startSampleServer(), startSampleServer()]);
    for (const sample of samples) await connect(probe, sample);
    const connections = (await scopekeeper()).connections();
    ids = samples.map(({ mcpUrl }) => connections.find(({ serverUrl }) => serverUrl === mcpUrl)?.id ?? '');
  });

  after(async () => {
    for (const id of ids) {
      probe.editor.answers.set('showWarningMessage', ['Remove']);
      await vscode.commands.executeCommand('scopekeeper.remove', id);
    }
    await Promise.all(samples.map(async (sample) => sample.close()));
  });

  /** A window that has read no secret yet. */
  async function newWindow(): Promise<void> {
    api = await probe.restart();
    await untilRole(probe, 'owner');
  }

  async function renewAll(): Promise<void> {
    for (const id of ids) await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
  }

  function toldSince(count: number, what: RegExp): number {
    return probe.editor.errors.slice(count).filter((text) => what.test(text)).length;
  }

  function states(): readonly (string | undefined)[] {
    return ids.map((id) => api.connections().find((connection) => connection.id === id)?.state);
  }

  async function untilReady(): Promise<void> {
    while (states().some((state) => state !== 'ready')) {
      await new Promise<void>((resolve) => {
        const subscription = api.onDidChangeConnections(() => {
          subscription.dispose();
          resolve();
        });
      });
    }
  }

  // Elsewhere nothing of a test may lock the keychain of the machine.
  if (process.platform === 'linux') {
    it('one message for all connections, rows that say so, and recovery without a sign-in', async () => {
      const opened = probe.editor.opened.length;
      const told = probe.editor.errors.length;
      lockKeyring();
      try {
        await newWindow();
        await renewAll();
        await renewAll();
        assert.equal(toldSince(told, /keychain of this computer is locked.* \[Try Again\]$/), 1);
        assert.equal(probe.editor.errors.length, told + 1);
        assert.deepEqual(states(), ['unreachable', 'unreachable']);
        const rows = (await treeTexts(probe.editor)).filter((text) => text.includes('keychain locked, retrying'));
        assert.ok(rows.length >= 2);
        const status = probe.editor.statusBarItems.at(-1);
        // What changes at once is drawn at once, a moment later, and says nowhere that it is.
        while (!/^\$\(debug-disconnect\) 2 of \d+$/.test(status?.text ?? '')) await delay(DRAWN_EVERY_MS);
      } finally {
        await unlockKeyring();
      }
      const [first = ''] = ids;
      await vscode.commands.executeCommand('scopekeeper.refreshToken', first);
      await untilReady();
      assert.equal(probe.editor.opened.length, opened);
      assert.equal(probe.editor.errors.length, told + 1);
    });
  }

  it('of an entry that cannot be read: one message, a row that says so, and a sign-in that keeps the bytes', async () => {
    const [id = ''] = ids;
    const [sample] = samples;
    assert.ok(sample);
    const told = probe.editor.errors.length;
    await newWindow();
    await spoilSecret(id, '{"spoilt');
    await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
    assert.equal(toldSince(told, /cannot be read.*kept beside it\. \[Sign In\]$/), 1);
    assert.equal(probe.editor.errors.length, told + 1);
    const rows = await treeTexts(probe.editor);
    assert.ok(rows.some((text) => text.includes('needs sign-in · what was saved cannot be read')));
    assert.equal(states()[1], 'ready');
    assert.equal(await storedText(`connection:${id}`), '{"spoilt');
    await signInBy(
      probe,
      async () => vscode.commands.executeCommand('scopekeeper.reauthorize', id),
      async (authorizationUrl) => open(authorizationUrl, sample),
    );
    assert.equal(states()[0], 'ready');
    assert.ok((await storedSecret(id)).tokens);
    assert.equal(await storedText(`connection:${id}:unreadable-1`), '{"spoilt');
  });
});
