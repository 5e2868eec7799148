import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState } from '../../../src/connections/connection.ts';
import { healthOf, summarizeHealth, worstFirst, type HealthLevel } from '../../../src/connections/health.ts';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError, type ScopekeeperError } from '../../../src/oauth/errors.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
const inMinutes = (minutes: number, refreshable: boolean): ConnectionState => ({
  type: 'ready',
  grant: grantWith({ refreshable, expiresAt: NOW + minutes * MINUTE_MS }),
});

const levels: readonly (readonly [name: string, state: ConnectionState, level: HealthLevel])[] = [
  ['signed out', { type: 'disconnected' }, 'off'],
  ['signing in', { type: 'authorizing', step: 'discovering' }, 'working'],
  ['refreshing', { type: 'refreshing', grant: grantWith() }, 'working'],
  ['renews itself, a minute left', inMinutes(1, true), 'ok'],
  ['renews itself, past its end', inMinutes(-1, true), 'ok'],
  ['cannot renew itself, 61 minutes left', inMinutes(61, false), 'ok'],
  ['cannot renew itself, 60 minutes left', inMinutes(60, false), 'attention'],
  ['cannot renew itself, at its end', inMinutes(0, false), 'error'],
  ['cannot renew itself, past its end', inMinutes(-1, false), 'error'],
  ['no expiry, no refresh token', { type: 'ready', grant: grantWith({ refreshable: false }) }, 'ok'],
  ['needs consent', { type: 'needsConsent', grant: grantWith(), missing: ['b'] }, 'attention'],
  ['needs sign-in', { type: 'needsSignIn', reason: 'expired', since: NOW }, 'error'],
  ['unreachable', { type: 'unreachable', grant: grantWith(), error, retryAt: NOW }, 'offline'],
];

for (const [name, state, level] of levels) {
  test(`health of a connection: ${name} is ${level}`, () => {
    assert.equal(healthOf(connectionIn(state), NOW), level);
  });
}

test('a connection that never worked is failed, and not a reason to alarm', () => {
  const failed = connectionIn({ type: 'disconnected' }, { lastError: error });
  assert.equal(healthOf(failed, NOW), 'failed');
  assert.deepEqual(summarizeHealth([failed], NOW), { level: 'ok', total: 1, connected: 0, away: 0, needingUser: 0 });
});

test('connections that renew themselves are never a warning', () => {
  const summary = summarizeHealth([connectionIn(inMinutes(1, true)), connectionIn(inMinutes(-5, true))], NOW);
  assert.deepEqual(summary, { level: 'ok', total: 2, connected: 2, away: 0, needingUser: 0 });
});

test('one that ends within the hour makes a warning, one that needs sign-in an error', () => {
  const well = connectionIn(inMinutes(30, true));
  const ending = connectionIn(inMinutes(30, false));
  const ended = connectionIn({ type: 'needsSignIn', reason: 'expired', since: NOW });
  assert.deepEqual(summarizeHealth([well, ending], NOW), {
    level: 'attention',
    total: 2,
    connected: 2,
    away: 0,
    needingUser: 1,
  });
  assert.deepEqual(summarizeHealth([well, ending, ended], NOW), {
    level: 'error',
    total: 3,
    connected: 2,
    away: 0,
    needingUser: 2,
  });
});

test('one whose token has ended is not connected, though it holds a grant', () => {
  assert.deepEqual(summarizeHealth([connectionIn(inMinutes(-1, false))], NOW), {
    level: 'error',
    total: 1,
    connected: 0,
    away: 0,
    needingUser: 1,
  });
});

const away = (expiresInMinutes: number, why: ScopekeeperError = error): Connection =>
  connectionIn({
    type: 'unreachable',
    grant: grantWith({ expiresAt: NOW + expiresInMinutes * MINUTE_MS }),
    error: why,
    retryAt: NOW + MINUTE_MS,
  });

test('one that is tried again by itself is away once it cannot be used', () => {
  const hidden = new ConnectionError('keychain_locked', {});
  for (const [connections, level, count] of [
    [[away(5)], 'ok', 0],
    [[away(5), away(-1)], 'offline', 1],
    [[away(5, hidden)], 'offline', 1],
    [[away(-1), connectionIn(inMinutes(30, false))], 'attention', 1],
  ] as const) {
    const summary = summarizeHealth(connections, NOW);
    assert.deepEqual([summary.level, summary.away], [level, count]);
  }
});

test('worst first: sign-in, then attention by the sooner end, then the rest; the given list stays as it is', () => {
  const list = [
    connectionIn(inMinutes(30, true), { id: 'well' }),
    connectionIn(inMinutes(50, false), { id: 'later' }),
    connectionIn(inMinutes(5, false), { id: 'sooner' }),
    connectionIn({ type: 'needsSignIn', reason: 'expired', since: NOW }, { id: 'ended' }),
  ];
  const order = worstFirst(list, NOW).map(({ id }) => id);
  assert.deepEqual(order, ['ended', 'sooner', 'later', 'well']);
  assert.equal(list[0]?.id, 'well');
});
