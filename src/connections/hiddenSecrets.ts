import type { Connection, ConnectionId, ConnectionState, Grant } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import type { ConnectionSecret } from './connectionSecret.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { type ConnectionError, isConnectionError, isKeychainError, type KeychainError } from './errors.ts';
import type { Clock } from './ports.ts';
import type { SecretKeeper } from './secretKeeper.ts';
import type { SecretPlace } from './secretVault.ts';

export interface HiddenSecretsParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly secrets: SecretKeeper;
  readonly clock: Clock;
}

/** A secret that only another editor or version can read is looked for again after so long. */
const OUT_OF_REACH_RETRY_MS = 15 * 60_000;

/**
 * Connections whose secret the keychain hides: they are `unreachable` with their grant, never signed out, and
 * are ready again, without a renewal or a sign-in, when it gives them.
 */
export class HiddenSecrets {
  readonly #parts: HiddenSecretsParts;

  constructor(parts: HiddenSecretsParts) {
    this.#parts = parts;
  }

  /** The secret in use, else the stored one; the connection's state tells when it cannot be had. Throws why. */
  async read(id: ConnectionId): Promise<ConnectionSecret | undefined> {
    const { records, secrets, states } = this.#parts;
    try {
      const secret = await secrets.current(id, records.get(id).connection.serverUrl);
      const grant = states.grant(id);
      if (grant !== undefined && waitsForSecret(states.resting(id))) {
        if (secret?.tokens === undefined) states.needSignIn(id, 'secret_missing');
        else states.set(id, { type: 'ready', grant }, { lastError: null });
      }
      return secret;
    } catch (error) {
      const grant = states.grant(id);
      if (grant === undefined) throw error;
      if (isKeychainError(error)) {
        this.note(id, grant, error);
      } else if (isConnectionError(error, 'secret_unreadable')) {
        states.needSignIn(id, 'secret_unreadable', error);
        records.update(id, {}, { lastError: error });
      } else if (isOutOfReach(error)) {
        const retryAt = this.#parts.clock.now() + OUT_OF_REACH_RETRY_MS;
        states.set(id, { type: 'unreachable', grant, error, retryAt }, { lastError: error });
      }
      throw error;
    }
  }

  /** Notes where a secret is now: what could not be stored for a while is stored. */
  notePlaced(id: ConnectionId, secretIn: SecretPlace | null, generation: number): void {
    const { records } = this.#parts;
    const isOver = isKeychainError(records.find(id)?.connection.lastError);
    records.update(id, {}, { secretIn, generation, ...(isOver && { lastError: null }) });
  }

  /** Says that a connection waits for the keychain. */
  note(id: ConnectionId, grant: Grant, error: KeychainError): void {
    const { records, secrets, states } = this.#parts;
    secrets.noteHidden(error);
    const wasHidden = isKeychainError(records.find(id)?.connection.lastError);
    states.set(
      id,
      { type: 'unreachable', grant, error, retryAt: secrets.retryAt },
      { lastError: error, ...(!wasHidden && { activity: states.event('refresh_failed', { error }) }) },
    );
  }

  /** Tries all of them again, one after the other, until the keychain hides one still. Never rejects. */
  async recover(): Promise<void> {
    const { records, secrets, states } = this.#parts;
    // Also under a sign-in, which may be cancelled: nothing else would try again what it falls back to.
    const hidden = records.list().filter(({ connection: { id } }) => isHidden({ state: states.resting(id) }));
    let stillHidden: KeychainError | undefined;
    for (const { connection } of hidden) {
      if (stillHidden === undefined) {
        // Also of one that is in use: what else it needs of the keychain, such as the journal's key, is hidden too.
        await secrets.ask(connection.id).catch((error: unknown) => {
          if (isKeychainError(error)) stillHidden = error;
        });
      }
      const grant = states.grant(connection.id);
      if (stillHidden === undefined) await this.read(connection.id).catch(() => undefined); // the state tells
      else if (grant !== undefined) this.note(connection.id, grant, stillHidden);
    }
  }
}

/** The secret is there, for another editor or another version. */
function isOutOfReach(error: unknown): error is ConnectionError<'secret_elsewhere' | 'secret_too_new'> {
  return isConnectionError(error, 'secret_elsewhere') || isConnectionError(error, 'secret_too_new');
}

function waitsForSecret(state: ConnectionState): boolean {
  return state.type === 'unreachable' && (isKeychainError(state.error) || isOutOfReach(state.error));
}

/** Whether a connection waits for the keychain. */
export function isHidden({ state }: Pick<Connection, 'state'>): boolean {
  return state.type === 'unreachable' && isKeychainError(state.error);
}
