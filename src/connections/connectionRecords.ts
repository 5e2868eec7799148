import type { ScopekeeperError } from '../oauth/errors.ts';
import { type ActivityEntry, addActivity } from './activity.ts';
import { type Connection, type ConnectionId, type ConnectionState, currentGrant } from './connection.ts';
import type { ConnectionChange } from './connectionService.ts';
import { Emitter } from './emitter.ts';
import { asScopekeeperError, ConnectionError, isConnectionError } from './errors.ts';
import type { Clock, ConnectionsFile, Disposable, Log } from './ports.ts';
import type { RefreshMemory } from './refreshAttempts.ts';
import type { SecretPlace } from './secretVault.ts';
import { newSlug } from './slug.ts';
import type { StoredConnection, StoredConnections } from './storedConnections.ts';

/** All that is public of one connection. Immutable: replaced whole. */
export interface ConnectionRecord {
  readonly connection: Connection;
  /** Where its secret was last written; undefined when it has none. */
  readonly secretIn?: SecretPlace;
  /** The highest generation that was ever stored; it never goes back, so that an old document never wins. */
  readonly generation: number;
  readonly activity: readonly ActivityEntry[];
}

const SAVE_RETRY_MS = 30_000;

/** The public data of all connections, in memory and in the file; only the manager writes it. */
export class ConnectionRecords {
  readonly #file: ConnectionsFile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changes: Emitter<ConnectionChange>;
  /** Each record is replaced whole; the map itself is only ever changed here. */
  readonly #records = new Map<ConnectionId, ConnectionRecord>();
  /** What was learnt of each issuer's refreshes (P27). */
  #refreshMemories: ReadonlyMap<string, RefreshMemory> = new Map();
  /** At first nothing: a window that never loaded the list must not write an empty one when it closes. */
  #saved = JSON.stringify(this.#document());
  #saving: Promise<void> = Promise.resolve();
  /** The save that waits for the one before it: it will write what is there by then. */
  #nextSave: Promise<void> | undefined;
  #retry: Disposable | undefined;
  readonly #onUnsaved: (error: ScopekeeperError | undefined) => void;
  #isUnsavedTold = false;
  #isDisposed = false;

  /** @param onUnsaved hears once that the file cannot be written, and, with undefined, that it can again. */
  constructor(file: ConnectionsFile, clock: Clock, log: Log, onUnsaved: (error: ScopekeeperError | undefined) => void) {
    this.#onUnsaved = onUnsaved;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#changes = new Emitter((error) => log.error(`A listener failed: ${String(error)}`));
  }

  /** Reads the file. Throws `storage_failed` or `storage_too_new`, and then holds nothing. */
  async load(): Promise<void> {
    const document = await this.#file.read();
    const stored = document?.connections ?? [];
    const slugs = slugsOf(stored);
    const records = stored.map((each) => fromStored(each, slugs.get(each.id) ?? each.id));
    this.#records.clear();
    for (const record of records) this.#records.set(record.connection.id, record);
    this.#refreshMemories = new Map((document?.issuers ?? []).map(({ issuer, refresh }) => [issuer, refresh]));
    this.#forgetIssuers();
    // Slugs that were only just given are saved at once, so that a rename does not change them.
    if (stored.every(({ id, slug }) => slug === slugs.get(id))) this.#saved = JSON.stringify(this.#document());
    else void this.save().catch(() => undefined); // it is tried again
    for (const { connection } of records) this.#changes.fire({ type: 'added', connection });
  }

  onDidChange(listener: (change: ConnectionChange) => void): Disposable {
    return this.#changes.listen(listener);
  }

  list(): readonly ConnectionRecord[] {
    return [...this.#records.values()];
  }

  find(id: ConnectionId): ConnectionRecord | undefined {
    return this.#records.get(id);
  }

  /** The records, for what is to be known of their secrets. */
  written(): ReadonlyMap<ConnectionId, ConnectionRecord> {
    return this.#records;
  }

  /** Throws `connection_unknown`. */
  get(id: ConnectionId): ConnectionRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new ConnectionError('connection_unknown', { id });
    return record;
  }

  /** Adds a record and saves it. When it cannot be saved it is not added. Throws `storage_failed`. */
  async add(record: ConnectionRecord): Promise<void> {
    const { connection } = record;
    this.#records.set(connection.id, record);
    try {
      await this.save();
    } catch (error) {
      this.#forget(connection.id);
      throw error;
    }
    this.#changes.fire({ type: 'added', connection });
  }

  /** Removes a record and saves that. Throws `storage_failed`; the record is then still gone from memory. */
  async remove(id: ConnectionId): Promise<void> {
    const { connection } = this.get(id);
    this.#forget(id);
    this.#changes.fire({ type: 'removed', connection });
    await this.save();
  }

  /**
   * Replaces a record, tells the listeners, and saves in the background when what is saved has changed.
   * A change to a record that is gone is dropped.
   */
  update(
    id: ConnectionId,
    changed: Partial<Connection> | ((connection: Connection) => Connection),
    more: RecordChange = {},
  ): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    const replaced = typeof changed === 'function' ? changed(record.connection) : { ...record.connection, ...changed };
    const { lastError: previousError, ...rest } = replaced;
    const lastError = more.lastError === undefined ? previousError : more.lastError;
    const connection: Connection = { ...rest, ...(lastError !== null && lastError !== undefined && { lastError }) };
    const next: ConnectionRecord = {
      connection,
      activity: more.activity === undefined ? record.activity : addActivity(record.activity, more.activity),
      generation: Math.max(record.generation, more.generation ?? 0),
      ...secretPlace(more.secretIn === undefined ? record.secretIn : more.secretIn),
    };
    this.#records.set(id, next);
    if (connection.issuer !== record.connection.issuer) this.#forgetIssuers();
    if (more.activity !== undefined) this.#log.info(`${connection.name} (${id}): ${activityLine(more.activity)}`);
    this.#changes.fire({ type: 'changed', connection });
    // A failed save is told in the log and tried again; the caller's change itself has happened.
    void this.save().catch(() => undefined);
  }

  /**
   * Writes what is not yet written; one write at a time, and one for all that comes while another goes on.
   * Throws `storage_failed`, and `owner_gone` after the end.
   */
  async save(): Promise<void> {
    if (this.#isDisposed) throw new ConnectionError('owner_gone', {});
    if (this.#nextSave === undefined) {
      this.#nextSave = this.#saveAfter(this.#saving);
      this.#saving = this.#nextSave;
    }
    return this.#nextSave;
  }

  async #saveAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => undefined);
    this.#nextSave = undefined;
    try {
      const document = this.#document();
      const text = JSON.stringify(document);
      if (text !== this.#saved) await this.#file.write(document);
      this.#saved = text;
      this.#retry?.dispose();
      if (this.#isUnsavedTold) this.#onUnsaved(undefined);
      this.#isUnsavedTold = false;
    } catch (error) {
      if (!this.#isUnsavedTold) this.#onUnsaved(asScopekeeperError(error));
      this.#isUnsavedTold = true;
      const code = isConnectionError(error) ? error.code : String(error);
      this.#log.error(`The list of connections could not be saved (${code}); trying again.`);
      this.#retry?.dispose();
      this.#retry = this.#clock.after(SAVE_RETRY_MS, () => void this.save().catch(() => undefined));
      throw error;
    }
  }

  /**
   * Writes what is not yet written, and nothing after that: another window may have become the owner, and what is
   * still under way here, such as a revocation at a slow server, knows nothing of what that one has written.
   */
  async dispose(): Promise<void> {
    const last = this.save();
    this.#isDisposed = true;
    // What failed before is told in the log, and here it has its last chance.
    await last.catch(() => undefined);
    this.#retry?.dispose();
  }

  /** What was learnt of this issuer's refreshes; nothing for one that is not known. */
  refreshMemory(issuer: string): RefreshMemory {
    return this.#refreshMemories.get(issuer) ?? {};
  }

  /** Keeps what was learnt of an issuer's refreshes, for as long as it has a connection; saves in the background. */
  rememberRefresh(issuer: string, memory: RefreshMemory): void {
    this.#refreshMemories = new Map([...this.#refreshMemories, [issuer, memory]]);
    this.#forgetIssuers();
    // As in `update`.
    void this.save().catch(() => undefined);
  }

  #forget(id: ConnectionId): void {
    this.#records.delete(id);
    this.#forgetIssuers();
  }

  /** Forgets issuers that no connection has any more, and those of which nothing is to be remembered. */
  #forgetIssuers(): void {
    const inUse = new Set(this.list().map(({ connection }) => connection.issuer));
    this.#refreshMemories = new Map(
      [...this.#refreshMemories].filter(([issuer, memory]) => inUse.has(issuer) && Object.keys(memory).length > 0),
    );
  }

  #document(): StoredConnections {
    const issuers = [...this.#refreshMemories].map(([issuer, refresh]) => ({ issuer, refresh: { ...refresh } }));
    return {
      version: 1,
      connections: this.list().map(toStored),
      ...(issuers.length > 0 && { issuers }),
    };
  }
}

export interface RecordChange {
  readonly activity?: ActivityEntry;
  /** The new place of the secret; null when it is gone. */
  readonly secretIn?: SecretPlace | null;
  /** The generation of the document that was stored. */
  readonly generation?: number;
  /** The new last error; null when it is over. */
  readonly lastError?: ScopekeeperError | null;
}

function secretPlace(place: SecretPlace | null | undefined): { secretIn?: SecretPlace } {
  return place === null || place === undefined ? {} : { secretIn: place };
}

function activityLine({ type, scopes, errorCode }: ActivityEntry): string {
  return [type, ...(scopes ?? []), ...(errorCode === undefined ? [] : [errorCode])].join(' ');
}

/** What goes to the file: what was going on, and the last error, do not outlive the window. */
function toStored(record: ConnectionRecord): StoredConnection {
  const { state, lastError: _, ...rest } = record.connection;
  const grant = currentGrant(record.connection);
  return {
    ...rest,
    settings: { ...rest.settings },
    ...(grant !== undefined && { grant: { ...grant } }),
    ...(state.type === 'needsSignIn' && { needsSignIn: { reason: state.reason, since: state.since } }),
    ...secretPlace(record.secretIn),
    generation: record.generation,
    activity: [...record.activity],
  };
}

/** A slug for each, by id: its own one unless that is missing or another one's. */
function slugsOf(stored: readonly StoredConnection[]): ReadonlyMap<ConnectionId, string> {
  const slugs = new Map<ConnectionId, string>();
  const taken = new Set(stored.flatMap(({ slug }) => slug ?? []));
  const given = new Set<string>();
  for (const { id, name, slug } of stored) {
    const own = slug === undefined || given.has(slug) ? newSlug(name, taken) : slug;
    slugs.set(id, own);
    given.add(own);
    taken.add(own);
  }
  return slugs;
}

function fromStored(stored: StoredConnection, slug: string): ConnectionRecord {
  const { grant, needsSignIn, secretIn, generation, activity, ...rest } = stored;
  const state: ConnectionState =
    needsSignIn === undefined
      ? grant === undefined
        ? { type: 'disconnected' }
        : { type: 'ready', grant }
      : { type: 'needsSignIn', ...needsSignIn };
  return { connection: { ...rest, slug, state }, generation, ...secretPlace(secretIn), activity };
}
