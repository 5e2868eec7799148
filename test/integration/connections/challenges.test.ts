import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerChallenge } from '../../../src/connections/challengePolicy.ts';
import { currentGrant } from '../../../src/connections/connection.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';

/** Calls a tool with a token, and gives what the manager needs to know of the answer. */
async function callTool(server: FaultyServer, name: string, token: string) {
  const response = await fetch(server.mcpUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
  });
  await response.text();
  return { status: response.status, wwwAuthenticate: response.headers.get('www-authenticate'), token };
}

describe('step-up', () => {
  it('P21 P22 asks for what was granted and what is demanded now, and keeps both (seed 002)', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    for (const [tool, scopes] of [
      ['write_file', ['files:read', 'files:write']],
      ['delete_file', ['files:read', 'files:write', 'files:admin']],
    ] as const) {
      const refused = await callTool(server, tool, await manager.accessToken(id));
      assert.equal(refused.status, 403);
      const outcome = await manager.answerChallenge(id, { ...refused, status: 403, operation: tool });
      assert.equal(outcome.type, 'authorize');
      assert.equal(manager.get(id)?.state.type, 'needsConsent');
      await manager.authorize(id);
      const connection = manager.get(id);
      assert.deepEqual(connection?.requested, scopes);
      assert.equal(connection.state.type, 'ready');
      assert.equal((await callTool(server, tool, await manager.accessToken(id))).status, 200);
      assert.equal((await callTool(server, 'read_file', await manager.accessToken(id))).status, 200);
    }
  });

  it('P22 says what is missing of what is demanded, and not what was granted', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const outcome = await manager.answerChallenge(id, {
      status: 403,
      wwwAuthenticate: 'Bearer error="insufficient_scope", scope="files:read files:write"',
      operation: 'write_file',
      token: await manager.accessToken(id),
    });
    assert.deepEqual(outcome, { type: 'authorize', scopes: ['files:read', 'files:write'] });
    const { state } = manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['files:write']);
  });

  it('P25 a server that challenges for ever is stopped, and nobody is asked again', async (t) => {
    const { server, headless } = await startWithFaults(t, {
      forbidden: 'insufficient_scope',
      challengeScope: 'files:read',
    });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const outcomes: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const refused = await callTool(server, 'read_file', await manager.accessToken(id));
      const { type } = await manager.answerChallenge(id, { ...refused, status: 403, operation: 'read_file' });
      outcomes.push(type);
      if (type === 'authorize') await manager.authorize(id);
    }
    assert.deepEqual(outcomes, ['retry', 'authorize', 'stop', 'stop']);
    assert.equal(server.requestsTo('authorization').length, 2);
  });

  it('P25 two operations whose scopes are never granted ask once each, however they take turns', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read', grantOnly: ['files:read'] });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const call = async (tool: string): Promise<string> => {
      const refused = await callTool(server, tool, await manager.accessToken(id));
      const { type } = await manager.answerChallenge(id, { ...refused, status: 403, operation: tool });
      if (type === 'authorize') await manager.authorize(id);
      return type;
    };
    const outcomes: string[] = [];
    for (let round = 0; round < 3; round += 1) outcomes.push(await call('write_file'), await call('delete_file'));
    assert.deepEqual(outcomes, ['authorize', 'authorize', 'stop', 'stop', 'stop', 'stop']);
    // Granted after all, and lost again: that is something new.
    server.faults.grantOnly = undefined;
    await manager.authorize(id);
    server.faults.grantOnly = ['files:read'];
    await manager.authorize(id);
    assert.equal(await call('write_file'), 'authorize');
  });

  it('P24 a 403 that speaks of no scope logs nobody out', async (t) => {
    const { server, headless } = await startWithFaults(t, { forbidden: 'plain' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const refused = await callTool(server, 'read_file', await manager.accessToken(id));
    const outcome = await manager.answerChallenge(id, { ...refused, status: 403, operation: 'read_file' });
    assert.deepEqual(outcome, { type: 'pass' });
    assert.equal(manager.get(id)?.state.type, 'ready');
  });

  it('a renewal does not hide that the person still has to consent', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const refused = await callTool(server, 'write_file', await manager.accessToken(id));
    await manager.answerChallenge(id, { ...refused, status: 403, operation: 'write_file' });
    server.faults.tokenStatus = 503;
    await assert.rejects(manager.refresh(id));
    server.faults.tokenStatus = 200;
    const { state } = await manager.refresh(id);
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['files:write']);
    assert.deepEqual(state.grant.granted, ['files:read']);
  });

  it('P2 P23 what was learnt and demanded survives a sign-in that ends in nothing', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const refused = await callTool(server, 'write_file', await manager.accessToken(id));
    await manager.answerChallenge(id, { ...refused, status: 403, operation: 'write_file' });
    Object.assign(server.faults, { denyAuthorization: true, challengeResourceMetadata: false });
    await assert.rejects(manager.authorize(id));
    server.faults.denyAuthorization = false;
    await manager.authorize(id);
    assert.equal(server.requestsTo('authorization').at(-1)?.query['scope'], 'files:read files:write');
    assert.deepEqual(currentGrant(manager.get(id) ?? assert.fail())?.granted, ['files:read', 'files:write']);
  });

  it('P22 P23 what the person left out stays so, at a server whose every 401 names it, until it is demanded', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read files:write' });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    await manager.authorize(id, { scopes: ['files:read'] });
    const asked = (): unknown => server.requestsTo('authorization').at(-1)?.query['scope'];
    const demanded = (): readonly string[] | undefined => manager.get(id)?.challenged;
    assert.deepEqual([asked(), demanded()], ['files:read', ['files:read']]);
    await manager.authorize(id);
    assert.deepEqual([asked(), demanded()], ['files:read', ['files:read']]);
    const expired = {
      status: 401,
      wwwAuthenticate: 'Bearer error="invalid_token", scope="files:read files:write"',
      operation: 'read_file',
      token: await manager.accessToken(id),
    } as const;
    assert.deepEqual(await manager.answerChallenge(id, expired), { type: 'retry' });
    await manager.authorize(id);
    assert.deepEqual(
      [asked(), currentGrant(manager.get(id) ?? assert.fail())?.granted],
      ['files:read', ['files:read']],
    );
    const refusal = await callTool(server, 'write_file', await manager.accessToken(id));
    const outcome = await manager.answerChallenge(id, { ...refusal, status: 403, operation: 'write_file' });
    assert.equal(outcome.type, 'authorize');
    await manager.authorize(id);
    assert.equal(asked(), 'files:read files:write');
    assert.equal(manager.get(id)?.declined, undefined);
    await manager.authorize(id);
    assert.equal(asked(), 'files:read files:write');
  });
});

/** A 401 to a request that carried this token. */
function refused(token: string): ServerChallenge {
  return { status: 401, wwwAuthenticate: 'Bearer error="invalid_token"', operation: 'read_file', token };
}

describe('a token that the server refuses', () => {
  it('P29 is renewed once for all the requests that carried it', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 20 } });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const token = await manager.accessToken(id);
    const outcomes = await Promise.all([1, 2, 3].map(async () => manager.answerChallenge(id, refused(token))));
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      ['retry', 'retry', 'retry'],
    );
    assert.deepEqual(await manager.answerChallenge(id, refused(token)), { type: 'retry' }, 'also one that comes late');
    assert.equal(server.requestsTo('token').length, 2);
    assert.equal(manager.get(id)?.state.type, 'ready');
  });

  it('P32 needs nobody because the network was away, and asks no sooner than it is tried again', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, {}, { clock });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const token = await manager.accessToken(id);
    server.faults.tokenStatus = 503;
    const before = server.requestsTo('token').length;
    await assert.rejects(manager.answerChallenge(id, refused(token)));
    await assert.rejects(manager.answerChallenge(id, refused(token)));
    assert.equal(server.requestsTo('token').length, before + 1);
    server.faults.tokenStatus = 200;
    const { state } = manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'unreachable');
    clock.jump(state.retryAt - clock.now());
    assert.deepEqual(await manager.answerChallenge(id, refused(token)), { type: 'retry' });
    assert.equal(manager.get(id)?.state.type, 'ready');
  });
});

describe('a 401', () => {
  it('P2 P22 P24 demands nothing by itself, and what it names is kept when a later one names nothing', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: undefined });
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const answer = async (wwwAuthenticate: string | null) => {
      const token = await manager.accessToken(id);
      assert.equal((await manager.answerChallenge(id, { ...refused(token), wwwAuthenticate })).type, 'retry');
      const { challenged, resourceMetadataUrl } = manager.get(id) ?? assert.fail();
      return { challenged, resourceMetadataUrl };
    };
    const known = manager.get(id)?.resourceMetadataUrl;
    assert.deepEqual(await answer(null), { challenged: [], resourceMetadataUrl: known });
    const resourceMetadataUrl = `${server.mcpUrl}/metadata`;
    const named = { challenged: ['files:other'], resourceMetadataUrl };
    // Each is another operation, so that none is one too many.
    const other = async (operation: string, wwwAuthenticate: string) => {
      const token = await manager.accessToken(id);
      await manager.answerChallenge(id, { status: 401, wwwAuthenticate, token, operation });
      const { challenged, resourceMetadataUrl: url } = manager.get(id) ?? assert.fail();
      return { challenged, resourceMetadataUrl: url };
    };
    assert.deepEqual(
      await other('two', `Bearer scope="files:other", resource_metadata="${resourceMetadataUrl}"`),
      named,
    );
    assert.deepEqual(await other('three', 'Bearer'), named);
  });

  it('P24 P34 is about the token first, also when it names a scope that the person did not grant', async (t) => {
    // As MCP servers do, it names all scopes and says no `error`; a token with no expiry is renewed on a 401 only.
    const scope = 'files:read files:write';
    const faults = { grantOnly: ['files:read'], challengeScope: scope, expiresIn: undefined };
    const { server, headless } = await startWithFaults(t, faults);
    const { manager } = headless;
    const { id } = await headless.connect(server.mcpUrl);
    const answer = async () => {
      const token = await manager.accessToken(id);
      const challenge = { status: 401, wwwAuthenticate: `Bearer scope="${scope}"`, token, operation: 'list' } as const;
      return (await manager.answerChallenge(id, challenge)).type;
    };
    const first = await manager.accessToken(id);
    assert.equal(await answer(), 'retry');
    assert.notEqual(await manager.accessToken(id), first);
    assert.equal(manager.get(id)?.state.type, 'ready');
    // That did not help, so it is about the scopes after all.
    assert.equal(await answer(), 'authorize');
    assert.equal(manager.get(id)?.state.type, 'needsConsent');
  });

  it('says nothing of the token when there was none', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { manager } = headless;
    const { id } = await manager.add(server.mcpUrl);
    const challenge = { ...refused(''), token: undefined };
    assert.equal((await manager.answerChallenge(id, challenge)).type, 'authorize');
    assert.equal(manager.get(id)?.state.type, 'disconnected');
    await manager.authorize(id);
    const token = await manager.accessToken(id);
    await manager.disconnect(id);
    // The answer to a request that was on its way when the person signed out.
    await manager.answerChallenge(id, refused(token));
    assert.equal(manager.get(id)?.state.type, 'disconnected');
  });
});

describe('P8 a client metadata document', () => {
  const url = 'https://client.example/metadata.json';

  it('is the client ID where the server takes one', async (t) => {
    const { server, headless } = await startWithFaults(t, { clientMetadata: 'accepted' }, { clientMetadataUrl: url });
    assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
    assert.equal(server.requestsTo('authorization')[0]?.query['client_id'], url);
    assert.equal(server.requestsTo('registration').length, 0);
  });

  it('gives way to registration where it is refused', async (t) => {
    const { server, headless } = await startWithFaults(t, { clientMetadata: 'refused' }, { clientMetadataUrl: url });
    assert.equal((await headless.connect(server.mcpUrl)).state.type, 'ready');
    assert.equal(server.requestsTo('registration').length, 1);
  });

  it('is used again after a sign-in that was cancelled', async (t) => {
    let abort: AbortController | undefined = new AbortController();
    const { server, headless } = await startWithFaults(
      t,
      { clientMetadata: 'accepted', noRegistration: true },
      {
        clientMetadataUrl: url,
        wrapBrowser: (browser) => async (authorizationUrl) => {
          if (abort === undefined) return browser(authorizationUrl);
          abort.abort();
          return undefined;
        },
      },
    );
    const { id } = await headless.manager.add(server.mcpUrl);
    assert.deepEqual(await headless.manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    abort = undefined;
    assert.equal((await headless.manager.authorize(id)).type, 'authorized');
  });
});
