import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults, TokenBody } from '../../servers/faults.ts';
import { granted, refreshForms, stored } from './refreshing.ts';

const MINUTE_MS = 60_000;
/** The first delay of the backoff, with the jitter of the headless manager. */
const BACKOFF_MS = 3750;
const ELSEWHERE = 'http://127.0.0.1:1/token';

/** An answer with an OAuth error and the wrong status. */
function answers(error: string): Partial<Faults> {
  return { tokenBody: () => ({ error }) };
}

function broken(body: unknown): Partial<Faults> {
  return { tokenBody: () => body };
}

function retryAfter(value: string, tokenStatus = 429): Partial<Faults> {
  return { tokenStatus, retryAfter: value };
}

describe('P32 a refresh that fails for now keeps the refresh token, and recovers by itself', () => {
  for (const [title, faults, code, delayMs] of [
    ['the connection breaks', { dropTokenAnswer: true }, 'server_unreachable', BACKOFF_MS],
    ['no answer in time', { delayMs: { token: 10 * MINUTE_MS } }, 'server_unreachable', BACKOFF_MS],
    ['500', { tokenStatus: 500 }, 'token_request_failed', BACKOFF_MS],
    ['502', { tokenStatus: 502 }, 'token_request_failed', BACKOFF_MS],
    ['404', { tokenStatus: 404 }, 'token_request_failed', BACKOFF_MS],
    ['429', { tokenStatus: 429 }, 'token_request_failed', BACKOFF_MS],
    ['429 with Retry-After in seconds', retryAfter('120'), 'token_request_failed', 2 * MINUTE_MS],
    ['503 with Retry-After in seconds', retryAfter('120', 503), 'token_request_failed', 2 * MINUTE_MS],
    ['429 with a Retry-After that is shorter than the backoff', retryAfter('1'), 'token_request_failed', BACKOFF_MS],
    ['429 with an absurd Retry-After', retryAfter('9'.repeat(15)), 'token_request_failed', 60 * MINUTE_MS],
    [
      '429 with a Retry-After in the far future',
      retryAfter('Fri, 31 Dec 9999 23:59:59 GMT'),
      'token_request_failed',
      60 * MINUTE_MS,
    ],
    [
      '429 with a Retry-After in the past',
      retryAfter('Thu, 01 Jan 1970 00:00:00 GMT'),
      'token_request_failed',
      BACKOFF_MS,
    ],
    ['429 with a Retry-After that is none', retryAfter('soon'), 'token_request_failed', BACKOFF_MS],
    ['a redirect', { tokenRedirect: { status: 307, to: ELSEWHERE } }, 'token_request_failed', BACKOFF_MS],
    ['a redirect to a page', { tokenRedirect: { status: 302, to: ELSEWHERE } }, 'token_request_failed', BACKOFF_MS],
    ['a web page', { tokenHtml: true }, 'token_response_invalid', BACKOFF_MS],
    ['a huge answer', { hugeBody: 'token' }, 'response_too_large', BACKOFF_MS],
    ['half of the JSON', broken('{"access_token":"at'), 'token_response_invalid', BACKOFF_MS],
    ['nothing', broken(''), 'token_response_invalid', BACKOFF_MS],
    ['JSON that is no object', broken([]), 'token_response_invalid', BACKOFF_MS],
    ['no access token', broken({ token_type: 'bearer' }), 'token_response_invalid', BACKOFF_MS],
    ['an empty access token', broken({ access_token: '', token_type: 'bearer' }), 'token_response_invalid', BACKOFF_MS],
    ['temporarily_unavailable', answers('temporarily_unavailable'), 'token_request_failed', BACKOFF_MS],
    ['invalid_request', answers('invalid_request'), 'token_request_failed', BACKOFF_MS],
    ['unsupported_grant_type', answers('unsupported_grant_type'), 'token_request_failed', BACKOFF_MS],
    ['invalid_scope for whatever is sent', answers('invalid_scope'), 'token_request_failed', BACKOFF_MS],
    ['invalid_target for whatever is sent', answers('invalid_target'), 'resource_rejected', BACKOFF_MS],
    ['an error that nobody knows', answers('no_tea'), 'token_request_failed', BACKOFF_MS],
  ] as const satisfies readonly (readonly [string, Partial<Faults>, OAuthErrorCode, number])[]) {
    it(`${title}: ${code}, again after ${delayMs} ms`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(t, { rotate: false }, { clock, timeoutMs: 1000 });
      const { id } = await headless.connect(server.mcpUrl);
      const before = stored(headless, id);
      const healthy = { ...server.faults };
      Object.assign(server.faults, faults);
      await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, code));
      const { state, lastError } = headless.manager.get(id) ?? assert.fail();
      assert.ok(state.type === 'unreachable');
      assert.equal(state.error.code, code);
      assert.equal(lastError?.code, code);
      assert.equal(state.retryAt - clock.now(), delayMs);
      assert.equal(stored(headless, id), before);
      assert.ok(server.isActive(await headless.manager.accessToken(id)), 'the old token is still used');
      assert.equal(headless.manager.activity(id).at(-1)?.type, 'refresh_failed');

      Object.assign(server.faults, healthy);
      const tries = refreshForms(server).length;
      clock.advance(delayMs - 1);
      assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
      clock.advance(1);
      const { lastError: errorAfter } = await headless.until(id, (connection) => connection.state.type === 'ready');
      assert.equal(errorAfter, undefined);
      assert.equal(refreshForms(server).length, tries + 1);
      assert.ok(server.isActive(await headless.manager.accessToken(id)));
    });
  }

  it('429 with a Retry-After that is a date: then', async (t) => {
    const { server, headless } = await startWithFaults(t, { rotate: false });
    const { id } = await headless.connect(server.mcpUrl);
    const date = new Date(Date.now() + 10 * MINUTE_MS);
    date.setMilliseconds(0);
    Object.assign(server.faults, retryAfter(date.toUTCString()));
    await assert.rejects(headless.manager.refresh(id));
    const { state } = headless.manager.get(id) ?? assert.fail();
    assert.ok(state.type === 'unreachable');
    // The date is turned into a delay, and that into an instant, some moments later.
    assert.ok(state.retryAt >= date.getTime() && state.retryAt < date.getTime() + MINUTE_MS);
  });
});

/** Whether the token endpoint gave no token for now. */
function isRefusal(error: unknown): boolean {
  return isOAuthError(error, 'token_request_failed');
}

describe('P32 while a refresh that failed waits to be tried again', () => {
  for (const [title, faults, isPersonHeld] of [
    ['a server that said when', retryAfter('120'), true],
    ['a server that is away', { tokenStatus: 503 }, false],
  ] as const) {
    it(`${title} is not asked by requests${isPersonHeld ? ', nor by the person' : ', but by the person'}`, async (t) => {
      const clock = new ManualClock();
      const { server, headless } = await startWithFaults(t, { expiresIn: 600, rotate: false }, { clock });
      const { manager } = headless;
      const { id } = await headless.connect(server.mcpUrl);
      Object.assign(server.faults, faults);
      // Asleep until the token has ended: requests need another one.
      clock.jump(601_000);
      await assert.rejects(manager.accessToken(id), isRefusal);
      const { state } = manager.get(id) ?? assert.fail();
      assert.ok(state.type === 'unreachable');
      const before = refreshForms(server).length;
      for (let call = 0; call < 5; call += 1) await assert.rejects(manager.accessToken(id), isRefusal);
      assert.deepEqual(manager.get(id)?.state, state, 'nor does it wait for longer than that');
      assert.equal(refreshForms(server).length, before);
      await assert.rejects(manager.refresh(id), isRefusal);
      assert.equal(refreshForms(server).length, before + (isPersonHeld ? 0 : 1));

      Object.assign(server.faults, { tokenStatus: 200, retryAfter: undefined });
      const { state: last } = manager.get(id) ?? assert.fail();
      assert.ok(last.type === 'unreachable');
      clock.jump(last.retryAt - clock.now());
      assert.ok(server.isActive(await manager.accessToken(id)));
    });
  }

  it('the person need not wait for longer than the server said', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { rotate: false }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, retryAfter('1'));
    await assert.rejects(headless.manager.refresh(id));
    server.faults.tokenStatus = 200;
    clock.jump(999);
    await assert.rejects(headless.manager.refresh(id));
    clock.jump(1);
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
  });

  it('a clock that was set back lets nobody wait for long', async (t) => {
    const clock = new ManualClock();
    const { server, headless } = await startWithFaults(t, { rotate: false }, { clock });
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, retryAfter('120'));
    await assert.rejects(headless.manager.refresh(id));
    server.faults.tokenStatus = 200;
    clock.jump(-24 * 60 * MINUTE_MS);
    assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
  });
});

describe('P33 a token answer that deviates loses nothing', () => {
  for (const [title, change, lifeSeconds] of [
    ['expires_in missing', { expires_in: undefined }, undefined],
    ['expires_in null', { expires_in: null }, undefined],
    ['expires_in a string', { expires_in: '600' }, 600],
    ['expires_in no number', { expires_in: 'soon' }, undefined],
    ['expires_in an object', { expires_in: {} }, undefined],
    ['expires_in zero', { expires_in: 0 }, undefined],
    ['expires_in negative', { expires_in: -1 }, undefined],
    ['expires_in a fraction', { expires_in: 600.5 }, 600.5],
    ['expires_in absurd', { expires_in: 1e12 }, undefined],
    ['token_type missing', { token_type: undefined }, 3600],
    ['token_type null', { token_type: null }, 3600],
    ['token_type in capitals', { token_type: 'BEARER' }, 3600],
    ['token_type unknown', { token_type: 'JWT' }, 3600],
    ['token_type no text', { token_type: {} }, 3600],
    ['scope missing', { scope: undefined }, 3600],
    ['scope null', { scope: null }, 3600],
    ['scope empty', { scope: '' }, 3600],
    ['scope an array', { scope: ['files:read', 'files:write'] }, 3600],
    ['scope delimited by commas', { scope: 'files:read,files:write' }, 3600],
    ['scope no text', { scope: 7 }, 3600],
    ['an id_token that is none', { id_token: 'a.b.c' }, 3600],
    ['an error beside the tokens', { error: 'none' }, 3600],
    ['more than was ever heard of', { foo: { bar: [] }, scopes: null }, 3600],
  ] as const satisfies readonly (readonly [string, object, number | undefined])[]) {
    it(title, async (t) => {
      await livesThrough(t, { tokenBody: (body) => ({ ...body, ...change }) }, lifeSeconds);
    });
  }

  for (const [title, faults] of [
    ['201', { tokenStatus: 201 }],
    ['203', { tokenStatus: 203 }],
    ['a form', { tokenBody: (body: TokenBody) => new URLSearchParams(Object.entries(body)) }],
    ['a byte order mark', { tokenBody: (body: TokenBody) => `\uFEFF${JSON.stringify(body)}` }],
  ] as const satisfies readonly (readonly [string, Partial<Faults>])[]) {
    it(title, async (t) => livesThrough(t, faults, 3600));
  }

  for (const [title, value] of [
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
    ['no text', 7],
  ] as const) {
    it(`P28 refresh_token ${title}: the one that was sent is kept`, async (t) => {
      const { server, headless } = await startWithFaults(t, { rotate: false });
      const { id } = await headless.connect(server.mcpUrl);
      server.faults.tokenBody = (body) => ({ ...body, refresh_token: value });
      for (let round = 1; round <= 3; round += 1) {
        const connection = await headless.manager.refresh(id);
        assert.equal(currentGrant(connection)?.refreshable, true);
      }
      assert.equal(new Set(refreshForms(server).map((form) => form['refresh_token'])).size, 1);
      assert.match(stored(headless, id), /"refreshToken":"/);
    });
  }

  it('200 with an error is that error', async (t) => {
    const { server, headless } = await startWithFaults(t, { rotate: false });
    const { id } = await headless.connect(server.mcpUrl);
    Object.assign(server.faults, answers('invalid_grant'));
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
  });
});

/** Refreshes twice at a server that ends a family when a rotated token is used again, and says how long a token lives. */
async function livesThrough(
  t: Parameters<typeof startWithFaults>[0],
  faults: Partial<Faults>,
  lifeSeconds: number | undefined,
): Promise<void> {
  const clock = new ManualClock();
  const { server, headless } = await startWithFaults(t, {}, { clock });
  const { id } = await headless.connect(server.mcpUrl);
  Object.assign(server.faults, faults);
  for (let round = 1; round <= 2; round += 1) {
    const connection = await headless.manager.refresh(id);
    assert.equal(connection.state.type, 'ready');
    assert.deepEqual(granted(connection), ['files:read', 'files:write']);
    const expiresAt = lifeSeconds === undefined ? undefined : clock.now() + lifeSeconds * 1000;
    assert.equal(currentGrant(connection)?.expiresAt, expiresAt);
    assert.ok(server.isActive(await headless.manager.accessToken(id)));
  }
  assert.equal(refreshForms(server).length, 2);
}
