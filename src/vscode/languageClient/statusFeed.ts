import type { ConnectionService } from '../../connections/connectionService.ts';
import { describeError } from '../../connections/errors.ts';
import type { Clock, Disposable, Log } from '../../connections/ports.ts';
import type { GatewayService } from '../../gateway/gatewayService.ts';
import type { ServerStatus } from '../../mcpConfig/languageProtocol.ts';
import type { WindowRole } from '../../owner/windowRole.ts';
import type { ChangeBatches } from '../changeBatches.ts';
import { gatewayUrlOf } from '../gatewayUrls.ts';
import type { Ticker } from '../ticker.ts';
import { serverStatus } from './serverStatus.ts';

const TICK_MS = 30_000;
/** While a text counts seconds down. */
const FAST_TICK_MS = 1000;

export interface StatusFeedParts {
  readonly service: Pick<ConnectionService, 'connections' | 'deviceAuthorization'>;
  readonly batches: Pick<ChangeBatches, 'onDidChange'>;
  readonly gateway: Pick<GatewayService, 'gatewayUrl'>;
  readonly role: Pick<WindowRole, 'onDidChange'>;
  readonly ticker: Ticker;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the language server how the connections are: all of them at first, and again when what is told has changed, by an
 * event or, while somebody looks, by time. One message is on its way at a time; what changes meanwhile goes with the next.
 */
export class StatusFeed implements Disposable {
  readonly #parts: StatusFeedParts;
  readonly #send: (connections: readonly ServerStatus[]) => Promise<void>;
  readonly #subscriptions: readonly Disposable[];
  /** The URL of a slug, as the gateway was asked last. */
  #urlOf: ((slug: string) => string) | undefined;
  #sent: string | undefined;
  #state: 'idle' | 'sending' | 'sending_stale' | 'disposed' = 'idle';
  #isSeen = false;

  /** @param send may reject: then the same is sent again with the next change. */
  constructor(parts: StatusFeedParts, send: (connections: readonly ServerStatus[]) => Promise<void>) {
    this.#parts = parts;
    this.#send = send;
    const { batches, role, ticker } = parts;
    this.#subscriptions = [
      batches.onDidChange(() => this.#update()),
      role.onDidChange(() => this.#update()),
      ticker.add({ waitMs: () => this.#waitMs(), tick: () => this.#update() }),
    ];
  }

  dispose(): void {
    this.#state = 'disposed';
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Tells all anew: to a server that has just begun to listen. */
  restart(): void {
    this.#sent = undefined;
    this.#update();
  }

  /** Whether somebody can see what is told: only then do texts change by time. */
  setSeen(isSeen: boolean): void {
    if (this.#isSeen === isSeen) return;
    this.#isSeen = isSeen;
    if (isSeen) this.#update();
    this.#parts.ticker.look();
  }

  #waitMs(): number | undefined {
    if (!this.#isSeen) return undefined;
    const countsSeconds = this.#parts.service.connections.some(({ state }) => state.type === 'unreachable');
    return countsSeconds ? FAST_TICK_MS : TICK_MS;
  }

  #update(): void {
    if (this.#state === 'idle') {
      this.#state = 'sending';
      void this.#run(); // it never rejects
    } else if (this.#state === 'sending') {
      this.#state = 'sending_stale';
    }
  }

  async #run(): Promise<void> {
    try {
      await this.#tell();
    } catch (error) {
      this.#parts.log.debug(`The language server was not told of the connections: ${describeError(error)}`);
    }
    if (this.#state === 'disposed') return;
    const isStale = this.#state === 'sending_stale';
    this.#state = 'idle';
    if (isStale) this.#update();
    // It may count seconds now.
    else this.#parts.ticker.look();
  }

  async #tell(): Promise<void> {
    await this.#askGateway();
    const statuses = this.#statuses();
    const text = JSON.stringify(statuses);
    if (text === this.#sent || this.#state === 'disposed') return;
    this.#sent = undefined;
    await this.#send(statuses);
    this.#sent = text;
  }

  /** What it said before stays good while it cannot be asked: it keeps its port. */
  async #askGateway(): Promise<void> {
    const { gateway, service, log } = this.#parts;
    try {
      this.#urlOf = (await gatewayUrlOf(gateway, service.connections)) ?? this.#urlOf;
    } catch (error) {
      log.debug(`There is no gateway URL now: ${describeError(error)}`);
    }
  }

  /** None without a gateway: there is nothing that an entry could lead to. When there is one again, that is an event. */
  #statuses(): readonly ServerStatus[] {
    const { service, clock } = this.#parts;
    const urlOf = this.#urlOf;
    if (urlOf === undefined) return [];
    const now = clock.now();
    return service.connections.map((connection) =>
      serverStatus(connection, urlOf(connection.slug), now, service.deviceAuthorization(connection.id)),
    );
  }
}
