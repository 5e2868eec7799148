import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { decodeJwt } from 'jose';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { ManualClock, MemorySecretStore } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';

const CLIENT_ID = 'client-at-the-server';
const SECRET = 'secret-at-the-server';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

interface CompanyOptions extends StartOptions {
  /** An ID token that the person has already. */
  readonly idToken?: (server: FaultyServer) => Promise<string>;
}

/** A connection that a company manages, not yet signed in. */
async function startCompany(
  t: TestContext,
  faults: Partial<Faults> = {},
  { idToken, ...options }: CompanyOptions = {},
) {
  const all = { grantTypes: [JWT_BEARER], idJagClientId: CLIENT_ID, ...faults };
  const { server, headless } = await startWithFaults(t, all, options);
  server.addClient({ id: CLIENT_ID, secret: SECRET, authMethod: 'client_secret_basic' });
  const { manager } = headless;
  const { id } = await manager.add(server.mcpUrl, 'Company', 'enterprise_managed');
  const { issuer, clientId, clientSecret } = server.identityProvider;
  await manager.configure(
    id,
    { client: { issuer: server.issuer, clientId: CLIENT_ID }, identityProvider: { issuer, clientId } },
    {
      clientSecret: SECRET,
      identityProvider: {
        ...(clientSecret !== undefined && { clientSecret }),
        ...(idToken !== undefined && { idToken: await idToken(server) }),
      },
    },
  );
  const restart = (clock = options.clock) => {
    const restarted = createHeadlessManager({
      ...headless,
      ...(clock !== undefined && { clock }),
      browser: async (url) => server.authorize(url),
    });
    t.after(async () => restarted.dispose());
    return restarted;
  };
  return { server, headless, manager, id, restart };
}

const given = async ({ identityProvider }: FaultyServer): Promise<string> => identityProvider.idToken();
const givenAndOver = async ({ identityProvider }: FaultyServer): Promise<string> =>
  identityProvider.idToken({ expiresInSeconds: -10 });

/** A browser whose callback names another issuer. */
const mixUp: NonNullable<StartOptions['wrapBrowser']> = (browser) => async (url) => {
  const callback = await browser(url);
  callback?.searchParams.set('iss', 'https://evil.example');
  return callback;
};

/** What was asked of the provider's token endpoint, by grant type. */
function askedOfProvider(server: FaultyServer): readonly (string | undefined)[] {
  return server.requestsTo('idpToken').map(({ form }) => form?.['grant_type']);
}

/** What the keychain holds of the sign-in at the provider. */
function storedSession(keychain: { readonly entries: ReadonlyMap<string, string> }, id: string): unknown {
  const document: unknown = JSON.parse(keychain.entries.get(`connection:${id}`) ?? '{}');
  assert.ok(typeof document === 'object' && document !== null && 'credentials' in document);
  assert.ok(typeof document.credentials === 'object' && document.credentials !== null);
  return 'identityProvider' in document.credentials ? document.credentials.identityProvider : undefined;
}

function storedRefreshToken(keychain: { readonly entries: ReadonlyMap<string, string> }, id: string): string {
  const session = storedSession(keychain, id);
  assert.ok(typeof session === 'object' && session !== null && 'refreshToken' in session);
  return String(session.refreshToken);
}

describe('enterprise-managed authorization', () => {
  it('SEP-990 goes from the ID token that is there to the server’s token, and needs no browser', async (t) => {
    const { server, manager, id } = await startCompany(t, {}, { idToken: given });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal((await callTool(manager, id)).status, 200);
    assert.deepEqual(askedOfProvider(server), [TOKEN_EXCHANGE]);
    const exchange = server.requestsTo('idpToken')[0]?.form;
    assert.equal(exchange?.['audience'], server.issuer);
    assert.equal(exchange['resource'], server.mcpUrl);
    assert.equal(exchange['scope'], 'files:read files:write');
    const [request] = server.requestsTo('token');
    assert.equal(request?.form?.['grant_type'], JWT_BEARER);
    assert.equal(decodeJwt(request.form['assertion'] ?? '').aud, server.issuer);
    assert.equal(server.requestsTo('idpAuthorization').length + server.requestsTo('authorization').length, 0);
    assert.equal(manager.get(id)?.account, 'person@corp.example');
  });

  for (const idpAuthMethod of ['none', 'client_secret_basic', 'client_secret_post'] as const) {
    it(`P13 P14 P16 P17 signs in at the provider in the browser, as a client with ${idpAuthMethod}`, async (t) => {
      const { server, headless, manager, id } = await startCompany(t, { idpAuthMethod });
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.equal((await callTool(manager, id)).status, 200);
      const query = server.requestsTo('idpAuthorization')[0]?.query;
      assert.equal(query?.['code_challenge_method'], 'S256');
      assert.equal(query['redirect_uri'], 'http://127.0.0.1:45678/callback');
      assert.ok((query['state'] ?? '').length >= 43);
      assert.equal(query['scope'], 'openid offline_access');
      assert.equal(query['resource'], undefined);
      assert.deepEqual(askedOfProvider(server), ['authorization_code', TOKEN_EXCHANGE]);
      assert.equal(headless.pages[0]?.type, 'connected');
      assert.match(storedRefreshToken(headless.keychain, id), /^idp-rt-/);
    });
  }

  it('P17 refuses a callback of another issuer, and sends no code', async (t) => {
    const { server, manager, id } = await startCompany(t, {}, { wrapBrowser: mixUp });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'callback_issuer_mismatch'));
    assert.deepEqual(askedOfProvider(server), []);
  });

  it('P16 waits on when a callback with another state comes, and ends when the person says no', async (t) => {
    const { server, headless, manager, id } = await startCompany(
      t,
      {},
      {
        wrapBrowser: (browser) => async (url) => {
          const stray = await browser(url);
          stray?.searchParams.set('state', 'stray');
          headless.pages.push(await headless.manager.handleCallback(stray ?? new URL(url)));
          return server.authorize(url, { deny: true });
        },
      },
    );
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'authorization_denied'));
    const [stray] = headless.pages;
    assert.ok(stray?.type === 'failed' && isOAuthError(stray.error, 'callback_state_unknown'));
    assert.equal(manager.get(id)?.state.type, 'disconnected');
  });

  it('cancelled in the browser it is as before', async (t) => {
    const abort = new AbortController();
    const { server, manager, id } = await startCompany(
      t,
      {},
      {
        wrapBrowser: () => async () => {
          abort.abort();
          return undefined;
        },
      },
    );
    assert.deepEqual(await manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.equal(manager.get(id)?.state.type, 'disconnected');
    assert.deepEqual(askedOfProvider(server), []);
  });

  it('P15 asks for offline access only where the provider lists it', async (t) => {
    const { server, manager, id } = await startCompany(t, { idpScopesSupported: ['openid', 'email'] });
    await manager.authorize(id);
    assert.equal(server.requestsTo('idpAuthorization')[0]?.query['scope'], 'openid');
  });

  for (const missing of ['client', 'identity_provider'] as const) {
    it(`without its ${missing} says so, and asks nobody`, async (t) => {
      const { server, manager, id } = await startCompany(t);
      await manager.configure(id, missing === 'client' ? { client: undefined } : { identityProvider: undefined });
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isConnectionError(error, 'credentials_missing'));
        assert.equal(error.details.missing, missing);
        return true;
      });
      assert.equal(server.identityProvider.requests.length, 0);
    });
  }

  it('with a provider that is not there, or is no URL, says which', async (t) => {
    const { server, manager, id } = await startCompany(t);
    for (const issuer of [`${server.issuer}/nothing`, 'corp', 'https://corp.example/?a']) {
      await manager.configure(id, { identityProvider: { issuer, clientId: 'c' } });
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isOAuthError(error, 'authorization_server_not_found'));
        assert.deepEqual(error.details.issuers, [issuer]);
        return true;
      });
    }
  });
});

describe('renewing what a company manages', () => {
  it('P34 asks anew with the ID token that is good, after a restart too', async (t) => {
    const clock = new ManualClock();
    const faults = { now: () => clock.now(), idTokenExpiresIn: 24 * 3600 };
    const { server, headless, manager, id, restart } = await startCompany(t, faults, { clock });
    await manager.authorize(id);
    const generation = currentGrant(manager.get(id) ?? assert.fail())?.generation ?? 0;
    clock.advance(50 * 60_000);
    await headless.until(id, ({ state }) => state.type === 'ready' && state.grant.generation > generation);
    await headless.dispose();
    const restarted = restart();
    await restarted.manager.start();
    clock.advance(2 * 3600_000);
    assert.equal((await callTool(restarted.manager, id)).status, 200);
    assert.deepEqual(askedOfProvider(server), ['authorization_code', TOKEN_EXCHANGE, TOKEN_EXCHANGE, TOKEN_EXCHANGE]);
    const idJags = server.requestsTo('token').map(({ form }) => form?.['assertion']);
    assert.equal(new Set(idJags).size, 3, 'each is used once');
  });

  it('P28 renews an ID token that has ended by the refresh token, and keeps that when there is no new one', async (t) => {
    const clock = new ManualClock();
    const { server, headless, manager, id } = await startCompany(t, { now: () => clock.now() }, { clock });
    await manager.authorize(id);
    const refreshToken = storedRefreshToken(headless.keychain, id);
    clock.advance(61 * 60_000);
    await manager.accessToken(id);
    assert.ok(askedOfProvider(server).includes('refresh_token'));
    assert.equal(storedRefreshToken(headless.keychain, id), refreshToken);
    assert.equal(server.requestsTo('idpAuthorization').length, 1);
  });

  for (const [name, spoil, code] of [
    ['the exchange for an ID-JAG', { idpRefuses: 'access_denied' }, 'token_request_failed'],
    ['the MCP server’s side', { invalidGrant: true }, 'grant_rejected'],
    ['the network there', { tokenStatus: 503 }, 'token_request_failed'],
  ] as const) {
    it(`P28 P31 stores a rotated refresh token before ${name} fails`, async (t) => {
      const clock = new ManualClock();
      const faults = { now: () => clock.now(), idpRotate: true };
      const { server, headless, manager, id, restart } = await startCompany(t, faults, { clock });
      await manager.authorize(id);
      const first = storedRefreshToken(headless.keychain, id);
      Object.assign(server.faults, spoil);
      // Far beyond its end; the renewal that then starts by itself is joined.
      clock.advance(3 * 3600_000);
      await assert.rejects(manager.accessToken(id), (error) => isOAuthError(error, code));
      const second = storedRefreshToken(headless.keychain, id);
      assert.notEqual(second, first);
      await headless.dispose();

      Object.assign(server.faults, { idpRefuses: undefined, invalidGrant: false, tokenStatus: 200 });
      clock.advance(3 * 3600_000);
      const restarted = restart();
      // What is due is renewed at once, and this sign-in takes turns with it.
      await restarted.manager.start();
      await restarted.manager.authorize(id);
      assert.equal((await callTool(restarted.manager, id)).status, 200);
      assert.notEqual(storedRefreshToken(headless.keychain, id), second);
      assert.equal(server.requestsTo('idpAuthorization').length, 1, 'nobody had to sign in again');
    });
  }

  for (const [title, laterMs, sent] of [
    ['at once', 0, 1],
    ['when its ID token has ended, too', 3 * 3600_000, 2],
  ] as const) {
    it(`P28 P31 the provider’s answer that a killed window had not stored is taken ${title}`, async (t) => {
      const clock = new ManualClock();
      const faults = { now: () => clock.now(), idpRotate: true };
      const { server, headless, manager, id, restart } = await startCompany(t, faults, { clock });
      await manager.authorize(id);
      await headless.dispose();
      clock.advance(3 * 3600_000);
      const { entries } = headless.keychain;
      await new Promise<void>((resolve) => {
        class KilledKeychain extends MemorySecretStore {
          override readonly entries = entries;
          override async set(key: string, value: string): Promise<void> {
            if (key !== `connection:${id}`) return super.set(key, value);
            resolve();
            return new Promise(() => undefined);
          }
        }
        const keychain = new KilledKeychain();
        const killed = createHeadlessManager({ ...headless, keychain, clock, browser: async () => undefined });
        // It renews at once, and stands still when it stores what the provider gave.
        void killed.manager.start();
      });
      clock.advance(laterMs);
      const restarted = restart();
      await restarted.manager.start();
      assert.equal((await callTool(restarted.manager, id)).status, 200);
      const tokens = server
        .requestsTo('idpToken')
        .flatMap(({ form }) => (form?.['grant_type'] === 'refresh_token' ? [form['refresh_token']] : []));
      assert.equal(tokens.length, sent);
      assert.equal(new Set(tokens).size, sent);
      assert.equal(server.requestsTo('idpAuthorization').length, 1, 'nobody had to sign in again');
    });
  }

  it('P32 needs the person when the provider ends the session, and then signs in there', async (t) => {
    const clock = new ManualClock();
    const { server, manager, id } = await startCompany(t, { now: () => clock.now() }, { clock });
    await manager.authorize(id);
    server.faults.idpRefuses = 'invalid_grant';
    clock.advance(3 * 3600_000);
    await assert.rejects(manager.accessToken(id), (error) => isOAuthError(error, 'grant_rejected'));
    const { state } = manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'needsSignIn' && state.reason === 'grant_rejected');
    server.faults.idpRefuses = undefined;
    const refused = server.requestsTo('idpToken').length;
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.ok(server.requestsTo('idpToken').length > refused);
    assert.equal((await callTool(manager, id)).status, 200);
  });

  it('signs in at the provider when that refuses an ID token that has not ended', async (t) => {
    const { server, manager, id } = await startCompany(t, {}, { idToken: async () => anotherProvidersToken() });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.deepEqual(askedOfProvider(server), [TOKEN_EXCHANGE, 'authorization_code', TOKEN_EXCHANGE]);
  });

  it('opens no browser for what another sign-in would not change', async (t) => {
    const { server, manager, id } = await startCompany(t, { invalidGrant: true }, { idToken: given });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'grant_rejected'));
    Object.assign(server.faults, { invalidGrant: false, idpRefuses: 'access_denied' });
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'token_request_failed'));
    assert.equal(server.requestsTo('idpAuthorization').length, 0);
    assert.equal(server.requestsTo('token').length, 1);
  });

  it('says that the sign-in there is over when there is nothing to renew it with', async (t) => {
    const { server, manager, id } = await startCompany(t, {}, { idToken: given });
    await manager.authorize(id);
    const { issuer, clientId } = server.identityProvider;
    const entered = { identityProvider: { idToken: await givenAndOver(server) } };
    await manager.configure(id, { identityProvider: { issuer, clientId } }, entered);
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'identity_ended'));
    assert.equal(manager.get(id)?.state.type, 'needsSignIn');
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal(server.requestsTo('idpAuthorization').length, 1);
  });

  it('keeps the secret that the person enters while they are signing in there', async (t) => {
    const { server, headless, manager, id } = await startCompany(
      t,
      { idpAuthMethod: 'client_secret_post' },
      {
        wrapBrowser: (browser) => async (url) => {
          await headless.manager.configure(
            id,
            {},
            { identityProvider: { clientSecret: 'entered meanwhile' }, assertion: 'entered too' },
          );
          return browser(url);
        },
      },
    );
    await manager.authorize(id);
    const stored = headless.keychain.entries.get(`connection:${id}`) ?? '';
    assert.match(stored, /entered meanwhile/);
    assert.match(stored, /entered too/);
    assert.match(stored, /idp-rt-/);
    assert.equal(server.requestsTo('idpAuthorization').length, 1);
  });

  it('P25 stores as many documents as it needs, and a server that refuses every token is stopped all the same', async (t) => {
    // The ID token is renewed with each renewal, and stored apart.
    const { manager, id } = await startCompany(t, { grantTypes: [JWT_BEARER, 'refresh_token'], idTokenExpiresIn: 20 });
    await manager.authorize(id);
    const outcomes: string[] = [];
    for (let call = 0; call < 5 && (outcomes.at(-1) ?? 'retry') === 'retry'; call += 1) {
      const token = await manager.accessToken(id);
      const wwwAuthenticate = 'Bearer error="invalid_token"';
      const challenge = { status: 401, wwwAuthenticate, token, operation: 'tools/list' } as const;
      outcomes.push((await manager.answerChallenge(id, challenge)).type);
    }
    assert.deepEqual(outcomes, ['retry', 'authorize']);
  });
});

describe('the two sides of what a company manages', () => {
  it('P11 P36 get nothing of each other', async (t) => {
    const faults = { idpAuthMethod: 'client_secret_post' } as const;
    const { server, headless, manager, id } = await startCompany(t, faults);
    await manager.authorize(id);
    await manager.refresh(id);
    await callTool(manager, id);
    const session = storedSession(headless.keychain, id);
    const { clientSecret = '' } = server.identityProvider;
    const ofProvider = [clientSecret, storedRefreshToken(headless.keychain, id), idTokenOf(session)];
    const accessToken = await manager.accessToken(id);
    await manager.disconnect(id);
    const isAtProvider = (url: string): boolean => new URL(url).origin === server.identityProvider.issuer;
    const told = (isProvider: boolean): string =>
      JSON.stringify(server.requests.filter(({ url }) => isAtProvider(url) === isProvider));
    for (const secret of ofProvider) assert.ok(secret !== '' && !told(false).includes(secret));
    for (const secret of [clientSecret, idTokenOf(session)]) assert.ok(told(true).includes(secret));
    const basic = Buffer.from(`${CLIENT_ID}:${SECRET}`).toString('base64');
    for (const secret of [SECRET, basic, accessToken]) assert.ok(!told(true).includes(secret));
    assert.ok(told(false).includes(basic));
  });

  it('P11 the provider’s secret goes to no other provider or client', async (t) => {
    // The provider knows no such client, and the person closes the page that says so.
    const abort = new AbortController();
    const { server, manager, id } = await startCompany(
      t,
      { idpAuthMethod: 'client_secret_post' },
      {
        idToken: given,
        wrapBrowser: (browser) => async (url) => {
          await assert.rejects(browser(url), /unknown client_id/);
          abort.abort();
          return undefined;
        },
      },
    );
    const { issuer, clientSecret } = server.identityProvider;
    await manager.configure(id, { identityProvider: { issuer, clientId: 'other' } });
    assert.equal((await manager.authorize(id, { signal: abort.signal })).type, 'cancelled');
    assert.equal(server.requestsTo('idpAuthorization')[0]?.query['client_id'], 'other');
    const told = JSON.stringify(server.identityProvider.requests);
    assert.ok(!told.includes(clientSecret ?? assert.fail()));
    assert.deepEqual(askedOfProvider(server), []);
  });

  it('two connections of one company are two sign-ins', async (t) => {
    const { server, manager, id } = await startCompany(t);
    await manager.authorize(id);
    const { id: other } = await manager.add(server.mcpUrl, 'Other', 'enterprise_managed');
    const settings = manager.get(id)?.settings ?? assert.fail();
    await manager.configure(other, settings, { clientSecret: SECRET });
    assert.equal((await manager.authorize(other)).type, 'authorized');
    assert.equal(server.requestsTo('idpAuthorization').length, 2);
  });

  it('RFC 9449 bind the server’s tokens to a key, and nothing at the provider', async (t) => {
    const dpop = { algs: ['ES256'], required: true, nonce: 'both', challengeScheme: 'DPoP' } as const;
    const { server, manager, id } = await startCompany(t, { dpop });
    await manager.authorize(id);
    assert.equal((await callTool(manager, id)).status, 200);
    assert.ok(server.identityProvider.requests.every(({ headers }) => headers['dpop'] === undefined));
    assert.ok(server.requestsTo('token').every(({ headers }) => headers['dpop'] !== undefined));
    assert.equal(server.requestsTo('idpAuthorization')[0]?.query['dpop_jkt'], undefined);
  });
});

function idTokenOf(session: unknown): string {
  assert.ok(typeof session === 'object' && session !== null && 'idToken' in session);
  return String(session.idToken);
}

/** A JWT that has not ended, and that nobody here has made. */
function anotherProvidersToken(): string {
  const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString('base64url');
  return `${Buffer.from('{"alg":"ES256","typ":"JWT"}').toString('base64url')}.${claims}.AA`;
}
