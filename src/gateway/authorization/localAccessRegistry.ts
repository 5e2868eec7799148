import { randomUUID } from 'node:crypto';
import type { ConnectionId } from '../../connections/connection.ts';
import { type AnyConnectionError, ConnectionError } from '../../connections/errors.ts';
import type { Disposable } from '../../connections/ports.ts';
import { type KeyRing, keysIn } from '../../connections/sealingKeys.ts';
import { plainText } from '../../oauth/errors.ts';
import type { EditorClient, GatewayService, NewToken } from '../gatewayService.ts';
import type { AllowedTools, LocalAccess } from '../localAccess.ts';
import type { AccessTokens, TokenLifetimes } from '../ports.ts';
import { LocalGrants } from './localGrants.ts';
import {
  type AccessEntry,
  accessesOf,
  accessOf,
  isOver,
  type RegistryState,
  withEntries,
  withoutFamilies,
} from './registryState.ts';
import { RegistryStore, type RegistryStoreParts } from './registryStore.ts';
import { editorTokenOf, hashOf, isSameHash, newToken, TOKEN_PREFIXES } from './tokens.ts';

export interface LocalAccessRegistryParts extends RegistryStoreParts {
  /** The keys that successors are made with (P41). Throws the keychain's error. */
  readonly loadKeys: () => Promise<KeyRing>;
  /** Asked each time, since the person may set others. */
  readonly lifetimes: () => TokenLifetimes;
}

type AccessService = Pick<
  GatewayService,
  'accesses' | 'onDidChangeAccesses' | 'createToken' | 'editorToken' | 'changeTools' | 'revoke'
>;

/** Who on this machine may use which connection, and by which tokens; those are stored as hashes only (P41). */
export class LocalAccessRegistry implements AccessTokens, AccessService {
  /** What the authorization server does with the accesses. */
  readonly grants: LocalGrants;
  readonly #parts: LocalAccessRegistryParts;
  readonly #store: RegistryStore;

  constructor(parts: LocalAccessRegistryParts) {
    this.#parts = parts;
    this.#store = new RegistryStore(parts);
    this.grants = new LocalGrants({ ...parts, store: this.#store });
  }

  /** Reads the file. Throws why nobody gets access: `storage_failed`, `storage_too_new` or `storage_broken`. */
  async load(): Promise<void> {
    await this.#store.load();
  }

  /** Why nobody gets access: the file cannot be used, and is left as it is; `owner_gone` while it is not read. */
  get problem(): AnyConnectionError | undefined {
    return this.#store.problem;
  }

  /** Writes what is only in memory; from then on nobody gets access. */
  async dispose(): Promise<void> {
    await this.#store.dispose();
  }

  use(token: string, connection: ConnectionId): LocalAccess | undefined {
    const hash = hashOf(token);
    const entry = this.#store.index?.access.get(hash);
    if (entry === undefined || !isSameHash(entry.hash, hash)) return undefined;
    if (entry.rotatedAt !== undefined || isOver(entry.expiresAt, this.#parts.clock.now())) return undefined;
    if (entry.connection !== undefined && entry.connection !== connection) return undefined;
    this.#store.noteUse(entry);
    return accessOf(entry);
  }

  get accesses(): readonly LocalAccess[] {
    return accessesOf(this.#store.state, this.#store.uses, this.#parts.clock.now());
  }

  onDidChangeAccesses(listener: () => void): Disposable {
    return this.#store.onDidChange(listener);
  }

  /** Throws `connection_unknown` and `storage_failed`. */
  async createToken({ allowedTools, connection, label, lifetimeMs }: NewToken): Promise<string> {
    this.#require(connection);
    const token = newToken('access');
    return this.#store.change((state, now) => {
      const entry: AccessEntry = {
        ...newEntry('token', connection, allowedTools, token, now),
        label: plainText(label) ?? 'token',
        ...(lifetimeMs !== undefined && { expiresAt: now + lifetimeMs }),
      };
      return { state: withEntries(state, [entry]), result: token };
    });
  }

  /** Throws `connection_unknown`, `storage_failed`, and the keychain's error. */
  async editorToken(connection: ConnectionId, client: EditorClient): Promise<string> {
    this.#require(connection);
    return this.#store.change(async (state, now) => {
      const ring = await this.#parts.loadKeys();
      const known = editorEntry(state, connection, client);
      if (known !== undefined) {
        // Made with another key while the keychain could not be used, it stays the same.
        for await (const key of keysIn(ring)) {
          const token = editorTokenOf(key, known.id);
          if (isSameHash(hashOf(token), known.hash)) return { state, result: token };
        }
      }
      const entry = known ?? newEditorEntry(connection, client, now);
      const token = editorTokenOf(ring.key, entry.id);
      return { state: withEntries(state, [{ ...entry, hash: hashOf(token) }]), result: token };
    });
  }

  async changeTools(accessId: string, allowedTools: AllowedTools): Promise<void> {
    await this.#store.change((state) => {
      const changed: AccessEntry[] = [];
      for (const entry of state.entries.values()) {
        if (entry.family === accessId) changed.push({ ...entry, allowedTools });
      }
      return { state: changed.length === 0 ? state : withEntries(state, changed), result: undefined };
    });
  }

  async revoke(accessIds: readonly string[]): Promise<void> {
    const families = new Set(accessIds);
    await this.#store.change((state) => ({ state: withoutFamilies(state, families), result: undefined }));
  }

  #require(connection: ConnectionId): void {
    const known = this.#parts.connections.get(connection);
    if (known === undefined) throw new ConnectionError('connection_unknown', { id: connection });
  }
}

/** The entry of the editor itself, or of one of its extensions. */
function editorEntry(state: RegistryState, connection: ConnectionId, client: EditorClient): AccessEntry | undefined {
  const { agentName, kind } = ownerOf(client);
  return [...state.entries.values()].find(
    (entry) => entry.kind === kind && entry.agentName === agentName && entry.connection === connection,
  );
}

function newEditorEntry(connection: ConnectionId, client: EditorClient, now: number): AccessEntry {
  const { agentName, kind } = ownerOf(client);
  const entry = newEntry(kind, connection, '*', '', now);
  return agentName === undefined ? entry : { ...entry, agentName };
}

function ownerOf(client: EditorClient): { readonly kind: 'editor' | 'extension'; readonly agentName?: string } {
  return client.type === 'agent' ? { kind: 'editor' } : { kind: 'extension', agentName: client.extensionId };
}

/** An entry that never ends, the first of its family. */
function newEntry(
  kind: AccessEntry['kind'],
  connection: ConnectionId,
  allowedTools: AllowedTools,
  token: string,
  now: number,
): AccessEntry {
  const id = randomUUID();
  return {
    id,
    family: id,
    generation: 1,
    kind,
    connection,
    allowedTools,
    hash: hashOf(token),
    prefix: TOKEN_PREFIXES.access,
    createdAt: now,
    isUsed: false,
  };
}
