// Real clients' code against the gateway's authorization server.
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as oidc from 'openid-client';
import { followRedirect } from '../../conformance/suite.ts';
import { type AuthorizationFixture, serveAuthorization } from '../../headless/gatewayAuthorization.ts';
import { REDIRECT_URI } from '../../headless/gatewayClient.ts';

let gateway: AuthorizationFixture;

beforeEach(async () => {
  gateway = await serveAuthorization();
});
afterEach(async () => gateway.stop());

async function landAt(url: URL): Promise<URL> {
  const callback = await followRedirect(url.href);
  assert.ok(callback !== undefined);
  return callback;
}

describe('openid-client', () => {
  it('P38, P39 discovers, registers, authorizes, renews and revokes', async () => {
    const options = { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' as const };
    const metadata = {
      client_name: 'openid-client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
    };
    const server = new URL(gateway.origin);
    const config = await oidc.dynamicClientRegistration(server, metadata, oidc.None(), options);
    assert.equal(config.serverMetadata().issuer, gateway.origin);
    const resource = `${gateway.origin}/notes/mcp`;
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'mcp',
      resource,
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    // It compares `iss` with the issuer itself, since the metadata promise it (RFC 9207).
    let tokens = await oidc.authorizationCodeGrant(config, await landAt(url), checks, { resource });
    for (let rotation = 1; rotation <= 3; rotation += 1) {
      assert.notEqual(gateway.registry.use(tokens.access_token, 'notes'), undefined);
      assert.equal(tokens.expires_in, 86_400);
      assert.equal(tokens.scope, 'mcp');
      gateway.clock.advance(3_600_000);
      tokens = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', { resource, scope: 'mcp' });
    }
    await oidc.tokenRevocation(config, tokens.refresh_token ?? '');
    assert.equal(gateway.registry.use(tokens.access_token, 'notes'), undefined);
    await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''), { error: 'invalid_grant' });
  });

  it('P44 is told that the person said no', async () => {
    const options = { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' as const };
    const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
    const config = await oidc.dynamicClientRegistration(new URL(gateway.origin), metadata, oidc.None(), options);
    gateway.askConsent = async () => ({ type: 'denied' });
    const verifier = oidc.randomPKCECodeVerifier();
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const callback = await landAt(url);
    await assert.rejects(oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier }), {
      error: 'access_denied',
    });
  });
});

/** What a client of the SDK keeps. */
function createProvider(redirectUris: readonly string[] = [REDIRECT_URI]) {
  type Kept = {
    client?: Awaited<ReturnType<OAuthClientProvider['clientInformation']>>;
    tokens?: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
    verifier?: string;
    url?: URL;
  };
  const kept: Kept = {};
  const provider: OAuthClientProvider = {
    redirectUrl: REDIRECT_URI,
    clientMetadata: {
      client_name: 'SDK',
      redirect_uris: [...redirectUris],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.url = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'client') delete kept.client;
      if (scope === 'all' || scope === 'tokens') delete kept.tokens;
    },
  };
  return { kept, provider };
}

describe('auth() of the MCP SDK', () => {
  it('P38, P39 gets in by the metadata of the connection, and renews', async () => {
    const { kept, provider } = createProvider();
    const serverUrl = `${gateway.origin}/files/mcp`;
    assert.equal(await auth(provider, { serverUrl }), 'REDIRECT');
    assert.equal(kept.url?.searchParams.get('resource'), serverUrl);
    const authorizationCode = (await landAt(kept.url)).searchParams.get('code') ?? '';
    assert.equal(await auth(provider, { serverUrl, authorizationCode }), 'AUTHORIZED');
    const first = kept.tokens?.access_token ?? '';
    assert.equal(gateway.registry.use(first, 'files')?.label, 'SDK');
    assert.equal(await auth(provider, { serverUrl }), 'AUTHORIZED');
    const second = kept.tokens?.access_token ?? '';
    assert.notEqual(second, first);
    assert.equal(gateway.registry.use(first, 'files'), undefined);
    assert.notEqual(gateway.registry.use(second, 'files'), undefined);
  });

  it('P40 begins anew after its access was revoked in the editor', async () => {
    const { kept, provider } = createProvider();
    const serverUrl = `${gateway.origin}/notes/mcp`;
    await auth(provider, { serverUrl });
    const authorizationCode = (await landAt(kept.url ?? new URL(serverUrl))).searchParams.get('code') ?? '';
    await auth(provider, { serverUrl, authorizationCode });
    await gateway.registry.revoke(gateway.registry.accesses.map(({ id }) => id));
    assert.equal(await auth(provider, { serverUrl }), 'REDIRECT');
  });

  it('P42 keeps what it has while the gateway cannot use its registry', async () => {
    const { kept, provider } = createProvider();
    const serverUrl = `${gateway.origin}/notes/mcp`;
    await auth(provider, { serverUrl });
    const authorizationCode = (await landAt(kept.url ?? new URL(serverUrl))).searchParams.get('code') ?? '';
    await auth(provider, { serverUrl, authorizationCode });
    await gateway.registry.dispose();
    await assert.rejects(auth(provider, { serverUrl }));
    assert.notEqual(kept.client, undefined);
    assert.notEqual(kept.tokens, undefined);
    await gateway.registry.load();
    assert.equal(await auth(provider, { serverUrl }), 'AUTHORIZED');
  });
});
