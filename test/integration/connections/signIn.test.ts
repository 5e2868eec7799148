import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';

describe('signing in', () => {
  it('goes from a URL to a token, with the fewest requests', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const connection = await headless.connect(server.mcpUrl);
    assert.equal(connection.state.type, 'ready');
    assert.deepEqual(currentGrant(connection)?.granted, ['files:read', 'files:write']);
    assert.equal(connection.issuer, server.issuer);
    assert.ok(server.isActive(await headless.manager.accessToken(connection.id)));
    assert.deepEqual(
      server.requests.map(({ endpoint }) => endpoint),
      ['mcp', 'resourceMetadata', 'metadata', 'registration', 'authorization', 'token'],
    );
    assert.deepEqual(headless.pages, [{ type: 'connected', connection }]);
  });

  it('P9 P10 registers with scope as one string', async (t) => {
    const { server, headless } = await startWithFaults(t);
    await headless.connect(server.mcpUrl);
    const [registration] = server.requestsTo('registration');
    assert.deepEqual(registration?.json, {
      client_name: 'Scopekeeper',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:45678/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'files:read files:write',
      software_id: 'f3f1b7f2-8f3f-4d0e-9a51-6d2a6b1f0c11',
      software_version: '0.0.0',
    });
  });

  it('P13 P14 P16 sends PKCE S256, resource and a state of 256 bits', async (t) => {
    const { server, headless } = await startWithFaults(t);
    await headless.connect(server.mcpUrl);
    const query = server.requestsTo('authorization')[0]?.query ?? {};
    assert.equal(query['code_challenge_method'], 'S256');
    assert.equal(query['resource'], server.mcpUrl);
    assert.equal(Buffer.from(query['state'] ?? '', 'base64url').length, 32);
    const form = server.requestsTo('token')[0]?.form ?? {};
    assert.equal(form['resource'], server.mcpUrl);
    assert.equal(form['redirect_uri'], 'http://127.0.0.1:45678/callback');
  });

  for (const [title, kind, faults] of [
    ['in the browser', 'authorization_code', {}],
    ['at the token endpoint', 'client_credentials', { grantTypes: ['client_credentials'] }],
  ] as const) {
    it(`P15 tells what was asked for when scopes are refused ${title}, and asks for what the person sets instead`, async (t) => {
      const { server, headless } = await startWithFaults(t, { ...faults, rejectScopes: ['files:write'] });
      const { manager } = headless;
      const { id } = await manager.add(server.mcpUrl);
      if (kind === 'client_credentials') {
        server.addClient({ id: 'robot', secret: 'its-secret', authMethod: 'client_secret_basic' });
        await manager.changeKind(id, kind);
        await manager.configure(
          id,
          { client: { issuer: server.issuer, clientId: 'robot' } },
          { clientSecret: 'its-secret' },
        );
      }
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isOAuthError(error, 'authorization_failed') || isOAuthError(error, 'token_request_failed'));
        assert.deepEqual([error.details.error, error.details.scopes], ['invalid_scope', ['files:read', 'files:write']]);
        return true;
      });
      await manager.configure(id, { fixedScopes: ['files:read'] });
      await manager.authorize(id);
      const connection = await headless.until(id, ({ state }) => state.type === 'ready');
      assert.deepEqual(currentGrant(connection)?.granted, ['files:read']);
    });
  }

  for (const [title, faults, scopes] of [
    ['the challenge', { challengeScope: 'files:read' }, ['files:read']],
    ['the resource metadata', {}, ['files:read', 'files:write']],
    ['nobody', { scopesSupported: undefined }, undefined],
    [
      'the challenge and offline_access, which the server lists',
      { challengeScope: 'files:read', asScopesSupported: ['files:read', 'offline_access'] },
      ['files:read', 'offline_access'],
    ],
  ] as const) {
    it(`P15 asks for the scopes of ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      await headless.connect(server.mcpUrl);
      assert.equal(server.requestsTo('authorization')[0]?.query['scope'], scopes?.join(' '));
    });
  }

  for (const [title, faults] of [
    ['P1 finds metadata at the root', { resourceMetadataAt: 'root', challengeResourceMetadata: false }],
    ['P1 finds metadata where only the challenge says', { resourceMetadataAt: 'elsewhere' }],
    ['P4 finds metadata inserted for OpenID Connect', { issuerPath: '/tenant', metadataAt: 'oidc-inserted' }],
    ['P4 finds metadata appended for OpenID Connect', { issuerPath: '/tenant', metadataAt: 'oidc-appended' }],
    ['P4 finds metadata at the root for OpenID Connect', { metadataAt: 'oidc-appended' }],
    ['P4 finds metadata at the origin of a 2025-03-26 server', { noResourceMetadata: true }],
    [
      'P4 needs no metadata of a 2025-03-26 server with the default endpoints',
      { noResourceMetadata: true, noMetadata: true },
    ],
    [
      'P7 finds the challenge behind another scheme',
      { rawChallenge: ['Basic realm="a, b"', 'Bearer error="invalid_token"'] },
    ],
  ] as const) {
    it(title, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
    });
  }

  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    it(`P10 authenticates with ${method}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { authMethods: [method], clientSecret: { expiresAt: 0 } });
      const { id } = await headless.connect(server.mcpUrl);
      assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
    });
  }

  for (const style of ['array', 'null', 'absent'] as const) {
    it(`P9 takes a registration answer whose scope is ${style}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { registrationScopeStyle: style });
      assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
    });
  }

  it('P26 takes no scope for all that was asked for, and shows what was not granted', async (t) => {
    const silent = await startWithFaults(t, { omitScope: true });
    const all = await silent.headless.connect(silent.server.mcpUrl);
    assert.deepEqual(currentGrant(all)?.granted, ['files:read', 'files:write']);
    const narrow = await startWithFaults(t, { grantOnly: ['files:read'] });
    const some = await narrow.headless.connect(narrow.server.mcpUrl);
    assert.deepEqual(currentGrant(some)?.granted, ['files:read']);
    assert.deepEqual(some.requested, ['files:read', 'files:write']);
    const dropped = narrow.headless.manager.activity(some.id).find(({ type }) => type === 'scopes_dropped');
    assert.deepEqual(dropped?.scopes, ['files:write']);
  });

  it('P22 asks again for all that was asked for, and for what is demanded now', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.challengeScope = 'files:admin';
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('authorization')[1]?.query['scope'], 'files:read files:admin');
  });

  it('P12 P18a uses its registration again, and registers anew when the client was forgotten', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1);
    server.faults.invalidClient = true;
    await assert.rejects(headless.manager.authorize(id), (error) => isOAuthError(error, 'client_rejected'));
    assert.equal(server.requestsTo('registration').length, 2, 'one new registration, then a clear error');
    server.faults.invalidClient = false;
    await headless.manager.authorize(id);
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
  });

  it('P18 registers anew when the redirect URI is another', async (t) => {
    let port = 1111;
    const { server, headless } = await startWithFaults(
      t,
      {},
      { redirectUri: () => `http://127.0.0.1:${port}/callback` },
    );
    const { id } = await headless.connect(server.mcpUrl);
    port = 2222;
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 2);
    assert.equal(server.requestsTo('authorization')[1]?.query['redirect_uri'], 'http://127.0.0.1:2222/callback');
  });
});

describe('signing in to what is broken', () => {
  for (const [title, faults, code] of [
    ['a server that needs no login', { unprotected: true, noResourceMetadata: true }, 'authorization_not_required'],
    ['a web page', { html: true, noResourceMetadata: true }, 'not_an_mcp_server'],
    ['nothing at this path', { notFound: true, noResourceMetadata: true }, 'not_an_mcp_server'],
    ['P3 metadata of another resource', { prmResource: 'https://other.example/mcp' }, 'resource_mismatch'],
    ['P4 no metadata', { noMetadata: true }, 'authorization_server_not_found'],
    [
      'P4 no metadata and nothing at the default endpoints',
      { noResourceMetadata: true, noMetadata: true, noRegistration: true },
      'authorization_server_not_found',
    ],
    ['P5 a wrong issuer', { metadataIssuer: 'https://evil.example' }, 'issuer_mismatch'],
    ['P13 no PKCE', { noPkce: true }, 'pkce_unsupported'],
    ['P8 no registration', { noRegistration: true }, 'registration_unsupported'],
    ['P12 registration refused', { registrationStatus: 400 }, 'registration_refused'],
    ['the person denies', { denyAuthorization: true }, 'authorization_denied'],
    ['P17 a wrong iss', { callbackIss: 'wrong' }, 'callback_issuer_mismatch'],
    ['P17 an iss that was promised and is absent', { callbackIss: 'absent' }, 'callback_issuer_mismatch'],
    ['P17 a wrong iss with an error', { callbackIss: 'wrong', denyAuthorization: true }, 'callback_issuer_mismatch'],
    ['the token endpoint fails', { tokenStatus: 500 }, 'token_request_failed'],
    ['the token endpoint answers HTML', { tokenBody: () => '<html>' }, 'token_response_invalid'],
    ['the token endpoint gives no token', { tokenBody: () => ({ token_type: 'bearer' }) }, 'token_response_invalid'],
    ['a huge answer', { hugeBody: 'metadata' }, 'response_too_large'],
    ['P14 resource refused', { rejectResource: true }, 'resource_rejected'],
  ] as const satisfies readonly (readonly [string, Partial<Faults>, OAuthErrorCode])[]) {
    it(`${title}: ${code}, and the connection stays listed`, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      const { id } = await headless.manager.add(server.mcpUrl);
      await assert.rejects(headless.manager.authorize(id), (error) => isOAuthError(error, code));
      const connection = headless.manager.get(id);
      assert.equal(connection?.state.type, 'disconnected');
      assert.equal(connection.lastError?.code, code);
      assert.equal(headless.manager.activity(id).at(-1)?.errorCode, code);
    });
  }

  it('P13 a server that is known to do PKCE without saying so can be allowed', async (t) => {
    const { server, headless } = await startWithFaults(t, { noPkce: true });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { allowUnadvertisedPkce: true });
    assert.equal((await headless.manager.authorize(id)).type, 'authorized');
  });

  it('P14 resource can be left out for a server that refuses it', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectResource: true });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { omitResource: true });
    assert.equal((await headless.manager.authorize(id)).type, 'authorized');
    assert.ok(server.requests.every(({ query, form }) => !('resource' in query) && !('resource' in (form ?? {}))));
  });

  it('a failed or cancelled sign-in leaves the old grant usable', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const token = await headless.manager.accessToken(id);
    server.faults.denyAuthorization = true;
    await assert.rejects(headless.manager.authorize(id));
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    assert.equal(await headless.manager.accessToken(id), token);
  });

  it('P16 refuses a callback with an unknown, missing or doubled state, and goes on waiting', async (t) => {
    const refused: unknown[] = [];
    const { server, headless } = await startWithFaults(
      t,
      {},
      {
        wrapBrowser: (browser) => async (url) => {
          const callback = await browser(url);
          for (const spoil of [
            (params: URLSearchParams) => params.set('state', 'guessed'),
            (params: URLSearchParams) => params.delete('state'),
            (params: URLSearchParams) => params.append('state', 'another'),
          ]) {
            const spoilt = new URL(callback ?? '');
            spoil(spoilt.searchParams);
            refused.push(await headless.manager.handleCallback(spoilt));
          }
          return callback;
        },
      },
    );
    assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
    assert.equal(refused.length, 3);
    for (const outcome of refused) {
      assert.ok(typeof outcome === 'object' && outcome !== null && 'error' in outcome);
      assert.ok(isOAuthError(outcome.error, 'callback_state_unknown'));
    }
  });

  it('P16 refuses the same callback a second time', async (t) => {
    let used: URL | undefined;
    const { server, headless } = await startWithFaults(
      t,
      {},
      {
        wrapBrowser: (browser) => async (url) => {
          used = await browser(url);
          return used;
        },
      },
    );
    await headless.connect(server.mcpUrl);
    assert.ok(used !== undefined);
    const again = await headless.manager.handleCallback(used);
    assert.ok(again.type === 'failed' && isOAuthError(again.error, 'callback_repeated'));
    assert.equal(server.requestsTo('token').length, 1);
  });

  it('a closed tab times out after five minutes, and the next sign-in goes on with its registration', async (t) => {
    const clock = new ManualClock();
    let isClosed = true;
    const { server, headless } = await startWithFaults(
      t,
      {},
      {
        clock,
        wrapBrowser: (browser) => async (url) => {
          if (!isClosed) return browser(url);
          setImmediate(() => clock.advance(5 * 60_000));
          return undefined;
        },
      },
    );
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.authorize(id), (error) =>
      isConnectionError(error, 'authorization_timed_out'),
    );
    isClosed = false;
    assert.equal((await headless.manager.authorize(id)).type, 'authorized');
    assert.equal(server.requestsTo('registration').length, 1);
  });

  it('P12 a registration that led to no callback twice is not used a third time', async (t) => {
    const { server, headless } = await startWithFaults(t, {}, { wrapBrowser: () => async () => undefined });
    const { id } = await headless.manager.add(server.mcpUrl);
    const registrations: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const outcome = headless.manager.authorize(id);
      await headless.until(id, ({ state }) => state.type === 'authorizing' && state.step === 'waitingForBrowser');
      const controller = new AbortController();
      controller.abort();
      await headless.manager.authorize(id, { signal: controller.signal });
      assert.equal((await outcome).type, 'cancelled');
      registrations.push(server.requestsTo('registration').length);
    }
    assert.deepEqual(registrations, [1, 1, 2]);
  });

  for (const [device, offersDeviceCode] of [
    [undefined, undefined],
    [{ intervalSeconds: 1, expiresInSeconds: 600, pending: 0, slowDowns: 0, outcome: 'approve' }, true],
  ] as const) {
    it(`P18 a closed tab ${offersDeviceCode === true ? 'suggests a device code' : 'suggests none'} as the server does`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(
        t,
        { device },
        {
          clock,
          wrapBrowser: () => async () => {
            setImmediate(() => clock.advance(5 * 60_000));
            return undefined;
          },
        },
      );
      const { id } = await headless.manager.add(server.mcpUrl);
      await assert.rejects(headless.manager.authorize(id), (error) => {
        assert.ok(isConnectionError(error, 'authorization_timed_out'));
        assert.equal(error.details.offersDeviceCode, offersDeviceCode);
        return true;
      });
    });
  }

  it('cancelling is an outcome, and the connection is as before', async (t) => {
    const abort = new AbortController();
    const { server, headless } = await startWithFaults(
      t,
      {},
      {
        wrapBrowser: () => async () => {
          abort.abort();
          return undefined;
        },
      },
    );
    const { id } = await headless.manager.add(server.mcpUrl);
    assert.deepEqual(await headless.manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
    assert.equal(headless.manager.get(id)?.lastError, undefined);
    assert.equal(headless.manager.authorizationUrl(id), undefined);
  });

  it('P35 cancelling while the code is exchanged gives the tokens back', async (t) => {
    const abort = new AbortController();
    const { server, headless } = await startWithFaults(t, {
      tokenBody: (body) => {
        abort.abort();
        return body;
      },
    });
    const { id } = await headless.manager.add(server.mcpUrl);
    assert.deepEqual(await headless.manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
    assert.deepEqual(
      server.requestsTo('revocation').map(({ form }) => form?.['token_type_hint']),
      ['refresh_token', 'access_token'],
    );
  });

  it('P35 cancelling is an outcome also when the server takes no tokens back', async (t) => {
    const abort = new AbortController();
    const { server, headless } = await startWithFaults(t, {
      revocation: 'error',
      tokenBody: (body) => {
        abort.abort();
        return body;
      },
    });
    const { id } = await headless.manager.add(server.mcpUrl);
    assert.deepEqual(await headless.manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.ok(server.requestsTo('revocation').length > 0);
    assert.equal(headless.manager.get(id)?.lastError, undefined);
  });

  it('P3 a resource that the server’s URL lies under is kept, and left out where it is that URL', async (t) => {
    const { server, headless } = await startWithFaults(t);
    assert.equal((await headless.connect(server.mcpUrl)).resource, undefined);
    const prmResource = new URL('/', server.mcpUrl).href;
    server.faults.prmResource = prmResource;
    assert.equal((await headless.connect(server.mcpUrl)).resource, prmResource);
  });

  for (const [title, faults] of [
    ['for another reason', { tokenStatus: 400, tokenBody: () => ({ error: 'invalid_request' }) }],
    ['by a server that is away', { tokenStatus: 503 }],
  ] as const) {
    it(`P15 names no scopes when what is asked for is refused ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      const { id } = await headless.manager.add(server.mcpUrl);
      await assert.rejects(headless.manager.authorize(id), (error) => {
        assert.ok(isOAuthError(error, 'token_request_failed'));
        assert.equal(error.details.scopes, undefined);
        return true;
      });
    });
  }

  it('an account is one short line of plain text', async (t) => {
    const name = `ada\u202E\n${'x'.repeat(3000)}`;
    const idToken = `h.${Buffer.from(JSON.stringify({ name })).toString('base64url')}.s`;
    const { server, headless } = await startWithFaults(t, { tokenBody: (body) => ({ ...body, id_token: idToken }) });
    const { account } = await headless.connect(server.mcpUrl);
    assert.match(account ?? '', /^ada x{70,76}…$/);
  });
});
