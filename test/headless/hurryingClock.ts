import type { Disposable } from '../../src/connections/ports.ts';
import { ManualClock } from './memoryPorts.ts';

/** A clock that moves by itself to whatever is waited for next, and notes how long that was. */
export class HurryingClock extends ManualClock {
  readonly delays: number[] = [];
  /** Called before time passes. */
  onWait: () => void = () => undefined;
  /** Whether time passes by itself just now. */
  isHurried: () => boolean = () => true;

  override after(delayMs: number, callback: () => void): Disposable {
    const timer = super.after(delayMs, callback);
    this.delays.push(delayMs);
    const hurry = setImmediate(() => {
      if (!this.isHurried()) return;
      this.onWait();
      this.advance(delayMs);
    });
    return {
      dispose() {
        clearImmediate(hurry);
        timer.dispose();
      },
    };
  }
}
