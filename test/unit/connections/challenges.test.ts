import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { ChallengeStand } from '../../headless/challengeStand.ts';
import { someGrant } from '../../headless/connectionParts.ts';
import { ISSUER } from '../../headless/flowParts.ts';
import { issued } from '../../headless/renewalStand.ts';

const MINUTE_MS = 60_000;
const PASS = { type: 'pass' };
const RETRY = { type: 'retry' };
const STOP = { type: 'stop' };
const authorize = (...scopes: readonly string[]): unknown => ({ type: 'authorize', scopes });

let stand: ChallengeStand;

beforeEach(() => {
  stand = new ChallengeStand();
});

describe('a 401 to a token of ours', () => {
  it('P24 is met by a renewal, once; then the person is needed, and then it is stopped', async () => {
    await stand.connected();
    assert.deepEqual(await stand.answer(null), RETRY);
    assert.equal(stand.refreshed.length, 1);
    assert.deepEqual(await stand.answer(null), authorize());
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn token_rejected');
    assert.deepEqual(stand.connection.challenged, []);
  });

  it('P25 is met anew for another operation, and when the next token has been good for a while', async () => {
    await stand.connected();
    assert.deepEqual(await stand.answer(null), RETRY);
    assert.deepEqual(await stand.answer(null, { operation: 'other' }), RETRY);
    stand.parts.clock.advance(MINUTE_MS);
    assert.deepEqual(await stand.answer(null), RETRY);
    assert.equal(stand.refreshed.length, 3);
  });

  it('P29 is no news when the token was replaced meanwhile, or is about to be', async () => {
    await stand.connected();
    assert.deepEqual(await stand.answer(null, { token: 'at-0' }), RETRY);
    assert.equal(stand.refreshed.length, 0);
    const opened = deferred<void>();
    stand.endpoint.gate = opened.promise;
    const refresh = stand.renewals.refresh('c');
    const answered = stand.answer(null);
    opened.resolve();
    await refresh;
    assert.deepEqual(await answered, RETRY);
    assert.equal(stand.refreshed.length, 1);
  });

  it('P32 is not met while the renewal fails, and was not tried by that', async () => {
    await stand.connected();
    stand.setOffline(true);
    await assert.rejects(stand.answer(null));
    stand.setOffline(false);
    stand.parts.clock.advance(5000);
    assert.deepEqual(await stand.answer(null), RETRY);
    assert.deepEqual(await stand.answer(null), authorize());
  });

  for (const [title, expiresAt, sent] of [
    ['is about a token that should be good: nothing that is remembered is relied on', 1_000_001, 'a'],
    ['comes when the token has ended', 1_000_000, undefined],
    ['comes for a token without an end', undefined, undefined],
  ] as const) {
    it(`P27 ${title}`, async () => {
      const { expiresAt: _expiresAt, ...endless } = someGrant(stand.parts.clock);
      const grant = { ...endless, ...(expiresAt !== undefined && { expiresAt }) };
      await stand.connected({ state: { type: 'ready', grant } });
      stand.parts.records.rememberRefresh(ISSUER, { scope: 'omitted' });
      assert.deepEqual(await stand.answer(null), RETRY);
      assert.deepEqual(stand.refreshed, [sent]);
    });
  }

  it('P24 is about the token first, also when it names scopes; then about these', async () => {
    await stand.connected();
    assert.deepEqual(await stand.answer('Bearer scope="a b"'), RETRY);
    assert.deepEqual(stand.connection.challenged, ['a', 'b']);
    assert.deepEqual(await stand.answer('Bearer scope="b a"'), authorize('b', 'a'));
    assert.equal(stand.parts.stateOf('c'), 'needsConsent');
    const { state } = stand.connection;
    assert.deepEqual(state.type === 'needsConsent' && state.missing, ['b']);
  });

  it('P2 P22 leaves what it names: its scopes while they are not granted, its metadata until another is named', async () => {
    await stand.connected({ challenged: ['a', 'x'] });
    await stand.answer('Bearer scope="y", resource_metadata="https://example.com/prm"');
    assert.deepEqual(stand.connection.challenged, ['x', 'y']);
    assert.equal(stand.connection.resourceMetadataUrl, 'https://example.com/prm');
    await stand.answer('Bearer', { operation: 'other' });
    assert.equal(stand.connection.resourceMetadataUrl, 'https://example.com/prm');
    assert.deepEqual(stand.connection.challenged, ['x', 'y']);
    await stand.answer(null, { operation: 'third' });
    assert.equal(stand.connection.resourceMetadataUrl, 'https://example.com/prm');
  });
});

describe('a 401 for scopes that the person did not grant', () => {
  it('P24 is about the token first again when the next one was good for a while', async () => {
    await stand.connected();
    assert.deepEqual(await stand.answer('Bearer scope="b"'), RETRY);
    assert.deepEqual(await stand.answer('Bearer scope="b"'), authorize('b'));
    await stand.signedIn(['a']);
    stand.parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await stand.answer('Bearer scope="b"'), RETRY);
    assert.deepEqual(await stand.answer('Bearer scope="b"'), STOP, 'P25 and the person is not asked again');
  });

  it('P24 is about a token that cannot be renewed, though the person was asked for the scopes before', async () => {
    await stand.connected();
    await stand.answer('Bearer scope="b"');
    await stand.answer('Bearer scope="b"');
    await stand.signedIn(['a']);
    const grant = stand.parts.states.grant('c') ?? assert.fail();
    stand.parts.states.set('c', { type: 'ready', grant: { ...grant, refreshable: false } });
    stand.parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await stand.answer('Bearer scope="b"'), authorize('b'));
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn token_rejected');
  });
});

describe('a 401 that is not about a token of ours', () => {
  it('has the person sign in, and says nothing of the connection', async () => {
    await stand.parts.add('c', { challenged: ['a'] });
    assert.deepEqual(await stand.answer('Bearer scope="s"', { token: undefined }), authorize('s'));
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
    assert.deepEqual(stand.connection.challenged, ['a', 's']);
    assert.deepEqual(await stand.answer('Bearer scope="s"', { token: undefined }), STOP);
    assert.deepEqual(await stand.answer(null, { token: 'of-before' }), authorize());
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
  });

  it('as none was sent leaves a connection that has one as it is', async () => {
    await stand.connected({}, { refreshable: false });
    assert.deepEqual(await stand.answer(null, { token: undefined }), authorize());
    assert.equal(stand.parts.stateOf('c'), 'ready');
  });
});

describe('a 403', () => {
  it('P24 that speaks of no scope is passed on', async () => {
    await stand.connected();
    for (const wwwAuthenticate of [null, 'Bearer', 'Bearer error="invalid_token"']) {
      assert.deepEqual(await stand.answer(wwwAuthenticate, { status: 403 }), PASS);
    }
    assert.deepEqual([stand.connection.challenged, stand.refreshed], [[], []]);
  });

  it('P24 for scopes that were not granted needs the person, who is asked for what is missing', async () => {
    await stand.connected();
    assert.deepEqual(await stand.forbidden('a b'), authorize('a', 'b'));
    const { state } = stand.connection;
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['b']);
    assert.deepEqual(stand.refreshed, []);
  });

  it('P24 for scopes that were granted is met by a renewal in full; then the person is asked for them', async () => {
    await stand.connected();
    stand.parts.records.rememberRefresh(ISSUER, { scope: 'omitted' });
    stand.parts.clock.advance(2 * 60 * MINUTE_MS);
    assert.deepEqual(await stand.forbidden('a'), RETRY);
    assert.deepEqual(stand.refreshed, ['a'], 'though the token had ended');
    assert.deepEqual(await stand.forbidden('a'), authorize('a'));
    const { state } = stand.connection;
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['a']);
    assert.deepEqual(await stand.forbidden('a'), STOP);
  });

  it('P25 that was answered by asking the person is not answered so again before something changes', async () => {
    await stand.connected();
    assert.deepEqual(await stand.forbidden('b'), authorize('b'));
    assert.deepEqual(await stand.forbidden('b'), STOP);
    assert.deepEqual(await stand.forbidden('b', { operation: 'other' }), authorize('b'));
    // The person signs in, and does not grant it.
    await stand.signedIn(['a']);
    stand.parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await stand.forbidden('b'), STOP);
    assert.deepEqual(await stand.forbidden('c'), authorize('c'), 'it is another question');
    await stand.signedIn(['a', 'b', 'c']);
    await stand.signedIn(['a']);
    stand.parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await stand.forbidden('b'), authorize('b'), 'it was granted in between');
  });

  it('P25 that the very next grant does not meet either is stopped; later it is a new one', async () => {
    await stand.connected();
    assert.deepEqual(await stand.forbidden('b'), authorize('b'));
    await stand.signedIn(['a', 'b']);
    assert.deepEqual(await stand.forbidden('b'), STOP);
    stand.parts.clock.advance(MINUTE_MS);
    assert.deepEqual(await stand.forbidden('b'), RETRY);
  });

  it('P32 needs the person also while the server of the tokens is away', async () => {
    await stand.connected();
    stand.setOffline(true);
    await assert.rejects(stand.renewals.refresh('c'));
    assert.deepEqual(await stand.forbidden('b'), authorize('b'));
    assert.equal(stand.parts.stateOf('c'), 'needsConsent');
  });

  it('needs the person also when the secret is not there any more', async () => {
    await stand.connected();
    stand.parts.keychain.entries.delete('connection:c');
    assert.deepEqual(await stand.forbidden('b', { token: 'at-1' }), authorize('b'));
  });

  it('P25 is as good as never answered once the connection has ended', async () => {
    await stand.connected();
    await stand.forbidden('b');
    stand.challenges.forget('c');
    assert.deepEqual(await stand.forbidden('b'), authorize('b'));
  });

  it('P25 for ever other scopes is stopped', async () => {
    await stand.connected();
    for (const scope of ['s1', 's2', 's3', 's4', 's5'])
      assert.deepEqual(await stand.forbidden(scope), authorize(scope));
    assert.deepEqual(await stand.forbidden('s6'), STOP);
  });

  it('for a connection that was signed out meanwhile changes nothing of it', async () => {
    await stand.connected();
    const { accessToken: token } = issued;
    stand.parts.states.set('c', { type: 'disconnected' });
    assert.deepEqual(await stand.forbidden('b', { token }), authorize('b'));
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
  });
});
