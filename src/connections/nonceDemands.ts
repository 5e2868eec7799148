import type { DpopNonces } from '../oauth/dpop.ts';
import type { ServerChallenge } from './challengePolicy.ts';
import type { ConnectionId } from './connection.ts';
import type { ChallengeOutcome } from './tokenService.ts';
import type { Clock } from './ports.ts';

/** So often one request is sent again for another nonce: other requests may use up the nonce that it was to have. */
const ATTEMPTS_AT_MOST = 8;
/** So often within this time, for all requests of a connection that do not say how often they were sent. */
const DEMANDS_AT_MOST = 20;
const DEMANDS_WINDOW_MS = 60_000;

/** Answers MCP servers that demand another nonce in the next proof (RFC 9449 section 9), but not for ever (P25). */
export class NonceDemands {
  readonly #nonces: DpopNonces;
  readonly #clock: Clock;
  /** When nonces were demanded of requests that do not say how often they were sent. */
  readonly #uncounted = new Map<ConnectionId, readonly number[]>();

  constructor({ nonces, clock }: { readonly nonces: DpopNonces; readonly clock: Clock }) {
    this.#nonces = nonces;
    this.#clock = clock;
  }

  /** Takes the nonce that is demanded; gives `stop` for a server that gives none, or is never content. */
  answer(
    id: ConnectionId,
    serverUrl: string,
    { attempt, dpopNonce }: Pick<ServerChallenge, 'attempt' | 'dpopNonce'>,
  ): ChallengeOutcome {
    const isOneTooMany = attempt === undefined ? this.#isOneTooMany(id) : attempt >= ATTEMPTS_AT_MOST;
    if (dpopNonce === undefined || isOneTooMany) return { type: 'stop' };
    this.#nonces.note(serverUrl, dpopNonce);
    return { type: 'retry' };
  }

  forget(id: ConnectionId): void {
    this.#uncounted.delete(id);
  }

  #isOneTooMany(id: ConnectionId): boolean {
    const now = this.#clock.now();
    const earlier = (this.#uncounted.get(id) ?? []).filter((at) => now - at < DEMANDS_WINDOW_MS);
    const isOneTooMany = earlier.length >= DEMANDS_AT_MOST;
    this.#uncounted.set(id, isOneTooMany ? earlier : [...earlier, now]);
    return isOneTooMany;
  }
}
