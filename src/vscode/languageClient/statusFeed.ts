import type { Connection, ConnectionId } from '../../connections/connection.ts';
import type { ConnectionService } from '../../connections/connectionService.ts';
import { describeError } from '../../connections/errors.ts';
import type { Clock, Disposable, Log } from '../../connections/ports.ts';
import type { GatewayService } from '../../gateway/gatewayService.ts';
import type { ServerStatus } from '../../mcpConfig/languageProtocol.ts';
import type { WindowRole } from '../../owner/windowRole.ts';
import { serverStatus } from './serverStatus.ts';

const TICK_MS = 30_000;
/** While a text counts seconds down. */
const FAST_TICK_MS = 1000;

export interface StatusFeedParts {
  readonly service: Pick<ConnectionService, 'connections' | 'onDidChangeConnection' | 'deviceAuthorization'>;
  readonly gateway: Pick<GatewayService, 'gatewayUrl'>;
  readonly role: Pick<WindowRole, 'onDidChange'>;
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
  readonly #subscriptions: Disposable[];
  /** Asked of the gateway once each: in a guest window that is a question to another process. */
  readonly #urls = new Map<ConnectionId, { readonly slug: string; readonly url: string; readonly epoch: number }>();
  /** Counts what may have moved the gateway. */
  #epoch = 0;
  #sent: string | undefined;
  #state: 'idle' | 'sending' | 'sending_stale' | 'disposed' = 'idle';
  #isSeen = false;
  #tick: Disposable | undefined;

  /** @param send may reject: then the same is sent again with the next change. */
  constructor(parts: StatusFeedParts, send: (connections: readonly ServerStatus[]) => Promise<void>) {
    this.#parts = parts;
    this.#send = send;
    this.#subscriptions = [
      parts.service.onDidChangeConnection(() => this.#update()),
      parts.role.onDidChange(() => {
        this.#epoch += 1;
        this.#update();
      }),
    ];
  }

  dispose(): void {
    this.#state = 'disposed';
    this.#tick?.dispose();
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
    else this.#tick?.dispose();
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
    else this.#schedule();
  }

  async #tell(): Promise<void> {
    const statuses = await this.#statuses();
    const text = JSON.stringify(statuses);
    if (text === this.#sent || this.#state === 'disposed') return;
    this.#sent = undefined;
    await this.#send(statuses);
    this.#sent = text;
  }

  async #statuses(): Promise<readonly ServerStatus[]> {
    const { service, clock } = this.#parts;
    const { connections } = service;
    const urls = await Promise.all(connections.map(async (connection) => this.#urlOf(connection)));
    const now = clock.now();
    return connections.flatMap((connection, index) => {
      const url = urls[index];
      // Without a gateway there is nothing that an entry could lead to; when there is one again, that is an event.
      return url === undefined ? [] : [serverStatus(connection, url, now, service.deviceAuthorization(connection.id))];
    });
  }

  /** The one from before while the gateway cannot be asked: it keeps its port. */
  async #urlOf({ id, slug }: Connection): Promise<string | undefined> {
    const known = this.#urls.get(id);
    const epoch = this.#epoch;
    if (known?.slug === slug && known.epoch === epoch) return known.url;
    try {
      const url = await this.#parts.gateway.gatewayUrl(id);
      this.#urls.set(id, { slug, url, epoch });
      return url;
    } catch (error) {
      this.#parts.log.debug(`There is no gateway URL now: ${describeError(error)}`);
      return known?.slug === slug ? known.url : undefined;
    }
  }

  #schedule(): void {
    this.#tick?.dispose();
    if (!this.#isSeen) return;
    const countsSeconds = this.#parts.service.connections.some(({ state }) => state.type === 'unreachable');
    this.#tick = this.#parts.clock.after(countsSeconds ? FAST_TICK_MS : TICK_MS, () => this.#update());
  }
}
