import { array, maxLength, object, pipe, safeParse, string, unknown } from 'valibot';
import { isLoopbackHost, literalAddress } from '../../oauth/addressPolicy.ts';
import { plainText } from '../../oauth/errors.ts';
import { canonicalResource, parseServerUrl } from '../../oauth/serverUrl.ts';
import { hasRandomPart } from '../untrustedText.ts';

/** What Settings Sync carries of a connection: nothing else leaves this computer. */
export interface SyncedServer {
  readonly name: string;
  readonly serverUrl: string;
}

/** A connection, of which only these are looked at. */
type NamedServer = SyncedServer;

/** More are not carried, and not read. */
const SERVERS_AT_MOST = 200;
const LONGEST_NAME = 80;
const LONGEST_URL = 500;

const listSchema = array(unknown());
const entrySchema = object({ name: string(), serverUrl: pipe(string(), maxLength(LONGEST_URL)) });

/**
 * Reads a list that came from another computer, entry by entry: one that is not as it should be, or not fit to be
 * carried, is left out.
 */
export function readSynced(value: unknown): readonly SyncedServer[] {
  const list = safeParse(listSchema, value);
  if (!list.success) return [];
  const servers: SyncedServer[] = [];
  for (const each of list.output.slice(0, SERVERS_AT_MOST)) {
    const entry = safeParse(entrySchema, each);
    const server = entry.success ? carried(entry.output) : undefined;
    if (server !== undefined && !servers.some(({ serverUrl }) => serverUrl === server.serverUrl)) servers.push(server);
  }
  return servers;
}

/** Reads the URLs that are not to be offered on this computer. */
export function readDismissed(value: unknown): readonly string[] {
  const list = safeParse(array(string()), value);
  return list.success ? list.output.slice(-SERVERS_AT_MOST) : [];
}

/**
 * The list with what is connected here. What another computer has and this one has not stays: it may be used there.
 * An entry keeps its name while a connection here with its URL has it, so that two of them do not rename it by turns.
 * The oldest go when there are too many.
 */
export function withServers(synced: readonly SyncedServer[], servers: readonly NamedServer[]): readonly SyncedServer[] {
  const all = new Map(synced.map((server) => [server.serverUrl, server]));
  const here = servers.map(carried).filter((entry) => entry !== undefined);
  for (const entry of here) {
    const kept = all.get(entry.serverUrl);
    const isHere = here.some(({ name, serverUrl }) => serverUrl === entry.serverUrl && name === kept?.name);
    if (!isHere) all.set(entry.serverUrl, entry);
  }
  return [...all.values()].slice(-SERVERS_AT_MOST);
}

/** The list without a server that was removed here, unless it is connected a second time. */
export function withoutServer(
  synced: readonly SyncedServer[],
  removedUrl: string,
  left: readonly NamedServer[],
): readonly SyncedServer[] {
  if (left.some(({ serverUrl }) => serverUrl === removedUrl)) return synced;
  return synced.filter(({ serverUrl }) => serverUrl !== removedUrl);
}

/** Those of other computers that are not here, and that the person has not removed or dismissed here. */
export function offersOf(
  synced: readonly SyncedServer[],
  here: readonly NamedServer[],
  dismissed: readonly string[],
): readonly SyncedServer[] {
  const known = new Set([...here.map(({ serverUrl }) => serverUrl), ...dismissed]);
  return synced.filter(({ serverUrl }) => !known.has(serverUrl));
}

/** Whether two lists say the same, so that nothing is carried without need. */
export function isSameList(one: readonly SyncedServer[], other: readonly SyncedServer[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ name, serverUrl }, index) => name === other[index]?.name && serverUrl === other[index].serverUrl)
  );
}

/**
 * A server as it is carried; undefined for one that is not. What is on this computer or in this network by its address
 * is another thing elsewhere, and a query, or a part of the path that nobody would choose, may be a key.
 */
function carried({ name, serverUrl }: NamedServer): SyncedServer | undefined {
  if (serverUrl.length > LONGEST_URL) return undefined;
  const url = parsed(serverUrl);
  if (url === undefined || url.protocol !== 'https:' || url.search !== '' || hasRandomPart(url.pathname)) {
    return undefined;
  }
  if (isLoopbackHost(url.hostname) || literalAddress(url.hostname) !== undefined) return undefined;
  return { name: plainText(name, LONGEST_NAME) ?? url.host, serverUrl: canonicalResource(url) };
}

function parsed(serverUrl: string): URL | undefined {
  try {
    return parseServerUrl(serverUrl);
  } catch {
    return undefined;
  }
}
