import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import * as v from 'valibot';
import type { ConnectionId } from '../../src/connections/connection.ts';
import { errorCode } from '../../src/platform/atomicFile.ts';
import type { FaultyServer } from '../servers/faultyServer.ts';
import type { Headless } from './headlessManager.ts';

/** What is secret of a form that is sent to an authorization server, or to an identity provider. */
const SECRET_PARAMETERS = new Set([
  'code',
  'code_verifier',
  'device_code',
  'refresh_token',
  'token',
  'assertion',
  'subject_token',
  'client_secret',
  'client_assertion',
]);

/** What is secret of a stored document: the members of tokens, credentials, clients and private keys. */
const SECRET_MEMBERS = new Set([
  'accessToken',
  'refreshToken',
  'clientSecret',
  'assertion',
  'idToken',
  'd',
  'p',
  'q',
  'dp',
  'dq',
  'qi',
]);

/** What is shorter may be found anywhere by chance. */
const SHORTEST = 12;

const jsonText = v.pipe(v.string(), v.parseJson());

/** Collects what a manager keeps and sends that is secret, and all that it tells, and finds the one in the other. */
export class Canaries {
  readonly #server: FaultyServer;
  readonly #headless: Headless;
  /** Each secret, with what it is. */
  readonly #secrets = new Map<string, string>();
  readonly #kinds = new Set<string>();
  readonly #told: string[] = [];

  constructor(server: FaultyServer, headless: Headless) {
    this.#server = server;
    this.#headless = headless;
    headless.manager.onDidChangeConnection((change) => {
      this.tell(change, ...headless.manager.connections, headless.file.text);
      this.collect();
    });
  }

  /** What the secrets that were collected are. */
  get kinds(): ReadonlySet<string> {
    return this.#kinds;
  }

  add(kind: string, secret: string): void {
    if (secret.length < SHORTEST) return;
    this.#secrets.set(secret, kind);
    this.#kinds.add(kind);
  }

  /** Takes what is secret of the requests so far, and of what is stored now. */
  collect(): void {
    for (const { form = {}, headers } of this.#server.requests) {
      for (const [name, value] of Object.entries(form)) if (SECRET_PARAMETERS.has(name)) this.add(name, value);
      const [, credentials = ''] = (headers.authorization ?? '').split(' ');
      this.add('authorization', credentials);
      this.add('dpop', String(headers['dpop'] ?? ''));
    }
    for (const [entry, text] of this.#headless.keychain.entries) {
      if (entry === 'journal-key') this.add(entry, text);
      const document = v.safeParse(jsonText, text);
      if (document.success) this.#collectMembers(document.output);
    }
  }

  #collectMembers(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string' && SECRET_MEMBERS.has(name)) this.add(name, member);
      this.#collectMembers(member);
    }
  }

  /** Notes what was told: a text as it is, an error in all the ways in which one is shown, anything else too. */
  tell(...things: readonly unknown[]): void {
    for (const thing of things) {
      this.#told.push(typeof thing === 'string' ? thing : `${JSON.stringify(thing)} ${inspect(thing, { depth: 12 })}`);
      if (thing instanceof Error) this.#told.push(String(thing), thing.stack ?? '');
    }
  }

  /** Reads what is on disk now: the journal of what authorization servers answered, which is sealed (P31). */
  async readDisk(): Promise<void> {
    const { journalFolder } = this.#headless;
    const files = await readdir(journalFolder, { recursive: true, withFileTypes: true }).catch(ifGone);
    for (const file of files ?? []) {
      if (!file.isFile()) continue;
      const text = await readFile(path.join(file.parentPath, file.name), 'latin1').catch(ifGone);
      this.tell(file.name, text ?? '');
    }
  }

  /** The kinds of the secrets that were told, with a place of each: in an event, a file, the log, or a text. */
  leaks(id: ConnectionId): readonly string[] {
    const { file, log, manager, pages } = this.#headless;
    this.collect();
    this.tell(...log.lines, file.text, ...manager.activity(id), ...manager.connections, ...pages);
    const told = this.#told.join('\n');
    return [...this.#secrets].flatMap(([secret, kind]) => {
      const at = told.indexOf(secret);
      return at === -1 ? [] : [`${kind}: ${told.slice(Math.max(0, at - 80), at)}…`];
    });
  }
}

/** Nothing was written yet, or a renewal in the background has come to its end meanwhile. Throws any other error. */
function ifGone(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
