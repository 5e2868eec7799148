import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as v from 'valibot';
import { createHeadlessManager, type Headless } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { createPerson } from '../../sample/person.ts';
import { type SampleServer, startSampleServer } from '../../sample/sampleServer.ts';
import { connectClient } from './story.ts';

const ACCESS_S = 600;
/** Of the refresh tokens: a few renewals long, so that no connection outlives it that does not get all of it again. */
const REFRESH_S = 1800;
const ROTATIONS = 20;

const storedSecret = v.object({
  tokens: v.object({ accessToken: v.string(), refreshToken: v.string() }),
});

function storedTokens(headless: Headless, id: string) {
  return v.parse(storedSecret, JSON.parse(headless.keychain.entries.get(`connection:${id}`) ?? '')).tokens;
}

function refreshesOf(sample: SampleServer) {
  return sample.requests.filter(({ body }) => body['grant_type'] === 'refresh_token');
}

/** oidc-provider, which rotates strictly, and a manager; both live in one time that only {@link advance} moves. */
async function startInOneTime(t: TestContext) {
  const clock = new ManualClock();
  // oidc-provider takes no clock: it reads Date. Timers stay real, for sockets.
  t.mock.timers.enable({ apis: ['Date'], now: clock.now() });
  const sample = await startSampleServer({ accessTokenTtlSeconds: ACCESS_S, refreshTokenTtlSeconds: REFRESH_S });
  t.after(async () => sample.close());
  const person = createPerson(sample);
  const browser = async (url: string): Promise<URL> => person.authorize(url);
  const headless = createHeadlessManager({ browser, clock });
  t.after(async () => headless.dispose());
  const advance = (ms: number): void => {
    t.mock.timers.setTime(clock.now() + ms);
    clock.advance(ms);
  };
  const { id } = await headless.connect(sample.mcpUrl);
  return { advance, browser, clock, headless, id, sample };
}

describe('a server that rotates refresh tokens strictly (seed 003)', () => {
  it('P28 P34 keeps a connection far beyond the life of any one refresh token', { timeout: 30_000 }, async (t) => {
    const { advance, clock, headless, id, sample } = await startInOneTime(t);
    const startedAt = clock.now();
    const client = await connectClient(t, headless.manager, id);
    const seen = new Set<string>();
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      const before = storedTokens(headless, id);
      // To the moment at which the token renews itself: some of its life is left.
      advance(ACCESS_S * 800);
      const renewed = await headless.until(id, ({ state }) => {
        return state.type === 'ready' && state.grant.generation > rotation;
      });
      const after = storedTokens(headless, id);
      assert.notEqual(after.refreshToken, before.refreshToken);
      assert.notEqual(after.accessToken, before.accessToken);
      assert.ok(renewed.state.type === 'ready');
      assert.equal(renewed.state.grant.expiresAt, clock.now() + ACCESS_S * 1000, 'the full lifetime');
      const sent = refreshesOf(sample).at(-1);
      assert.equal(sent?.body['refresh_token'], before.refreshToken);
      seen.add(before.refreshToken);
      await client.callTool({ name: 'list_notes' });
    }
    assert.ok(clock.now() - startedAt > 5 * REFRESH_S * 1000);
    assert.equal(seen.size, ROTATIONS);
    const refreshes = refreshesOf(sample);
    assert.equal(refreshes.length, ROTATIONS, 'each was sent once');
    assert.deepEqual(
      refreshes.filter(({ status }) => status !== 200),
      [],
      'no reuse was detected',
    );
    assert.equal(sample.requests.filter(({ endpoint }) => endpoint === 'registration').length, 1);
  });

  it(
    'P28 P29 uses each refresh token once, however many ask and whoever starts anew in between',
    { timeout: 30_000 },
    async (t) => {
      const { advance, browser, clock, headless, id, sample } = await startInOneTime(t);
      let current = headless;
      for (let round = 1; round <= 6; round += 1) {
        advance(ACCESS_S * 1000);
        const { manager } = current;
        const asked = await Promise.all(Array.from({ length: 10 }, async () => manager.accessToken(id)));
        assert.equal(new Set(asked).size, 1);
        await current.dispose();
        const next = createHeadlessManager({ ...headless, browser, clock });
        t.after(async () => next.dispose());
        current = next;
        await current.manager.start();
      }
      const sent = refreshesOf(sample);
      assert.equal(sent.length, 6);
      assert.equal(new Set(sent.map(({ body }) => body['refresh_token'])).size, 6);
      assert.ok(sent.every(({ status }) => status === 200));
      assert.equal(current.manager.get(id)?.state.type, 'ready');
    },
  );

  it('P28 would have ended the connection at the first reuse', { timeout: 30_000 }, async (t) => {
    const { advance, headless, id, sample } = await startInOneTime(t);
    const { refreshToken } = storedTokens(headless, id);
    await headless.manager.refresh(id);
    const { client_id: clientId } = refreshesOf(sample)[0]?.body ?? {};
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: String(clientId) };
    const reused = await fetch(`${sample.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    assert.equal(reused.status, 400);
    advance(ACCESS_S * 800);
    const { state } = await headless.until(id, ({ state: { type } }) => type === 'needsSignIn');
    assert.ok(state.type === 'needsSignIn' && state.reason === 'grant_rejected');
  });

  it('P32 needs the person once a refresh token has ended, and not before', { timeout: 30_000 }, async (t) => {
    const { advance, headless, id } = await startInOneTime(t);
    for (const rest of [1, 1, 0]) {
      // As a machine that slept for nearly as long as the refresh token lives, or for all of it.
      advance((REFRESH_S - rest) * 1000);
      await headless.until(id, ({ state: { type } }) => type === (rest > 0 ? 'ready' : 'needsSignIn'));
      if (rest > 0) assert.ok(await headless.manager.accessToken(id));
    }
  });
});
