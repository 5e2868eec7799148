import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import type { Faults } from '../../servers/faults.ts';
import { type FaultyServer, startFaultyServer } from '../../servers/faultyServer.ts';

/** A port of this machine where nobody answers. */
const NOBODY = 'http://127.0.0.1:1';

/** A second authorization server, for the resource of the first one. */
async function startOtherFor(t: TestContext, server: FaultyServer, faults: Partial<Faults> = {}) {
  const other = await startFaultyServer({ prmResource: server.mcpUrl, ...faults });
  t.after(async () => other.close());
  return other;
}

describe('a server with several authorization servers', () => {
  for (const [title, first, faults] of [
    ['nobody answers', () => NOBODY, {}],
    ['its metadata are missing', (other: FaultyServer) => other.issuer, { noMetadata: true }],
    [
      'its metadata name another issuer',
      (other: FaultyServer) => other.issuer,
      { metadataIssuer: 'https://e.example' },
    ],
    ['it is no issuer at all', () => 'not a URL', {}],
  ] as const) {
    it(`P6 takes the next one when of the first ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t);
      const other = await startOtherFor(t, server, faults);
      server.faults.prmIssuers = [first(other), server.issuer];
      assert.equal((await headless.connect(server.mcpUrl)).issuer, server.issuer);
      assert.equal(other.requestsTo('registration').length, 0);
    });
  }

  it('P6 takes the first one that has valid metadata, and tells the others nothing', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const other = await startOtherFor(t, server);
    server.faults.prmIssuers = [server.issuer, other.issuer];
    assert.equal((await headless.connect(server.mcpUrl)).issuer, server.issuer);
    assert.deepEqual(other.requests, []);
  });

  it('P6 ends in one error that tells what was tried when none has metadata', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const other = await startOtherFor(t, server, { noMetadata: true });
    server.faults.prmIssuers = [other.issuer, `${other.issuer}/tenant`];
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.authorize(id), (error) => {
      assert.ok(isOAuthError(error, 'authorization_server_not_found'));
      assert.deepEqual(error.details.issuers, [other.issuer, `${other.issuer}/tenant`]);
      return true;
    });
  });
});

describe('the authorization server before any sign-in', () => {
  it('P6 P8 is told without registering anywhere, for what a person enters for it', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.manager.add(server.mcpUrl);
    assert.equal(await headless.manager.discoverIssuer(id), server.issuer);
    assert.deepEqual(
      server.requests.map(({ endpoint }) => endpoint),
      ['mcp', 'resourceMetadata', 'metadata'],
    );
    assert.deepEqual(headless.manager.get(id)?.state, { type: 'disconnected' });
  });

  it('P6 need not be waited for', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { metadata: 60_000 } });
    const { id } = await headless.manager.add(server.mcpUrl);
    const controller = new AbortController();
    const issuer = headless.manager.discoverIssuer(id, { signal: controller.signal });
    controller.abort('given up');
    await assert.rejects(issuer, (reason) => reason === 'given up');
    assert.equal(headless.manager.get(id)?.state.type, 'disconnected');
  });

  it('P6 is the one that the person chose', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const other = await startOtherFor(t, server);
    server.faults.prmIssuers = [server.issuer, other.issuer];
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { issuer: other.issuer });
    assert.equal(await headless.manager.discoverIssuer(id), other.issuer);
  });

  it('P4 cannot be told of a server without a sign-in', async (t) => {
    const { server, headless } = await startWithFaults(t, { noMetadata: true });
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.discoverIssuer(id), (error) =>
      isOAuthError(error, 'authorization_server_not_found'),
    );
    assert.deepEqual(headless.manager.get(id)?.state, { type: 'disconnected' });
  });
});

describe('a server that moves to another authorization server', () => {
  it('P6 P11 P23 registers there, and takes nothing of the old one along', async (t) => {
    let current: FaultyServer | undefined;
    const { server, headless } = await startWithFaults(
      t,
      { authMethods: ['client_secret_post'] },
      { wrapBrowser: (browser) => async (url) => current?.authorize(url) ?? browser(url) },
    );
    const { id } = await headless.connect(server.mcpUrl);
    const [exchange] = server.requestsTo('token');
    const ofTheOld = [
      ...['client_id', 'client_secret', 'code'].map((name) => exchange?.form?.[name] ?? assert.fail(name)),
      await headless.manager.accessToken(id),
    ];

    const other = await startOtherFor(t, server);
    Object.assign(server.faults, { prmIssuers: [other.issuer], scopesSupported: ['notes:read'] });
    current = other;
    await headless.manager.authorize(id);
    const moved = headless.manager.get(id) ?? assert.fail();
    assert.equal(moved.issuer, other.issuer);
    assert.deepEqual(moved.requested, ['notes:read']);
    assert.deepEqual(currentGrant(moved)?.granted, ['notes:read']);
    await headless.manager.refresh(id);
    assert.equal(other.requestsTo('registration').length, 1);
    const told = JSON.stringify(other.requests);
    for (const value of ofTheOld) assert.ok(!told.includes(value), 'something was taken along');
  });
});

/** The requests that one of the authorization servers got. */
function requestsAt(server: FaultyServer, issuer: string) {
  return server.requests.filter(({ url }) => new URL(url).origin === new URL(issuer).origin);
}

describe('the choice among authorization servers', () => {
  for (const [title, faults, isFirst] of [
    ['the first one', { issuers: 'both' }, true],
    ['the first one, as the server orders them', { issuers: 'second-first' }, false],
    ['the next one when the first is down', { issuers: 'both', firstIssuerDown: true }, false],
  ] as const) {
    it(`P6 falls by itself on ${title}, and is offered`, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      const { issuer, issuers } = await headless.connect(server.mcpUrl);
      assert.equal(issuer, isFirst ? server.issuer : server.secondIssuer);
      assert.deepEqual(issuers?.toSorted(), [server.issuer, server.secondIssuer].toSorted());
    });
  }

  it("P6 is the person's, and the other one is told nothing", async (t) => {
    const { server, headless } = await startWithFaults(t, { issuers: 'both' });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { issuer: server.secondIssuer });
    await headless.manager.authorize(id);
    assert.equal(headless.manager.get(id)?.issuer, server.secondIssuer);
    assert.deepEqual(requestsAt(server, server.issuer), []);
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
  });

  it('P6 P11 is not taken over by the server when it no longer names what was chosen', async (t) => {
    const { server, headless } = await startWithFaults(t, { issuers: 'both' });
    const { manager } = headless;
    const { id } = await manager.add(server.mcpUrl);
    await manager.configure(id, { issuer: server.secondIssuer });
    await manager.authorize(id);
    server.faults.issuers = 'first';
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isOAuthError(error, 'issuer_not_named'));
      assert.deepEqual(error.details, { issuer: server.secondIssuer, issuers: [server.issuer] });
      return true;
    });
    assert.deepEqual(requestsAt(server, server.issuer), []);
    assert.equal((await manager.refresh(id)).state.type, 'ready', 'what there is stays good');
    await manager.configure(id, { issuer: undefined });
    await manager.authorize(id);
    assert.equal(manager.get(id)?.issuer, server.issuer);
  });

  for (const [title, faults, code] of [
    ['none answers well', { noMetadata: true }, 'authorization_server_not_found'],
    ['none is what it says', { metadataIssuer: 'https://e.example' }, 'issuer_mismatch'],
    ['the first one does no PKCE', { noPkce: true }, 'pkce_unsupported'],
    ['the first one registers nobody', { registrationStatus: 400 }, 'registration_refused'],
    ['the person denies', { denyAuthorization: true }, 'authorization_denied'],
  ] as const) {
    it(`P6 is there though ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { issuers: 'both', ...faults });
      const { id } = await headless.manager.add(server.mcpUrl);
      await assert.rejects(headless.manager.authorize(id), (error) => isOAuthError(error, code));
      assert.deepEqual(headless.manager.get(id)?.issuers, [server.issuer, server.secondIssuer]);
    });
  }

  it('P6 is there though nobody answers, and another one can be chosen', async (t) => {
    const { server, headless } = await startWithFaults(t);
    server.faults.prmIssuers = [NOBODY, server.issuer];
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { issuer: NOBODY });
    await assert.rejects(headless.manager.authorize(id), (error) => isOAuthError(error, 'server_unreachable'));
    assert.deepEqual(headless.manager.get(id)?.issuers, [NOBODY, server.issuer]);
    await headless.manager.configure(id, { issuer: server.issuer });
    assert.equal((await headless.manager.authorize(id)).type, 'authorized');
  });

  it('P6 is none with one authorization server, and goes when the server names only one', async (t) => {
    const { server, headless } = await startWithFaults(t, { issuers: 'both' });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.issuers = 'first';
    await headless.manager.authorize(id);
    assert.equal(headless.manager.get(id)?.issuers, undefined);
  });

  it('P6 is bounded, and has each one once', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const many = Array.from({ length: 50 }, (_, index) => `${NOBODY}/${index}`);
    server.faults.prmIssuers = [server.issuer, server.issuer, 'not a URL', ...many];
    const { issuers = [] } = await headless.connect(server.mcpUrl);
    assert.deepEqual(issuers, [server.issuer, ...many.slice(0, 8)]);
  });
});

describe('what is stored', () => {
  it('P6 P11 is kept for each issuer, and nothing of one goes to the other', async (t) => {
    const { server, headless } = await startWithFaults(t, {
      issuers: 'both',
      authMethods: ['client_secret_post'],
      challengeScope: 'files:read',
    });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const demanded = {
      status: 403 as const,
      operation: 'tools/call delete_file',
      token: await manager.accessToken(id),
    };
    const wwwAuthenticate = 'Bearer error="insufficient_scope", scope="files:admin"';
    await manager.answerChallenge(id, { ...demanded, wwwAuthenticate });
    const tokens = [await manager.accessToken(id)];
    for (const issuer of [server.secondIssuer, server.issuer, server.secondIssuer]) {
      await manager.configure(id, { issuer });
      await manager.authorize(id);
      assert.equal(manager.get(id)?.issuer, issuer);
      assert.deepEqual(manager.get(id)?.requested, ['files:read']);
      await manager.authorize(id);
      assert.deepEqual(manager.get(id)?.requested, ['files:read'], 'what was demanded before is not asked for later');
      await manager.refresh(id);
      tokens.push(await manager.accessToken(id));
    }
    assert.equal(server.requestsTo('registration').length, 2, 'one at each');

    const secrets = server.requestsTo('token').flatMap(({ form, url }) =>
      ['client_id', 'client_secret', 'code', 'refresh_token'].flatMap((name) => {
        const value = form?.[name];
        return value === undefined ? [] : [{ value, origin: new URL(url).origin }];
      }),
    );
    assert.equal(new Set(secrets.map(({ origin }) => origin)).size, 2);
    for (const issuer of [server.issuer, server.secondIssuer]) {
      const told = JSON.stringify(requestsAt(server, issuer));
      const ofTheOther = secrets.filter(({ origin }) => origin !== new URL(issuer).origin);
      for (const { value } of ofTheOther) assert.ok(!told.includes(value), 'something was taken along');
      for (const token of tokens) assert.ok(!told.includes(token), 'a token went to an authorization server');
    }
  });

  it('P11 tokens are renewed where they came from until the person has signed in elsewhere', async (t) => {
    const { server, headless } = await startWithFaults(t, { issuers: 'both' });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.configure(id, { issuer: server.secondIssuer });
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
    server.faults.denyAuthorization = true;
    await assert.rejects(headless.manager.authorize(id));
    assert.equal(headless.manager.get(id)?.issuer, server.issuer);
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
    assert.deepEqual(
      requestsAt(server, server.secondIssuer).filter(({ endpoint }) => endpoint === 'token'),
      [],
    );
  });

  it('P18a the registration in a document of an older version is used', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.dispose();
    const key = `connection:${id}`;
    const { clients, ...document } = JSON.parse(headless.keychain.entries.get(key) ?? '');
    headless.keychain.entries.set(key, JSON.stringify({ ...document, client: clients[0] }));
    const restarted = createHeadlessManager({ ...headless, browser: async (url) => server.authorize(url) });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await restarted.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1);
    assert.match(headless.keychain.entries.get(key) ?? '', /"clients":\[/);
  });
});
