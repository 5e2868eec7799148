// The stock client of the MCP SDK 1.x under the official suite. It speaks only the stateful revisions.
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { suiteRun } from '../suite.ts';
import { MemoryProvider } from './memoryProvider.ts';
import { grantOf } from './grant.ts';
import { runPeer } from './runPeer.ts';
import { runSdk } from './sdkRun.ts';

const { serverUrl, context } = suiteRun();
const grant = grantOf(context);
const interactive = new MemoryProvider(context);

/** The SDK has no provider for an identity provider's grant or a workload's assertion: there it signs in as ever. */
function chooseProvider(): OAuthClientProvider {
  switch (grant.type) {
    case 'client_secret':
      return new ClientCredentialsProvider(grant);
    case 'private_key':
      return new PrivateKeyJwtProvider(grant);
    default:
      return interactive;
  }
}

const authProvider = chooseProvider();

function newTransport(): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(serverUrl), { authProvider });
}

function newClient(): Client {
  return new Client({ name: 'conformance-sdk-1', version: '0.0.0' });
}

let transport = newTransport();
let client = newClient();

await runPeer(async () =>
  runSdk(
    {
      connect: async () => {
        transport = newTransport();
        client = newClient();
        await client.connect(transport);
      },
      listTools: async () => client.listTools(),
      callTool: async () => client.callTool({ name: 'test-tool', arguments: {} }),
      finishAuth: async (callback) => transport.finishAuth(callback.searchParams.get('code') ?? ''),
      close: async () => transport.close(),
    },
    interactive,
  ),
);
