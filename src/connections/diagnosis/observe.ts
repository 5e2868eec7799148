import { checkEndpoint } from '../../oauth/addressPolicy.ts';
import { type AnyOAuthError, isOAuthError } from '../../oauth/errors.ts';
import type { Fetch, Reach } from '../../oauth/fetchPort.ts';
import { type Probe, probeServer } from '../../oauth/probe.ts';
import { readJson } from '../../oauth/readJson.ts';
import { judgeResourceMetadata, readResourceMetadata, resourceMetadataUrls } from '../../oauth/resourceMetadata.ts';
import {
  type AuthorizationServerMetadata,
  ENDPOINTS,
  isIssuer,
  judgeServerMetadata,
  metadataUrls,
  readServerMetadata,
} from '../../oauth/serverMetadata.ts';
import type { TraceRecorder } from '../traceRecorder.ts';
import {
  type DocumentTry,
  type IssuerObservation,
  type Observations,
  type ResourcePlace,
  type ResourceTry,
  resourceInUse,
} from './observations.ts';

/** Whoever names more would have us ask all of them. */
const ISSUERS_AT_MOST = 5;

export interface ObserveOptions {
  readonly reach: Reach;
  /** A metadata URL that was learnt earlier (P2). */
  readonly learntResourceMetadataUrl?: string | undefined;
  /** An authorization server that was in use, for when nobody names one now. */
  readonly knownIssuer?: string | undefined;
  /** The one that the person chose among several (P6). */
  readonly chosenIssuer?: string | undefined;
  readonly onStep: (step: 'server' | 'metadata' | 'authorization_server') => void;
  readonly signal: AbortSignal;
}

/**
 * Asks a server and its authorization servers all that can be asked without signing in, and goes on past what is
 * broken: the next place may tell more. Judges nothing.
 * Throws the signal's reason, and what is no error of a server.
 */
export async function observe(
  recorder: TraceRecorder,
  bare: Fetch,
  server: URL,
  options: ObserveOptions,
): Promise<Observations> {
  const { knownIssuer, onStep, reach, signal } = options;
  let challengeHeader: string | null = null;
  const probing: Fetch = async (url, request) => {
    const response = await bare(url, request);
    challengeHeader = response.headers.get('www-authenticate');
    return response;
  };
  onStep('server');
  const probe = await orError(async () => probeServer(recorder.recorded(probing, 'probe'), server, { reach, signal }));
  onStep('metadata');
  // Where nobody answers, nobody answers at its other URLs.
  const resource =
    isOAuthError(probe) && isAway(probe) ? [] : await observeResource(recorder, bare, server, options, probe);
  const base = { server, reach, probe, challengeHeader, resource, issuers: [], unreachable: [] };

  onStep('authorization_server');
  const fetch = recorder.recorded(bare, 'server_metadata');
  const named = issuersToAsk(base, options.chosenIssuer);
  const issuers: IssuerObservation[] = [];
  for (const issuer of named) issuers.push(await observeIssuer(recorder, fetch, issuer, 'named', reach, signal));
  if (named.length === 0 && !isOAuthError(probe)) {
    issuers.push(await observeIssuer(recorder, fetch, server.origin, 'origin', reach, signal));
    const actual = issuers[0]?.tries.find(({ document }) => document !== undefined)?.document?.issuer;
    // Nobody named an issuer here, so the origin counts in both of its spellings (P5).
    if (actual === `${server.origin}/`)
      issuers[0] = await observeIssuer(recorder, fetch, actual, 'origin', reach, signal);
  }
  if (knownIssuer !== undefined && !issuers.some(({ issuer, metadata }) => issuer === knownIssuer || metadata)) {
    issuers.push(await observeIssuer(recorder, fetch, knownIssuer, 'known', reach, signal));
  }
  const places = await observePlaces(recorder.recorded(bare, 'other'), issuers, reach, signal);
  return { ...base, issuers, unreachable: places };
}

function issuersToAsk(observations: Observations, chosen: string | undefined): readonly string[] {
  const named = [...new Set(resourceInUse(observations)?.document?.authorization_servers)].slice(0, ISSUERS_AT_MOST);
  return chosen !== undefined && named.includes(chosen) ? [...new Set([chosen, ...named])] : named;
}

async function observeResource(
  recorder: TraceRecorder,
  bare: Fetch,
  server: URL,
  { learntResourceMetadataUrl: learnt, reach, signal }: ObserveOptions,
  probe: Probe | AnyOAuthError,
): Promise<readonly ResourceTry[]> {
  const fetch = recorder.recorded(bare, 'resource_metadata');
  const challenged = isOAuthError(probe) ? undefined : probe.challenge?.resourceMetadataUrl;
  const wellKnown = resourceMetadataUrls(server);
  const places = new Map<string, ResourcePlace>();
  const add = (url: string | undefined, place: ResourcePlace): void => {
    if (url !== undefined && !places.has(url)) places.set(url, place);
  };
  add(challenged, 'challenge');
  if (challenged === undefined) add(learnt, 'learnt');
  for (const url of wellKnown) add(url, url === wellKnown.at(-1) && wellKnown.length > 1 ? 'root' : 'path');
  const tries: ResourceTry[] = [];
  for (const [url, place] of places) {
    const judge = (document: unknown) => ({
      read: readResourceMetadata(document),
      judge: () => judgeResourceMetadata(document, url, server),
    });
    const one = await observeDocument(fetch, url, 'resource_metadata', reach, judge, signal);
    if (one.error !== undefined) recorder.blame(one.error);
    tries.push({ place, ...one });
    if (one.document !== undefined && one.error === undefined) break;
  }
  return tries;
}

async function observeIssuer(
  recorder: TraceRecorder,
  fetch: Fetch,
  issuer: string,
  from: IssuerObservation['from'],
  reach: Reach,
  signal: AbortSignal,
): Promise<IssuerObservation> {
  if (!isIssuer(issuer)) return { issuer: issuer.slice(0, 200), from, tries: [] };
  const tries: DocumentTry<AuthorizationServerMetadata>[] = [];
  for (const url of metadataUrls(issuer)) {
    const judge = (document: unknown) => ({
      read: readServerMetadata(document),
      judge: () => judgeServerMetadata(document, issuer, reach),
    });
    const one = await observeDocument(fetch, url, 'authorization_server', reach, judge, signal);
    tries.push(one);
    if (one.error !== undefined) recorder.blame(one.error);
    if (one.document !== undefined && one.error === undefined) return { issuer, from, tries, metadata: one.document };
    if (one.error !== undefined && isAway(one.error)) break;
  }
  return { issuer, from, tries };
}

/** Gets a document, and keeps it though it is not what it has to be. */
async function observeDocument<T>(
  fetch: Fetch,
  url: string,
  role: 'resource_metadata' | 'authorization_server',
  reach: Reach,
  read: (document: unknown) => { readonly read: T | undefined; readonly judge: () => unknown },
  signal: AbortSignal,
): Promise<DocumentTry<T>> {
  const response = await orError(async () => {
    checkEndpoint(url, role, reach);
    return fetch(url, { method: 'GET', headers: { accept: 'application/json' }, reach, signal });
  });
  if (isOAuthError(response)) return { url, error: response };
  const { status } = response;
  const document = response.ok ? await readJson(response) : undefined;
  if (document === undefined) return { url, status };
  const { read: found, judge } = read(document);
  const judged = await orError(async () => judge());
  return {
    url,
    status,
    ...(found !== undefined && { document: found }),
    ...(isOAuthError(judged) && { error: judged }),
  };
}

/** Goes to the endpoints that lie on origins which nobody has asked yet: whether anything answers there at all. */
async function observePlaces(
  fetch: Fetch,
  issuers: readonly IssuerObservation[],
  reach: Reach,
  signal: AbortSignal,
): Promise<readonly AnyOAuthError[]> {
  const metadata = issuers.find((one) => one.metadata !== undefined)?.metadata;
  if (metadata === undefined) return [];
  const asked = new Set(issuers.flatMap(({ tries }) => tries.map(({ url }) => new URL(url).origin)));
  const errors: AnyOAuthError[] = [];
  for (const role of ENDPOINTS) {
    const url = metadata[role];
    if (url === undefined || asked.has(new URL(url).origin)) continue;
    asked.add(new URL(url).origin);
    const answer = await orError(async () => fetch(url, { method: 'GET', headersOnly: true, reach, signal }));
    if (isOAuthError(answer)) errors.push(answer);
  }
  return errors;
}

/** Whether nobody was there, or nobody who may be asked. */
function isAway({ code }: AnyOAuthError): boolean {
  return code === 'server_unreachable' || code === 'address_refused' || code === 'insecure_url';
}

/** What a server is at fault for is told, not thrown. */
async function orError<T>(task: () => Promise<T>): Promise<T | AnyOAuthError> {
  try {
    return await task();
  } catch (error) {
    if (!isOAuthError(error)) throw error;
    return error;
  }
}
