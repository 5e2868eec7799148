import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type GenericSchema, type InferOutput, number, object, record, safeParse, string } from 'valibot';
import { ConnectionError, isConnectionError } from '../connections/errors.ts';
import type { Exchange, ExchangeJournal, ExchangeKey, JournaledAnswer } from '../connections/exchangeJournal.ts';
import type { KeyRing } from '../connections/sealingKeys.ts';
import { errorCode, writeFileAtomically } from './atomicFile.ts';
import { identityOf, isAlive, type ProcessIdentity, processIdentitySchema } from './processIdentity.ts';
import { isOfAnotherKey, seal, unseal } from './sealing.ts';

export interface SealedJournalOptions {
  /** Absolute; made when it is first written to. */
  readonly folder: string;
  /** Gives the keys that entries are sealed with. Throws the keychain's error. */
  readonly loadKeys: () => Promise<KeyRing>;
  /** Who sends; this process by default. */
  readonly sender?: ProcessIdentity;
  /** Milliseconds since the epoch; the system's clock by default. */
  readonly now?: () => number;
  /** Writes a whole file; {@link writeFileAtomically} by default. */
  readonly write?: (file: string, text: string) => Promise<void>;
}

const answerSchema = object({
  status: number(),
  headers: record(string(), string()),
  body: string(),
  answeredAt: number(),
});

const intentSchema = object({ sender: processIdentitySchema, deadlineAt: number() });

type Kind = 'intent' | 'answer';

/** What is not kept for repair. */
const CURRENT_KINDS = /^(?:intent|answer)(?:\.new)?$/;

/** One file of the journal, as its name tells. */
interface Entry {
  readonly file: string;
  readonly generation: number;
  readonly fingerprint: string;
  readonly kind: string;
}

/** `<connection>.<generation>.<token>.<kind>`; a temporary file has another ending after that. */
const FILE_NAME = /^(?<slot>[0-9a-f]{32})\.(?<generation>\d+)\.(?<fingerprint>[0-9a-f]{32})\.(?<kind>.+)$/;

/** How often the journal is listed again when a file that was listed is gone. */
const LOOKS_AT_MOST = 5;

/**
 * The journal as a folder with a sealed file for each thing that happened, of this user alone.
 *
 * A name has hashes of the connection's id and of the token, so that an entry is found without opening others; what
 * the name says is sealed in, so a file under another name does not open. A temporary file that opens is as good as
 * the file that it was to become: the process was killed between flushing and renaming.
 */
export class SealedJournal implements ExchangeJournal {
  readonly #options: SealedJournalOptions;

  constructor(options: SealedJournalOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    await this.#options.loadKeys().catch(() => undefined);
  }

  async find(key: ExchangeKey): Promise<Exchange | undefined> {
    for (let look = 1; ; look += 1) {
      try {
        return await this.#look(key);
      } catch (error) {
        // What was listed has become something else since: its sender goes on.
        if (look === LOOKS_AT_MOST || !isGone(error)) throw error;
      }
    }
  }

  async #look(key: ExchangeKey): Promise<Exchange | undefined> {
    const fingerprint = fingerprintOf(key);
    const found = (await this.#entries(key.connectionId))
      .filter((entry) => entry.fingerprint === fingerprint && entry.generation >= key.generation)
      .toSorted((a, b) => b.generation - a.generation || a.kind.length - b.kind.length);
    for (const entry of found) {
      if (entry.kind !== 'answer' && entry.kind !== 'answer.new') continue;
      const answer = await this.#open(key, entry, 'answer', answerSchema);
      if (answer !== undefined) return { type: 'answered', generation: entry.generation, answer };
    }
    const sent = found.find(({ kind }) => kind === 'intent');
    const intent = sent === undefined ? undefined : await this.#open(key, sent, 'intent', intentSchema);
    if (intent === undefined) return undefined;
    const { now = Date.now } = this.#options;
    return { type: 'sent', isUnderWay: now() < intent.deadlineAt && isAlive(intent.sender) };
  }

  /** @param sender who will send, if it is not this process. */
  async begin(key: ExchangeKey, deadlineAt: number, sender?: ProcessIdentity): Promise<void> {
    await this.#write(key, 'intent', { sender: sender ?? this.#options.sender ?? identityOf(process.pid), deadlineAt });
  }

  async record(key: ExchangeKey, answer: JournaledAnswer): Promise<void> {
    await this.#write(key, 'answer', answer);
  }

  async end(key: ExchangeKey): Promise<void> {
    await this.#remove(this.#fileOf(key, 'intent'));
  }

  async setAside(key: ExchangeKey): Promise<void> {
    const fingerprint = fingerprintOf(key);
    const entries = await this.#entries(key.connectionId);
    const answers = entries.filter((entry) => entry.fingerprint === fingerprint && entry.generation >= key.generation);
    for (const { file } of entries.filter(({ kind }) => kind === 'answer.unusable')) await this.#remove(file);
    for (const { file } of answers.filter(({ kind }) => kind === 'answer.new')) await this.#remove(file);
    for (const { file } of answers.filter(({ kind }) => kind === 'answer')) {
      await this.#access(file, async () => rename(file, `${file}.unusable`));
    }
  }

  async forget(connectionId: string, below?: number): Promise<void> {
    const old = (await this.#entries(connectionId)).filter(
      ({ generation, kind }) => below === undefined || (generation < below && CURRENT_KINDS.test(kind)),
    );
    await Promise.all(old.map(async ({ file }) => this.#remove(file)));
  }

  /** Undefined for a temporary file that was not finished. Throws as {@link ExchangeJournal.find}. */
  async #open<S extends GenericSchema>(
    key: ExchangeKey,
    entry: Entry,
    kind: Kind,
    schema: S,
  ): Promise<InferOutput<S> | undefined> {
    const sealed = await this.#access(entry.file, async () => readFile(entry.file, 'utf8'), 'read');
    const { hidden, key: first, other } = await this.#options.loadKeys();
    const context = contextOf({ ...key, generation: entry.generation }, kind);
    const text = unseal(first, context, sealed) ?? unseal((await other?.()) ?? first, context, sealed);
    const result = text === undefined ? undefined : safeParse(schema, JSON.parse(text));
    if (result?.success === true) return result.output;
    // A temporary file too: it may be an answer in full. What this very key has sealed no other one opens.
    if (hidden !== undefined && isOfAnotherKey(first, sealed)) throw hidden;
    if (entry.kind !== kind) return undefined;
    const aside = `${entry.file}.broken-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    await this.#access(entry.file, async () => rename(entry.file, aside));
    throw new ConnectionError('journal_broken', { path: this.#options.folder });
  }

  async #write(key: ExchangeKey, kind: Kind, document: unknown): Promise<void> {
    const { loadKeys, write = writeFileAtomically } = this.#options;
    const ring = await loadKeys();
    const sealed = seal(ring.key, contextOf(key, kind), JSON.stringify(document));
    const file = this.#fileOf(key, kind);
    await this.#access(file, async () => write(file, sealed));
  }

  /** The files of a connection; none while there is no folder. */
  async #entries(connectionId: string): Promise<readonly Entry[]> {
    const { folder } = this.#options;
    const names = await this.#access(folder, async () => readdir(folder), 'read').catch((error: unknown) => {
      if (!isGone(error)) throw error;
      return [];
    });
    const slot = slotOf(connectionId);
    return names.flatMap((name) => {
      const { groups } = FILE_NAME.exec(name) ?? {};
      if (groups?.['slot'] !== slot) return [];
      const { generation, fingerprint = '', kind = '' } = groups;
      return [{ file: path.join(folder, name), generation: Number(generation), fingerprint, kind }];
    });
  }

  #fileOf(key: ExchangeKey, kind: Kind): string {
    const name = [slotOf(key.connectionId), key.generation, fingerprintOf(key), kind].join('.');
    return path.join(this.#options.folder, name);
  }

  async #remove(file: string): Promise<void> {
    await this.#access(file, async () => rm(file, { force: true }));
  }

  /** What the system says against it becomes `storage_failed`. */
  async #access<T>(file: string, task: () => Promise<T>, operation: 'read' | 'write' = 'write'): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw new ConnectionError('storage_failed', { operation, path: file, problem: errorCode(error) ?? 'unknown' });
    }
  }
}

function isGone(error: unknown): boolean {
  return isConnectionError(error, 'storage_failed') && error.details.problem === 'ENOENT';
}

/** What an entry is about: sealed in, so that it opens under its own name only. */
function contextOf(key: ExchangeKey, kind: Kind): string {
  return JSON.stringify(['journal', 1, kind, key.connectionId, key.generation, fingerprintOf(key)]);
}

/** An id is whatever the public file says; a hash of it is a good file name. */
function slotOf(connectionId: string): string {
  return createHash('sha256').update(connectionId).digest('hex').slice(0, 32);
}

function fingerprintOf({ connectionId, refreshToken }: ExchangeKey): string {
  return createHash('sha256').update(`${connectionId}\n${refreshToken}`).digest('hex').slice(0, 32);
}
