import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState, Grant } from '../../../src/connections/connection.ts';
import { healthOf, summarizeHealth, worstFirst, type HealthLevel } from '../../../src/connections/health.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

function grant(change: Partial<Grant> = {}): Grant {
  return { authorized: ['a'], granted: ['a'], refreshable: true, issuedAt: NOW, generation: 1, ...change };
}

function connection(state: ConnectionState, change: Partial<Connection> = {}): Connection {
  return {
    id: 'id',
    name: 'Name',
    serverUrl: 'https://example.com/mcp',
    kind: 'authorization_code',
    requested: ['a'],
    challenged: [],
    settings: {},
    state,
    ...change,
  };
}

const error = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
const inMinutes = (minutes: number, refreshable: boolean): ConnectionState => ({
  type: 'ready',
  grant: grant({ refreshable, expiresAt: NOW + minutes * MINUTE_MS }),
});

const levels: readonly (readonly [name: string, state: ConnectionState, level: HealthLevel])[] = [
  ['signed out', { type: 'disconnected' }, 'off'],
  ['signing in', { type: 'authorizing', step: 'discovering' }, 'working'],
  ['refreshing', { type: 'refreshing', grant: grant() }, 'working'],
  ['renews itself, a minute left', inMinutes(1, true), 'ok'],
  ['renews itself, past its end', inMinutes(-1, true), 'ok'],
  ['cannot renew itself, 61 minutes left', inMinutes(61, false), 'ok'],
  ['cannot renew itself, 60 minutes left', inMinutes(60, false), 'attention'],
  ['cannot renew itself, past its end', inMinutes(-1, false), 'error'],
  ['no expiry, no refresh token', { type: 'ready', grant: grant({ refreshable: false }) }, 'ok'],
  ['needs consent', { type: 'needsConsent', grant: grant(), missing: ['b'] }, 'attention'],
  ['needs sign-in', { type: 'needsSignIn', reason: 'expired', since: NOW }, 'error'],
  ['unreachable', { type: 'unreachable', grant: grant(), error, retryAt: NOW }, 'offline'],
];

for (const [name, state, level] of levels) {
  test(`health of a connection: ${name} is ${level}`, () => {
    assert.equal(healthOf(connection(state), NOW), level);
  });
}

test('a connection that never worked is failed, and not a reason to alarm', () => {
  const failed = connection({ type: 'disconnected' }, { lastError: error });
  assert.equal(healthOf(failed, NOW), 'failed');
  assert.deepEqual(summarizeHealth([failed], NOW), { level: 'ok', total: 1, connected: 0, needingUser: 0 });
});

test('connections that renew themselves are never a warning', () => {
  const summary = summarizeHealth([connection(inMinutes(1, true)), connection(inMinutes(-5, true))], NOW);
  assert.deepEqual(summary, { level: 'ok', total: 2, connected: 2, needingUser: 0 });
});

test('one that ends within the hour makes a warning, one that needs sign-in an error', () => {
  const well = connection(inMinutes(30, true));
  const ending = connection(inMinutes(30, false));
  const ended = connection({ type: 'needsSignIn', reason: 'expired', since: NOW });
  assert.deepEqual(summarizeHealth([well, ending], NOW), {
    level: 'attention',
    total: 2,
    connected: 2,
    needingUser: 1,
  });
  assert.deepEqual(summarizeHealth([well, ending, ended], NOW), {
    level: 'error',
    total: 3,
    connected: 2,
    needingUser: 2,
  });
});

test('worst first: sign-in, then attention by the sooner end, then the rest; the given list stays as it is', () => {
  const list = [
    connection(inMinutes(30, true), { id: 'well' }),
    connection(inMinutes(50, false), { id: 'later' }),
    connection(inMinutes(5, false), { id: 'sooner' }),
    connection({ type: 'needsSignIn', reason: 'expired', since: NOW }, { id: 'ended' }),
  ];
  const order = worstFirst(list, NOW).map(({ id }) => id);
  assert.deepEqual(order, ['ended', 'sooner', 'later', 'well']);
  assert.equal(list[0]?.id, 'well');
});
