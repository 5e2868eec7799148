import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Connection, currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';

/** The forms of all refresh requests. */
function refreshForms(server: FaultyServer): readonly Readonly<Record<string, string>>[] {
  return server.requestsTo('token').flatMap(({ form }) => (form?.['grant_type'] === 'refresh_token' ? [form] : []));
}

function granted(connection: Connection | undefined): readonly string[] | undefined {
  return connection === undefined ? undefined : currentGrant(connection)?.granted;
}

/** What is stored for the connection. */
function stored(headless: Headless, id: string): string {
  return headless.keychain.entries.get(`connection:${id}`) ?? '';
}

const isReady = (connection: Connection): boolean => connection.state.type === 'ready';
const refreshedAtLeast =
  (generation: number) =>
  (connection: Connection): boolean =>
    isReady(connection) && (currentGrant(connection)?.generation ?? 0) >= generation;

describe('refreshing', () => {
  it('P14 P27 sends scope and resource, so that a server that drops unsent scopes keeps them (seed 000)', async (t) => {
    const { server, headless } = await startWithFaults(t, { dropScopesUnlessSent: true });
    const { id } = await headless.connect(server.mcpUrl);
    for (let round = 1; round <= 3; round += 1) {
      const connection = await headless.manager.refresh(id);
      assert.deepEqual(granted(connection), ['files:read', 'files:write']);
      const form = refreshForms(server).at(-1);
      assert.equal(form?.['scope'], 'files:read files:write');
      assert.equal(form['resource'], server.mcpUrl);
    }
  });

  it('P27 asks for what was authorized after a refresh that narrowed', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.echoScope = 'files:read';
    assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read']);
    assert.deepEqual(headless.manager.activity(id).at(-1)?.scopes, ['files:write']);
    server.faults.echoScope = undefined;
    assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read', 'files:write']);
    assert.equal(refreshForms(server)[1]?.['scope'], 'files:read files:write');
  });

  it('P27 sends the requested scopes when the server echoes other spellings', async (t) => {
    const { server, headless } = await startWithFaults(t, { echoScope: 'https://api.example/files.read' });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    assert.equal(refreshForms(server)[0]?.['scope'], 'files:read files:write');
  });

  it('P27 leaves scope out as the last resort, and remembers what worked', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectScopeOnRefresh: true });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    await headless.manager.refresh(id);
    assert.deepEqual(
      refreshForms(server).map((form) => form['scope']),
      ['files:read files:write', undefined, undefined],
    );
  });

  for (const [title, faults, expected] of [
    ['replaced when the answer has one', { rotate: true }, 'replaced'],
    ['kept when it has none', { rotate: false }, 'kept'],
    ['kept when it is empty', { emptyRefreshToken: true }, 'kept'],
  ] as const) {
    it(`P28 the refresh token is ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t, faults);
      const { id } = await headless.connect(server.mcpUrl);
      await headless.manager.refresh(id);
      await headless.manager.refresh(id);
      const [first, second] = refreshForms(server).map((form) => form['refresh_token']);
      assert.equal(first === second ? 'kept' : 'replaced', expected);
      assert.ok(server.isActive(await headless.manager.accessToken(id)));
    });
  }

  it('P29 a hundred callers at once share one refresh', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 20 } });
    const { id } = await headless.connect(server.mcpUrl);
    await Promise.all(Array.from({ length: 100 }, async () => headless.manager.refresh(id)));
    assert.equal(refreshForms(server).length, 1);
  });

  it('P33 a token response that deviates loses no rotated token', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    for (const change of [
      { token_type: undefined },
      { token_type: 'BEARER' },
      { token_type: 'JWT' },
      { expires_in: null },
      { expires_in: '3600' },
      { expires_in: -1 },
      { scope: null },
      { scope: ['files:read', 'files:write'] },
    ]) {
      server.faults.tokenBody = (body) => ({ ...body, ...change });
      const connection = await headless.manager.refresh(id);
      assert.deepEqual(granted(connection), ['files:read', 'files:write'], JSON.stringify(change));
    }
    server.faults.tokenBody = undefined;
    server.faults.tokenStatus = 201;
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
  });

  it('P34 happens by itself before the token ends, and the keychain is first read then', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { expiresIn: 600 }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    const restarted = createHeadlessManager({
      browser: async () => undefined,
      clock,
      keychain: headless.keychain,
      file: headless.file,
    });
    t.after(async () => restarted.dispose());
    const tokensBefore = server.requestsTo('token').length;
    await headless.dispose();
    headless.keychain.reads = 0;
    await restarted.manager.start();
    clock.advance(400_000);
    assert.equal(restarted.manager.get(id)?.state.type, 'ready');
    assert.equal(headless.keychain.reads, 0, 'nothing was needed from the keychain so far');
    clock.advance(80_000);
    const connection = await restarted.until(id, refreshedAtLeast(2));
    assert.ok(headless.keychain.reads > 0);
    assert.equal(currentGrant(connection)?.expiresAt, clock.now() + 600_000);
    assert.equal(server.requestsTo('token').length, tokensBefore + 1);
  });

  it('P34 notices a clock that jumped over the due time', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { expiresIn: 600 }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    clock.advance(8 * 60 * 60_000);
    await headless.until(id, refreshedAtLeast(2));
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    assert.equal(refreshForms(server).length, 1);
  });

  it('a token that has ended is renewed when it is asked for', async (t) => {
    const { server, headless } = await startWithFaults(t, { expiresIn: 5 });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.accessToken(id);
    assert.equal(refreshForms(server).length, 1);
  });

  it('a token without refresh token ends in needing the person', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { expiresIn: 600, noRefreshToken: true }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    await assert.rejects(headless.manager.refresh(id), (error) => isConnectionError(error, 'sign_in_required'));
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
    clock.advance(600_000);
    const { state } = await headless.until(id, ({ state: { type } }) => type === 'needsSignIn');
    assert.ok(state.type === 'needsSignIn' && state.reason === 'expired');
  });
});

describe('a refresh that fails', () => {
  for (const [title, faults] of [
    ['500', { tokenStatus: 500 }],
    ['429', { tokenStatus: 429 }],
    ['HTML', { tokenBody: () => '<html>' }],
    ['a broken connection', { dropTokenAnswer: true }],
  ] as const) {
    it(`P32 ${title}: keeps the refresh token and retries by itself`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(t, { strictRotation: false, rotate: false }, { clock });
      const { id } = await headless.connect(server.mcpUrl);
      const before = stored(headless, id);
      const healthy = { ...server.faults };
      Object.assign(server.faults, faults);
      await assert.rejects(headless.manager.refresh(id));
      const failed = headless.manager.get(id);
      assert.equal(failed?.state.type, 'unreachable');
      assert.equal(stored(headless, id), before);
      assert.ok(server.isActive(await headless.manager.accessToken(id)), 'the old token is still used');
      Object.assign(server.faults, healthy);
      clock.advance(5_000);
      await headless.until(id, isReady);
    });
  }

  it('P32 honours Retry-After', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, {}, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, { tokenStatus: 503, retryAfter: '120' });
    await assert.rejects(headless.manager.refresh(id));
    const state = headless.manager.get(id)?.state;
    assert.ok(state?.type === 'unreachable');
    assert.equal(state.retryAt, clock.now() + 120_000);
  });

  it('P32 backs off further with every failure', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { expiresIn: 36_000 }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.tokenStatus = 500;
    const delays: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await assert.rejects(headless.manager.refresh(id));
      const state = headless.manager.get(id)?.state;
      delays.push(state?.type === 'unreachable' ? state.retryAt - clock.now() : 0);
    }
    assert.deepEqual(delays, [3750, 7500, 15_000, 30_000]);
    const failures = headless.manager.activity(id).filter(({ type }) => type === 'refresh_failed');
    assert.equal(failures.length, 1, 'one outage is one event');
  });

  it('P32 invalid_grant ends the grant, and only then the refresh token goes', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.invalidGrant = true;
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
    const connection = headless.manager.get(id);
    assert.ok(connection?.state.type === 'needsSignIn' && connection.state.reason === 'grant_rejected');
    assert.ok(!stored(headless, id).includes('"refreshToken"'));
    assert.deepEqual(connection.requested, ['files:read', 'files:write']);
    server.faults.invalidGrant = false;
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1, 'the registration is still good');
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
  });

  it('P12 P32 a client that the server forgot needs a sign-in, which registers anew', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    server.forgetClients();
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
    const state = headless.manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'client_rejected');
    assert.ok(stored(headless, id).includes('"refreshToken"'), 'the refresh token is kept');
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 2);
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
  });
});
