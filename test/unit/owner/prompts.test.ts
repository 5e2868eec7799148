import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PortNews } from '../../../src/connections/ports.ts';
import { type PromptingWindow, Prompts } from '../../../src/owner/prompts.ts';
import { ManualClock, MemoryLog } from '../../headless/memoryPorts.ts';

const REQUEST = { clientName: 'A client', redirectUri: 'http://127.0.0.1:1/' };
const NEWS: PortNews = { type: 'moved', from: 1, to: 2 };
/** As long as a guest that hangs may be silent. */
const SILENT_MS = 40_000;

/** A window that never answers, or denies at once. */
function makeWindow(answers: boolean) {
  const signals: AbortSignal[] = [];
  const told: PortNews[] = [];
  const never = new Promise<never>(() => undefined);
  const window: PromptingWindow = {
    askConsent: async (_request, signal) => {
      signals.push(signal);
      return answers ? { type: 'denied' } : never;
    },
    tellDemand: async () => (answers ? undefined : never),
    tellPort: async (news) => {
      told.push(news);
      return answers ? undefined : never;
    },
  };
  return { window, signals, told };
}

function start() {
  const clock = new ManualClock();
  const own = makeWindow(true);
  const hanging = makeWindow(false);
  const prompts = new Prompts(own.window, { clock, log: new MemoryLog() });
  const seat = prompts.join(hanging.window, undefined);
  seat.noteFocus();
  return { clock, own, hanging, prompts, seat };
}

test('P44 a question in a window that hangs is taken back there, and goes to the next one', async () => {
  const { clock, own, hanging, prompts } = start();
  const answer = prompts.askConsent(REQUEST, new AbortController().signal);
  clock.advance(SILENT_MS - 1);
  await nextTurn();
  assert.deepEqual([hanging.signals[0]?.aborted, own.signals.length], [false, 0]);
  clock.advance(1);
  assert.deepEqual(await answer, { type: 'denied' });
  assert.equal(hanging.signals[0]?.aborted, true);

  await prompts.askConsent(REQUEST, new AbortController().signal);
  assert.equal(hanging.signals.length, 1, 'it is asked nothing more');
});

test('P44 a window that says something is at work, however long the person takes', async () => {
  const { clock, hanging, own, prompts, seat } = start();
  const controller = new AbortController();
  const answer = prompts.askConsent(REQUEST, controller.signal);
  for (let heard = 0; heard < 20; heard += 1) {
    clock.advance(30_000);
    seat.noteAlive();
  }
  assert.deepEqual([hanging.signals[0]?.aborted, own.signals.length], [false, 0]);
  controller.abort(new Error('enough'));
  await assert.rejects(answer, /enough/);
});

test('P44 a window that hung is asked again once it was heard of', async () => {
  const { clock, hanging, prompts, seat } = start();
  clock.advance(SILENT_MS);
  seat.noteAlive();
  const answer = prompts.askConsent(REQUEST, new AbortController().signal);
  assert.equal(hanging.signals.length, 1);
  prompts.dispose();
  await assert.rejects(answer, { code: 'owner_gone' });
  assert.equal(hanging.signals[0]?.aborted, true);
});

test('P18a what became of the port is told without waiting for a window that hangs', async () => {
  const { clock, hanging, prompts } = start();
  const told = prompts.announcePort(NEWS);
  assert.deepEqual(hanging.told, [NEWS]);
  clock.advance(2000);
  await told;
});
