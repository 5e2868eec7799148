// The client under test of the official conformance suite: it speaks MCP and asks the token manager for tokens.
// It knows nothing of the scenario but the URL of the server and the context that every client is given.
import * as v from 'valibot';
import { createHeadlessManager } from '../headless/headlessManager.ts';
import { McpClient } from './mcpClient.ts';

const contextSchema = v.looseObject({ client_id: v.optional(v.string()), client_secret: v.optional(v.string()) });

/** The suite's browser: the authorization URL answers with a redirect to the callback. */
async function followRedirect(url: string): Promise<URL | undefined> {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  return location === null ? undefined : new URL(location, url);
}

const serverUrl = process.argv.at(-1) ?? '';
const context = v.parse(contextSchema, JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}'));
const headless = createHeadlessManager({
  browser: followRedirect,
  clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
});
const { manager } = headless;
const { id } = await manager.add(serverUrl);

/** Signs in, as the person would: with the client that was registered by hand when the server asks for one. */
async function signIn(): Promise<void> {
  try {
    await manager.authorize(id);
  } catch (error) {
    const { client_id: clientId, client_secret: clientSecret } = context;
    const issuer = issuerThatAsksForClient();
    if (clientId === undefined || issuer === undefined) throw error;
    await manager.configure(id, { client: { issuer, clientId } }, clientSecret);
    await manager.authorize(id);
  }
}

/** The authorization server that registers nobody, as the failed sign-in has left it with the connection. */
function issuerThatAsksForClient(): string | undefined {
  const error = manager.get(id)?.lastError;
  const details = v.safeParse(v.object({ issuer: v.string() }), error?.details);
  return error?.code === 'registration_unsupported' && details.success ? details.output.issuer : undefined;
}

const client = new McpClient(serverUrl, process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25', {
  accessToken: async () => (manager.get(id)?.issuer === undefined ? undefined : manager.accessToken(id)),
  onChallenge: async (challenge) => {
    const outcome = await manager.answerChallenge(id, challenge);
    if (outcome.type !== 'authorize') return outcome.type;
    await signIn();
    return 'retry';
  },
});

try {
  await client.run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await headless.dispose();
}
