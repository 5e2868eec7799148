import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { startTestGateway, whenWaiting } from '../../headless/testGateway.ts';
import type { Faults } from '../../servers/faults.ts';
import { rawRequest } from '../../servers/rawRequest.ts';

const STEP_UP_MS = 90_000;

/** A server, a manager and a gateway whose time stands still, and what tells that the person is needed. */
async function start(t: TestContext, faults: Partial<Faults> = {}) {
  const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read', ...faults });
  const clock = new ManualClock();
  let next = deferred<void>();
  const gateway = await startTestGateway(t, headless, {
    clock,
    stepUpTimeoutMs: () => STEP_UP_MS,
    onDidDecline: whenWaiting(() => next.resolve()),
  });
  const { manager } = headless;
  const { id } = await manager.add(server.mcpUrl, 'Files');
  const authorization = `Bearer ${gateway.accesses.add(id)}`;
  const url = gateway.url(id);
  return {
    server,
    headless,
    manager,
    clock,
    id,
    url,
    authorization,
    /** Signs in, and has the server end the grant: the person has to sign in again. */
    endGrant: async (): Promise<void> => {
      await manager.authorize(id);
      server.faults.invalidGrant = true;
      await assert.rejects(manager.refresh(id));
      server.faults.invalidGrant = false;
      assert.equal(manager.get(id)?.state.type, 'needsSignIn');
    },
    /** When a request begins to wait for the person, the next time. */
    waiting: async (): Promise<void> => {
      await next.promise;
      next = deferred();
      // It listens to the connection by then.
      await headless.settled();
    },
    call: async (tool: string, more: { readonly id?: unknown } = { id: 1 }) => {
      const message = { jsonrpc: '2.0', ...more, method: 'tools/call', params: { name: tool } };
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await rawRequest(url, { method: 'POST', body: JSON.stringify(message), headers });
      return { status: answer.status, headers: answer.headers, json: JSON.parse(answer.text) };
    },
  };
}

describe('P37 P22 a client whose request needs the person', () => {
  it('waits, and gets its answer when the person has consented', async (t) => {
    const { server, manager, id, call, waiting } = await start(t);
    await manager.authorize(id);
    const answer = call('write_file');
    await waiting();
    const { demands = [], state } = manager.get(id) ?? {};
    assert.equal(state?.type, 'needsConsent');
    const cause = { operation: 'tools/call write_file', client: { kind: 'token', label: 'access-0' } };
    assert.deepEqual(
      demands.map(({ at: _at, ...demand }) => demand),
      [{ scopes: ['files:write'], ...cause }],
    );
    await manager.authorize(id);
    assert.equal(manager.get(id)?.demands, undefined, 'what was granted is demanded no more');
    const { json, status } = await answer;
    assert.equal(status, 200);
    assert.deepEqual(json.result.content, [{ type: 'text', text: 'done' }]);
    assert.equal(server.requestsTo('authorization').length, 2);
  });

  it('waits for the consent, and not for a renewal', async (t) => {
    const { server, manager, id, call, waiting } = await start(t);
    await manager.authorize(id);
    const answer = call('write_file');
    await waiting();
    await manager.refresh(id);
    assert.equal(manager.get(id)?.state.type, 'needsConsent');
    await manager.authorize(id);
    assert.equal((await answer).status, 200);
    const calls = server.requestsTo('mcp').filter(({ json }) => JSON.stringify(json).includes('write_file'));
    assert.equal(calls.length, 2);
  });

  it('is told what to do when nobody consents in time, with the id of its request', async (t) => {
    const { manager, id, call, clock, waiting } = await start(t);
    await manager.authorize(id);
    const answer = call('write_file', { id: 'a-7' });
    await waiting();
    clock.advance(STEP_UP_MS - 1);
    clock.advance(1);
    const { headers, json, status } = await answer;
    assert.equal(status, 200);
    assert.equal(headers['www-authenticate'], undefined);
    assert.deepEqual(json, {
      jsonrpc: '2.0',
      id: 'a-7',
      error: {
        code: -31_051,
        message:
          '"Files" wants more permissions (files:write). Allow them in the editor, in the Scopekeeper view, and try again.',
        data: { source: 'scopekeeper', reason: 'consent_required', connection: 'Files', scopes: ['files:write'] },
      },
    });
  });

  it('is told so when the person says no', async (t) => {
    const { server, manager, id, call, waiting } = await start(t);
    await manager.authorize(id);
    const answer = call('write_file');
    await waiting();
    server.faults.denyAuthorization = true;
    await assert.rejects(manager.authorize(id));
    assert.equal((await answer).json.error.data.reason, 'consent_denied');
  });

  it('waits on when the person only closes the page', async (t) => {
    const { manager, id, call, waiting } = await start(t);
    await manager.authorize(id);
    const answer = call('write_file');
    await waiting();
    const cancel = new AbortController();
    cancel.abort();
    assert.equal((await manager.authorize(id, { signal: cancel.signal })).type, 'cancelled');
    await manager.authorize(id);
    assert.equal((await answer).status, 200);
  });

  for (const hadSignedIn of [false, true]) {
    it(`is told at once to sign in where the person ${hadSignedIn ? 'has signed out' : 'never did'}`, async (t) => {
      const { server, manager, id, call } = await start(t);
      if (hadSignedIn) {
        await manager.authorize(id);
        await manager.disconnect(id);
      }
      const before = server.requests.length;
      const { json, status } = await call('read_file');
      assert.equal(status, 200);
      assert.deepEqual([json.id, json.error.code], [1, -31_050]);
      assert.match(json.error.message, /^Nobody is signed in to "Files"\. Sign in to it in the editor/);
      assert.equal(server.requests.length, before);
      await manager.authorize(id);
      assert.equal((await call('read_file')).status, 200);
    });
  }

  it('waits for the sign-in when the server has ended the grant', async (t) => {
    const { manager, id, call, endGrant, waiting } = await start(t);
    await endGrant();
    const answer = call('read_file');
    await waiting();
    await manager.authorize(id);
    assert.equal((await answer).status, 200);
  });

  it('waits once for all that it needs: the time is that of the whole request', async (t) => {
    const { server, manager, id, call, clock, endGrant, waiting } = await start(t);
    await endGrant();
    const answer = call('write_file');
    await waiting();
    clock.advance(STEP_UP_MS - 1000);
    server.faults.grantOnly = ['files:read'];
    await manager.authorize(id);
    await waiting();
    clock.advance(1000);
    assert.equal((await answer).json.error.data.reason, 'consent_required');
  });

  it('that goes away is waited for no longer', async (t) => {
    const { manager, id, url, authorization, endGrant, waiting } = await start(t);
    await endGrant();
    let listeners = 0;
    const listen = manager.onDidChangeConnection.bind(manager);
    const { promise: ended, resolve } = deferred<void>();
    manager.onDidChangeConnection = (listener) => {
      listeners += 1;
      const listening = listen(listener);
      return {
        dispose: () => {
          listening.dispose();
          resolve();
        },
      };
    };
    const request = http.request(url, { method: 'POST', headers: { authorization } });
    request.on('error', () => undefined);
    request.end('{}');
    await waiting();
    assert.equal(listeners, 1);
    request.destroy();
    await ended;
    assert.equal(manager.get(id)?.state.type, 'needsSignIn');
  });

  it('is told to sign in when nobody does in time', async (t) => {
    const { call, clock, endGrant, waiting } = await start(t);
    await endGrant();
    const answer = call('read_file');
    await waiting();
    clock.advance(STEP_UP_MS);
    assert.equal((await answer).json.error.data.reason, 'sign_in_required');
  });

  for (const [title, body, headers] of [
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}', {}],
    ['what is no message', 'nothing of the kind', {}],
  ] as const) {
    it(`is told by an error status where there is no request to answer: ${title}`, async (t) => {
      const { url, authorization, clock, endGrant, waiting } = await start(t);
      await endGrant();
      const answer = rawRequest(url, { method: 'POST', body, headers: { authorization, ...headers } });
      await waiting();
      clock.advance(STEP_UP_MS);
      const { status, text } = await answer;
      assert.equal(status, 403);
      assert.equal(JSON.parse(text).id, null);
    });
  }

  it('is told by an error status where it asked for a stream', async (t) => {
    const { url, authorization, clock, endGrant, waiting } = await start(t);
    await endGrant();
    const answer = rawRequest(url, { headers: { authorization, accept: 'text/event-stream' } });
    await waiting();
    clock.advance(STEP_UP_MS);
    assert.equal((await answer).status, 403);
  });

  it('gets one answer for each request of a batch', async (t) => {
    const { url, authorization, clock, endGrant, waiting } = await start(t);
    await endGrant();
    const jsonrpc = '2.0';
    const body = JSON.stringify([
      { jsonrpc, id: 1, method: 'ping' },
      { jsonrpc, method: 'notifications/x' },
      { jsonrpc, id: 'b', method: 'tools/list' },
    ]);
    const answer = rawRequest(url, { method: 'POST', body, headers: { authorization } });
    await waiting();
    clock.advance(STEP_UP_MS);
    const answers: { id: unknown }[] = JSON.parse((await answer).text);
    assert.deepEqual(
      answers.map(({ id }) => id),
      [1, 'b'],
    );
  });
});

describe('P24 P45 what a server says of the token', () => {
  it('stays here: a 403 that speaks of no scope is passed on without its challenge', async (t) => {
    const { server, manager, id, call } = await start(t);
    await manager.authorize(id);
    server.faults.forbidden = 'plain';
    const { headers, json, status } = await call('read_file');
    assert.deepEqual([status, json, headers['www-authenticate']], [403, { error: 'forbidden' }, undefined]);
  });

  it('that has just been refused is renewed, and the client sees nothing of it', async (t) => {
    const { server, manager, id, call } = await start(t);
    await manager.authorize(id);
    server.faults.now = () => Date.now() + 3_600_000;
    assert.equal((await call('read_file')).status, 200);
    assert.equal(server.requestsTo('token').length, 2);
  });

  it('of a message too long to be kept is told as such, and the next one passes', async (t) => {
    const { server, manager, id, url, authorization } = await start(t);
    await manager.authorize(id);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { text: 'x'.repeat(5_000_000) } });
    server.faults.rejectTokens = true;
    const headers = { authorization, 'content-type': 'application/json' };
    const refused = await rawRequest(url, { method: 'POST', body, headers });
    assert.equal(refused.status, 503);
    assert.equal(JSON.parse(refused.text).error.data.reason, 'send_again');
    server.faults.rejectTokens = false;
    assert.equal((await rawRequest(url, { method: 'POST', body, headers })).status, 200);
  });

  it('a server that does not answer, and a token that cannot be renewed, are told apart', async (t) => {
    const { server, headless, manager, id, call } = await start(t);
    await manager.authorize(id);
    server.faults.tokenStatus = 503;
    server.faults.rejectTokens = true;
    const { json, status } = await call('read_file');
    assert.equal(status, 503);
    assert.deepEqual([json.error.code, json.error.data.reason], [-31_056, 'token_unavailable']);
    assert.equal(json.error.data.cause, 'token_request_failed');
    server.faults.rejectTokens = false;
    assert.ok(headless.log.lines.some((line) => line.includes('got no token')));
  });
});
