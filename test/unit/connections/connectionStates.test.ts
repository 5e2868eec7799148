import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import { PendingCallbacks } from '../../../src/connections/pendingCallbacks.ts';
import { SignInSession } from '../../../src/connections/signInSession.ts';
import { TraceRecorder } from '../../../src/connections/traceRecorder.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const error = new ConnectionError('owner_gone', {});
const disconnected = { type: 'disconnected' } as const;

let parts: ConnectionParts;

beforeEach(async () => {
  parts = connectionParts();
  await parts.add('c');
});

function newSession(): SignInSession {
  const { clock, log } = parts;
  const trace = new TraceRecorder(clock);
  const ports = { clock, log, trace, callbacks: new PendingCallbacks(), openBrowser: async () => true };
  return new SignInSession(ports, parts.records.get('c').connection.state);
}

function state(): Connection['state'] {
  return parts.records.get('c').connection.state;
}

describe('the state of a connection', () => {
  it('is what is set, with what came with it', () => {
    const grant = someGrant(parts.clock);
    parts.states.set('c', { type: 'ready', grant }, { lastError: error });
    assert.deepEqual(state(), { type: 'ready', grant });
    assert.equal(parts.records.get('c').connection.lastError, error);
    assert.deepEqual(parts.states.grant('c'), grant);
    assert.deepEqual(parts.states.resting('c'), { type: 'ready', grant });
    parts.states.set('c', disconnected);
    assert.equal(parts.states.grant('c'), undefined);
    for (const ask of [() => parts.states.grant('x'), () => parts.states.resting('x')]) {
      assert.throws(ask, (thrown) => isConnectionError(thrown, 'connection_unknown'));
    }
  });

  it('is the step of a sign-in while one runs, with the grant that is usable all the time, then what lies under it', () => {
    const grant = someGrant(parts.clock);
    parts.states.set('c', { type: 'ready', grant });
    const session = newSession();
    parts.states.beginStep('c', session, 'discovering');
    assert.deepEqual(state(), { type: 'authorizing', step: 'discovering', grant });
    assert.equal(parts.states.sessions.get('c'), session);
    parts.states.beginStep('c', session, 'exchanging');
    assert.deepEqual(state(), { type: 'authorizing', step: 'exchanging', grant });
    const next = someGrant(parts.clock, { generation: 2 });
    parts.states.set('c', { type: 'refreshing', grant: next }, { lastError: error });
    assert.deepEqual(state(), { type: 'authorizing', step: 'exchanging', grant: next });
    assert.deepEqual(parts.states.grant('c'), next);
    assert.deepEqual(parts.states.resting('c'), { type: 'refreshing', grant: next });
    parts.states.set('c', disconnected);
    assert.deepEqual(state(), { type: 'authorizing', step: 'exchanging' });
    parts.states.endSession('c', session, { lastError: null });
    assert.deepEqual(state(), disconnected);
    assert.equal(parts.records.get('c').connection.lastError, undefined);
    assert.equal(parts.states.sessions.size, 0);
    parts.states.set('c', { type: 'ready', grant });
    assert.deepEqual(state(), { type: 'ready', grant });
  });

  it('P24 says that the person has to consent, until what is demanded is granted or was asked for', () => {
    const grant = someGrant(parts.clock);
    const ready = { type: 'ready', grant } as const;
    const waits = { type: 'needsConsent', grant, missing: ['b', 'c'] } as const;
    const at = parts.clock.now();
    const cause = { operation: 'tools/call add', client: { kind: 'oauth', label: 'Claude' } } as const;
    const demand = { at, scopes: ['b', 'c'], ...cause };
    parts.states.needConsent('c', grant, demand);
    assert.deepEqual(state(), waits);
    assert.deepEqual(parts.records.get('c').activity, [{ type: 'consent_needed', ...demand }]);
    assert.deepEqual(parts.records.get('c').connection.demands, [demand]);
    parts.states.set('c', ready);
    assert.deepEqual(state(), waits, 'a renewal does not hide it');
    const more = someGrant(parts.clock, { granted: ['a', 'b'] });
    parts.states.set('c', { type: 'ready', grant: more });
    assert.deepEqual(state(), { type: 'needsConsent', grant: more, missing: ['c'] });
    const all = someGrant(parts.clock, { granted: ['a', 'b', 'c'] });
    parts.states.set('c', { type: 'ready', grant: all });
    assert.deepEqual(state(), { type: 'ready', grant: all });
    parts.states.set('c', ready);
    assert.deepEqual(state(), waits);
    parts.states.meetDemand('c');
    parts.states.set('c', ready);
    assert.deepEqual(state(), ready);
  });

  for (const [title, end] of [
    ['signed out', () => parts.states.set('c', disconnected)],
    ['signed out by the server', () => parts.states.needSignIn('c', 'grant_rejected')],
  ] as const) {
    it(`P24 says nothing of consent any more once it was ${title}`, () => {
      const grant = someGrant(parts.clock);
      parts.states.needConsent('c', grant, { at: parts.clock.now(), scopes: ['b'] });
      const unreachable = { type: 'unreachable', grant, error, retryAt: 7 } as const;
      parts.states.set('c', unreachable);
      assert.deepEqual(state(), unreachable);
      parts.states.set('c', { type: 'ready', grant });
      assert.equal(state().type, 'needsConsent', 'a server that was away still demands it');
      end();
      parts.states.set('c', { type: 'ready', grant });
      assert.equal(state().type, 'ready');
    });
  }

  it('says why the person has to sign in, and since when', () => {
    const at = parts.clock.now();
    parts.states.needSignIn('c', 'expired');
    assert.deepEqual(state(), { type: 'needsSignIn', reason: 'expired', since: at });
    parts.states.needSignIn('c', 'grant_rejected', error);
    assert.throws(
      () => parts.states.requireSignIn('c', 'secret_missing'),
      (thrown) => isConnectionError(thrown, 'sign_in_required') && thrown.details.id === 'c',
    );
    assert.deepEqual(state(), { type: 'needsSignIn', reason: 'secret_missing', since: at });
    assert.deepEqual(parts.records.get('c').activity, [
      { at, type: 'sign_in_needed' },
      { at, type: 'refresh_failed', errorCode: 'owner_gone' },
      { at, type: 'sign_in_needed' },
    ]);
  });
});
