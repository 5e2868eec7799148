import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
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
