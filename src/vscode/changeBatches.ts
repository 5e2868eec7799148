import type { ConnectionId } from '../connections/connection.ts';
import type { ConnectionChange, ConnectionService } from '../connections/connectionService.ts';
import { Emitter } from '../connections/emitter.ts';
import type { Disposable } from '../connections/ports.ts';
import type { Ticker } from './ticker.ts';

/** Too short to be seen, and long enough for all that comes at once. */
const GATHER_MS = 20;

/** What became of each connection that changed. */
export type ChangeBatch = ReadonlyMap<ConnectionId, ConnectionChange['type']>;

/**
 * The changes of connections for all that draws, some of them at a time: a thousand that are loaded come as a thousand
 * changes, and what is drawn from all of them is to be drawn once.
 */
export class ChangeBatches implements Disposable {
  readonly #batches: Emitter<ChangeBatch>;
  readonly #subscriptions: readonly Disposable[];
  #waiting = new Map<ConnectionId, ConnectionChange['type']>();

  /** @param onError hears what a listener throws. */
  constructor(
    service: Pick<ConnectionService, 'onDidChangeConnection'>,
    ticker: Ticker,
    onError: (error: unknown) => void,
  ) {
    this.#batches = new Emitter(onError);
    this.#subscriptions = [
      service.onDidChangeConnection(({ connection, type }) => {
        this.#waiting.set(connection.id, merged(this.#waiting.get(connection.id), type));
        if (this.#waiting.size === 1) ticker.look();
      }),
      ticker.add({ waitMs: () => (this.#waiting.size === 0 ? undefined : GATHER_MS), tick: () => this.#tell() }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  onDidChange(listener: (batch: ChangeBatch) => void): Disposable {
    return this.#batches.listen(listener);
  }

  #tell(): void {
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#batches.fire(batch);
  }
}

/** A connection that was added and changed was added; whatever follows, one that is gone is gone. */
function merged(
  earlier: ConnectionChange['type'] | undefined,
  type: ConnectionChange['type'],
): ConnectionChange['type'] {
  return earlier === 'added' && type === 'changed' ? 'added' : type;
}
