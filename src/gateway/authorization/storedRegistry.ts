import {
  array,
  boolean,
  check,
  type InferOutput,
  integer,
  literal,
  minValue,
  nullish,
  number,
  object,
  picklist,
  pipe,
  record,
  regex,
  string,
  toLowerCase,
  transform,
  union,
} from 'valibot';
import { ACCESS_KINDS, type AllowedTools } from '../localAccess.ts';
import type { AccessEntry, LocalClient, RegistryState } from './registryState.ts';

/** The version of the document that this code writes. */
export const REGISTRY_VERSION = 2;

/** The file with the registry. Only the owner window writes it. */
export interface RegistryFile {
  /** Undefined when there is no file yet. Throws `storage_failed`, `storage_too_new` or `storage_broken`. */
  read(): Promise<StoredRegistry | undefined>;
  /**
   * Atomic: a reader sees the old or the new document. Before a document of an earlier version is replaced, a backup
   * of it is left (P42). Throws `storage_failed`; then the file is as it was.
   */
  write(document: StoredRegistry): Promise<void>;
}

const hash = pipe(string(), regex(/^[0-9a-f]{64}$/i), toLowerCase());
/** RFC 3339, kept as it came; whatever wrote version 1 may have written nanoseconds. */
const time = pipe(
  string(),
  check((text) => !Number.isNaN(Date.parse(text))),
);
/** `*` among the names stands for all tools; null, which Go writes for an empty list, for none. */
const tools = nullish(union([literal('*'), array(string())]));

const storedToken = object({
  // Version 1.
  id: string(),
  label: nullish(string()),
  hash,
  prefix: string(),
  allowed_tools: tools,
  agent_name: nullish(string()),
  created_at: time,
  expires_at: nullish(time),
  last_used_at: nullish(time),
  revoked: boolean(),
  revoked_at: nullish(time),
  // Version 2.
  refresh_token_hash: nullish(
    pipe(
      union([literal(''), hash]),
      transform((text) => (text === '' ? undefined : text)),
    ),
  ),
  refresh_expires_at: nullish(time),
  kind: nullish(picklist(ACCESS_KINDS)),
  connection: nullish(string()),
  client_id: nullish(string()),
  family: nullish(string()),
  generation: nullish(pipe(number(), integer(), minValue(1))),
  used: nullish(boolean()),
  rotated_at: nullish(time),
});

const storedClient = object({
  client_id: string(),
  client_name: nullish(string()),
  redirect_uris: array(string()),
  created_at: time,
  allowed_at: nullish(time),
  remembered: nullish(record(string(), tools)),
});

/** What the file may hold (P42); version 1 has the tokens alone, and less of them. */
export const storedRegistrySchema = object({
  version: picklist([1, REGISTRY_VERSION]),
  tokens: record(string(), storedToken),
  clients: nullish(record(string(), storedClient)),
});

export type StoredRegistry = InferOutput<typeof storedRegistrySchema>;
type StoredToken = InferOutput<typeof storedToken>;
type StoredClient = InferOutput<typeof storedClient>;

/** What a document says. Tokens that were revoked are left out: an unknown token is as good as a revoked one. */
export function stateOf(document: StoredRegistry): RegistryState {
  const entries = Object.values(document.tokens)
    .filter(({ revoked, rotated_at: rotatedAt }) => !revoked || typeof rotatedAt === 'string')
    .map(entryOf);
  const clients = Object.values(document.clients ?? {}).map(clientOf);
  return {
    entries: new Map(entries.map((entry) => [entry.id, entry])),
    clients: new Map(clients.map((client) => [client.id, client])),
  };
}

/** The document of a state. */
export function documentOf({ clients, entries }: RegistryState): StoredRegistry {
  return {
    version: REGISTRY_VERSION,
    tokens: Object.fromEntries([...entries.values()].map((entry) => [entry.id, storedTokenOf(entry)])),
    clients: Object.fromEntries([...clients.values()].map((client) => [client.id, storedClientOf(client)])),
  };
}

function entryOf(token: StoredToken): AccessEntry {
  const refreshEnd = msOf(token.refresh_expires_at);
  return {
    id: token.id,
    family: token.family ?? token.id,
    generation: token.generation ?? 1,
    kind: token.kind ?? 'token',
    allowedTools: toolsOf(token.allowed_tools),
    hash: token.hash,
    prefix: token.prefix,
    createdAt: Date.parse(token.created_at),
    isUsed: token.used ?? false,
    ...given('label', token.label),
    ...given('agentName', token.agent_name),
    ...given('connection', token.connection),
    ...given('clientId', token.client_id),
    ...given('expiresAt', msOf(token.expires_at)),
    ...given('lastUsedAt', msOf(token.last_used_at)),
    ...given('rotatedAt', msOf(token.rotated_at)),
    ...(typeof token.refresh_token_hash === 'string' && {
      refresh: { hash: token.refresh_token_hash, ...given('expiresAt', refreshEnd) },
    }),
  };
}

function storedTokenOf(entry: AccessEntry): StoredToken {
  const isRetired = entry.rotatedAt !== undefined;
  return {
    id: entry.id,
    ...given('label', entry.label),
    hash: entry.hash,
    prefix: entry.prefix,
    allowed_tools: storedToolsOf(entry.allowedTools),
    ...given('agent_name', entry.agentName),
    created_at: textOf(entry.createdAt),
    ...given('expires_at', entry.expiresAt === undefined ? undefined : textOf(entry.expiresAt)),
    ...given('last_used_at', entry.lastUsedAt === undefined ? undefined : textOf(entry.lastUsedAt)),
    // Whoever knows version 1 alone takes a retired pair for what it is.
    revoked: isRetired,
    ...(entry.rotatedAt !== undefined && { revoked_at: textOf(entry.rotatedAt), rotated_at: textOf(entry.rotatedAt) }),
    ...given('refresh_token_hash', entry.refresh?.hash),
    ...(entry.refresh?.expiresAt !== undefined && { refresh_expires_at: textOf(entry.refresh.expiresAt) }),
    kind: entry.kind,
    ...given('connection', entry.connection),
    ...given('client_id', entry.clientId),
    family: entry.family,
    generation: entry.generation,
    used: entry.isUsed,
  };
}

function clientOf(client: StoredClient): LocalClient {
  const remembered = Object.entries(client.remembered ?? {}).map(([id, allowed]) => [id, toolsOf(allowed)] as const);
  return {
    id: client.client_id,
    redirectUris: client.redirect_uris,
    createdAt: Date.parse(client.created_at),
    remembered: Object.fromEntries(remembered),
    ...given('name', client.client_name),
    ...given('allowedAt', msOf(client.allowed_at)),
  };
}

function storedClientOf(client: LocalClient): StoredClient {
  const remembered = Object.entries(client.remembered).map(([id, allowed]) => [id, storedToolsOf(allowed)] as const);
  return {
    client_id: client.id,
    ...given('client_name', client.name),
    redirect_uris: [...client.redirectUris],
    created_at: textOf(client.createdAt),
    ...given('allowed_at', client.allowedAt === undefined ? undefined : textOf(client.allowedAt)),
    remembered: Object.fromEntries(remembered),
  };
}

function toolsOf(stored: StoredToken['allowed_tools']): AllowedTools {
  if (stored === '*' || stored?.includes('*') === true) return '*';
  return stored ?? [];
}

/** A tool that is called `*` is left out: among names that would stand for all of them. */
function storedToolsOf(allowed: AllowedTools): string[] {
  return allowed === '*' ? ['*'] : allowed.filter((name) => name !== '*');
}

function msOf(text: string | null | undefined): number | undefined {
  return typeof text === 'string' ? Date.parse(text) : undefined;
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** The property, where there is a value for it. */
function given<K extends string, V>(name: K, value: V | null | undefined): Partial<Record<K, V>> {
  // One name, one value: what TypeScript makes of a computed name is wider.
  const property: Partial<Record<K, V>> = {};
  if (value !== undefined && value !== null) property[name] = value;
  return property;
}
