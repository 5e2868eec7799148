import { randomUUID } from 'node:crypto';
import type { ConnectionId } from '../../connections/connection.ts';
import type { AnyConnectionError } from '../../connections/errors.ts';
import type { Clock, Log } from '../../connections/ports.ts';
import { type KeyRing, keysIn } from '../../connections/sealingKeys.ts';
import type { AllowedTools } from '../localAccess.ts';
import type { TokenLifetimes } from '../ports.ts';
import {
  type AccessEntry,
  CLIENTS_AT_MOST,
  type LocalClient,
  prune,
  type RegistryState,
  withClient,
  withEntries,
  withoutFamilies,
} from './registryState.ts';
import type { Change, RegistryStore } from './registryStore.ts';
import { judgeRefresh } from './rotation.ts';
import { hashOf, isSameHash, newToken, successorToken, TOKEN_PREFIXES } from './tokens.ts';

export interface LocalGrantsParts {
  readonly store: RegistryStore;
  readonly loadKeys: () => Promise<KeyRing>;
  readonly lifetimes: () => TokenLifetimes;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a client asks for with the code that the person's yes gave it. */
export interface NewGrant {
  readonly clientId: string;
  readonly clientName: string;
  readonly connection: ConnectionId;
  readonly allowedTools: AllowedTools;
}

/** A pair as the client gets it. Holds secrets. */
export interface IssuedTokens {
  /** Of the family that they belong to. */
  readonly accessId: string;
  readonly connection?: ConnectionId;
  readonly allowedTools: AllowedTools;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** What is left of the access token's life, in seconds. */
  readonly expiresIn: number;
}

export type RefreshResult =
  | { readonly type: 'issued'; readonly tokens: IssuedTokens }
  /** `invalid_grant` for the client; the reason is for the log. */
  | { readonly type: 'refused'; readonly reason: 'unknown' | 'wrong_client' | 'expired' | 'reuse' | 'key_lost' }
  /** It asks for another connection than the one that the token is bound to. */
  | { readonly type: 'wrong_target' };

export type RevocationResult = 'ended' | 'unknown' | 'wrong_client';

/** What the authorization server does with accesses and clients. All of it is in the file before it is answered (P41). */
export class LocalGrants {
  readonly #parts: LocalGrantsParts;

  constructor(parts: LocalGrantsParts) {
    this.#parts = parts;
  }

  /** Why nobody gets access: the file cannot be used, or is not read. */
  get problem(): AnyConnectionError | undefined {
    return this.#parts.store.problem;
  }

  client(id: string): LocalClient | undefined {
    return this.#parts.store.state.clients.get(id);
  }

  /**
   * Keeps a new client. Gives undefined when there are too many, all of which are in use.
   * Throws `storage_failed`; then it is not kept.
   */
  async addClient(name: string | undefined, redirectUris: readonly string[]): Promise<LocalClient | undefined> {
    return this.#parts.store.change<LocalClient | undefined>((state, now) => {
      const client: LocalClient = {
        id: randomUUID(),
        redirectUris,
        createdAt: now,
        remembered: {},
        ...(name !== undefined && { name }),
      };
      const next = prune(withClient(state, client), now, client);
      return next.clients.size > CLIENTS_AT_MOST ? { state, result: undefined } : { state: next, result: client };
    });
  }

  /** Gives a client its first pair, with full lifetimes. Throws `storage_failed`; then it has none. */
  async issue({ allowedTools, clientId, clientName, connection }: NewGrant): Promise<IssuedTokens> {
    return this.#parts.store.change((state, now) => {
      const pair = { accessToken: newToken('access'), refreshToken: newToken('refresh') };
      const id = randomUUID();
      const entry: AccessEntry = {
        id,
        family: id,
        generation: 1,
        kind: 'oauth',
        label: clientName,
        connection,
        clientId,
        allowedTools,
        createdAt: now,
        isUsed: false,
        ...this.#freshly(pair, now),
      };
      const client = state.clients.get(clientId);
      const next = withEntries(state, [entry]);
      return {
        state:
          client === undefined
            ? next
            : withClient(next, {
                ...client,
                allowedAt: now,
                remembered: { ...client.remembered, [connection]: allowedTools },
              }),
        result: issued(entry, pair, now),
      };
    });
  }

  /**
   * Renews by a refresh token (P39, P40).
   * @param isTarget whether the client may mean this connection (RFC 8707)
   * Throws `storage_failed`, and the keychain's error; nothing has changed then.
   */
  async refresh(
    presented: string,
    clientId: string,
    isTarget: (connection: ConnectionId | undefined) => boolean,
  ): Promise<RefreshResult> {
    const result = await this.#parts.store.change<RefreshResult>(async (state, now) => {
      const entry = this.#find('refresh', presented);
      if (entry === undefined) return { state, result: { type: 'refused', reason: 'unknown' } };
      // Its owner loses nothing by what another client does with it.
      if (entry.clientId !== clientId) return { state, result: { type: 'refused', reason: 'wrong_client' } };
      const { graceMs } = this.#parts.lifetimes();
      const judgement = judgeRefresh(entry, state, (each) => this.#parts.store.isUsed(each), now, graceMs);
      switch (judgement.type) {
        case 'expired':
          return { state, result: { type: 'refused', reason: 'expired' } };
        case 'reuse': {
          const ended = withoutFamilies(state, new Set([entry.family]));
          return { state: ended, result: { type: 'refused', reason: 'reuse' } };
        }
        case 'repeat':
          if (!isTarget(entry.connection)) return { state, result: { type: 'wrong_target' } };
          return this.#repeat(state, presented, judgement.successor, now);
        case 'rotate':
          if (!isTarget(entry.connection)) return { state, result: { type: 'wrong_target' } };
          return this.#rotate(state, presented, entry, now);
        default:
          return judgement satisfies never;
      }
    });
    if (result.type === 'refused' && result.reason === 'reuse') {
      this.#parts.log.warn('A local client used a refresh token once more: its access was ended.');
    }
    return result;
  }

  async #rotate(
    state: RegistryState,
    presented: string,
    entry: AccessEntry,
    now: number,
  ): Promise<Change<RefreshResult>> {
    const { key } = await this.#parts.loadKeys();
    const generation = entry.generation + 1;
    const pair = successors(key, presented, generation);
    const successor: AccessEntry = {
      ...entry,
      id: randomUUID(),
      generation,
      isUsed: false,
      ...this.#freshly(pair, now),
    };
    const retired: AccessEntry = { ...entry, rotatedAt: now };
    return {
      state: withEntries(state, [retired, successor]),
      result: { type: 'issued', tokens: issued(successor, pair, now) },
    };
  }

  /** Makes the same tokens once more: they are stored nowhere (P41). */
  async #repeat(
    state: RegistryState,
    presented: string,
    successor: AccessEntry,
    now: number,
  ): Promise<Change<RefreshResult>> {
    const ring = await this.#parts.loadKeys();
    for await (const key of keysIn(ring)) {
      const pair = successors(key, presented, successor.generation);
      if (!isSameHash(hashOf(pair.accessToken), successor.hash)) continue;
      return { state, result: { type: 'issued', tokens: issued(successor, pair, now) } };
    }
    // The key that it was made with is in a keychain that is locked: it may be open when the client asks again.
    if (ring.hidden !== undefined) throw ring.hidden;
    return { state, result: { type: 'refused', reason: 'key_lost' } };
  }

  /**
   * Ends what a token belongs to (RFC 7009): all that was renewed from one another. A retired access token is unknown.
   * Throws `storage_failed`; then nothing has changed.
   */
  async revoke(token: string, clientId: string): Promise<RevocationResult> {
    return this.#parts.store.change<RevocationResult>((state) => {
      const byAccess = this.#find('access', token);
      const entry = byAccess?.rotatedAt === undefined ? (byAccess ?? this.#find('refresh', token)) : undefined;
      if (entry === undefined) return { state, result: 'unknown' };
      if (entry.clientId !== clientId) return { state, result: 'wrong_client' };
      return { state: withoutFamilies(state, new Set([entry.family])), result: 'ended' };
    });
  }

  /** Ends an access, such as one whose code was used twice. Throws `storage_failed`. */
  async end(accessId: string): Promise<void> {
    await this.#parts.store.change((state) => ({
      state: withoutFamilies(state, new Set([accessId])),
      result: undefined,
    }));
  }

  #find(type: 'access' | 'refresh', token: string): AccessEntry | undefined {
    const hash = hashOf(token);
    const entry = this.#parts.store.index?.[type].get(hash);
    const stored = type === 'access' ? entry?.hash : entry?.refresh?.hash;
    return stored !== undefined && isSameHash(stored, hash) ? entry : undefined;
  }

  /** What a new pair brings with it: its hashes, and full lifetimes, whatever was left of those before it (P39). */
  #freshly(
    { accessToken, refreshToken }: Pick<IssuedTokens, 'accessToken' | 'refreshToken'>,
    now: number,
  ): Pick<AccessEntry, 'hash' | 'prefix' | 'expiresAt' | 'refresh'> {
    const { accessTokenMs, refreshTokenMs } = this.#parts.lifetimes();
    return {
      hash: hashOf(accessToken),
      prefix: TOKEN_PREFIXES.access,
      expiresAt: now + accessTokenMs,
      refresh: { hash: hashOf(refreshToken), expiresAt: now + refreshTokenMs },
    };
  }
}

function successors(key: string, presented: string, generation: number) {
  return {
    accessToken: successorToken(key, presented, generation, 'access'),
    refreshToken: successorToken(key, presented, generation, 'refresh'),
  };
}

function issued(
  { allowedTools, connection, expiresAt = Number.POSITIVE_INFINITY, family }: AccessEntry,
  pair: Pick<IssuedTokens, 'accessToken' | 'refreshToken'>,
  now: number,
): IssuedTokens {
  const expiresIn = Math.max(Math.floor((expiresAt - now) / 1000), 0);
  return { accessId: family, ...(connection !== undefined && { connection }), allowedTools, ...pair, expiresIn };
}
