import * as v from 'valibot';
import { words, type Answer, type FaultyServerRequest } from './exchange.ts';
import type { Faults } from './faults.ts';
import { goodAccessToken, type Grants } from './grants.ts';

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

/** Where the resource metadata is, as a path on the MCP server's origin. */
export function resourceMetadataPath(faults: Faults, mcpUrl: string): string {
  const inserted = `/.well-known/oauth-protected-resource${new URL(mcpUrl).pathname}`;
  return { path: inserted, root: '/.well-known/oauth-protected-resource', elsewhere: '/metadata/resource' }[
    faults.resourceMetadataAt
  ];
}

/** RFC 9728. */
export function answerResourceMetadata(faults: Faults, mcpUrl: string, issuer: string): Answer {
  if (faults.redirectResourceMetadataTo !== undefined) {
    return { status: 302, headers: { location: faults.redirectResourceMetadataTo } };
  }
  const body = {
    resource: faults.prmResource ?? mcpUrl,
    authorization_servers: faults.prmIssuers ?? [issuer],
    ...(faults.scopesSupported === undefined ? {} : { scopes_supported: faults.scopesSupported }),
  };
  return { status: 200, body };
}

/** The MCP endpoint: checks the token and answers JSON-RPC as shortly as it can be done. */
export function answerMcp(faults: Faults, grants: Grants, mcpUrl: string, request: FaultyServerRequest): Answer {
  if (faults.html) return { status: 200, body: '<!doctype html><p>Hello', headers: { 'content-type': 'text/html' } };
  if (faults.notFound) return { status: 404 };
  if (faults.unprotected) return answerMessage(request.json);

  const challenge = (parameters: Record<string, string | undefined>): Answer['headers'] => {
    const isNamed = faults.challengeResourceMetadata && !faults.noResourceMetadata;
    const metadataUrl = new URL(resourceMetadataPath(faults, mcpUrl), mcpUrl).href;
    const all = { ...parameters, ...(isNamed ? { resource_metadata: metadataUrl } : {}) };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    return { 'www-authenticate': `Bearer ${given.map(([name, value]) => `${name}="${value}"`).join(', ')}`.trim() };
  };

  const value = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = value === undefined ? undefined : goodAccessToken(grants, value);
  const isForUs =
    token !== undefined && (faults.rejectResource || token.family.resource === expectedResource(faults, mcpUrl));
  if (token === undefined || !isForUs || faults.rejectTokens) {
    const error = value === undefined ? undefined : 'invalid_token';
    const headers =
      faults.rawChallenge === undefined
        ? challenge({ error, scope: faults.challengeScope })
        : { 'www-authenticate': faults.rawChallenge };
    return { status: 401, headers: { ...headers } };
  }

  if (faults.forbidden === 'plain') return { status: 403, body: { error: 'forbidden' } };
  const needed = faults.forbidden === 'no' ? neededScopes(request.json) : words(faults.challengeScope);
  if (faults.forbidden === 'insufficient_scope' || needed.some((scope) => !token.scopes.includes(scope))) {
    return { status: 403, headers: { ...challenge({ error: 'insufficient_scope', scope: needed.join(' ') }) } };
  }
  return answerMessage(request.json);
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
