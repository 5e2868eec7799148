// What the official suite gives every client under test, and the browser that it expects of each.
import { get, type IncomingMessage } from 'node:http';
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

/**
 * The browser of tests: the authorization URL answers with a redirect, to the callback URL that this gives. It sends no
 * `Sec-Fetch-Mode`, as Node's own fetch does, which an authorization server may take for a script on a page.
 */
export async function followRedirect(url: string): Promise<URL | undefined> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject);
  });
  response.resume();
  const { location } = response.headers;
  return location === undefined ? undefined : new URL(location, url);
}
