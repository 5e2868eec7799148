import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';

describe('systemClock', () => {
  it('calls once after the delay', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    systemClock.after(50, () => calls++);
    t.mock.timers.tick(49);
    assert.equal(calls, 0);
    t.mock.timers.tick(1000);
    assert.equal(calls, 1);
  });

  it('does not call when disposed, however often', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const timer = systemClock.after(50, () => assert.fail());
    timer.dispose();
    timer.dispose();
    t.mock.timers.tick(1000);
  });

  it('P34 a token of a hundred days does not fire at once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    systemClock.after(100 * 24 * 3_600_000, () => calls++);
    t.mock.timers.tick(2 ** 31 - 2);
    assert.equal(calls, 0);
    t.mock.timers.tick(1);
    assert.equal(calls, 1);
  });
});
