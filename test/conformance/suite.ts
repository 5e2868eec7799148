// What the official suite gives every client under test, and the browser that it expects of each.
import * as v from 'valibot';

/** What a person would know, and enter: a client that was registered by hand, and what else the sign-in needs. */
const contextSchema = v.looseObject({
  client_id: v.optional(v.string()),
  client_secret: v.optional(v.string()),
  issuer: v.optional(v.string()),
  private_key_pem: v.optional(v.string()),
  signing_algorithm: v.optional(v.string()),
  valid_jwt: v.optional(v.string()),
  idp_issuer: v.optional(v.string()),
  idp_token_endpoint: v.optional(v.string()),
  idp_client_id: v.optional(v.string()),
  idp_id_token: v.optional(v.string()),
});

export type SuiteContext = v.InferOutput<typeof contextSchema>;

/** The client ID metadata document that the suite's authorization servers know. */
export const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json';

/** The revision of MCP that has no `initialize`. */
export const STATELESS_VERSION = '2026-07-28';

/** Reads what the suite has set for this process: the server, the revision of MCP to speak, and the context. */
export function suiteRun(): {
  readonly serverUrl: string;
  readonly version: string;
  readonly context: SuiteContext;
} {
  return {
    serverUrl: process.argv.at(-1) ?? '',
    version: process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25',
    context: v.parse(contextSchema, JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}')),
  };
}

/** The suite's browser: the authorization URL answers with a redirect, to the callback URL that this gives. */
export async function followRedirect(url: string): Promise<URL | undefined> {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  return location === null ? undefined : new URL(location, url);
}
