import { shownUrl } from './addressPolicy.ts';
import type { BearerChallenge } from './challenge.ts';
import { type Attempt, isOAuthError, OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { isProtocolType, type Probe, probeServer } from './probe.ts';
import { fetchResourceMetadata, type ResourceMetadata } from './resourceMetadata.ts';
import { isScopeToken, type ScopeSet, union } from './scopeSet.ts';
import {
  type AuthorizationServerMetadata,
  defaultServerMetadata,
  fetchServerMetadata,
  isIssuer,
} from './serverMetadata.ts';
import { canonicalResource } from './serverUrl.ts';
import { chooseAlgorithm } from './signingKey.ts';

/** Everything that discovery finds out about a server. */
export interface Discovery {
  /** The `resource` of RFC 8707: as the metadata spells it, else the server's canonical URL (P14). */
  readonly resource: string;
  /** The metadata URL that a challenge named; worth keeping (P2). */
  readonly resourceMetadataUrl?: string;
  readonly resourceMetadata?: ResourceMetadata;
  readonly challenge?: BearerChallenge;
  readonly authorizationServer: AuthorizationServerMetadata;
  /** All that the server names, as it orders them; the one in use among them (P6). */
  readonly issuers: readonly string[];
  /** `default`: nothing was published, the endpoints are those of the 2025-03-26 revision. */
  readonly metadataSource: 'published' | 'default';
}

export interface DiscoverOptions {
  readonly reach: Reach;
  /** A metadata URL learnt earlier, for a challenge that omits it (P2). */
  readonly learntResourceMetadataUrl?: string | undefined;
  /** The authorization server that the person chose; when the server no longer names it none is asked (P6). */
  readonly chosenIssuer?: string | undefined;
  /** Told which authorization servers there are to choose from before any is asked: none of them may answer (P6). */
  readonly onIssuers?: ((issuers: readonly string[]) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** No server has more; one that names more would have us ask all of them. */
const ISSUERS_AT_MOST = 10;

/**
 * Follows P1-P6 from the URL of an MCP server to one authorization server.
 * Throws `not_an_mcp_server`, `authorization_not_required`, `resource_metadata_invalid`, `resource_mismatch`,
 * `issuer_not_named`, `authorization_server_not_found`, `issuer_mismatch`, and what `fetch` throws.
 */
export async function discover(fetch: Fetch, server: URL, options: DiscoverOptions): Promise<Discovery> {
  const { reach, signal } = options;
  const probe = await probeServer(fetch, server, { reach, signal });
  const resourceMetadataUrl = probe.challenge?.resourceMetadataUrl ?? options.learntResourceMetadataUrl;
  const resourceMetadata = await fetchResourceMetadata(fetch, server, resourceMetadataUrl, reach, signal);
  const named = [...new Set(resourceMetadata?.authorization_servers)].slice(0, ISSUERS_AT_MOST);
  const choice = named.filter(isIssuer);
  if (resourceMetadata !== undefined) options.onIssuers?.(choice);
  if (resourceMetadata === undefined) refuseUnprotected(server, probe);
  const issuers = options.chosenIssuer === undefined ? named : [requireNamed(options.chosenIssuer, choice)];

  const found =
    issuers.length > 0
      ? {
          authorizationServer: await firstServerWithMetadata(fetch, issuers, reach, signal),
          metadataSource: 'published' as const,
        }
      : await serverAtOrigin(fetch, server, reach, signal);
  return {
    resource: resourceMetadata?.resource ?? canonicalResource(server),
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
    ...(resourceMetadata !== undefined && { resourceMetadata }),
    ...(probe.challenge !== undefined && { challenge: probe.challenge }),
    issuers: choice,
    ...found,
  };
}

/** Throws when a server without resource metadata does not ask for authorization either. */
function refuseUnprotected(server: URL, probe: Probe): void {
  const { status, contentType } = probe;
  if (status === 401 || probe.challenge !== undefined) return;
  if (status >= 200 && status < 300 && isProtocolType(contentType)) {
    throw new OAuthError('authorization_not_required', { url: shownUrl(server), status });
  }
  throw new OAuthError('not_an_mcp_server', { url: shownUrl(server), status, contentType });
}

/** A move away from what the person chose is theirs to decide: the server may have been made to name another (P11). */
function requireNamed(chosen: string, named: readonly string[]): string {
  if (!named.includes(chosen)) throw new OAuthError('issuer_not_named', { issuer: chosen, issuers: named });
  return chosen;
}

/** Tries the issuers in order until one serves valid metadata (P6). */
async function firstServerWithMetadata(
  fetch: Fetch,
  issuers: readonly string[],
  reach: Reach,
  signal: AbortSignal | undefined,
): Promise<AuthorizationServerMetadata> {
  const tried: Attempt[] = [];
  let failure: unknown;
  for (const issuer of issuers) {
    if (!isIssuer(issuer)) {
      tried.push({ url: issuer.slice(0, 200), outcome: 'not_an_issuer' });
      continue;
    }
    const lookup = await fetchServerMetadata(fetch, issuer, reach, signal);
    if (lookup.found !== undefined) return lookup.found;
    tried.push(...lookup.tried);
    failure ??= lookup.failure;
  }
  if (failure !== undefined) throw failure;
  throw new OAuthError('authorization_server_not_found', {
    issuers: issuers.map((issuer) => issuer.slice(0, 200)),
    tried,
  });
}

/** The 2025-03-26 way: metadata at the server's origin, else default endpoints there (P4). */
async function serverAtOrigin(
  fetch: Fetch,
  server: URL,
  reach: Reach,
  signal: AbortSignal | undefined,
): Promise<Pick<Discovery, 'authorizationServer' | 'metadataSource'>> {
  // Nobody named an issuer here, so the origin is tried in both of its spellings (P5).
  const lookup = await fetchServerMetadata(fetch, server.origin, reach, signal);
  if (lookup.found !== undefined) return { authorizationServer: lookup.found, metadataSource: 'published' };
  const withSlash = `${server.origin}/`;
  if (isOAuthError(lookup.failure, 'issuer_mismatch') && lookup.failure.details.actual === withSlash) {
    const second = await fetchServerMetadata(fetch, withSlash, reach, signal);
    if (second.found !== undefined) return { authorizationServer: second.found, metadataSource: 'published' };
  }
  if (lookup.failure !== undefined) throw lookup.failure;
  return { authorizationServer: defaultServerMetadata(server.origin), metadataSource: 'default' };
}

/**
 * The scopes of a first authorization (P15): the challenge's, else all that the resource metadata
 * list, else `configured`, else none.
 * @param challenged what the server demanded when it was last asked for something else than by the probe.
 */
export function initialScopes(discovery: Discovery, challenged: ScopeSet, configured: ScopeSet): ScopeSet {
  const demanded = union(challenged, discovery.challenge?.scopes ?? []);
  if (demanded.length > 0) return demanded;
  return discovery.resourceMetadata?.scopes_supported ?? configured;
}

/**
 * The algorithm to bind tokens to a key with (RFC 9449 section 5.1, SEP-1932): when the authorization server does
 * it and the MCP server says that it takes such tokens, or `always` or `never` as the person set it. With `always`
 * a server that says nothing of it is asked all the same; tokens that it does not bind are bearer tokens.
 */
export function dpopAlgorithm(discovery: Discovery, setting: 'always' | 'never' | undefined): string | undefined {
  const { authorizationServer, challenge, resourceMetadata } = discovery;
  const algorithms = authorizationServer.dpop_signing_alg_values_supported;
  const takenByResource = resourceMetadata?.dpop_signing_alg_values_supported;
  const isTaken =
    challenge?.takesDpop === true ||
    resourceMetadata?.dpop_bound_access_tokens_required === true ||
    (takenByResource ?? []).length > 0;
  if (setting === 'never' || (setting === undefined && !isTaken)) return undefined;
  if (algorithms === undefined) return setting === 'always' ? chooseAlgorithm(takenByResource) : undefined;
  return chooseAlgorithm(algorithms.filter((algorithm) => takenByResource?.includes(algorithm) ?? true));
}

/** So many are more than a person would look through. */
const SUPPORTED_AT_MOST = 200;
const LONGEST_SCOPE = 200;

/** What the metadata of both servers list, the MCP server's first (RFC 9728 section 2, RFC 8414 section 2); bounded. */
export function supportedScopes({ authorizationServer, resourceMetadata }: Discovery): ScopeSet {
  return union(resourceMetadata?.scopes_supported ?? [], authorizationServer.scopes_supported ?? [])
    .filter((scope) => isScopeToken(scope) && scope.length <= LONGEST_SCOPE)
    .slice(0, SUPPORTED_AT_MOST);
}

/** `offline_access` when the authorization server lists it, else nothing (P15). */
export function offlineScopes(metadata: AuthorizationServerMetadata): ScopeSet {
  return metadata.scopes_supported?.includes('offline_access') === true ? ['offline_access'] : [];
}
