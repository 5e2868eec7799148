import type { ScopekeeperError } from '../oauth/errors.ts';
import { revokeTokens } from '../oauth/revocation.ts';
import type { Challenges } from './challenges.ts';
import type { Connection, ConnectionId } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import { type ConnectionSecret, isEmptySecret, issuedTokens, withoutTokens } from './connectionSecret.ts';
import type { DisconnectOutcome } from './connectionService.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { deleteRegistrations } from './deleteRegistrations.ts';
import { asScopekeeperError, describeError, isConnectionError } from './errors.ts';
import type { ExchangeJournal } from './exchangeJournal.ts';
import { fetchOf } from './fetchOf.ts';
import type { FlowPorts } from './flows/flow.ts';
import type { Outages } from './outages.ts';
import type { Log } from './ports.ts';
import type { Renewals } from './renewals.ts';
import type { SecretKeeper } from './secretKeeper.ts';
import type { SignIns } from './signIns.ts';

export interface EndingsPorts extends Pick<FlowPorts, 'fetch' | 'resolveReach'> {
  readonly journal: ExchangeJournal;
  readonly log: Log;
}

export interface EndingsParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly secrets: SecretKeeper;
  readonly signIns: SignIns;
  readonly outages: Outages;
  readonly renewals: Renewals;
  readonly challenges: Challenges;
}

/** Ends grants and connections, here and at their servers (P35). */
export class Endings {
  readonly #ports: EndingsPorts;
  readonly #parts: EndingsParts;

  constructor(ports: EndingsPorts, parts: EndingsParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** See {@link ConnectionService.disconnect}. */
  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    await this.#parts.signIns.stop(id);
    return this.#parts.secrets.exclusive(id, async () => {
      const secret = await this.#readable(id);
      const outcome: DisconnectOutcome =
        secret === 'unreadable' ? { revocation: 'failed' } : await this.#revoke(id, secret);
      const unstored =
        secret === 'unreadable' || secret === undefined
          ? await this.#tryForget(id)
          : await this.#forgetTokens(id, secret);
      await this.forgetAnswers(id);
      this.#parts.outages.forget(id);
      this.#parts.renewals.forget(id);
      this.#parts.challenges.forget(id);
      const activity = this.#parts.states.event('disconnected');
      this.#parts.states.set(id, { type: 'disconnected' }, { activity, lastError: unstored ?? null });
      return outcome;
    });
  }

  /** See {@link ConnectionService.remove}. */
  async remove(id: ConnectionId, leavesSecret: boolean): Promise<DisconnectOutcome> {
    await this.#parts.signIns.stop(id);
    const outcome = await this.#parts.secrets.exclusive(id, async () => this.#removeNow(id, leavesSecret));
    // One that began meanwhile has nothing to come back to.
    await this.#parts.signIns.stop(id);
    return outcome;
  }

  async #removeNow(id: ConnectionId, leavesSecret: boolean): Promise<DisconnectOutcome> {
    const { connection } = this.#parts.records.get(id);
    const found = await this.#readable(id).catch((error: unknown) => {
      if (!leavesSecret) throw error;
      // What a newer version wrote is left to it.
      return isConnectionError(error, 'secret_too_new') ? 'too_new' : 'unreadable';
    });
    const secret = typeof found === 'string' ? undefined : found;
    // First, since a connection that has to stay keeps tokens that are good.
    const unforgotten = found === 'too_new' ? undefined : await this.#tryForget(id);
    if (unforgotten !== undefined && !leavesSecret) {
      // A part of it may be gone.
      if (secret !== undefined) await this.#parts.secrets.tryKeep(id, secret);
      throw unforgotten;
    }
    const isUnknown = typeof found === 'string' || (leavesSecret && secret === undefined);
    const outcome: DisconnectOutcome = isUnknown ? { revocation: 'failed' } : await this.#revoke(id, secret);
    this.#parts.secrets.drop(id);
    await this.forgetAnswers(id);
    this.#parts.outages.forget(id);
    this.#parts.renewals.forget(id);
    this.#parts.signIns.forget(id);
    this.#parts.challenges.forget(id);
    // Together: the row does not wait for a slow server.
    await Promise.all([
      this.#parts.records.remove(id),
      deleteRegistrations(this.#ports, connection, secret?.clients ?? []),
    ]);
    return outcome;
  }

  /** The secret of a connection that is to end: what cannot be read for good is in nobody's way. Throws as `current`. */
  async #readable(id: ConnectionId): Promise<ConnectionSecret | 'unreadable' | undefined> {
    try {
      return await this.#parts.secrets.current(id, this.#parts.records.get(id).connection.serverUrl);
    } catch (error) {
      if (!isConnectionError(error, 'secret_unreadable')) throw error;
      return 'unreadable';
    }
  }

  /** Forgets tokens and keeps registrations. A keychain that does not take the change is told and tried again. */
  async #forgetTokens(id: ConnectionId, secret: ConnectionSecret): Promise<ScopekeeperError | undefined> {
    const rest = withoutTokens(secret);
    const unstored = await this.#parts.secrets.tryKeep(id, rest);
    return unstored === undefined && isEmptySecret(rest) ? this.#tryForget(id) : unstored;
  }

  async #tryForget(id: ConnectionId): Promise<ScopekeeperError | undefined> {
    try {
      await this.#parts.secrets.forget(id);
      return undefined;
    } catch (error) {
      return asScopekeeperError(error);
    }
  }

  /** Revokes at the authorization server; what fails there is told and stops nothing (P35). */
  async #revoke(id: ConnectionId, secret: ConnectionSecret | undefined): Promise<DisconnectOutcome> {
    const tokens = issuedTokens(secret);
    if (tokens === undefined) return { revocation: 'nothing_to_revoke' };
    const { serverUrl, settings } = this.#parts.records.get(id).connection;
    try {
      const isRevoked = await revokeTokens(fetchOf(this.#ports.fetch, settings), {
        authorizationServer: tokens.authorizationServer,
        client: tokens.client,
        accessToken: tokens.accessToken,
        refreshToken: tokens.refreshToken,
        reach: await this.#ports.resolveReach(serverUrl),
      });
      return { revocation: isRevoked ? 'revoked' : 'unsupported' };
    } catch (error) {
      this.#ports.log.warn(`Revoking the tokens of ${id} failed: ${describeError(error)}`);
      return { revocation: 'failed' };
    }
  }

  /**
   * Ends a grant whose document has given way already, at the server too, and all that belongs to it.
   * @param connection as it was
   */
  async endGrant(connection: Connection, secret: ConnectionSecret | undefined): Promise<void> {
    const { id } = connection;
    // One that began meanwhile, the old way.
    this.#parts.signIns.cancel(id);
    this.#parts.outages.forget(id);
    this.#parts.renewals.forget(id);
    this.#parts.challenges.forget(id);
    await this.forgetAnswers(id);
    await this.#revoke(id, secret);
    // Then only: it is the client that may revoke.
    await deleteRegistrations(this.#ports, connection, secret?.clients ?? []);
  }

  /** Clears a connection's journal; never rejects: an entry that stays costs a file. */
  async forgetAnswers(id: ConnectionId, below?: number): Promise<void> {
    const { journal, log } = this.#ports;
    await journal.forget(id, below).catch((error: unknown) => {
      log.warn(`The journal of ${id} could not be cleared: ${describeError(error)}`);
    });
  }
}
