import { isOAuthError, type ScopekeeperError } from '../oauth/errors.ts';
import { intersection, type ScopeSet } from '../oauth/scopeSet.ts';
import { tokenDetails } from './activity.ts';
import { AssertionFiles } from './assertionFiles.ts';
import type { Connection, ConnectionId, Grant } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import { answeredIn, type ConnectionSecret, issuedTokens, type IssuedTokens } from './connectionSecret.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { asScopekeeperError, ConnectionError, describeError, isConnectionError, isKeychainError } from './errors.ts';
import type { WithCredentials } from './flows/flow.ts';
import { mayBeGrantedLater } from './flows/unattended.ts';
import { grantAskedAnew, grantOfRefresh, missingScopes } from './grant.ts';
import type { ExchangeJournal, OutlivingFetch } from './exchangeJournal.ts';
import { JournaledFetch } from './journaledFetch.ts';
import type { HiddenSecrets } from './hiddenSecrets.ts';
import type { Outages } from './outages.ts';
import type { Clock, Log, Random } from './ports.ts';
import type { RefreshMemory } from './refreshAttempts.ts';
import { isUsable, retryDueAt } from './refreshSchedule.ts';
import type { SecretKeeper } from './secretKeeper.ts';
import { isRenewable, renewedSecret, type RefreshPorts, type RefreshResult, renewStored } from './tokenRefresher.ts';

export interface RenewalPorts extends RefreshPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly journal: ExchangeJournal;
  readonly outlivingFetch?: OutlivingFetch | undefined;
}

export interface RenewalParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly secrets: SecretKeeper;
  readonly hidden: HiddenSecrets;
  readonly outages: Outages;
  /** Called with a client that the server no longer knows (P12). */
  readonly onClientRejected: (id: ConnectionId, clientId: string) => void;
}

/** Renews tokens: one refresh at a time for each connection (P29), and what follows when it fails (P32). */
export class Renewals {
  readonly #ports: RenewalPorts;
  readonly #parts: RenewalParts;
  readonly #running = new Map<ConnectionId, Promise<Connection>>();
  readonly #files: AssertionFiles;
  #hasLeft = false;

  constructor(ports: RenewalPorts, parts: RenewalParts) {
    this.#ports = ports;
    this.#files = new AssertionFiles(ports);
    this.#parts = parts;
  }

  /** The refresh of this connection that is running, if one is. */
  running(id: ConnectionId): Promise<Connection> | undefined {
    return this.#running.get(id);
  }

  /** Settles when no refresh is running. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** From now on another process may store: an answer that still comes is for the journal alone. */
  leave(): void {
    this.#hasLeft = true;
  }

  /** Forgets what was refused to a connection that ended, or was signed in to anew. */
  forget(id: ConnectionId): void {
    this.#files.forget(id);
  }

  /**
   * Renews now, or joins the refresh that is running. Throws `sign_in_required`, or why it failed.
   * @param isDoubted whether the server refused a token that should have been good: then what is remembered of
   * the issuer is not relied on, since a token for no resource, or without scopes, is what it may have led to.
   */
  async refresh(id: ConnectionId, isDoubted = false): Promise<Connection> {
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    const refresh = this.#parts.secrets
      .exclusive(id, async () => this.#run(id, isDoubted))
      .finally(() => this.#running.delete(id));
    this.#running.set(id, refresh);
    return refresh;
  }

  /**
   * The same for a request that cannot do without: once it has failed it fails so for all requests until it is tried
   * again by itself, and nobody is asked meanwhile (P32). Throws what {@link refresh} throws.
   */
  async refreshForRequest(id: ConnectionId, isDoubted = false): Promise<Connection> {
    this.failWhileWaiting(id);
    return this.refresh(id, isDoubted);
  }

  /** Throws why the last refresh failed, until it is tried again by itself: nobody is asked meanwhile (P32). */
  failWhileWaiting(id: ConnectionId): void {
    const state = this.#parts.states.resting(id);
    // The keychain may be asked at any time.
    if (state.type === 'unreachable' && !isKeychainError(state.error)) this.#failUntil(state.retryAt, state.error);
  }

  /**
   * The same for the person, who need not wait until it is tried again by itself; but for a server that says when it
   * may be asked again (P32). Throws what {@link refresh} throws.
   */
  async refreshForPerson(id: ConnectionId): Promise<Connection> {
    const state = this.#parts.states.resting(id);
    if (state.type === 'unreachable') this.#failUntil(this.#parts.outages.notBefore(id), state.error);
    this.#files.forget(id);
    return this.refresh(id);
  }

  #failUntil(at: number, error: ScopekeeperError): void {
    const now = this.#ports.clock.now();
    if (retryDueAt(at, now) > now) throw error;
  }

  /** Renews a connection that is due, or tells that its token ended. Never rejects. */
  async renew(id: ConnectionId): Promise<void> {
    const { records, states } = this.#parts;
    const grant = records.find(id) === undefined ? undefined : states.grant(id);
    if (grant === undefined) return;
    if (!grant.refreshable) {
      states.needSignIn(id, 'expired');
      return;
    }
    // What went wrong is in the state, the activity and the log.
    await this.refresh(id).catch(() => undefined);
  }

  async #run(id: ConnectionId, isDoubted: boolean): Promise<Connection> {
    const { records, states } = this.#parts;
    let grant = states.grant(id);
    let sent: string | undefined;
    const exchange = async (): Promise<boolean> => {
      grant = states.grant(id);
      if (grant?.refreshable !== true) throw new ConnectionError('sign_in_required', { id });
      states.set(id, { type: 'refreshing', grant });
      const [secret, tokens] = await this.#newestTokens(id);
      sent = tokens.refreshToken;
      return this.#exchange(id, grant, secret, tokens, isDoubted);
    };
    try {
      // Each answer in the journal is taken once, so there is an end to it.
      for (let isGood = false; !isGood;) {
        isGood = await exchange().catch(async (error: unknown) => {
          if (!(await this.#isOutdated(id, sent, error))) throw error;
          return exchange();
        });
      }
      return records.get(id).connection;
    } catch (error) {
      const failure = asScopekeeperError(error);
      if (!this.#hasLeft && grant !== undefined && !isConnectionError(failure, 'sign_in_required')) {
        await this.#noteFailure(id, grant, failure, sent);
      }
      throw failure;
    }
  }

  /** The newest stored tokens (P30). Throws `sign_in_required` when they are not on this machine. */
  async #newestTokens(id: ConnectionId): Promise<[ConnectionSecret, IssuedTokens]> {
    const { records, secrets, states } = this.#parts;
    const { connection } = records.get(id);
    const secret = await secrets.newest(id, connection.serverUrl);
    const tokens = issuedTokens(secret);
    if (secret === undefined || tokens === undefined || !isRenewable(tokens, connection)) {
      return states.requireSignIn(id, 'secret_missing');
    }
    return [secret, tokens];
  }

  /** Whether a refresh token was refused because another process has used it meanwhile, and stored the next (P30, P32). */
  async #isOutdated(id: ConnectionId, sent: string | undefined, error: unknown): Promise<boolean> {
    if (sent === undefined || !isOAuthError(error, 'grant_rejected')) return false;
    const { records, secrets } = this.#parts;
    const secret = await secrets.newest(id, records.get(id).connection.serverUrl);
    const newest = secret?.tokens?.refreshToken;
    return newest !== undefined && newest !== sent;
  }

  /** Renews and stores. Gives whether the token is good: one that the journal had can have ended. */
  async #exchange(
    id: ConnectionId,
    grant: Grant,
    secret: ConnectionSecret,
    tokens: IssuedTokens,
    isDoubted: boolean,
  ): Promise<boolean> {
    const { records, secrets, states } = this.#parts;
    const { connection } = records.get(id);
    const { issuer } = tokens.authorizationServer;
    const journaled = new JournaledFetch(
      this.#ports,
      { connectionId: id, generation: answeredIn(secret) },
      (refreshToken) => tokens.keepsRefreshToken === true && tokens.refreshToken === refreshToken,
    );
    let latest = secret;
    // Past that of an answer from the journal: it is not found again.
    const nextGeneration = (): number => Math.max(latest.generation, journaled.replayed?.generation ?? 0) + 1;
    const withCredentials: WithCredentials = async (task) =>
      task({
        stored: latest.credentials,
        keep: async (credentials) => {
          const generation = nextGeneration();
          latest = { ...latest, generation, answered: generation, credentials };
          await secrets.tryKeep(id, latest);
          journaled.accept(generation);
        },
      });
    const ports = { ...this.#ports, fetch: journaled.fetch, readAssertion: this.#files.readerFor(id) };
    const result = await renewStored(ports, {
      connection,
      secret,
      tokens,
      grant,
      memory: isDoubted ? {} : { ...rememberedIn(tokens), ...records.refreshMemory(issuer) },
      onForgotten: (memory) => records.rememberRefresh(issuer, memory),
      withCredentials,
    }).catch(async (error: unknown) => {
      await journaled.refuse();
      throw error;
    });
    if (this.#hasLeft && journaled.isRecorded) throw new ConnectionError('owner_gone', {});
    const next = renewedSecret(latest, tokens, result, nextGeneration());
    const now = this.#ports.clock.now();
    const renewed = renewedGrant(grant, connection, result, journaled.replayed?.answeredAt ?? now, next.generation);
    const unstored = await secrets.tryKeep(id, next);
    if (result.type === 'refreshed') records.rememberRefresh(issuer, result.memory);
    this.#parts.outages.noteSuccess(id);
    this.#files.forget(id);
    states.set(
      id,
      { type: 'ready', grant: renewed },
      { activity: states.event('refreshed', tokenDetails(renewed)), lastError: unstored ?? journaled.trouble ?? null },
    );
    const { granted } = renewed;
    this.#tellScopes(id, 'scopes_dropped', missingScopes(grant.granted, granted));
    this.#tellScopes(id, 'scopes_restored', missingScopes(intersection(granted, grant.authorized), grant.granted));
    return journaled.replayed === undefined || isUsable(renewed, now);
  }

  /** Notes what changed since the last renewal; what stays lost is told once (P26). */
  #tellScopes(id: ConnectionId, type: 'scopes_dropped' | 'scopes_restored', scopes: ScopeSet): void {
    const { records, states } = this.#parts;
    if (scopes.length > 0) records.update(id, {}, { activity: states.event(type, { scopes }) });
  }

  async #noteFailure(
    id: ConnectionId,
    grant: Grant,
    failure: ScopekeeperError,
    sentRefreshToken: string | undefined,
  ): Promise<void> {
    const { records, states } = this.#parts;
    const isOver = isOAuthError(failure, 'grant_rejected') || isOAuthError(failure, 'identity_ended');
    if (isOver && sentRefreshToken !== undefined) await this.#dropRefreshToken(id, sentRefreshToken);
    const lookAgainAt = this.#files.lookAgainAt(id, failure);
    if (lookAgainAt !== undefined) {
      states.set(id, { type: 'unreachable', grant, error: failure, retryAt: lookAgainAt });
      return;
    }
    this.#ports.log.warn(`Refreshing ${id} failed: ${describeError(failure)}`);
    if (isOver && !mayBeGrantedLater(records.get(id).connection, failure)) {
      states.needSignIn(id, 'grant_rejected', failure);
    } else if (isOAuthError(failure, 'client_rejected')) {
      await this.#suspectClient(id);
      states.needSignIn(id, 'client_rejected', failure);
    } else if (isOAuthError(failure, 'client_issuer_mismatch')) {
      states.needSignIn(id, 'issuer_changed', failure);
    } else if (isConnectionError(failure, 'secret_unreadable')) {
      states.needSignIn(id, 'secret_unreadable', failure);
    } else if (isConnectionError(failure, 'credentials_missing')) {
      states.needSignIn(id, 'secret_missing', failure);
    } else if (isKeychainError(failure)) {
      this.#parts.hidden.note(id, grant, failure);
    } else {
      const { retryAt: until, isFirst } = this.#parts.outages.noteFailure(id, failure);
      const retryAt = this.#files.note(id, failure, until);
      // An outage is one event, however often it is tried again.
      const activity = isFirst ? { activity: states.event('refresh_failed', { error: failure }) } : {};
      states.set(id, { type: 'unreachable', grant, error: failure, retryAt }, activity);
    }
    records.update(id, {}, { lastError: failure });
  }

  /**
   * Takes the refresh token that the server refused out of the stored document, if it is still the one
   * that was sent (P32); the registration stays.
   */
  async #dropRefreshToken(id: ConnectionId, sent: string): Promise<void> {
    const { records, secrets } = this.#parts;
    const secret = await secrets.current(id, records.get(id).connection.serverUrl);
    if (secret?.tokens === undefined || secret.tokens.refreshToken !== sent) return;
    const { refreshToken: _, ...tokens } = secret.tokens;
    await secrets.tryKeep(id, { ...secret, generation: secret.generation + 1, tokens });
  }

  async #suspectClient(id: ConnectionId): Promise<void> {
    const { records, secrets, onClientRejected } = this.#parts;
    const secret = await secrets.current(id, records.get(id).connection.serverUrl);
    const clientId = secret?.tokens?.client?.clientId;
    if (clientId !== undefined) onClientRejected(id, clientId);
  }
}

/** @param answeredAt when the answer came to a refresh; one that was asked for anew came now. */
function renewedGrant(
  grant: Grant,
  { requested }: Connection,
  { answer, type }: RefreshResult,
  answeredAt: number,
  generation: number,
): Grant {
  return type === 'refreshed'
    ? grantOfRefresh(grant, answer, answeredAt, generation)
    : grantAskedAnew(grant, requested, answer, answeredAt, generation);
}

/** What older versions kept with the tokens. */
function rememberedIn({ refreshScope }: IssuedTokens): RefreshMemory {
  return refreshScope === undefined ? {} : { scope: refreshScope };
}
