// The stock client of the MCP SDK 2.x under the official suite.
import { STATELESS_VERSION, suiteRun } from '../suite.ts';
import { grantOf } from './grant.ts';
import { MemoryProvider } from './memoryProvider.ts';
import { requireInPeer } from './peers.ts';
import { runPeer } from './runPeer.ts';
import { runSdk } from './sdkRun.ts';

interface ClientSecret {
  readonly clientId: string;
  readonly clientSecret: string;
}

interface Transport {
  finishAuth(callback: URLSearchParams): Promise<void>;
  close(): Promise<void>;
}

interface AssertionRequest {
  readonly authorizationServerUrl: string;
  readonly resourceUrl: string;
  readonly scope?: string;
}

/** What is used of the SDK. It is not there when types are checked, hence not its own types. */
interface Sdk {
  readonly Client: new (
    info: { readonly name: string; readonly version: string },
    options: { readonly versionNegotiation: { readonly mode: 'legacy' | { readonly pin: string } } },
  ) => {
    connect(transport: Transport): Promise<void>;
    listTools(): Promise<unknown>;
    callTool(params: { readonly name: string; readonly arguments: object }): Promise<unknown>;
  };
  readonly StreamableHTTPClientTransport: new (url: URL, options: { readonly authProvider: object }) => Transport;
  readonly ClientCredentialsProvider: new (options: ClientSecret) => object;
  readonly PrivateKeyJwtProvider: new (options: {
    readonly clientId: string;
    readonly privateKey: string;
    readonly algorithm: string;
  }) => object;
  readonly CrossAppAccessProvider: new (
    options: ClientSecret & { readonly assertion: (request: AssertionRequest) => Promise<string> },
  ) => object;
  readonly DpopSession: { create(): Promise<object> };
  requestJwtAuthorizationGrant(options: {
    readonly tokenEndpoint: string;
    readonly audience: string;
    readonly resource: string;
    readonly idToken: string;
    readonly clientId: string;
    readonly scope?: string;
  }): Promise<{ readonly jwtAuthGrant: string }>;
}

const sdk: Sdk = requireInPeer('sdk-2')('@modelcontextprotocol/client');
const { serverUrl, version, context } = suiteRun();
const grant = grantOf(context);

/** The SDK sends DPoP proofs when the provider has a session for them. */
class DpopProvider extends MemoryProvider {
  readonly #session = sdk.DpopSession.create();

  async dpop(): Promise<object> {
    return this.#session;
  }
}

const interactive = new DpopProvider(context);

/**
 * The SDK has no provider for a workload's assertion: there it signs in as ever. (The provider for an identity
 * provider's grant passes that scenario when it is given the assertion, and an empty client secret, which it requires.)
 */
function chooseProvider(): object {
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

function newTransport(): Transport {
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
