import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { CLIENT_METADATA_URL, followRedirect, type SuiteContext } from '../suite.ts';

const REDIRECT_URI = 'http://localhost:3000/callback';

/** The provider that the SDKs ask an application to write: it keeps what it is given, and opens the browser. */
export class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadataUrl = CLIENT_METADATA_URL;
  readonly clientMetadata = {
    client_name: 'conformance-peer',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #codeVerifier = '';
  #discovery: OAuthDiscoveryState | undefined;
  #callback: URL | undefined;

  /** Takes the client that was registered by hand, where the suite gives one. */
  constructor({ client_id: clientId, client_secret: clientSecret, issuer }: SuiteContext) {
    if (clientId === undefined) return;
    this.#client = {
      client_id: clientId,
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
      ...(issuer !== undefined && { issuer }),
    };
  }

  /** Gives the callback URL of a sign-in that has yet to be finished, once. */
  takeCallback(): URL | undefined {
    const callback = this.#callback;
    this.#callback = undefined;
    return callback;
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client;
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client;
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
    // Both SDKs want it kept over one sign-in, and leave it to us to forget it before a later 401 asks anew.
    this.#discovery = undefined;
  }

  saveCodeVerifier(codeVerifier: string): void {
    this.#codeVerifier = codeVerifier;
  }

  codeVerifier(): string {
    return this.#codeVerifier;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  async redirectToAuthorization(authorizationUrl: URL): Promise<void> {
    this.#callback = await followRedirect(authorizationUrl.href);
  }

  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'all' || scope === 'client') this.#client = undefined;
    if (scope === 'all' || scope === 'tokens') this.#tokens = undefined;
    if (scope === 'all' || scope === 'discovery') this.#discovery = undefined;
  }
}
