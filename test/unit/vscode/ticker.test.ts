import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../../src/connections/ports.ts';
import { Ticker } from '../../../src/vscode/ticker.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

/** A clock that counts the timers that run. */
function counting(clock: Clock): Clock & { readonly running: () => number } {
  let running = 0;
  return {
    now: () => clock.now(),
    running: () => running,
    after: (ms, run) => {
      running += 1;
      let isOver = false;
      const end = (): void => {
        if (!isOver) running -= 1;
        isOver = true;
      };
      const timer = clock.after(ms, () => {
        end();
        run();
      });
      return {
        dispose: () => {
          end();
          timer.dispose();
        },
      };
    },
  };
}

function start() {
  const manual = new ManualClock();
  const clock = counting(manual);
  const ticker = new Ticker(clock);
  const told: string[] = [];
  const add = (name: string, waitMs: () => number | undefined) =>
    ticker.add({ waitMs, tick: () => void told.push(`${name} ${manual.now() - begun}`) });
  const begun = manual.now();
  return { advance: (ms: number) => manual.advance(ms), clock, ticker, told, add };
}

describe('the one timer', () => {
  it('serves all, each in its time', () => {
    const { add, advance, clock, told } = start();
    add('slow', () => 30_000);
    add('fast', () => 10_000);
    assert.equal(clock.running(), 1);
    for (let seconds = 0; seconds < 30; seconds += 5) advance(5000);
    assert.deepEqual(told, ['fast 10000', 'fast 20000', 'slow 30000', 'fast 30000']);
    assert.equal(clock.running(), 1);
  });

  it('does not run while there is nothing to do', () => {
    const { add, advance, clock, ticker, told } = start();
    let waitMs: number | undefined;
    const ticking = add('one', () => waitMs);
    assert.equal(clock.running(), 0);
    waitMs = 1000;
    ticker.look();
    advance(1000);
    assert.deepEqual(told, ['one 1000']);
    waitMs = undefined;
    ticker.look();
    assert.equal(clock.running(), 0);
    waitMs = 1000;
    ticker.look();
    ticking.dispose();
    assert.equal(clock.running(), 0);
  });

  it('comes sooner when there is more to do, and never later for being asked', () => {
    const { add, advance, ticker, told } = start();
    let waitMs = 30_000;
    add('one', () => waitMs);
    advance(20_000);
    ticker.look();
    advance(10_000);
    assert.deepEqual(told, ['one 30000']);
    waitMs = 500;
    ticker.look();
    advance(500);
    assert.deepEqual(told, ['one 30000', 'one 30500']);
  });

  it('ends with what it serves', () => {
    const { add, advance, clock, ticker, told } = start();
    add('one', () => 1000);
    ticker.dispose();
    advance(5000);
    assert.deepEqual(told, []);
    assert.equal(clock.running(), 0);
  });
});
