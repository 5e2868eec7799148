import type { Clock } from '../connections/ports.ts';

/** What a timer of Node can wait at most; a longer delay would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * The system's clock. A delay over 24.8 days is cut to that: who waits that long looks again when called.
 * A timer never keeps the process alive.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
    timer.unref();
    return {
      dispose() {
        clearTimeout(timer);
      },
    };
  },
};
