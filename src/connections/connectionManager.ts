import { shownUrl } from '../oauth/addressPolicy.ts';
import { DpopNonces, dpopProof } from '../oauth/dpop.ts';
import { plainText, type ScopekeeperError } from '../oauth/errors.ts';
import { revokeTokens } from '../oauth/revocation.ts';
import { canonicalResource, parseServerUrl, suggestName } from '../oauth/serverUrl.ts';
import type { ActivityEntry } from './activity.ts';
import { Configuration, type EnteredSecrets } from './configuration.ts';
import type { Connection, ConnectionId, ConnectionKind, SettingsChange } from './connection.ts';
import { ConnectionRecords } from './connectionRecords.ts';
import {
  answeredIn,
  type ConnectionSecret,
  isEmptySecret,
  issuedTokens,
  type StoredTokens,
  withoutKind,
  withoutTokens,
} from './connectionSecret.ts';
import type { ServerChallenge } from './challengePolicy.ts';
import { Challenges } from './challenges.ts';
import type {
  AuthorizationOutcome,
  CallbackOutcome,
  ChallengeOutcome,
  ConnectionChange,
  ConnectionService,
  DevicePrompt,
  DisconnectOutcome,
  OutgoingRequest,
  RequestAuthorization,
} from './connectionService.ts';
import { ConnectionStates } from './connectionStates.ts';
import { deferred } from './deferred.ts';
import { deleteRegistrations } from './deleteRegistrations.ts';
import { asScopekeeperError, ConnectionError, describeError } from './errors.ts';
import { fetchOf } from './fetchOf.ts';
import type { ConnectionsFile, Disposable } from './ports.ts';
import { isUsable } from './refreshSchedule.ts';
import { RefreshScheduler } from './refreshScheduler.ts';
import { type RenewalPorts, Renewals } from './renewals.ts';
import { SecretKeeper } from './secretKeeper.ts';
import type { SecretVault } from './secretVault.ts';
import { SignIns, type SignInsPorts } from './signIns.ts';

/** What is under way when a window closes may take this long: the editor ends an extension after 5 s. */
const LONGEST_FAREWELL_MS = 4000;
/** A longer name is cut: it has to fit into a row. */
const LONGEST_NAME = 80;

export interface ConnectionManagerPorts extends Omit<SignInsPorts & RenewalPorts, 'nonces'> {
  readonly vault: SecretVault;
  readonly file: ConnectionsFile;
  readonly newId: () => ConnectionId;
}

/** The owner's {@link ConnectionService}. */
export class ConnectionManager implements ConnectionService {
  readonly #ports: ConnectionManagerPorts;
  readonly #records: ConnectionRecords;
  readonly #states: ConnectionStates;
  readonly #secrets: SecretKeeper;
  readonly #signIns: SignIns;
  readonly #renewals: Renewals;
  readonly #challenges: Challenges;
  readonly #configuration: Configuration;
  readonly #scheduler: RefreshScheduler;
  readonly #nonces = new DpopNonces();

  constructor(given: ConnectionManagerPorts) {
    const ports = { ...given, nonces: this.#nonces };
    const { clock, file, log, random, vault } = ports;
    this.#ports = given;
    const records = new ConnectionRecords(file, clock, log);
    const states = new ConnectionStates(records, clock);
    const secrets = new SecretKeeper({
      vault,
      clock,
      log,
      placeOf: (id) => records.find(id)?.secretIn,
      onPlaced: (id, secretIn, generation) => records.update(id, {}, { secretIn, generation }),
      // What is stored needs no journal any more (P31).
      onRead: async (id, stored) => this.#forgetAnswers(id, answeredIn(stored)),
    });
    this.#records = records;
    this.#states = states;
    this.#secrets = secrets;
    this.#renewals = new Renewals(ports, {
      records,
      states,
      secrets,
      onClientRejected: (id, clientId) => this.#signIns.rejectClient(id, clientId),
    });
    this.#signIns = new SignIns(ports, { records, states, secrets, onAuthorized: (id) => this.#noteAuthorized(id) });
    this.#challenges = new Challenges({
      records,
      states,
      secrets,
      renewals: this.#renewals,
      nonces: this.#nonces,
      clock,
    });
    this.#configuration = new Configuration({ records, secrets });
    this.#scheduler = new RefreshScheduler({
      clock,
      random,
      connections: () => this.connections,
      renew: async (id) => this.#renewals.renew(id),
    });
    records.onDidChange(() => this.#scheduler.reschedule());
  }

  #noteAuthorized(id: ConnectionId): void {
    this.#renewals.reset(id);
    this.#challenges.noteAuthorized(id);
  }

  /** Reads the public data and begins to renew. Touches no secret. Throws `storage_failed`, `storage_too_new`. */
  async start(): Promise<void> {
    await this.#records.load();
    this.#scheduler.reschedule();
  }

  /**
   * Cancels what waits for a person, lets a refresh that was sent end, and saves; all of it within 4 s. A refresh
   * that takes longer goes on and ends in the journal, where the next owner finds it (P31).
   */
  async dispose(): Promise<void> {
    this.#scheduler.dispose();
    const { promise: late, resolve } = deferred<void>();
    const timer = this.#ports.clock.after(LONGEST_FAREWELL_MS, () => resolve());
    await Promise.race([this.#finish(), late]);
    timer.dispose();
    this.#renewals.leave();
    await this.#records.dispose();
  }

  async #finish(): Promise<void> {
    await Promise.all([...this.#states.sessions.keys()].map(async (id) => this.#signIns.stop(id)));
    await Promise.all([this.#renewals.settled(), this.#signIns.settled()]);
    await this.#secrets.dispose();
  }

  get connections(): readonly Connection[] {
    return this.#records.list().map(({ connection }) => connection);
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#records.find(id)?.connection;
  }

  onDidChangeConnection(listener: (change: ConnectionChange) => void): Disposable {
    return this.#records.onDidChange(listener);
  }

  activity(id: ConnectionId): readonly ActivityEntry[] {
    return this.#records.find(id)?.activity ?? [];
  }

  async add(input: string, name?: string, kind: ConnectionKind = 'authorization_code'): Promise<Connection> {
    const url = parseServerUrl(input);
    const connection: Connection = {
      id: this.#ports.newId(),
      name: this.#freeName(plainText(name, LONGEST_NAME) ?? suggestName(url)),
      serverUrl: canonicalResource(url),
      kind,
      requested: [],
      challenged: [],
      settings: {},
      state: { type: 'disconnected' },
    };
    await this.#records.add({ connection, generation: 0, activity: [this.#states.event('added')] });
    return connection;
  }

  async rename(id: ConnectionId, newName: string): Promise<void> {
    const name = plainText(newName, LONGEST_NAME) ?? this.#records.get(id).connection.name;
    const other = this.connections.find((one) => one.id !== id && one.name === name);
    if (other !== undefined) throw new ConnectionError('connection_exists', { name, serverUrl: other.serverUrl });
    this.#records.get(id);
    this.#records.update(id, { name });
    await this.#records.save();
  }

  async changeKind(id: ConnectionId, kind: ConnectionKind): Promise<void> {
    if (this.#records.get(id).connection.kind === kind) return;
    if (this.#records.get(id).connection.state.type !== 'disconnected') await this.disconnect(id);
    await this.#secrets.exclusive(id, async () => {
      const { connection } = this.#records.get(id);
      const secret = await this.#secrets.current(id, connection.serverUrl);
      if (secret === undefined) return;
      const rest = withoutKind(secret, connection.kind);
      await (isEmptySecret(rest) ? this.#secrets.forget(id) : this.#secrets.replace(id, rest));
      await deleteRegistrations(this.#ports, connection, secret.clients ?? []);
    });
    // Who signed in, and what went wrong, belonged to the other way.
    this.#records.update(id, ({ account: _account, ...connection }) => ({ ...connection, kind }), { lastError: null });
    await this.#records.save();
  }

  async discoverIssuer(id: ConnectionId, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return this.#signIns.discoverIssuer(id, options.signal);
  }

  async configure(id: ConnectionId, change: SettingsChange, entered: EnteredSecrets = {}): Promise<void> {
    await this.#configuration.configure(id, change, entered);
  }

  async authorize(
    id: ConnectionId,
    options: { readonly signal?: AbortSignal; readonly scopes?: readonly string[] } = {},
  ): Promise<AuthorizationOutcome> {
    return this.#signIns.authorize(id, options.signal, options.scopes);
  }

  authorizationUrl(id: ConnectionId): string | undefined {
    return this.#states.sessions.get(id)?.url;
  }

  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined {
    return this.#states.sessions.get(id)?.device;
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    return this.#signIns.handleCallback(url);
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    return this.#renewals.refresh(id);
  }

  async accessToken(id: ConnectionId): Promise<string> {
    return (await this.#usableTokens(id)).accessToken;
  }

  /** The token with the key that it is bound to: of one document, since a sign-in replaces both. */
  async #usableTokens(id: ConnectionId): Promise<StoredTokens> {
    const grant = this.#states.grant(id);
    if (grant === undefined) throw new ConnectionError('sign_in_required', { id });
    if (!isUsable(grant, this.#ports.clock.now())) await this.#renewals.refresh(id);
    const secret = await this.#secrets.current(id, this.#records.get(id).connection.serverUrl);
    return secret?.tokens ?? this.#states.requireSignIn(id, 'secret_missing');
  }

  async authorizeRequest(id: ConnectionId, { method, url }: OutgoingRequest): Promise<RequestAuthorization> {
    const { serverUrl } = this.#records.get(id).connection;
    const target = URL.parse(url);
    if (target?.origin !== new URL(serverUrl).origin) {
      throw new ConnectionError('foreign_origin', { url: target === null ? '' : shownUrl(target) });
    }
    const { accessToken, dpopKey, tokenType } = await this.#usableTokens(id);
    if (dpopKey === undefined || tokenType === 'bearer') {
      return { accessToken, headers: { authorization: `Bearer ${accessToken}` } };
    }
    const dpop = await dpopProof(dpopKey, { method, url, accessToken, nonce: this.#nonces.for(url) });
    return { accessToken, headers: { authorization: `DPoP ${accessToken}`, dpop } };
  }

  noteDpopNonce(url: string, nonce: string): void {
    const origin = URL.parse(url)?.origin;
    const isOurs = this.connections.some(({ serverUrl }) => new URL(serverUrl).origin === origin);
    if (isOurs) this.#nonces.note(url, nonce);
  }

  async answerChallenge(id: ConnectionId, challenge: ServerChallenge): Promise<ChallengeOutcome> {
    return this.#challenges.answer(id, challenge);
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    await this.#signIns.stop(id);
    return this.#secrets.exclusive(id, async () => {
      const secret = await this.#secrets.current(id, this.#records.get(id).connection.serverUrl);
      const outcome = await this.#revoke(id, secret);
      const unstored = secret === undefined ? await this.#tryForget(id) : await this.#forgetTokens(id, secret);
      await this.#forgetAnswers(id);
      this.#renewals.reset(id);
      this.#challenges.forget(id);
      const activity = this.#states.event('disconnected');
      this.#states.set(id, { type: 'disconnected' }, { activity, lastError: unstored ?? null });
      return outcome;
    });
  }

  async remove(id: ConnectionId, options: { readonly leaveSecret?: boolean } = {}): Promise<DisconnectOutcome> {
    await this.#signIns.stop(id);
    const outcome = await this.#secrets.exclusive(id, async () => this.#removeNow(id, options.leaveSecret === true));
    // One that began meanwhile has nothing to come back to.
    await this.#signIns.stop(id);
    return outcome;
  }

  async #removeNow(id: ConnectionId, leavesSecret: boolean): Promise<DisconnectOutcome> {
    const { connection } = this.#records.get(id);
    const secret = await this.#secrets.current(id, connection.serverUrl).catch((error: unknown) => {
      if (!leavesSecret) throw error;
      return undefined;
    });
    // First, since a connection that has to stay keeps tokens that are good.
    const unforgotten = await this.#tryForget(id);
    if (unforgotten !== undefined && !leavesSecret) {
      // A part of it may be gone.
      if (secret !== undefined) await this.#secrets.tryKeep(id, secret);
      throw unforgotten;
    }
    const outcome: DisconnectOutcome =
      leavesSecret && secret === undefined ? { revocation: 'failed' } : await this.#revoke(id, secret);
    this.#secrets.drop(id);
    await this.#forgetAnswers(id);
    this.#renewals.reset(id);
    this.#signIns.forget(id);
    this.#challenges.forget(id);
    // Together: the row does not wait for a slow server.
    await Promise.all([this.#records.remove(id), deleteRegistrations(this.#ports, connection, secret?.clients ?? [])]);
    return outcome;
  }

  /** Forgets tokens and keeps registrations. A keychain that does not take the change is told and tried again. */
  async #forgetTokens(id: ConnectionId, secret: ConnectionSecret): Promise<ScopekeeperError | undefined> {
    const rest = withoutTokens(secret);
    const unstored = await this.#secrets.tryKeep(id, rest);
    return unstored === undefined && isEmptySecret(rest) ? this.#tryForget(id) : unstored;
  }

  async #tryForget(id: ConnectionId): Promise<ScopekeeperError | undefined> {
    try {
      await this.#secrets.forget(id);
      return undefined;
    } catch (error) {
      return asScopekeeperError(error);
    }
  }

  /** Revokes at the authorization server; what fails there is told and stops nothing (P35). */
  async #revoke(id: ConnectionId, secret: ConnectionSecret | undefined): Promise<DisconnectOutcome> {
    const tokens = issuedTokens(secret);
    if (tokens === undefined) return { revocation: 'nothing_to_revoke' };
    const { serverUrl, settings } = this.#records.get(id).connection;
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

  /** Never rejects: an entry that stays costs a file. */
  async #forgetAnswers(id: ConnectionId, below?: number): Promise<void> {
    const { journal, log } = this.#ports;
    await journal.forget(id, below).catch((error: unknown) => {
      log.warn(`The journal of ${id} could not be cleared: ${describeError(error)}`);
    });
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.connections.map(({ name }) => name));
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted} ${number}`;
    return name;
  }
}
