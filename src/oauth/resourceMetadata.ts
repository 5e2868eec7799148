import { array, boolean, fallback, type InferOutput, looseObject, optional, safeParse, string } from 'valibot';
import { checkEndpoint, shownUrl } from './addressPolicy.ts';
import { isOAuthError, OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { readJson } from './readJson.ts';
import { canonicalResource } from './serverUrl.ts';

const strings = fallback(optional(array(string())), undefined);
const flag = fallback(optional(boolean()), undefined);

/** What is read of RFC 9728 section 2. */
const resourceMetadataSchema = looseObject({
  resource: string(),
  authorization_servers: strings,
  scopes_supported: strings,
  resource_name: fallback(optional(string()), undefined),
  dpop_signing_alg_values_supported: strings,
  dpop_bound_access_tokens_required: flag,
});

export type ResourceMetadata = InferOutput<typeof resourceMetadataSchema>;

/** Where a protected resource's metadata may lie: path-inserted, then at the root (RFC 9728 section 3.1, P1). */
export function resourceMetadataUrls(server: URL): readonly string[] {
  const path = server.pathname.replace(/\/$/, '');
  const root = `${server.origin}/.well-known/oauth-protected-resource`;
  return path === '' && server.search === '' ? [root] : [`${root}${path}${server.search}`, root];
}

/** What a document says, whatever resource it is of; undefined when it is no metadata (RFC 9728 section 2). */
export function readResourceMetadata(document: unknown): ResourceMetadata | undefined {
  const result = safeParse(resourceMetadataSchema, document);
  return result.success ? result.output : undefined;
}

/**
 * Judges a metadata document found at `url` for the server (P3): its `resource` is the server's URL,
 * or a same-origin path prefix of it.
 * Throws `resource_metadata_invalid` or `resource_mismatch`.
 */
export function judgeResourceMetadata(document: unknown, url: string, server: URL): ResourceMetadata {
  const metadata = readResourceMetadata(document);
  if (metadata === undefined) {
    throw new OAuthError('resource_metadata_invalid', { url: shownUrl(new URL(url)), problem: 'schema' });
  }
  if (!isResourceOf(metadata.resource, server)) {
    throw new OAuthError('resource_mismatch', {
      expected: shownUrl(server),
      actual: metadata.resource.slice(0, 200),
    });
  }
  return metadata;
}

/** Whether `resource` is the server's URL, or a same-origin path prefix of it at a segment's border (P3). */
export function isResourceOf(resource: string, server: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const url = new URL(resource);
  if (url.origin !== server.origin || url.hash !== '' || url.username !== '' || url.password !== '') return false;
  if (canonicalResource(url) === canonicalResource(server)) return true;
  if (url.search !== '') return false;
  const prefix = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  return `${server.pathname}/`.startsWith(prefix);
}

/**
 * Finds the server's RFC 9728 metadata: at `learntUrl` if a challenge named one (P1, P2), else at the
 * well-known places. Undefined when there is none.
 * Throws `resource_mismatch` when a document names another resource. Other failures are told only of
 * `learntUrl`: at a well-known place that the server never named, anything may answer.
 */
export async function fetchResourceMetadata(
  fetch: Fetch,
  server: URL,
  learntUrl: string | undefined,
  reach: Reach,
  signal?: AbortSignal,
): Promise<ResourceMetadata | undefined> {
  const urls = learntUrl === undefined ? resourceMetadataUrls(server) : [learntUrl, ...resourceMetadataUrls(server)];
  let failure: unknown;
  for (const url of new Set(urls)) {
    try {
      checkEndpoint(url, 'resource_metadata', reach);
      const response = await fetch(url, { method: 'GET', headers: { accept: 'application/json' }, reach, signal });
      const document = response.ok ? await readJson(response) : undefined;
      if (document !== undefined) return judgeResourceMetadata(document, url, server);
    } catch (error) {
      if (!isOAuthError(error)) throw error;
      if (url === learntUrl || error.code === 'resource_mismatch') failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}
