import type { Client } from '../oauth/client.ts';
import { type Discovery, supportedScopes } from '../oauth/discovery.ts';
import { OAuthError } from '../oauth/errors.ts';
import { revokeTokens } from '../oauth/revocation.ts';
import { difference, type ScopeSet, union } from '../oauth/scopeSet.ts';
import { signInDetails } from './activity.ts';
import type { Connection, ConnectionId } from './connection.ts';
import type { ConnectionRecords } from './connectionRecords.ts';
import { type ConnectionSecret, isSameClient, withRegisteredClient } from './connectionSecret.ts';
import type { AuthorizationOutcome, CallbackOutcome } from './connectionService.ts';
import type { ConnectionStates } from './connectionStates.ts';
import { deleteRegistrations } from './deleteRegistrations.ts';
import { asScopekeeperError, ConnectionError, describeError, isConnectionError } from './errors.ts';
import type { HeldCredentials, SuspectClient } from './flows/flow.ts';
import { unattendedGrant } from './flows/unattended.ts';
import { fetchOf } from './fetchOf.ts';
import { grantOfAuthorization, missingScopes } from './grant.ts';
import { secretOfAuthorization, signedIn, withIssuers } from './keptSignIn.ts';
import { PendingCallbacks } from './pendingCallbacks.ts';
import type { Log, OpenBrowser } from './ports.ts';
import type { SecretKeeper } from './secretKeeper.ts';
import { isPersonal } from './scopesToRequest.ts';
import { discoverServer, signIn, type SignInPorts, type SignInResult } from './signIn.ts';
import { SignInSession } from './signInSession.ts';
import type { AuthorizationTrace } from './trace.ts';
import { TraceRecorder } from './traceRecorder.ts';

export interface SignInsPorts extends SignInPorts {
  readonly openBrowser: OpenBrowser;
  readonly log: Log;
}

export interface SignInsParts {
  readonly records: ConnectionRecords;
  readonly states: ConnectionStates;
  readonly secrets: SecretKeeper;
  /** Called when a new grant has replaced the old one. */
  readonly onAuthorized: (id: ConnectionId) => void;
}

/** How a sign-in is asked for by the person. */
export interface AuthorizeOptions {
  readonly signal?: AbortSignal;
  /** Exactly these instead of the union (P23). */
  readonly scopes?: ScopeSet | undefined;
  /** Of the window in which it was asked for. */
  readonly openBrowser?: OpenBrowser;
}

interface SignInWay extends Omit<AuthorizeOptions, 'signal'> {
  /** With what is stored alone. */
  readonly isUnattended?: boolean;
}

/** Runs sign-ins, one at a time for each connection, and keeps what they give. */
export class SignIns {
  readonly #ports: SignInsPorts;
  readonly #parts: SignInsParts;
  readonly #callbacks = new PendingCallbacks();
  readonly #suspects = new Map<ConnectionId, SuspectClient>();
  /** How each connection's last sign-in went. */
  readonly #traces = new Map<ConnectionId, TraceRecorder>();
  /** Deletions of registrations, which nobody waits for but the end of the window. */
  readonly #deletions = new Set<Promise<void>>();

  constructor(ports: SignInsPorts, parts: SignInsParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Signs in, or joins the sign-in that is running; `signal` cancels it. */
  async authorize(id: ConnectionId, { signal, ...options }: AuthorizeOptions = {}): Promise<AuthorizationOutcome> {
    const session = this.#parts.states.sessions.get(id) ?? this.#start(id, options);
    const cancel = (): void => session.cancel();
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel);
    try {
      return (await session.outcome) ?? { type: 'cancelled' };
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * Signs in with what is stored alone, for the union of what was requested and is demanded (P22). Joins nothing: for
   * a sign-in that is running the person may be waited for. Throws `sign_in_required` then, and for a kind that needs
   * the person; else as {@link authorize}.
   */
  async authorizeUnattended(id: ConnectionId): Promise<AuthorizationOutcome> {
    if (this.#parts.states.sessions.has(id)) throw new ConnectionError('sign_in_required', { id });
    return (await this.#start(id, { isUnattended: true }).outcome) ?? { type: 'cancelled' };
  }

  /** Runs discovery alone; see `ConnectionService`. */
  async discoverIssuer(id: ConnectionId, signal?: AbortSignal): Promise<string> {
    const { connection } = this.#parts.records.get(id);
    const onIssuers = (issuers: readonly string[]): void => this.#noteIssuers(id, issuers);
    const discovery = await discoverServer(this.#ports, connection, { onIssuers, signal });
    this.#noteMetadata(id, discovery);
    return discovery.authorizationServer.issuer;
  }

  /** Cancels a connection's sign-in, if one runs, and waits for its end. */
  async stop(id: ConnectionId): Promise<void> {
    const outcome = this.#parts.states.sessions.get(id)?.outcome;
    this.cancel(id);
    await Promise.allSettled([outcome]);
  }

  /** Cancels a connection's sign-in, if one runs: nothing of it is kept from now on. */
  cancel(id: ConnectionId): void {
    this.#parts.states.sessions.get(id)?.cancel();
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    const outcome = await this.#callbacks.deliver(url);
    if (outcome !== undefined) return outcome;
    if (this.#callbacks.isRepeated(url)) return { type: 'failed', error: new OAuthError('callback_repeated', {}) };
    this.#ports.log.warn('A callback that belongs to no waiting sign-in was refused.');
    return { type: 'failed', error: new OAuthError('callback_state_unknown', {}) };
  }

  /** Resolves when nothing is under way that no sign-in waits for. */
  async settled(): Promise<void> {
    await Promise.all(this.#deletions);
  }

  /** The steps of the last sign-in, or of the one that is running; undefined when there was none in this window. */
  trace(id: ConnectionId): AuthorizationTrace | undefined {
    return this.#traces.get(id)?.trace;
  }

  /** Forgets what is known of a connection that is gone. */
  forget(id: ConnectionId): void {
    this.#suspects.delete(id);
    this.#traces.delete(id);
  }

  /** Registers anew at the next sign-in instead of using this client, which the server does not know. */
  rejectClient(id: ConnectionId, clientId: string): void {
    this.#suspects.set(id, { clientId, isRejected: true });
  }

  #start(id: ConnectionId, { openBrowser = this.#ports.openBrowser, ...how }: SignInWay): SignInSession {
    const { connection } = this.#parts.records.get(id);
    const trace = new TraceRecorder(this.#ports.clock);
    this.#traces.set(id, trace);
    const ports = { ...this.#ports, callbacks: this.#callbacks, openBrowser, trace };
    const session = new SignInSession(ports, connection.state);
    session.outcome = this.#run(id, session, how);
    return session;
  }

  async #run(
    id: ConnectionId,
    session: SignInSession,
    { isUnattended = false, scopes }: SignInWay,
  ): Promise<AuthorizationOutcome> {
    const { records, states } = this.#parts;
    try {
      states.beginStep(id, session, 'discovering');
      const asked = records.get(id).connection;
      const ports = { ...this.#ports, fetch: session.trace.recorded(this.#ports.fetch) };
      const result = await signIn(ports, {
        connection: asked,
        secret: await this.#storedSecret(id),
        isUnattended,
        chosenScopes: scopes,
        withCredentials: async (task) => this.#withCredentials(id, task),
        suspect: this.#suspects.get(id),
        onClientRejected: (clientId) => this.rejectClient(id, clientId),
        keepClient: async (client) => this.#keepClient(asked, session, client),
        signal: session.signal,
        onStep: (step) => states.beginStep(id, session, step),
        onIssuers: (issuers) => this.#noteIssuers(id, issuers),
        onDiscovered: (discovery) => this.#noteDiscovery(id, discovery),
        onTokenRefused: () => {
          session.underlying = { type: 'needsSignIn', reason: 'token_rejected', since: this.#ports.clock.now() };
        },
        awaitCallback: async (pending) =>
          session.awaitCallback(pending, () => states.beginStep(id, session, 'waitingForBrowser')),
        showDevice: async (device, wait) =>
          session.showDevice(device, () => states.beginStep(id, session, 'waitingForDevice'), wait),
      });
      const unused = await this.#keepOrRevoke(asked, session, result);
      const { connection } = records.get(id);
      session.trace.end('authorized');
      session.finish({ type: 'connected', connection });
      // Only now: the new registration has been shown to work.
      this.#deleteRegistrations(connection, unused);
      return { type: 'authorized', connection };
    } catch (error) {
      return this.#fail(id, session, error);
    }
  }

  #fail(id: ConnectionId, session: SignInSession, error: unknown): AuthorizationOutcome {
    const { states } = this.#parts;
    const { newClientId, unansweredClientId: clientId } = session;
    if (clientId !== undefined && clientId !== newClientId) this.#suspects.set(id, { clientId, isRejected: false });
    if (session.isCancellation(error)) {
      session.trace.end('cancelled');
      states.endSession(id, session, { activity: states.event('sign_in_cancelled') });
      session.finish({ type: 'failed', error: new OAuthError('callback_state_unknown', {}) });
      return { type: 'cancelled' };
    }
    const failure = asScopekeeperError(error);
    session.trace.end('failed', failure);
    this.#ports.log.warn(`Signing in to ${id} failed: ${describeError(failure)}`);
    states.endSession(id, session, {
      activity: states.event('sign_in_failed', { error: failure }),
      lastError: failure,
    });
    session.finish({ type: 'failed', error: failure });
    throw failure;
  }

  /**
   * Keeps what a sign-in gave, as {@link #keep} does. Tokens that came after the person had cancelled, or that cannot
   * be kept since the connection is gone, are given back (P35), and the reason is thrown.
   */
  async #keepOrRevoke(asked: Connection, session: SignInSession, result: SignInResult): Promise<readonly Client[]> {
    const { id } = asked;
    try {
      return await this.#parts.secrets.exclusive(id, async () => {
        session.signal.throwIfAborted();
        return this.#keep(id, session, result);
      });
    } catch (error) {
      await this.#revoke(asked, result);
      throw error;
    }
  }

  /** Never rejects. */
  async #revoke({ id, settings }: Connection, { answer, issued }: SignInResult): Promise<void> {
    if (issued === undefined) return;
    const { accessToken, refreshToken } = answer;
    await revokeTokens(fetchOf(this.#ports.fetch, settings), { ...issued, accessToken, refreshToken }).catch(
      (error: unknown) =>
        this.#ports.log.warn(`Revoking the tokens of a sign-in to ${id} failed: ${describeError(error)}`),
    );
  }

  /**
   * A keychain that cannot be read does not stop a sign-in: it only costs a new registration. It does stop
   * one with what the person brought, which could not be sent, and would be overwritten.
   */
  async #storedSecret(id: ConnectionId): Promise<ConnectionSecret | undefined> {
    const { records, secrets } = this.#parts;
    const { kind, serverUrl, settings } = records.get(id).connection;
    try {
      return await secrets.current(id, serverUrl);
    } catch (error) {
      if (!isConnectionError(error) || error.code === 'secret_too_new') throw error;
      const isNeeded = settings.client !== undefined || !isPersonal(kind);
      if (error.code !== 'secret_unreadable' && isNeeded) throw error;
      this.#ports.log.warn(`The secret of ${id} could not be read before signing in: ${describeError(error)}`);
      return undefined;
    }
  }

  #noteIssuers(id: ConnectionId, issuers: readonly string[]): void {
    this.#parts.records.update(id, (connection) => withIssuers(connection, issuers));
  }

  #noteMetadata(id: ConnectionId, discovery: Discovery): void {
    this.#parts.records.update(id, {
      ...(discovery.resourceMetadataUrl !== undefined && { resourceMetadataUrl: discovery.resourceMetadataUrl }),
      scopesSupported: supportedScopes(discovery),
    });
  }

  #noteDiscovery(id: ConnectionId, discovery: Discovery): void {
    const { records, states } = this.#parts;
    this.#noteMetadata(id, discovery);
    const { challenged: earlier, declined = [] } = records.get(id).connection;
    // What was demanded before and is not granted yet stays demanded, also when this sign-in ends in nothing (P23).
    const outstanding = difference(earlier, states.grant(id)?.granted ?? []);
    const challenged = union(outstanding, difference(discovery.challenge?.scopes ?? [], declined));
    if (challenged.length > 0) records.update(id, { challenged });
  }

  /** Lends the stored credentials: a renewal that runs beside the sign-in waits, and then finds what was kept. */
  async #withCredentials<T>(id: ConnectionId, task: (held: HeldCredentials) => Promise<T>): Promise<T> {
    const { records, secrets } = this.#parts;
    return secrets.exclusive(id, async () => {
      const previous = await this.#storedSecret(id);
      const { serverUrl } = records.get(id).connection;
      const generation = Math.max(previous?.generation ?? 0, records.get(id).generation) + 1;
      return task({
        stored: previous?.credentials,
        keep: async (credentials) => {
          const document = {
            version: 1,
            serverUrl,
            ...previous,
            generation,
            answered: generation,
            credentials,
          } as const;
          await secrets.tryKeep(id, document);
        },
      });
    });
  }

  /** See `FlowRequest`. What the keychain does not show now is not written over: it may hold tokens. */
  async #keepClient(asked: Connection, session: SignInSession, client: Client): Promise<void> {
    const { records, secrets } = this.#parts;
    const { id, serverUrl } = asked;
    session.newClientId = client.clientId;
    try {
      const replaced = await secrets.exclusive(id, async () => {
        const { generation } = records.get(id);
        const previous = await secrets.current(id, serverUrl);
        const rejected = { issuer: client.issuer, clientId: this.#rejectedClientId(id) ?? '' };
        const clients = (previous?.clients ?? []).filter((one) => !isSameClient(one, rejected));
        const next = withRegisteredClient(clients, client, previous?.tokens?.client);
        // No other generation: these are no newer tokens (P30).
        const document: ConnectionSecret = { version: 1, generation, ...previous, serverUrl, clients: next };
        const unstored = await secrets.tryKeep(id, document);
        return unstored === undefined ? clients.filter((one) => !next.includes(one)) : [];
      });
      this.#deleteRegistrations(asked, replaced);
    } catch (error) {
      if (isConnectionError(error, 'connection_unknown')) {
        this.#deleteRegistrations(asked, [client]);
        throw error;
      }
      this.#ports.log.warn(`The registration of ${id} could not be kept for the next time: ${describeError(error)}`);
    }
  }

  #rejectedClientId(id: ConnectionId): string | undefined {
    const suspect = this.#suspects.get(id);
    return suspect?.isRejected === true ? suspect.clientId : undefined;
  }

  #deleteRegistrations(connection: Connection, clients: readonly Client[]): void {
    const deletion = deleteRegistrations(this.#ports, connection, clients).finally(() => {
      this.#deletions.delete(deletion);
    });
    this.#deletions.add(deletion);
  }

  /** Stores an authorization's tokens, then announces it. Gives the registrations that are not needed any more. */
  async #keep(id: ConnectionId, session: SignInSession, result: SignInResult): Promise<readonly Client[]> {
    const { records, secrets, states } = this.#parts;
    const { answer, requested } = result;
    const previous = await this.#storedSecret(id);
    const generation = Math.max(previous?.generation ?? 0, records.get(id).generation) + 1;
    const { kind, serverUrl } = records.get(id).connection;
    const isRenewable = answer.refreshToken !== undefined || unattendedGrant(kind) !== undefined;
    const now = this.#ports.clock.now();
    const grant = grantOfAuthorization(answer, requested, isRenewable, now, generation);
    const next = secretOfAuthorization(result, previous, serverUrl, generation);
    const unstored = await secrets.tryKeep(id, next);
    const rejected = this.#rejectedClientId(id);
    this.#suspects.delete(id);
    states.meetDemand(id);
    session.underlying = { type: 'ready', grant };
    records.update(id, (connection) => signedIn(connection, result, grant.granted));
    states.endSession(id, session, {
      activity: states.event('connected', signInDetails(grant, records.get(id).connection)),
      lastError: unstored ?? null,
    });
    const lost = missingScopes(requested, grant.granted);
    if (lost.length > 0) records.update(id, {}, { activity: states.event('scopes_dropped', { scopes: lost }) });
    this.#parts.onAuthorized(id);
    // While the new document is not stored, the stored one still names the old registration.
    if (unstored !== undefined) return [];
    return (previous?.clients ?? []).filter(
      (client) => client.clientId !== rejected && next.clients?.some((kept) => isSameClient(kept, client)) !== true,
    );
  }
}
