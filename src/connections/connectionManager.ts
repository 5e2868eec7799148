import { shownUrl } from '../oauth/addressPolicy.ts';
import { DpopNonces, dpopProof } from '../oauth/dpop.ts';
import { plainText, type ScopekeeperError } from '../oauth/errors.ts';
import { canonicalResource, parseServerUrl, suggestName } from '../oauth/serverUrl.ts';
import type { ActivityEntry } from './activity.ts';
import { Configuration, type EnteredSecrets } from './configuration.ts';
import {
  type Connection,
  type ConnectionId,
  type ConnectionKind,
  currentGrant,
  type SettingsChange,
} from './connection.ts';
import { ConnectionRecords } from './connectionRecords.ts';
import { answeredIn, type StoredTokens } from './connectionSecret.ts';
import type { ServerChallenge } from './challengePolicy.ts';
import { Challenges } from './challenges.ts';
import type {
  AuthorizationOutcome,
  CallbackOutcome,
  ConnectionChange,
  ConnectionService,
  DevicePrompt,
  DisconnectOutcome,
} from './connectionService.ts';
import { ConnectionStates } from './connectionStates.ts';
import { deferred } from './deferred.ts';
import { Endings } from './endings.ts';
import { ConnectionError } from './errors.ts';
import { HiddenSecrets } from './hiddenSecrets.ts';
import { Outages, type Sign } from './outages.ts';
import type { ConnectionsFile, Disposable } from './ports.ts';
import { isUsable } from './refreshSchedule.ts';
import { RefreshScheduler } from './refreshScheduler.ts';
import { type RenewalPorts, Renewals } from './renewals.ts';
import type { SecretTrouble } from './keychainTrouble.ts';
import { SecretKeeper } from './secretKeeper.ts';
import type { SecretPlace, SecretVault } from './secretVault.ts';
import { newSlug } from './slug.ts';
import { type AuthorizeOptions, SignIns, type SignInsPorts } from './signIns.ts';
import type { AuthorizationTrace } from './trace.ts';
import type { ChallengeOutcome, OutgoingRequest, RequestAuthorization, TokenService } from './tokenService.ts';

/** What is under way when a window closes may take this long: the editor ends an extension after 5 s. */
const LONGEST_FAREWELL_MS = 4000;
/** A longer name is cut: it has to fit into a row. */
const LONGEST_NAME = 80;

export interface ConnectionManagerPorts extends Omit<SignInsPorts & RenewalPorts, 'nonces'> {
  readonly vault: SecretVault;
  readonly file: ConnectionsFile;
  /** Hears of each trouble with the keychain once, and, with undefined, of its end. */
  readonly onSecretTrouble: (trouble: SecretTrouble | undefined) => void;
  /** Hears once that the public data cannot be saved, and, with undefined, that they are. */
  readonly onUnsaved: (error: ScopekeeperError | undefined) => void;
  readonly newId: () => ConnectionId;
}

/** The owner's {@link ConnectionService}, and its {@link TokenService}. */
export class ConnectionManager implements ConnectionService, TokenService {
  readonly #ports: ConnectionManagerPorts;
  readonly #records: ConnectionRecords;
  readonly #states: ConnectionStates;
  readonly #secrets: SecretKeeper;
  readonly #hidden: HiddenSecrets;
  readonly #outages: Outages;
  readonly #signIns: SignIns;
  readonly #renewals: Renewals;
  readonly #challenges: Challenges;
  readonly #configuration: Configuration;
  readonly #endings: Endings;
  readonly #scheduler: RefreshScheduler;
  #isLoading = false;
  /** Of MCP servers; those of authorization servers are others, also at the same origin (RFC 9449 section 8.2). */
  readonly #resourceNonces = new DpopNonces();

  constructor(given: ConnectionManagerPorts) {
    const ports = { ...given, nonces: new DpopNonces() };
    const { clock, file, log, random, vault } = ports;
    this.#ports = given;
    const records = new ConnectionRecords(file, clock, log, given.onUnsaved);
    const states = new ConnectionStates(records, clock);
    const secrets = new SecretKeeper({
      vault,
      clock,
      log,
      random,
      written: () => records.written(),
      onTrouble: (trouble) => given.onSecretTrouble(trouble),
      onRetry: async () => this.#hidden.recover(),
      onPlaced: (id, secretIn, generation) => this.#hidden.notePlaced(id, secretIn, generation),
      onRead: async (id, stored) => {
        this.#prepareJournal(id);
        // What is stored needs no journal any more (P31).
        await this.#endings.forgetAnswers(id, answeredIn(stored));
      },
    });
    this.#records = records;
    this.#states = states;
    this.#secrets = secrets;
    this.#outages = new Outages({ records, states, clock, random });
    this.#hidden = new HiddenSecrets({ records, states, secrets, clock });
    this.#renewals = new Renewals(ports, {
      records,
      states,
      secrets,
      hidden: this.#hidden,
      outages: this.#outages,
      onClientRejected: (id, clientId) => this.#signIns.rejectClient(id, clientId),
    });
    this.#signIns = new SignIns(ports, { records, states, secrets, onAuthorized: (id) => this.#noteAuthorized(id) });
    this.#challenges = new Challenges({
      records,
      states,
      secrets,
      renewals: this.#renewals,
      authorizeUnattended: async (id) => this.#signIns.authorizeUnattended(id),
      nonces: this.#resourceNonces,
      clock,
    });
    this.#configuration = new Configuration({ records, states, secrets });
    this.#endings = new Endings(ports, {
      records,
      states,
      secrets,
      signIns: this.#signIns,
      outages: this.#outages,
      renewals: this.#renewals,
      challenges: this.#challenges,
    });
    this.#scheduler = new RefreshScheduler({
      clock,
      random,
      connections: () => this.connections,
      renew: async (id) => this.#renewals.renew(id),
      onClockJump: () => this.#noteSign('wake'),
    });
    records.onDidChange(() => {
      // What is loaded is looked at once, and not once for each.
      if (!this.#isLoading) this.#scheduler.reschedule();
    });
  }

  #noteAuthorized(id: ConnectionId): void {
    this.#outages.noteSuccess(id);
    this.#renewals.forget(id);
    this.#challenges.noteAuthorized(id);
    this.#prepareJournal(id);
  }

  /** While the keychain is open: it may be locked when the first refresh comes, whose answer it then does not take. */
  #prepareJournal(id: ConnectionId): void {
    const { connection, secretIn } = this.#records.get(id);
    if (secretIn !== 'keychain' || currentGrant(connection)?.refreshable !== true) return;
    void this.#ports.journal.prepare(); // it never rejects, and nobody waits for it
  }

  /** Reads the public data and begins to renew. Touches no secret. Throws `storage_failed`, `storage_too_new`. */
  async start(): Promise<void> {
    this.#isLoading = true;
    try {
      await this.#records.load();
    } finally {
      this.#isLoading = false;
    }
    this.#scheduler.reschedule();
  }

  /** Asks a keychain that did not answer again: the person asks for it. */
  retryKeychain(): void {
    this.#secrets.hasten(true);
  }

  /** Saves the public data, which are saved by themselves but for a full disk. Throws `storage_failed`. */
  async save(): Promise<void> {
    await this.#records.save();
  }

  /** Tries again what waits for the keychain or a server, unless that was done just before: the window has the focus. */
  noteFocus(): void {
    this.#noteSign('focus');
  }

  #noteSign(sign: Sign): void {
    this.#secrets.hasten(false);
    this.#outages.noteSign(sign);
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
    await this.#renewals.settled();
    await this.#secrets.dispose();
    await this.#signIns.settled();
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

  /** How many connections have their secret where, for a report. */
  secretPlaces(): Readonly<Record<SecretPlace, number>> {
    const places = this.#records.list().map(({ secretIn }) => secretIn);
    const count = (place: SecretPlace) => places.filter((each) => each === place).length;
    return { keychain: count('keychain'), editor: count('editor') };
  }

  activity(id: ConnectionId): readonly ActivityEntry[] {
    return this.#records.find(id)?.activity ?? [];
  }

  async add(input: string, name?: string, kind: ConnectionKind = 'authorization_code'): Promise<Connection> {
    const url = parseServerUrl(input);
    const freeName = this.#freeName(plainText(name, LONGEST_NAME) ?? suggestName(url));
    const connection: Connection = {
      id: this.#ports.newId(),
      name: freeName,
      slug: newSlug(freeName, new Set(this.connections.map(({ slug }) => slug))),
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

  async changeKind(
    id: ConnectionId,
    kind: ConnectionKind,
    change: SettingsChange = {},
    entered: EnteredSecrets = {},
  ): Promise<void> {
    if (this.#records.get(id).connection.kind === kind) {
      await this.configure(id, change, entered);
      return;
    }
    await this.#signIns.stop(id);
    await this.#configuration.changeKind(id, { kind, change, entered }, async (connection, secret) =>
      this.#endings.endGrant(connection, secret),
    );
  }

  async discoverIssuer(id: ConnectionId, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return this.#signIns.discoverIssuer(id, options.signal);
  }

  async configure(id: ConnectionId, change: SettingsChange, entered: EnteredSecrets = {}): Promise<void> {
    await this.#configuration.configure(id, change, entered);
  }

  /** @param options.openBrowser of the window in which the person asked for it; this window's own by default. */
  async authorize(id: ConnectionId, options: AuthorizeOptions = {}): Promise<AuthorizationOutcome> {
    return this.#signIns.authorize(id, options);
  }

  async cancelAuthorization(id: ConnectionId): Promise<void> {
    await this.#signIns.stop(id);
  }

  authorizationUrl(id: ConnectionId): string | undefined {
    return this.#states.sessions.get(id)?.url;
  }

  deviceAuthorization(id: ConnectionId): DevicePrompt | undefined {
    return this.#states.sessions.get(id)?.device;
  }

  async trace(id: ConnectionId): Promise<AuthorizationTrace | undefined> {
    return this.#signIns.trace(id);
  }

  async handleCallback(url: URL): Promise<CallbackOutcome> {
    return this.#signIns.handleCallback(url);
  }

  async refresh(id: ConnectionId): Promise<Connection> {
    return this.#renewals.refreshForPerson(id);
  }

  async accessToken(id: ConnectionId): Promise<string> {
    return (await this.#usableTokens(id)).accessToken;
  }

  /** The token with the key that it is bound to: of one document, since a sign-in replaces both. */
  async #usableTokens(id: ConnectionId): Promise<StoredTokens> {
    const grant = this.#states.grant(id);
    if (grant === undefined) throw new ConnectionError('sign_in_required', { id });
    if (!isUsable(grant, this.#ports.clock.now())) await this.#renewals.refreshForRequest(id);
    const secret = await this.#hidden.read(id);
    return secret?.tokens ?? this.#states.requireSignIn(id, 'secret_missing');
  }

  async authorizeRequest(id: ConnectionId, { method, url }: OutgoingRequest): Promise<RequestAuthorization> {
    const { serverUrl } = this.#records.get(id).connection;
    // Most requests go to the server's very URL.
    if (url !== serverUrl) requireSameOrigin(url, serverUrl);
    const { accessToken, dpopKey, tokenType } = await this.#usableTokens(id);
    if (dpopKey === undefined || tokenType === 'bearer') {
      return { accessToken, headers: { authorization: `Bearer ${accessToken}` } };
    }
    const dpop = await dpopProof(dpopKey, { method, url, accessToken, nonce: this.#resourceNonces.for(url) });
    return { accessToken, headers: { authorization: `DPoP ${accessToken}`, dpop } };
  }

  noteDpopNonce(url: string, nonce: string): void {
    const origin = URL.parse(url)?.origin;
    if (origin === undefined) return;
    // Parsed only where it may be: this is done for every answer with a nonce.
    const isOurs = this.connections.some(
      ({ serverUrl }) => serverUrl.startsWith(origin) && new URL(serverUrl).origin === origin,
    );
    if (isOurs) this.#resourceNonces.note(url, nonce);
  }

  async answerChallenge(id: ConnectionId, challenge: ServerChallenge): Promise<ChallengeOutcome> {
    return this.#challenges.answer(id, challenge);
  }

  async disconnect(id: ConnectionId): Promise<DisconnectOutcome> {
    return this.#endings.disconnect(id);
  }

  async remove(id: ConnectionId, options: { readonly leaveSecret?: boolean } = {}): Promise<DisconnectOutcome> {
    return this.#endings.remove(id, options.leaveSecret === true);
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.connections.map(({ name }) => name));
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted} ${number}`;
    return name;
  }
}

/** Throws `foreign_origin` for a URL elsewhere: no token goes there (P36). */
function requireSameOrigin(url: string, serverUrl: string): void {
  const target = URL.parse(url);
  if (target?.origin === new URL(serverUrl).origin) return;
  throw new ConnectionError('foreign_origin', { url: target === null ? '' : shownUrl(target) });
}
