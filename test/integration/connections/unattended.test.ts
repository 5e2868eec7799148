import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ServerChallenge } from '../../../src/connections/challengePolicy.ts';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { granted, refreshForms, restart, stored } from './refreshing.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const KINDS = ['client_credentials', 'workload_identity', 'enterprise_managed'] as const;
type Kind = (typeof KINDS)[number];

interface Started {
  readonly server: FaultyServer;
  readonly headless: Headless;
  readonly clock: ManualClock;
  readonly id: string;
  /** Where the workload's identity token lies. */
  readonly assertionFile: string;
}

/** A connection of a kind that needs nobody for its tokens, once it has some. */
async function start(t: TestContext, kind: Kind, faults: Partial<Faults> = {}): Promise<Started> {
  const clock = new ManualClock();
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-unattended-'));
  t.after(async () => rm(folder, { recursive: true }));
  const assertionFile = path.join(folder, 'token');
  const grantTypes = ['client_credentials', 'refresh_token', JWT_BEARER];
  const { server, headless } = await startWithFaults(t, { grantTypes, expiresIn: 600, ...faults }, { clock });
  server.addClient({ id: 'mine', secret: 'my-secret', authMethod: 'client_secret_basic' });
  const { id } = await headless.manager.add(server.mcpUrl, undefined, kind);
  const { identityProvider: idp } = server;
  server.faults.idJagClientId = 'mine';
  await writeFile(assertionFile, await server.workloadAssertion());
  await headless.manager.configure(
    id,
    {
      client: { issuer: server.issuer, clientId: 'mine' },
      ...(kind === 'workload_identity' && { assertionFile }),
      ...(kind === 'enterprise_managed' && { identityProvider: { issuer: idp.issuer, clientId: idp.clientId } }),
    },
    {
      clientSecret: 'my-secret',
      ...(kind === 'enterprise_managed' && { identityProvider: { idToken: await idp.idToken() } }),
    },
  );
  await headless.manager.authorize(id);
  return { server, headless, clock, id, assertionFile };
}

/** A demand for a scope that was not asked for before. */
function demand(token: string): ServerChallenge {
  const wwwAuthenticate = 'Bearer error="insufficient_scope", scope="files:admin"';
  return { status: 403, wwwAuthenticate, token, operation: 'tools/call delete_file' };
}

/** The server gives a refresh token with every answer from now on, one that is not good. */
function giveBadRefreshTokens(server: FaultyServer): void {
  server.faults.tokenBody = (body) => ({ ...body, refresh_token: 'rt-that-is-not-good' });
}

describe('a connection that needs nobody for its tokens', () => {
  for (const kind of KINDS) {
    it(`${kind}: P34 asks anew by itself before the token ends, for all that was requested`, async (t) => {
      const { server, headless, clock, id } = await start(t, kind);
      const before = server.requestsTo('token').length;
      clock.advance(600_000 * 0.8);
      const connection = await headless.until(
        id,
        ({ state }) => state.type === 'ready' && state.grant.refreshedAt !== undefined,
      );
      assert.deepEqual(granted(connection), ['files:read', 'files:write']);
      assert.equal(currentGrant(connection)?.expiresAt, clock.now() + 600_000);
      assert.ok(server.isActive(await headless.manager.accessToken(id)));
      const [first, again] = [before - 1, before].map((index) => server.requestsTo('token')[index]?.form);
      for (const name of ['grant_type', 'scope', 'resource']) assert.equal(again?.[name], first?.[name], name);
      const restarted = await restart(t, headless, { clock });
      assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
    });

    it(`${kind}: P26 scopes that were dropped and come back are told, also when nothing is said of them`, async (t) => {
      const { server, headless, id } = await start(t, kind);
      server.faults.echoScope = 'files:read';
      assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read']);
      Object.assign(server.faults, { echoScope: undefined, omitScope: true });
      assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read', 'files:write']);
      const told = headless.manager
        .activity(id)
        .filter(({ type }) => type.startsWith('scopes_'))
        .map(({ type, scopes = [] }) => [type, ...scopes].join(' '));
      assert.deepEqual(told, ['scopes_dropped files:write', 'scopes_restored files:write']);
    });

    it(`${kind}: P12 a client that the server no longer knows needs the person, and nothing is thrown away`, async (t) => {
      const { server, headless, id } = await start(t, kind);
      const before = stored(headless, id);
      server.faults.invalidClient = true;
      await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
      const state = headless.manager.get(id)?.state;
      assert.ok(state?.type === 'needsSignIn' && state.reason === 'client_rejected');
      assert.equal(stored(headless, id), before);
      server.faults.invalidClient = false;
      assert.equal((await headless.manager.authorize(id)).type, 'authorized');
    });

    it(`${kind}: P32 invalid_grant is no end, where there is nothing to end: it is tried again by itself`, async (t) => {
      const { server, headless, clock, id } = await start(t, kind);
      const before = stored(headless, id);
      server.faults.invalidGrant = true;
      await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
      const { state, lastError } = headless.manager.get(id) ?? assert.fail();
      assert.ok(state.type === 'unreachable');
      assert.deepEqual([state.error.code, lastError?.code], ['grant_rejected', 'grant_rejected']);
      assert.equal(stored(headless, id), before);
      server.faults.invalidGrant = false;
      clock.advance(state.retryAt - clock.now());
      await headless.until(id, (connection) => connection.state.type === 'ready');
    });

    it(`${kind}: P32 a server that is away is tried again by itself`, async (t) => {
      const { server, headless, clock, id } = await start(t, kind);
      server.faults.tokenStatus = 503;
      await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'token_request_failed'));
      assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
      server.faults.tokenStatus = 200;
      clock.advance(5000);
      await headless.until(id, ({ state }) => state.type === 'ready');
    });

    it(`${kind}: P32 a refresh token that has ended is not the end: tokens are asked for anew`, async (t) => {
      const { server, headless, id } = await start(t, kind);
      giveBadRefreshTokens(server);
      await headless.manager.refresh(id);
      assert.match(stored(headless, id), /rt-that-is-not-good/);
      server.faults.tokenBody = undefined;
      const eventsBefore = headless.manager.activity(id).length;
      assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
      assert.doesNotMatch(stored(headless, id), /rt-that-is-not-good/);
      assert.equal(refreshForms(server).length, 1);
      assert.ok(server.isActive(await headless.manager.accessToken(id)));
      await headless.manager.refresh(id);
      assert.equal(refreshForms(server).length, 1, 'it is not sent again');
      const events = headless.manager.activity(id).slice(eventsBefore);
      assert.ok(events.every(({ type }) => type === 'refreshed'));
    });

    it(`${kind}: P32 a refresh token that has ended goes when asking anew is refused too`, async (t) => {
      const { server, headless, id } = await start(t, kind);
      giveBadRefreshTokens(server);
      await headless.manager.refresh(id);
      Object.assign(server.faults, { tokenBody: undefined, invalidGrant: true });
      await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
      assert.doesNotMatch(stored(headless, id), /rt-that-is-not-good/);
      // What can be asked for anew has not ended with it.
      assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
    });

    it(`${kind}: P22 P24 a step-up needs nobody, and is one for all the requests that need it`, async (t) => {
      const { server, headless, id } = await start(t, kind, { challengeScope: 'files:read' });
      const { manager } = headless;
      const token = await manager.accessToken(id);
      const before = server.requestsTo('token').length;
      const outcomes = await Promise.all([1, 2, 3].map(async () => manager.answerChallenge(id, demand(token))));
      assert.deepEqual(
        outcomes.map(({ type }) => type),
        ['retry', 'retry', 'retry'],
      );
      const connection = manager.get(id);
      assert.equal(connection?.state.type, 'ready');
      assert.deepEqual(granted(connection), ['files:read', 'files:admin']);
      assert.ok(server.isActive(await manager.accessToken(id)));
      assert.ok(server.requestsTo('token').length <= before + 1);
      assert.equal(server.requestsTo('authorization').length, 0);
    });

    it(`${kind}: P22 P24 a step-up beside a sign-in that is running leaves it to that one`, async (t) => {
      const { server, headless, id } = await start(t, kind, { challengeScope: 'files:read' });
      const { manager } = headless;
      const token = await manager.accessToken(id);
      const signIn = manager.authorize(id);
      assert.equal((await manager.answerChallenge(id, demand(token))).type, 'authorize');
      assert.equal((await signIn).type, 'authorized');
      assert.equal(server.requestsTo('authorization').length, 0);
      assert.deepEqual(manager.get(id)?.challenged.includes('files:admin'), true, 'what was demanded stays demanded');
    });

    it(`${kind}: P25 a step-up is tried once, though it changes nothing`, async (t) => {
      const { headless, id } = await start(t, kind, { challengeScope: 'files:read', grantOnly: ['files:read'] });
      const { manager } = headless;
      const answer = async (): Promise<string> =>
        (await manager.answerChallenge(id, demand(await manager.accessToken(id)))).type;
      assert.deepEqual([await answer(), await answer(), await answer()], ['retry', 'stop', 'stop']);
    });

    it(`${kind}: P24 a step-up that fails needs the person`, async (t) => {
      const { server, headless, id } = await start(t, kind, { challengeScope: 'files:read' });
      const { manager } = headless;
      server.faults.invalidGrant = true;
      const token = await manager.accessToken(id);
      assert.equal((await manager.answerChallenge(id, demand(token))).type, 'authorize');
      const { state, lastError } = manager.get(id) ?? assert.fail();
      assert.ok(state.type === 'needsConsent');
      assert.deepEqual([state.missing, lastError?.code], [['files:admin'], 'grant_rejected']);
      assert.equal(await manager.accessToken(id), token);
      server.faults.invalidGrant = false;
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.deepEqual(granted(manager.get(id)), ['files:read', 'files:admin']);
    });

    it(`${kind}: P32 a step-up waits as a renewal does`, async (t) => {
      const { server, headless, clock, id } = await start(t, kind, { challengeScope: 'files:read' });
      const { manager } = headless;
      const token = await manager.accessToken(id);
      server.faults.tokenStatus = 503;
      await assert.rejects(manager.refresh(id));
      const before = server.requestsTo('token').length;
      await assert.rejects(manager.answerChallenge(id, demand(token)), (error) =>
        isOAuthError(error, 'token_request_failed'),
      );
      assert.equal(server.requestsTo('token').length, before);
      server.faults.tokenStatus = 200;
      clock.jump(60_000);
      assert.equal((await manager.answerChallenge(id, demand(token))).type, 'retry');
    });

    it(`${kind}: P14 leaves resource out when the person does`, async (t) => {
      const { server, headless, id } = await start(t, kind);
      await headless.manager.configure(id, { omitResource: true });
      await headless.manager.refresh(id);
      assert.equal(server.requestsTo('token').at(-1)?.form?.['resource'], undefined);
    });
  }

  it('workload_identity: P32 a file that is away for now, as a mount may be, is looked for again', async (t) => {
    const { server, headless, clock, id, assertionFile } = await start(t, 'workload_identity');
    await rm(assertionFile);
    await assert.rejects(headless.manager.refresh(id), (error) => isConnectionError(error, 'assertion_unreadable'));
    const { state, lastError } = headless.manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'unreachable');
    assert.equal(state.error.code, 'assertion_unreadable');
    assert.equal(lastError?.code, 'assertion_unreadable');
    assert.ok(server.isActive(await headless.manager.accessToken(id)), 'the old token is still used');
    await writeFile(assertionFile, await server.workloadAssertion());
    clock.advance(state.retryAt - clock.now());
    await headless.until(id, (connection) => connection.state.type === 'ready');
  });

  it('workload_identity: an identity token that is no longer named needs the person', async (t) => {
    const { headless, id } = await start(t, 'workload_identity');
    await headless.manager.configure(id, { assertionFile: undefined });
    await assert.rejects(headless.manager.refresh(id), (error) => isConnectionError(error, 'credentials_missing'));
    const state = headless.manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'secret_missing');
  });

  it('enterprise_managed: a step-up opens no browser, though the company sign-in has ended', async (t) => {
    const { server, headless, id } = await start(t, 'enterprise_managed', { challengeScope: 'files:read' });
    server.faults.idpRefuses = 'invalid_grant';
    const { manager } = headless;
    const outcome = await manager.answerChallenge(id, demand(await manager.accessToken(id)));
    assert.equal(outcome.type, 'authorize');
    assert.equal(manager.get(id)?.state.type, 'needsConsent');
    assert.equal(server.requestsTo('idpAuthorization').length, 0);
  });

  it('enterprise_managed: a company sign-in that has ended needs the person', async (t) => {
    const { server, headless, id } = await start(t, 'enterprise_managed');
    const before = stored(headless, id);
    server.faults.idpRefuses = 'invalid_grant';
    await assert.rejects(headless.manager.refresh(id));
    const state = headless.manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'grant_rejected');
    assert.equal(stored(headless, id), before);
  });
});
