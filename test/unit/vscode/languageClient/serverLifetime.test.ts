import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { type Deferred, deferred } from '../../../../src/connections/deferred.ts';
import { ServerLifetime } from '../../../../src/vscode/languageClient/serverLifetime.ts';
import { ManualClock, MemoryLog } from '../../../headless/memoryPorts.ts';
import { MINUTE_MS } from '../../connectionFixture.ts';

describe('the language server runs while a file needs it', () => {
  let clock: ManualClock;
  let log: MemoryLog;
  let launched: { readonly giveUp: () => void }[];
  let running: number;
  let asked: number;
  let answer: Deferred<boolean>;
  let failure: Error | undefined;
  let lifetime: ServerLifetime;

  beforeEach(() => {
    clock = new ManualClock();
    log = new MemoryLog();
    launched = [];
    running = 0;
    asked = 0;
    answer = deferred<boolean>();
    failure = undefined;
    lifetime = new ServerLifetime({
      launch: async (giveUp) => {
        launched.push({ giveUp });
        if (failure !== undefined) throw failure;
        running += 1;
        return { stop: async () => void (running -= 1) };
      },
      askForRestart: async () => {
        asked += 1;
        return answer.promise;
      },
      clock,
      log,
    });
  });

  async function need(isNeeded: boolean): Promise<void> {
    lifetime.setNeeded(isNeeded);
    await settled();
  }

  test('not before', async () => {
    await need(false);
    clock.advance(60 * MINUTE_MS);
    assert.equal(launched.length, 0);
  });

  test('once, however many files are opened', async () => {
    await need(true);
    await need(true);
    assert.equal(launched.length, 1);
    assert.equal(running, 1);
  });

  test('for some minutes after the last one was closed, and anew for the next', async () => {
    await need(true);
    await need(false);
    clock.advance(2 * MINUTE_MS);
    await settled();
    assert.equal(running, 1, 'it ended at once');
    clock.advance(2 * MINUTE_MS);
    await settled();
    assert.equal(running, 0, 'it stayed');
    await need(true);
    assert.equal(launched.length, 2);
  });

  test('on, when a file is opened in these minutes', async () => {
    await need(true);
    await need(false);
    clock.advance(2 * MINUTE_MS);
    await need(true);
    clock.advance(60 * MINUTE_MS);
    await settled();
    assert.equal(launched.length, 1);
    assert.equal(running, 1);
  });

  test('not after the window has closed, even if it was just being started', async () => {
    lifetime.setNeeded(true);
    lifetime.dispose();
    await settled();
    assert.equal(running, 0);
    await need(true);
    assert.equal(launched.length, 1);
  });

  test('not when it does not start: the person is told once, and it is tried again when they say so', async () => {
    failure = new Error('canary');
    await need(true);
    await need(false);
    await need(true);
    assert.equal(asked, 1);
    assert.equal(launched.length, 1);
    assert.equal(log.lines.length, 1);
    failure = undefined;
    answer.resolve(true);
    await settled();
    assert.equal(running, 1);
  });

  test('no more when it has crashed too often, until the person says so', async () => {
    await need(true);
    launched[0]?.giveUp();
    await settled();
    assert.equal(running, 0);
    assert.equal(asked, 1);
    await need(true);
    assert.equal(launched.length, 1);
    await need(false);
    answer.resolve(true);
    await settled();
    assert.equal(launched.length, 1, 'nothing needs it now');
    await need(true);
    assert.equal(running, 1);
  });

  test('what an old one says is not that of the new one', async () => {
    await need(true);
    await need(false);
    clock.advance(5 * MINUTE_MS);
    await need(true);
    launched[0]?.giveUp();
    await settled();
    assert.equal(asked, 0);
    assert.equal(running, 1);
  });
});
