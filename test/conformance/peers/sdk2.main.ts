// The stock client of the MCP SDK 2.x under the official suite.
import * as sdk from '@modelcontextprotocol/client';
import { STATELESS_VERSION, suiteRun } from '../suite.ts';
import { grantOf } from './grant.ts';
import { MemoryProvider } from './memoryProvider.ts';
import { runPeer } from './runPeer.ts';
import { runSdk } from './sdkRun.ts';

const { serverUrl, version, context } = suiteRun();
const grant = grantOf(context);

/** The SDK sends DPoP proofs when the provider has a session for them. */
class DpopProvider extends MemoryProvider {
  readonly #session = sdk.DpopSession.create();

  async dpop(): Promise<sdk.DpopSession> {
    return this.#session;
  }
}

const interactive = new DpopProvider(context);

/**
 * The SDK has no provider for a workload's assertion: there it signs in as ever. (The provider for an identity
 * provider's grant passes that scenario when it is given the assertion, and an empty client secret, which it requires.)
 */
function chooseProvider(): sdk.OAuthClientProvider {
  switch (grant.type) {
    case 'client_secret':
      return new sdk.ClientCredentialsProvider(grant);
    case 'private_key':
      return new sdk.PrivateKeyJwtProvider(grant);
    case 'enterprise_managed':
      return new sdk.CrossAppAccessProvider({
        ...grant,
        assertion: async ({ authorizationServerUrl, resourceUrl, scope }) => {
          const { jwtAuthGrant } = await sdk.requestJwtAuthorizationGrant({
            tokenEndpoint: grant.tokenEndpoint,
            audience: authorizationServerUrl,
            resource: resourceUrl,
            idToken: grant.idToken,
            clientId: grant.idpClientId,
            ...(scope !== undefined && { scope }),
          });
          return jwtAuthGrant;
        },
      });
    case 'authorization_code':
      return interactive;
  }
}

const authProvider = chooseProvider();
const mode = version >= STATELESS_VERSION ? ({ pin: version } as const) : 'legacy';

function newTransport(): sdk.StreamableHTTPClientTransport {
  return new sdk.StreamableHTTPClientTransport(new URL(serverUrl), { authProvider });
}

function newClient() {
  return new sdk.Client({ name: 'conformance-sdk-2', version: '0.0.0' }, { versionNegotiation: { mode } });
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
      finishAuth: async (callback) => transport.finishAuth(callback.searchParams),
      close: async () => transport.close(),
    },
    interactive,
  ),
);
