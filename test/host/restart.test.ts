import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ScopekeeperApi } from '../../src/vscode/api.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { connect } from './connecting.ts';
import { storedSecret } from './keychain.ts';
import type { Probe } from './probe/probe.main.ts';
import type { RecordedCall } from './probe/recorder.ts';
import { scopekeeper, theProbe, untilRole } from './theProbe.ts';

const TOUCHES_SECRETS = /dlopen|native|keychain|secrets/;
const REACHES_OUT = /connect|request|fetch|dns|spawn/;

describe('activation with a connection', () => {
  let sample: SampleServer;
  let probe: Probe;
  let api: ScopekeeperApi;
  let id: string;
  let callsBefore: number;

  before(async () => {
    [probe, sample] = await Promise.all([theProbe(), startSampleServer({ accessTokenTtlSeconds: 3600 })]);
    const first = await scopekeeper();
    await connect(probe, sample);
    id = first.connections().find(({ serverUrl }) => serverUrl === sample.mcpUrl)?.id ?? '';

    // The keys that a new user has not are made once, after the first sign-in.
    await probe.restart();
    await untilRole(probe, 'owner');
    await vscode.commands.executeCommand('scopekeeper.refreshToken', id);

    callsBefore = probe.recorder.calls.length;
    api = await probe.restart();
  });

  after(async () => sample.close());

  function calls(): RecordedCall[] {
    return probe.recorder.calls.slice(callsBefore);
  }

  it('does nothing while it runs', () => {
    assert.deepEqual(
      calls().filter(({ phase }) => phase !== 'running'),
      [],
    );
  });

  it('then holds the port and shows the connection, with the keychain and the network left alone', async () => {
    await untilRole(probe, 'owner');
    assert.equal(api.connections().find((connection) => connection.id === id)?.state, 'ready');
    assert.ok(calls().some(({ api: name }) => name === 'listen'));
    assert.deepEqual(
      calls().filter(({ api: name }) => TOUCHES_SECRETS.test(name) || REACHES_OUT.test(name)),
      [],
    );
  });

  it('P30 reads the keychain first when a token is first needed, and before it is sent', async () => {
    const { generation } = await storedSecret(id);
    await vscode.commands.executeCommand('scopekeeper.refreshToken', id);
    const names = calls().map(({ api: name }) => name);
    const firstTouch = names.findIndex((name) => TOUCHES_SECRETS.test(name));
    const firstRequest = names.indexOf('http.request');
    assert.equal(names[firstTouch], 'native addon');
    assert.ok(firstTouch < firstRequest, 'the token was sent before the newest one was read (P30)');
    assert.ok(names.includes('keychain.getPassword'));
    assert.equal((await storedSecret(id)).generation, generation + 1);
  });

  it('P31 has sent it from a process of its own, which runs on the editor’s own runtime', () => {
    const names = calls().map(({ api: name }) => name);
    assert.ok(names.includes('child_process.spawn'));
    // The one that finds out whether there is a proxy, and is not sent.
    assert.equal(names.filter((name) => name === 'http.request').length, 1);
  });
});
