import {
  array,
  boolean,
  fallback,
  type InferOutput,
  looseObject,
  optional,
  pipe,
  safeParse,
  string,
  url,
} from 'valibot';
import { checkEndpoint } from './addressPolicy.ts';
import { type Attempt, isOAuthError, OAuthError } from './errors.ts';
import type { Fetch, Reach } from './fetchPort.ts';
import { readJson } from './readJson.ts';

/** What is optional counts as absent when it is null or malformed: some servers write `null` or `""`. */
const strings = fallback(optional(array(string())), undefined);
const endpoint = fallback(optional(pipe(string(), url())), undefined);
const flag = fallback(optional(boolean()), undefined);

/** What is read of RFC 8414 / OpenID Connect Discovery metadata. */
const metadataSchema = looseObject({
  issuer: string(),
  /** Absent where no grant needs it, e.g. with client credentials alone. */
  authorization_endpoint: endpoint,
  token_endpoint: pipe(string(), url()),
  device_authorization_endpoint: endpoint,
  registration_endpoint: endpoint,
  revocation_endpoint: endpoint,
  scopes_supported: strings,
  grant_types_supported: strings,
  token_endpoint_auth_methods_supported: strings,
  token_endpoint_auth_signing_alg_values_supported: strings,
  revocation_endpoint_auth_methods_supported: strings,
  code_challenge_methods_supported: strings,
  dpop_signing_alg_values_supported: strings,
  authorization_response_iss_parameter_supported: flag,
  client_id_metadata_document_supported: flag,
});

/** An authorization server's metadata, checked: RFC 8414 section 2. */
export type AuthorizationServerMetadata = InferOutput<typeof metadataSchema>;

/** The members that are URLs to which requests go. */
export const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'device_authorization_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
] as const;

/**
 * Throws `grant_unsupported` when the server lists its grant types and this one is not among them: one
 * that lists none may still do it (RFC 8414 section 2).
 */
export function requireGrantType(metadata: AuthorizationServerMetadata, grantType: string): void {
  const supported = metadata.grant_types_supported ?? [];
  if (supported.length > 0 && !supported.includes(grantType)) {
    throw new OAuthError('grant_unsupported', { issuer: metadata.issuer, grantType, supported });
  }
}

/** An origin and a path, in the characters that a URL is written in; brackets only around an IPv6 address. */
const ISSUER = /^https?:\/\/(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?(?:\/[\w\-.~!$&'()*+,;=:@%/]*)?$/i;

/** Whether a text can be an issuer: a URL with no query and no fragment (RFC 8414 section 2), and nothing else. */
export function isIssuer(text: string): boolean {
  return ISSUER.test(text) && URL.canParse(text);
}

/** Where an issuer's metadata may lie, in the order in which to try them (RFC 8414 section 3.1, P4). */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  if (path === '') {
    return [`${origin}/.well-known/oauth-authorization-server`, `${origin}/.well-known/openid-configuration`];
  }
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/** What a document says, whoever it is of; undefined when it is no metadata (RFC 8414 section 2). */
export function readServerMetadata(document: unknown): AuthorizationServerMetadata | undefined {
  const result = safeParse(metadataSchema, document);
  return result.success ? result.output : undefined;
}

/**
 * Judges a metadata document for `issuer`.
 * Throws `issuer_mismatch` when it names another issuer (P5), and `insecure_url` or
 * `address_refused` for an endpoint that must not be used (P20). Undefined when it is no metadata.
 */
export function judgeServerMetadata(
  document: unknown,
  issuer: string,
  reach: Reach,
): AuthorizationServerMetadata | undefined {
  const metadata = readServerMetadata(document);
  if (metadata === undefined) return undefined;
  if (metadata.issuer !== issuer) {
    throw new OAuthError('issuer_mismatch', { expected: issuer, actual: metadata.issuer.slice(0, 200) });
  }
  for (const role of ENDPOINTS) {
    const url = metadata[role];
    if (url !== undefined) checkEndpoint(url, role, reach);
  }
  return metadata;
}

export type MetadataLookup =
  | { readonly found: AuthorizationServerMetadata }
  /** `failure` is the first error worth telling: a wrong issuer, a refused address. */
  | { readonly found?: never; readonly tried: readonly Attempt[]; readonly failure?: unknown };

/** Tries an issuer's metadata URLs in order until one serves a valid document (P4). */
export async function fetchServerMetadata(
  fetch: Fetch,
  issuer: string,
  reach: Reach,
  signal?: AbortSignal,
): Promise<MetadataLookup> {
  const tried: Attempt[] = [];
  let failure: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      checkEndpoint(url, 'authorization_server', reach);
      const response = await fetch(url, { method: 'GET', headers: { accept: 'application/json' }, reach, signal });
      const metadata = response.ok ? judgeServerMetadata(await readJson(response), issuer, reach) : undefined;
      if (metadata !== undefined) return { found: metadata };
      tried.push({ url, outcome: response.status });
    } catch (error) {
      if (!isOAuthError(error)) throw error;
      failure ??= error;
      tried.push({ url, outcome: error.code });
    }
  }
  return { tried, ...(failure !== undefined && { failure }) };
}

/** The endpoints of a 2025-03-26 server that publishes no metadata (P4). */
export function defaultServerMetadata(origin: string): AuthorizationServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    authorization_response_iss_parameter_supported: false,
    client_id_metadata_document_supported: false,
    // That revision made PKCE with S256 a MUST for servers, and had no way to say so without metadata.
    code_challenge_methods_supported: ['S256'],
  };
}
