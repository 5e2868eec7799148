import type { ConnectionId } from '../../connections/connection.ts';
import type { AccessKind, AllowedTools, LocalAccess } from '../localAccess.ts';

/**
 * One access token, with the refresh token that came with it. Those that were renewed from one another are a family,
 * of which the one with the highest generation is in force; the others are retired. Instants are ms since the epoch.
 */
export interface AccessEntry {
  readonly id: string;
  /** The `id` of the first of the family; the person knows the access by it. */
  readonly family: string;
  /** Counts the pairs of the family, from 1. */
  readonly generation: number;
  readonly kind: AccessKind;
  readonly label?: string;
  /** In version 1 what its owner called the agent; of kind `extension` the extension's id. */
  readonly agentName?: string;
  /** Undefined for those of version 1, which are good for each connection (P42). */
  readonly connection?: ConnectionId;
  /** To whom it was given; only this client may renew or revoke it. */
  readonly clientId?: string;
  readonly allowedTools: AllowedTools;
  readonly hash: string;
  readonly prefix: string;
  /** When the first of the family was given. */
  readonly createdAt: number;
  /** Undefined for never. */
  readonly expiresAt?: number;
  readonly lastUsedAt?: number;
  /** Whether a token of this very pair was used, which shows that it arrived (P40). */
  readonly isUsed: boolean;
  readonly refresh?: RefreshToken;
  /** When it was renewed, and so retired. */
  readonly rotatedAt?: number;
}

interface RefreshToken {
  readonly hash: string;
  /** Undefined for never. */
  readonly expiresAt?: number;
}

/** A client that registered itself (RFC 7591). All texts are its own claims. */
export interface LocalClient {
  readonly id: string;
  readonly name?: string;
  readonly redirectUris: readonly string[];
  readonly createdAt: number;
  /** When the person last said yes to it. */
  readonly allowedAt?: number;
  /** What the person last allowed it, for each connection: only to begin with (P44). */
  readonly remembered: Readonly<Record<ConnectionId, AllowedTools>>;
}

/** All that the registry knows. Immutable: it is replaced whole. */
export interface RegistryState {
  readonly entries: ReadonlyMap<string, AccessEntry>;
  readonly clients: ReadonlyMap<string, LocalClient>;
}

export const EMPTY_STATE: RegistryState = { entries: new Map(), clients: new Map() };

/** So many retired pairs of a family are kept, to know a token by that is used once more. */
const RETIRED_AT_MOST = 32;
/** So many clients are kept (P44). */
export const CLIENTS_AT_MOST = 200;
/** How long a client is kept to which the person never said yes. */
const UNUSED_CLIENT_MS = 24 * 3_600_000;
/** How long one is kept after the last yes; its registration is good for all that time. */
const IDLE_CLIENT_MS = 180 * 24 * 3_600_000;

/** Whether the time has come; never for undefined. */
export function isOver(expiresAt: number | undefined, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** Whether the pair is in force and at least one of its tokens is good. */
export function isLive(entry: AccessEntry, now: number): boolean {
  if (entry.rotatedAt !== undefined) return false;
  return !isOver(entry.expiresAt, now) || (entry.refresh !== undefined && !isOver(entry.refresh.expiresAt, now));
}

export function withEntries(state: RegistryState, changed: readonly AccessEntry[]): RegistryState {
  const entries = new Map(state.entries);
  for (const entry of changed) entries.set(entry.id, entry);
  return { ...state, entries };
}

export function withClient(state: RegistryState, client: LocalClient): RegistryState {
  return { ...state, clients: new Map(state.clients).set(client.id, client) };
}

/** Without these families: all their tokens, retired ones too, are unknown from now on. */
export function withoutFamilies(state: RegistryState, families: ReadonlySet<string>): RegistryState {
  const entries = [...state.entries].filter(([, { family }]) => !families.has(family));
  return entries.length === state.entries.size ? state : { ...state, entries: new Map(entries) };
}

/** Without what names one of these connections, which are gone. */
export function withoutConnections(state: RegistryState, gone: ReadonlySet<ConnectionId>): RegistryState {
  if (gone.size === 0) return state;
  const clients = new Map<string, LocalClient>();
  for (const client of state.clients.values()) {
    const remembered = Object.entries(client.remembered).filter(([connection]) => !gone.has(connection));
    clients.set(client.id, { ...client, remembered: Object.fromEntries(remembered) });
  }
  return {
    entries: new Map(
      [...state.entries].filter(([, { connection }]) => connection === undefined || !gone.has(connection)),
    ),
    clients,
  };
}

/** Notes when these entries were last used. */
export function withUses(state: RegistryState, uses: ReadonlyMap<string, number>): RegistryState {
  const used = [...uses].flatMap(([id, lastUsedAt]) => {
    const entry = state.entries.get(id);
    return entry === undefined ? [] : [{ ...entry, lastUsedAt, isUsed: true }];
  });
  return used.length === 0 ? state : withEntries(state, used);
}

/**
 * Leaves out what is of no more use: pairs that are over, retired ones that are over or too many, and clients that
 * expired or are too many (P44).
 * @param newcomer a client that stays whatever else goes
 */
export function prune(state: RegistryState, now: number, newcomer?: LocalClient): RegistryState {
  const newest = new Map<string, AccessEntry>();
  for (const entry of state.entries.values()) if (isLive(entry, now)) newest.set(entry.family, entry);
  const entries = [...state.entries].filter(([, entry]) => {
    const live = newest.get(entry.family);
    if (live === undefined || live === entry) return live === entry;
    return !isOver(entry.refresh?.expiresAt, now) && entry.generation >= live.generation - RETIRED_AT_MOST;
  });
  const kept = { entries: new Map(entries), clients: state.clients };
  return { ...kept, clients: pruneClients(kept, now, newcomer) };
}

function pruneClients(
  { clients, entries }: RegistryState,
  now: number,
  newcomer: LocalClient | undefined,
): ReadonlyMap<string, LocalClient> {
  const inUse = new Set([...entries.values()].map(({ clientId }) => clientId));
  const kept = [...clients.values()].filter((client) => inUse.has(client.id) || !isOver(endOf(client), now));
  const tooMany = kept.length - CLIENTS_AT_MOST;
  // The first to go are those to which the person never said yes, the oldest first: a crowd of new ones, which any
  // program can register, drives out no client that the person knows.
  const leaving = kept
    .filter((client) => client !== newcomer && !inUse.has(client.id))
    .toSorted((a, b) => (a.allowedAt ?? 0) - (b.allowedAt ?? 0) || a.createdAt - b.createdAt)
    .slice(0, Math.max(tooMany, 0));
  const gone = new Set(leaving);
  return new Map(kept.filter((client) => !gone.has(client)).map((client) => [client.id, client]));
}

function endOf({ allowedAt, createdAt }: LocalClient): number {
  return allowedAt === undefined ? createdAt + UNUSED_CLIENT_MS : allowedAt + IDLE_CLIENT_MS;
}

/** Who has access now, the oldest first: one for each family. */
export function accessesOf(state: RegistryState, uses: ReadonlyMap<string, number>, now: number): LocalAccess[] {
  const lastUses = new Map<string, number>();
  for (const { family, id, lastUsedAt } of state.entries.values()) {
    const usedAt = Math.max(uses.get(id) ?? 0, lastUsedAt ?? 0, lastUses.get(family) ?? 0);
    if (usedAt > 0) lastUses.set(family, usedAt);
  }
  return [...state.entries.values()]
    .filter((entry) => isLive(entry, now))
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .map((entry) => accessOf(entry, lastUses.get(entry.family)));
}

/** The access as the person sees it. Ends with the refresh token, where there is one. */
export function accessOf(entry: AccessEntry, lastUsedAt = entry.lastUsedAt): LocalAccess {
  const expiresAt = entry.refresh === undefined ? entry.expiresAt : entry.refresh.expiresAt;
  return {
    id: entry.family,
    kind: entry.kind,
    label: entry.label ?? entry.agentName ?? entry.prefix,
    allowedTools: entry.allowedTools,
    createdAt: entry.createdAt,
    ...(entry.connection !== undefined && { connection: entry.connection }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
  };
}
