import * as v from 'valibot';
import type { AuthorizationServer } from './authorizationServer.ts';
import { webPage, words, type Answer, type FaultyServerRequest } from './exchange.ts';
import { judgePresentation, withNonce } from './faultyDpop.ts';
import { knowsResourceByScopes } from './faultyEntra.ts';
import type { Faults } from './faults.ts';
import { goodAccessToken, type ProofMemory } from './grants.ts';

/** The scope that a `tools/call` of this tool needs; others need none. */
const SCOPE_OF_TOOL = new Map([
  ['read_file', 'files:read'],
  ['write_file', 'files:write'],
  ['delete_file', 'files:admin'],
]);

const message = v.object({
  id: v.optional(v.union([v.string(), v.number()])),
  method: v.string(),
  params: v.optional(v.object({ name: v.optional(v.string()) })),
});

/** What the MCP server knows. */
export interface ProtectedResource {
  readonly faults: Faults;
  readonly mcpUrl: string;
  /** Whose tokens it takes: the first and the second. */
  readonly authorizationServers: readonly AuthorizationServer[];
  readonly proofs: ProofMemory;
}

/** Where the resource metadata is, as a path on the MCP server's origin. */
export function resourceMetadataPath(faults: Faults, mcpUrl: string): string {
  const inserted = `/.well-known/oauth-protected-resource${new URL(mcpUrl).pathname}`;
  return { path: inserted, root: '/.well-known/oauth-protected-resource', elsewhere: '/metadata/resource' }[
    faults.resourceMetadataAt
  ];
}

/** Which place of the MCP server is at a URL. */
export function resourceEndpointOf(faults: Faults, mcpUrl: string, url: URL): 'mcp' | 'resourceMetadata' | undefined {
  const place = url.origin + url.pathname;
  if (place === mcpUrl) return 'mcp';
  const metadataUrl = new URL(resourceMetadataPath(faults, mcpUrl), mcpUrl).href;
  return !faults.noResourceMetadata && place === metadataUrl ? 'resourceMetadata' : undefined;
}

/** RFC 9728. */
export function answerResourceMetadata({ faults, mcpUrl, authorizationServers }: ProtectedResource): Answer {
  if (faults.redirectResourceMetadataTo !== undefined) {
    return { status: 302, headers: { location: faults.redirectResourceMetadataTo } };
  }
  const [first, second] = authorizationServers.map(({ issuer }) => issuer);
  const dpop = faults.dpop?.isHidden === true ? undefined : faults.dpop;
  const issuers = { first: [first], second: [second], both: [first, second], 'second-first': [second, first] };
  const body = {
    resource: faults.prmResource ?? mcpUrl,
    authorization_servers: faults.prmIssuers ?? issuers[faults.issuers],
    ...(faults.scopesSupported === undefined ? {} : { scopes_supported: faults.scopesSupported }),
    ...(dpop === undefined ? {} : { dpop_signing_alg_values_supported: dpop.algs }),
    ...(dpop?.required === true ? { dpop_bound_access_tokens_required: true } : {}),
  };
  return { status: 200, body };
}

/** The MCP endpoint: checks the token and answers JSON-RPC as shortly as it can be done. */
export async function answerMcp(server: ProtectedResource, request: FaultyServerRequest): Promise<Answer> {
  const { faults } = server;
  if (faults.html) return webPage(200);
  if (faults.notFound) return { status: 404 };
  if (faults.unprotected) return answerMessage(request.json);
  return withNonce(faults, server.proofs, 'resource', await answerProtected(server, request));
}

async function answerProtected(server: ProtectedResource, request: FaultyServerRequest): Promise<Answer> {
  const { faults, mcpUrl } = server;
  const [scheme = '', value] = (request.headers.authorization ?? '').split(' ');
  const known =
    value === undefined
      ? []
      : server.authorizationServers.map(({ grants }) => goodAccessToken(grants, value, faults.now()));
  const token = known.find((one) => one !== undefined);
  const isForUs =
    token !== undefined &&
    (faults.rejectResource ||
      knowsResourceByScopes(faults) ||
      token.family.resource === expectedResource(faults, mcpUrl));
  const problem =
    value === undefined || token === undefined || !isForUs || faults.rejectTokens
      ? 'invalid_token'
      : await judgePresentation(faults, server.proofs, request, { scheme: scheme.toLowerCase(), value, token });
  if (token === undefined || problem !== undefined) {
    const error = value === undefined ? undefined : problem;
    const { rawChallenge } = faults;
    const usual = challenge(server, { error, scope: faults.challengeScope });
    return { status: 401, headers: rawChallenge === undefined ? usual : { 'www-authenticate': rawChallenge } };
  }

  if (faults.forbidden === 'plain') return { status: 403, body: { error: 'forbidden' } };
  const needed = faults.forbidden === 'no' ? neededScopes(request.json) : words(faults.challengeScope);
  if (faults.forbidden === 'insufficient_scope' || needed.some((scope) => !token.scopes.includes(scope))) {
    return { status: 403, headers: challenge(server, { error: 'insufficient_scope', scope: needed.join(' ') }) };
  }
  return answerMessage(request.json);
}

/** RFC 6750 section 3 and RFC 9449 section 7.1; one header for each scheme. */
function challenge(
  { faults, mcpUrl }: ProtectedResource,
  parameters: { readonly error: string | undefined; readonly scope: string | undefined },
): { 'www-authenticate': readonly string[] } {
  const isNamed = faults.challengeResourceMetadata && !faults.noResourceMetadata;
  const metadataUrl = new URL(resourceMetadataPath(faults, mcpUrl), mcpUrl).href;
  const named = { ...parameters, ...(isNamed ? { resource_metadata: metadataUrl } : {}) };
  const { algs = [], challengeScheme = 'Bearer' } = faults.dpop ?? {};
  const wanted = parameters.error === 'use_dpop_nonce' ? 'DPoP' : challengeScheme;
  const schemes = wanted === 'both' ? ['DPoP', 'Bearer'] : [wanted];
  const headers = schemes.map((scheme) => {
    const all = { ...named, ...(scheme === 'DPoP' ? { algs: algs.join(' ') } : {}) };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    return `${scheme} ${given.map(([name, value]) => `${name}="${value}"`).join(', ')}`.trim();
  });
  return { 'www-authenticate': headers };
}

/** The `resource` that requests must carry (P14). */
export function expectedResource(faults: Faults, mcpUrl: string): string {
  return faults.prmResource ?? mcpUrl;
}

function neededScopes(json: unknown): string[] {
  const parsed = v.safeParse(message, json);
  if (!parsed.success || parsed.output.method !== 'tools/call') return [];
  const scope = SCOPE_OF_TOOL.get(parsed.output.params?.name ?? '');
  return scope === undefined ? [] : [scope];
}

function answerMessage(json: unknown): Answer {
  const parsed = v.safeParse(message, json);
  if (!parsed.success)
    return { status: 400, body: { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'no' } } };
  const { id, method } = parsed.output;
  if (id === undefined) return { status: 202 };
  const results: Record<string, unknown> = {
    initialize: {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'faulty', version: '1' },
    },
    'tools/list': { tools: [...SCOPE_OF_TOOL.keys()].map((name) => ({ name, inputSchema: { type: 'object' } })) },
    'tools/call': { content: [{ type: 'text', text: 'done' }] },
  };
  return { status: 200, body: { jsonrpc: '2.0', id, result: results[method] ?? {} } };
}
