import type { Connection } from '../../connections/connection.ts';
import type { ConfiguredServer } from '../../mcpConfig/configServers.ts';
import { type EntryToken, entryTokens, isSurelyBearer, urlWithoutTokens } from '../../mcpConfig/entryTokens.ts';
import { entryUrl } from '../../mcpConfig/entryUrl.ts';
import { isOAuthError } from '../../oauth/errors.ts';
import { canonicalResource, parseServerUrl } from '../../oauth/serverUrl.ts';
import type { ServerPlace } from './serverPlaces.ts';

/** Where a server is named, with the secrets that are written there. */
export interface CandidatePlace extends ServerPlace {
  readonly tokens: readonly EntryToken[];
}

/**
 * What can become of a server.
 * - `new`: it can be added.
 * - `connected`: there is a connection to it.
 * - `routed`: it is the gateway's URL of a connection.
 * - `insecure`: it is http to another computer (P20).
 * - `reference`: its URL has a variable, whose value only the client knows.
 * - `invalid`: it has no URL that is one.
 */
export type CandidateState = 'new' | 'connected' | 'routed' | 'insecure' | 'reference' | 'invalid';

/** A server that can be taken, or why not; named once, whatever the number of files that have it. */
export interface ImportCandidate {
  readonly state: CandidateState;
  /** Canonical, and without a token; where there is none, what is written. */
  readonly serverUrl: string;
  /** As it is in the first file. Text from a file. */
  readonly name: string;
  /** At least one. */
  readonly places: readonly CandidatePlace[];
}

export interface Candidates {
  readonly candidates: readonly ImportCandidate[];
  /** How many servers are programs that clients start. */
  readonly local: number;
}

/**
 * The servers of all files, each once.
 * @param gatewayUrl gives the gateway's URL for the slug of a connection; undefined when there is none
 */
export function importCandidates(
  places: readonly ServerPlace[],
  connections: readonly Pick<Connection, 'serverUrl' | 'slug'>[],
  gatewayUrl: ((slug: string) => string) | undefined,
): Candidates {
  const connected = new Set(connections.map(({ serverUrl }) => serverUrl));
  const routed = new Set(gatewayUrl === undefined ? [] : connections.map(({ slug }) => gatewayUrl(slug)));
  const found = new Map<string, ImportCandidate>();
  let local = 0;
  for (const place of places) {
    const url = entryUrl(place.server);
    if (url === undefined) {
      local += 1;
      continue;
    }
    const { serverUrl, state } = judge(url.url, url.hasReference);
    const isConnected = state === 'new' && connected.has(serverUrl);
    const tokens = entryTokens(place.server);
    const known = found.get(serverUrl);
    found.set(serverUrl, {
      state: routed.has(url.url) ? 'routed' : isConnected ? 'connected' : state,
      serverUrl,
      name: known?.name ?? place.server.name,
      places: [...(known?.places ?? []), { ...place, tokens }],
    });
  }
  return { candidates: [...found.values()], local };
}

/** The URL of an entry as that of a connection; undefined when it has none that one could connect. */
export function urlOfEntry(server: ConfiguredServer): string | undefined {
  const url = entryUrl(server);
  const judged = url === undefined ? undefined : judge(url.url, url.hasReference);
  return judged?.state === 'new' ? judged.serverUrl : undefined;
}

function judge(text: string, hasReference: boolean): Pick<ImportCandidate, 'serverUrl' | 'state'> {
  const serverUrl = urlWithoutTokens(text);
  if (hasReference) return { serverUrl, state: 'reference' };
  try {
    return { serverUrl: canonicalResource(parseServerUrl(serverUrl)), state: 'new' };
  } catch (error) {
    return { serverUrl, state: isOAuthError(error, 'insecure_url') ? 'insecure' : 'invalid' };
  }
}

/** Whether the person can take it: to add it, or to lead its client through the gateway. */
export function isTakeable({ state }: ImportCandidate): boolean {
  return state === 'new' || state === 'connected';
}

/**
 * The token of a candidate that can be moved to the keychain, as the first place has it. Not one that has to be tried
 * first: its file is edited before anybody signs in, and would be left with a server that refuses it.
 */
export function movableToken({ places }: ImportCandidate): EntryToken | undefined {
  return places.flatMap(({ tokens }) => tokens).find(isSurelyBearer);
}
