import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Connection, currentGrant } from '../../../src/connections/connection.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock, MemorySecretStore } from '../../headless/memoryPorts.ts';
import { granted, refreshForms, sentForms, stored } from './refreshing.ts';

/** Lets something happen between the next read and its answer. */
class SlowKeychain extends MemorySecretStore {
  onceRead: (() => Promise<void>) | undefined;

  override async get(key: string): Promise<string | undefined> {
    const text = await super.get(key);
    const { onceRead } = this;
    this.onceRead = undefined;
    await onceRead?.();
    return text;
  }
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

  it('P26 P27 a narrowing is kept and told once, and asked back with every refresh until it is', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const eventsBefore = headless.manager.activity(id).length;
    server.faults.echoScope = 'files:read';
    for (let round = 1; round <= 3; round += 1) {
      const connection = await headless.manager.refresh(id);
      assert.deepEqual(granted(connection), ['files:read']);
      assert.deepEqual(currentGrant(connection)?.authorized, ['files:read', 'files:write']);
    }
    server.faults.echoScope = undefined;
    for (let round = 1; round <= 2; round += 1) {
      assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read', 'files:write']);
    }
    assert.deepEqual(new Set(sentForms(server)), new Set(['files:read files:write +']));
    const events = headless.manager.activity(id).slice(eventsBefore);
    assert.deepEqual(
      events.map(({ type, scopes = [] }) => [type, ...scopes].join(' ')),
      [
        'refreshed',
        'scopes_dropped files:write',
        'refreshed',
        'refreshed',
        'refreshed',
        'scopes_restored files:write',
        'refreshed',
      ],
    );
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

  it('P28 the refresh token is replaced when the answer has one', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    for (let round = 1; round <= 3; round += 1) await headless.manager.refresh(id);
    assert.equal(new Set(refreshForms(server).map((form) => form['refresh_token'])).size, 3);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
  });

  it('P29 a hundred callers at once share one refresh', async (t) => {
    const { server, headless } = await startWithFaults(t, { delayMs: { token: 20 } });
    const { id } = await headless.connect(server.mcpUrl);
    await Promise.all(Array.from({ length: 100 }, async () => headless.manager.refresh(id)));
    assert.equal(refreshForms(server).length, 1);
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

  for (const [title, jumpMs] of [
    ['the machine slept over the due time', 8 * 60 * 60_000],
    ['the clock was set to tomorrow', 24 * 60 * 60_000],
    // Nobody knows when the token ends then.
    ['the clock was set back', -24 * 60 * 60_000],
  ] as const) {
    it(`P34 notices within half a minute that ${title}`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(t, { expiresIn: 600 }, { clock });
      const { id } = await headless.connect(server.mcpUrl);
      clock.jump(jumpMs);
      clock.advance(30_000);
      const connection = await headless.until(id, refreshedAtLeast(2));
      assert.equal(currentGrant(connection)?.expiresAt, clock.now() + 600_000);
      assert.ok(server.isActive(await headless.manager.accessToken(id)));
      clock.advance(60_000);
      assert.equal(refreshForms(server).length, 1, 'once is enough');
    });
  }

  it('P34 a clock that was set back does not put off trying again', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, {}, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.tokenStatus = 503;
    await assert.rejects(headless.manager.refresh(id));
    server.faults.tokenStatus = 200;
    clock.jump(-24 * 60 * 60_000);
    clock.advance(30_000);
    await headless.until(id, isReady);
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
    await assert.rejects(headless.manager.refresh(id), (error) => isConnectionError(error, 'sign_in_required'));
    assert.equal(refreshForms(server).length, 1, 'it was sent once, and is not sent again');
    assert.deepEqual(connection.requested, ['files:read', 'files:write']);
    server.faults.invalidGrant = false;
    await headless.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1, 'the registration is still good');
    assert.equal(headless.manager.get(id)?.state.type, 'ready');
  });

  it('P30 P32 invalid_grant for a token that another process has used meanwhile: the one it stored is sent', async (t) => {
    const keychain = new SlowKeychain();
    const { server, headless } = await startWithFaults(t, { strictRotation: false }, { keychain });
    const { id } = await headless.connect(server.mcpUrl);
    // Each with a journal of its own, as if the folder could not be written to.
    const { journalFolder: _, ...shared } = headless;
    const other = createHeadlessManager({ ...shared, browser: async () => undefined });
    t.after(async () => other.dispose());
    await other.manager.start();
    // Both have read the same token when the other one's request arrives first.
    keychain.onceRead = async () => void (await other.manager.refresh(id));
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
    const sent = refreshForms(server).map((form) => form['refresh_token']);
    assert.equal(sent.length, 3);
    assert.equal(sent[0], sent[1]);
    assert.notEqual(sent[1], sent[2]);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
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
