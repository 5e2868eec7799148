import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as oauth from 'openid-client';
import { documentAt, holds, metadataOf, parsed, refused } from '../servers/faultyServerTest.ts';
import { CHALLENGE, REDIRECT_URI, SCOPE, VERIFIER } from '../servers/plainClient.ts';

describe('the faulty server without faults', () => {
  holds('a strict client library finds nothing to complain about', {}, async (_client, server) => {
    const insecure = { algorithm: 'oauth2' as const, execute: [oauth.allowInsecureRequests] };
    const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'client_secret_basic' };
    const config = await oauth.dynamicClientRegistration(
      new URL(server.issuer),
      metadata,
      oauth.ClientSecretBasic(),
      insecure,
    );
    const resource = { resource: server.mcpUrl };
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      state: 'a-state',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...resource,
    });
    const checks = { pkceCodeVerifier: VERIFIER, expectedState: 'a-state' };
    const first = await oauth.authorizationCodeGrant(config, await server.authorize(url), checks, resource);
    assert.equal(first.scope, SCOPE);
    const second = await oauth.refreshTokenGrant(config, first.refresh_token ?? '', { scope: SCOPE, ...resource });
    assert.equal(second.scope, SCOPE);
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(server.requestsTo('token').at(-1)?.form?.['resource'], server.mcpUrl);
    await oauth.tokenRevocation(config, second.refresh_token ?? '');
    assert.equal(server.isActive(second.access_token), false);
  });

  holds('P1 the challenge leads to the metadata', {}, async (client, server) => {
    const response = await client.callTool(undefined, 'read_file');
    assert.equal(response.status, 401);
    const url = /^Bearer resource_metadata="([^"]+)"$/.exec(response.headers.get('www-authenticate') ?? '')?.[1];
    assert.deepEqual(await (await fetch(url ?? '')).json(), {
      resource: server.mcpUrl,
      authorization_servers: [server.issuer],
      scopes_supported: ['files:read', 'files:write'],
    });
  });

  holds('P24 a missing scope is challenged', {}, async (client) => {
    const { access_token: token } = await client.signIn();
    assert.equal((await client.callTool(token, 'read_file')).status, 200);
    const response = await client.callTool(token, 'delete_file');
    assert.equal(response.status, 403);
    assert.match(response.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="files:admin"/);
  });

  holds('P9 a scope array is refused at registration', {}, async (client) => {
    const { status, answer } = await client.register({ scope: ['files:read'] });
    assert.deepEqual([status, answer['error']], [400, 'invalid_client_metadata']);
  });

  holds('P13 PKCE is required and checked', {}, async (client) => {
    await client.register();
    const callback = await client.authorize({ code_challenge: '' });
    assert.equal(callback.searchParams.get('error'), 'invalid_request');
    const wrong = client.exchange(await client.authorize(), { code_verifier: 'w'.repeat(43) });
    await refused(wrong, 400, 'invalid_grant');
  });

  holds('P14 resource is checked, and a token without one is not taken', {}, async (client) => {
    await client.register();
    const callback = await client.authorize({ resource: 'https://other.example' });
    assert.equal(callback.searchParams.get('error'), 'invalid_target');
    await refused(client.exchange(await client.authorize(), { resource: 'https://o.example' }), 400, 'invalid_target');
    const { access_token: token } = await parsed(client.exchange(await client.authorize({ resource: '' })));
    assert.equal((await client.callTool(token, 'read_file')).status, 401);
  });

  holds('P18 redirect URIs are those registered; only the port of a loopback one varies', {}, async (client) => {
    await client.register();
    const callback = await client.authorize({ redirect_uri: 'http://127.0.0.1:1/callback' });
    assert.equal(callback.port, '1');
    await assert.rejects(client.authorize({ redirect_uri: 'http://127.0.0.1:45678/other' }), /not registered/);
    await refused(
      client.exchange(await client.authorize(), { redirect_uri: 'http://x.example' }),
      400,
      'invalid_grant',
    );
  });

  holds('P28 a refresh token is good once, and its reuse ends the family', {}, async (client, server) => {
    const { refresh_token: used } = await client.signIn();
    const second = await parsed(client.refresh(used));
    await refused(client.refresh(used), 400, 'invalid_grant');
    assert.equal(server.isActive(second.refresh_token ?? ''), false);
    assert.equal((await client.callTool(second.access_token, 'read_file')).status, 401);
  });

  holds('the person can deny', {}, async (client) => {
    await client.register();
    const callback = await client.authorize({}, { deny: true });
    assert.equal(callback.searchParams.get('error'), 'access_denied');
  });

  holds('a scope that was not granted is refused at refresh', {}, async (client) => {
    const { refresh_token: token } = await client.signIn();
    await refused(client.refresh(token, { scope: 'files:admin' }), 400, 'invalid_scope');
  });

  holds('a forgotten client is unknown everywhere', {}, async (client, server) => {
    const { refresh_token: token } = await client.signIn();
    server.forgetClients();
    await refused(client.refresh(token), 401, 'invalid_client');
    await assert.rejects(client.authorize(), /unknown client_id/);
  });
});

const statusOf = async (url: string | URL) => (await fetch(url, { redirect: 'manual' })).status;

describe('the faults of the MCP server and its metadata', () => {
  for (const [faults, status] of [
    [{ unprotected: true }, 200],
    [{ html: true }, 200],
    [{ notFound: true }, 404],
  ] as const) {
    holds(`${Object.keys(faults).join()} answers ${status} without a token`, faults, async (client) => {
      assert.equal((await client.callTool(undefined, 'read_file')).status, status);
    });
  }

  for (const [name, faults, expected] of [
    ['challengeScope', { challengeScope: 'a b', challengeResourceMetadata: false }, 'Bearer scope="a b"'],
    ['challengeResourceMetadata', { challengeResourceMetadata: false }, 'Bearer'],
    ['rawChallenge', { rawChallenge: ['Basic realm="a, b"', 'Bearer'] }, 'Basic realm="a, b", Bearer'],
  ] as const) {
    holds(`${name} shapes the challenge`, faults, async (client) => {
      assert.equal((await client.callTool(undefined, 'read_file')).headers.get('www-authenticate'), expected);
    });
  }

  for (const [faults, status] of [
    [{ rejectTokens: true }, 401],
    [{ forbidden: 'plain' }, 403],
    [{ forbidden: 'insufficient_scope', challengeScope: 'x' }, 403],
  ] as const) {
    holds(`${JSON.stringify(faults)} refuses a good token`, faults, async (client) => {
      const { access_token: token } = await client.signIn();
      assert.equal((await client.callTool(token, 'read_file')).status, status);
    });
  }

  for (const [at, path] of [
    ['path', '/.well-known/oauth-protected-resource/mcp'],
    ['root', '/.well-known/oauth-protected-resource'],
    ['elsewhere', '/metadata/resource'],
  ] as const) {
    holds(`resourceMetadataAt ${at}`, { resourceMetadataAt: at }, async (_client, server) => {
      assert.equal((await documentAt(new URL(path, server.mcpUrl)))['resource'], server.mcpUrl);
      assert.equal(server.requests.at(-1)?.endpoint, 'resourceMetadata');
    });
  }

  holds(
    'prmResource, prmIssuers, scopesSupported',
    { prmResource: 'https://r.example', prmIssuers: ['https://a.example'], scopesSupported: undefined },
    async (_client, server) => {
      const url = new URL('/.well-known/oauth-protected-resource/mcp', server.mcpUrl);
      const expected = { resource: 'https://r.example', authorization_servers: ['https://a.example'] };
      assert.deepEqual(await documentAt(url), expected);
    },
  );

  holds('redirectResourceMetadataTo', { redirectResourceMetadataTo: '/elsewhere' }, async (_client, server) => {
    assert.equal(await statusOf(new URL('/.well-known/oauth-protected-resource/mcp', server.mcpUrl)), 302);
  });

  holds('noResourceMetadata is a 2025-03-26 server', { noResourceMetadata: true }, async (client, server) => {
    const { origin } = new URL(server.mcpUrl);
    assert.equal(server.issuer, origin);
    assert.equal(await statusOf(`${origin}/.well-known/oauth-protected-resource/mcp`), 404);
    assert.equal((await documentAt(`${origin}/.well-known/oauth-authorization-server`))['issuer'], origin);
    server.faults.noMetadata = true;
    assert.equal(await statusOf(`${origin}/.well-known/oauth-authorization-server`), 404);
    assert.equal((await client.callTool((await client.signIn()).access_token, 'read_file')).status, 200);
  });
});

describe('the faults of the authorization server metadata', () => {
  for (const [metadataAt, issuerPath, path] of [
    ['rfc8414', '', '/.well-known/oauth-authorization-server'],
    ['oidc-inserted', '', '/.well-known/openid-configuration'],
    ['rfc8414', '/t', '/.well-known/oauth-authorization-server/t'],
    ['oidc-inserted', '/t', '/.well-known/openid-configuration/t'],
    ['oidc-appended', '/t', '/t/.well-known/openid-configuration'],
  ] as const) {
    holds(`P4 metadataAt ${metadataAt} of "${issuerPath}"`, { metadataAt, issuerPath }, async (client, server) => {
      assert.ok(server.issuer.endsWith(issuerPath));
      const { issuer, token_endpoint: endpoint } = await documentAt(new URL(path, server.issuer));
      assert.deepEqual([issuer, endpoint], [server.issuer, `${server.issuer}/token`]);
      assert.ok((await client.signIn()).access_token);
    });
  }

  for (const [faults, expected] of [
    [{ metadataIssuer: 'https://e.example' }, { issuer: 'https://e.example' }],
    [{ noPkce: true }, { code_challenge_methods_supported: undefined }],
    [{ noRegistration: true }, { registration_endpoint: undefined }],
    [{ revocation: 'absent' }, { revocation_endpoint: undefined }],
    [{ advertiseIss: false }, { authorization_response_iss_parameter_supported: undefined }],
    [{ asScopesSupported: ['offline_access'] }, { scopes_supported: ['offline_access'] }],
    [{ authMethods: ['client_secret_post'] }, { token_endpoint_auth_methods_supported: ['client_secret_post'] }],
  ] as const) {
    holds(`${JSON.stringify(faults)} shows in the metadata`, faults, async (_client, server) => {
      const document = await metadataOf(server.issuer);
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(document[name], value);
    });
  }

  holds('redirectMetadataTo', { redirectMetadataTo: '/moved/metadata' }, async (_client, server) => {
    const url = `${server.issuer}/.well-known/oauth-authorization-server`;
    assert.equal(await statusOf(url), 302);
    assert.equal((await documentAt(url))['issuer'], server.issuer);
  });

  holds('hugeBody', { hugeBody: 'metadata' }, async (_client, server) => {
    const response = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
    assert.ok((await response.text()).length > 1024 * 1024);
  });

  holds('delayMs waits, and closing ends the wait', { delayMs: { metadata: 3_600_000 } }, async (_client, server) => {
    const answer = fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
    while (server.requests.length === 0) await new Promise(setImmediate);
    await Promise.all([server.close(), assert.rejects(answer)]);
  });
});

describe('the faults of registration and authorization', () => {
  holds(
    'registrationStatus, registrationError',
    { registrationStatus: 403, registrationError: 'no' },
    async (client) => {
      const { status, answer } = await client.register();
      assert.deepEqual([status, answer['error']], [403, 'no']);
    },
  );

  for (const [registrationScopeStyle, expected] of [
    ['string', SCOPE],
    ['array', ['files:read', 'files:write']],
    ['null', null],
    ['absent', undefined],
  ] as const) {
    holds(`P9 registrationScopeStyle ${registrationScopeStyle}`, { registrationScopeStyle }, async (client) => {
      assert.deepEqual((await client.register()).answer['scope'], expected);
    });
  }

  const ended = Math.floor(Date.now() / 1000) - 1;
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    for (const expiresAt of [0, ended]) {
      const faults = { clientSecret: { expiresAt }, authMethods: ['none', method] };
      holds(
        `P10 clientSecret, ${method}, expiring at ${expiresAt === 0 ? 0 : 'a past time'}`,
        faults,
        async (client) => {
          const { answer } = await client.register();
          assert.equal(answer['token_endpoint_auth_method'], method);
          assert.equal(answer['client_secret_expires_at'], expiresAt);
          const secret = String(answer['client_secret']);
          const callback = await client.authorize();
          await refused(client.exchange(callback), 401, 'invalid_client');
          const code = callback.searchParams.get('code') ?? '';
          const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: REDIRECT_URI };
          const id = String(answer['client_id']);
          const answered =
            method === 'client_secret_post'
              ? client.post('/token', { ...form, client_id: id, client_secret: secret })
              : client.post('/token', form, {
                  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
                });
          assert.equal((await answered).status, expiresAt === 0 ? 200 : 401);
        },
      );
    }
  }

  holds('P12 registrationManagement', { registrationManagement: 'ok' }, async (client) => {
    const { answer } = await client.register();
    const url = String(answer['registration_client_uri']);
    assert.equal((await fetch(url, { method: 'DELETE' })).status, 401);
    const headers = { authorization: `Bearer ${String(answer['registration_access_token'])}` };
    assert.equal((await fetch(url, { method: 'DELETE', headers })).status, 204);
    await assert.rejects(client.authorize(), /unknown client_id/);
  });

  for (const callbackIss of ['right', 'wrong', 'absent'] as const) {
    holds(`P17 callbackIss ${callbackIss}`, { callbackIss }, async (client, server) => {
      await client.register();
      const iss = (await client.authorize()).searchParams.get('iss');
      assert.equal(iss, { right: server.issuer, wrong: 'https://wrong.example', absent: null }[callbackIss]);
    });
  }

  holds('rejectLoopback', { rejectLoopback: true }, async (client) => {
    const { status, answer } = await client.register();
    assert.deepEqual([status, answer['error']], [400, 'invalid_redirect_uri']);
    assert.equal((await client.register({ redirect_uris: ['editor://app/callback'] })).status, 201);
  });

  holds('denyAuthorization', { denyAuthorization: true }, async (client) => {
    await client.register();
    assert.equal((await client.authorize()).searchParams.get('error'), 'access_denied');
  });

  holds('grantOnly', { grantOnly: ['files:read'] }, async (client) => {
    assert.equal((await client.signIn()).scope, 'files:read');
  });

  holds('rejectScopes', { rejectScopes: ['files:write'] }, async (client) => {
    await client.register();
    assert.equal((await client.authorize()).searchParams.get('error'), 'invalid_scope');
    assert.ok((await client.authorize({ scope: 'files:read' })).searchParams.has('code'));
  });

  holds('rejectResource', { rejectResource: true }, async (client, server) => {
    await client.register();
    assert.equal((await client.authorize()).searchParams.get('error'), 'invalid_target');
    const exchange = async () => client.exchange(await client.authorize({ resource: '' }), { resource: server.mcpUrl });
    await refused(exchange(), 400, 'invalid_target');
    const { access_token: token } = await parsed(client.exchange(await client.authorize({ resource: '' })));
    assert.equal((await client.callTool(token, 'read_file')).status, 200);
  });
});
