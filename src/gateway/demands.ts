import type { ServerChallenge } from '../connections/challengePolicy.ts';
import type { Connection, ConnectionId } from '../connections/connection.ts';
import { Emitter } from '../connections/emitter.ts';
import { describeError } from '../connections/errors.ts';
import type { Clock, Disposable, Log } from '../connections/ports.ts';
import { plainCause } from '../connections/scopeDemand.ts';
import type { ChallengeOutcome, OutgoingRequest, RequestAuthorization } from '../connections/tokenService.ts';
import type { GatewayTokens } from './authorizedExchange.ts';
import type { Demand, GatewayConnections, TellDemand } from './ports.ts';

export interface DemandsParts {
  readonly tokens: GatewayTokens;
  readonly connections: GatewayConnections;
  readonly tell: TellDemand;
  /** How long the person is waited for, in ms. */
  readonly stepUpTimeoutMs: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a message that is not answered keeps the next one back: the editor may have hidden it by then. */
const HELD_BACK_MS = 20_000;

/** What the person was told of a connection. */
interface Told {
  /** What it demanded. */
  readonly what: string;
  /** Aborted when nobody needs an answer any more. */
  readonly controller: AbortController;
  /** Until when it is waited for; what comes later is told at once what to do. */
  awaitedUntil: number;
}

/**
 * The tokens for requests of local clients. When such a request meets what only the person can do something about (P24),
 * the person is told, once for each connection and demand until something changes, and of one at a time.
 */
export class Demands implements GatewayTokens, Disposable {
  readonly #parts: DemandsParts;
  readonly #told = new Map<ConnectionId, Told>();
  readonly #changes: Disposable;
  readonly #declines: Emitter<{ readonly id: ConnectionId }>;
  /** Messages take turns. */
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(parts: DemandsParts) {
    this.#parts = parts;
    this.#declines = new Emitter((error) => parts.log.error(`A listener failed: ${describeError(error)}`));
    this.#changes = parts.connections.onDidChangeConnection(({ type, connection }) => {
      if (type === 'removed') this.#forget(connection.id);
      else this.#follow(connection);
    });
  }

  dispose(): void {
    this.#changes.dispose();
    for (const { controller } of this.#told.values()) controller.abort();
  }

  /** Hears of each connection for which the person was told of a demand and has left it at that. */
  onDidDecline(listener: (id: ConnectionId) => void): Disposable {
    return this.#declines.listen(({ id }) => listener(id));
  }

  async authorizeRequest(id: ConnectionId, request: OutgoingRequest): Promise<RequestAuthorization> {
    try {
      return await this.#parts.tokens.authorizeRequest(id, request);
    } catch (error) {
      // Also when a renewal has just found out that the grant has ended.
      if (this.#parts.connections.get(id)?.state.type === 'needsSignIn') this.#note(id, {});
      throw error;
    }
  }

  noteDpopNonce(url: string, nonce: string): void {
    this.#parts.tokens.noteDpopNonce(url, nonce);
  }

  async answerChallenge(id: ConnectionId, challenge: ServerChallenge): Promise<ChallengeOutcome> {
    const outcome = await this.#parts.tokens.answerChallenge(id, challenge);
    if (outcome.type === 'authorize') this.#note(id, challenge);
    // It was asked for by another request, which is no reason not to wait for the answer as that one does.
    if (outcome.type === 'stop' && this.#isAwaited(id)) return { type: 'authorize', scopes: this.#needed(id) ?? [] };
    return outcome;
  }

  /** Whether the person was told, and may still do what is needed. */
  #isAwaited(id: ConnectionId): boolean {
    const { clock, connections } = this.#parts;
    const told = this.#told.get(id);
    if (told === undefined) return false;
    if (connections.get(id)?.state.type === 'authorizing') return true;
    return this.#needed(id) !== undefined && clock.now() < told.awaitedUntil;
  }

  /** Tells what the connection needs, unless that was told. One that the person signed out of needs nothing. */
  #note(id: ConnectionId, cause: Parameters<typeof plainCause>[0]): void {
    const scopes = this.#needed(id);
    if (scopes === undefined) return;
    const what = JSON.stringify(scopes.toSorted());
    const earlier = this.#told.get(id);
    if (earlier?.what === what) return;
    earlier?.controller.abort();
    const { clock, stepUpTimeoutMs } = this.#parts;
    const told: Told = { what, controller: new AbortController(), awaitedUntil: clock.now() + stepUpTimeoutMs() };
    this.#told.set(id, told);
    const demand = { connection: id, scopes, ...plainCause(cause) };
    this.#lastTurn = this.#lastTurn.then(async () => this.#tell(demand, told));
  }

  /** Never rejects. */
  async #tell(demand: Demand, told: Told): Promise<void> {
    const { signal } = told.controller;
    if (signal.aborted) return;
    const { clock } = this.#parts;
    const answered = this.#answer(demand, told);
    let timer: Disposable | undefined;
    const heldBack = new Promise<void>((resolve) => {
      timer = clock.after(HELD_BACK_MS, resolve);
    });
    await Promise.race([answered, heldBack]);
    timer?.dispose();
  }

  /** What the person does about it shows in the connection; if it is nothing, nobody waits for more. Never rejects. */
  async #answer(demand: Demand, told: Told): Promise<void> {
    const { log, tell } = this.#parts;
    const { signal } = told.controller;
    const { connection: id } = demand;
    try {
      await tell(demand, signal);
      told.awaitedUntil = 0;
      if (!signal.aborted && this.#needed(id) !== undefined) this.#declines.fire({ id });
    } catch (error) {
      told.awaitedUntil = 0;
      if (!signal.aborted) log.warn(`The person could not be told of a demand: ${describeError(error)}`);
    }
  }

  #follow(connection: Connection): void {
    const { id, state } = connection;
    // The person is at it, whether because of the message or not; what comes of it shows then.
    if (state.type === 'authorizing') this.#told.get(id)?.controller.abort();
    else if (state.type === 'ready' || state.type === 'disconnected') this.#forget(id);
  }

  /** The scopes that the person has to grant, none for a sign-in; undefined when nothing is needed. */
  #needed(id: ConnectionId): readonly string[] | undefined {
    const state = this.#parts.connections.get(id)?.state;
    if (state?.type === 'needsConsent') return state.missing;
    return state?.type === 'needsSignIn' ? [] : undefined;
  }

  /** Something has changed: the next demand is told. */
  #forget(id: ConnectionId): void {
    this.#told.get(id)?.controller.abort();
    this.#told.delete(id);
  }
}
