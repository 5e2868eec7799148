import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { asScopekeeperError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { someGrant } from '../../headless/connectionParts.ts';
import { ISSUER } from '../../headless/flowParts.ts';
import { issued, RenewalStand } from '../../headless/renewalStand.ts';

let stand: RenewalStand;

beforeEach(() => {
  stand = new RenewalStand();
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: unknown) => asScopekeeperError(error).code,
  );
}

describe('P32 a renewal that fails', () => {
  const unreachable = new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });

  it('keeps everything, is tried again, and is one event however often that fails', async () => {
    await stand.connected();
    stand.answer = () => unreachable;
    for (const waitMs of [2500, 5000]) {
      assert.equal(await codeOf(stand.renewals.refresh('c')), 'server_unreachable');
      const { state } = stand.parts.records.get('c').connection;
      assert.ok(state.type === 'unreachable' && state.error === unreachable);
      assert.equal(state.retryAt, stand.parts.clock.now() + waitMs);
      assert.equal(state.grant.generation, 1);
    }
    assert.equal(stand.lastError(), 'server_unreachable');
    assert.deepEqual(stand.events(), ['refresh_failed server_unreachable']);
    assert.equal(stand.parts.log.lines.filter((line) => line.startsWith('Refreshing c failed: ')).length, 2);
    assert.deepEqual(stand.parts.placed('c'), stand.parts.place('x', { tokens: issued }));
  });

  it('by invalid_grant drops the refresh token that was sent, and nothing else', async () => {
    await stand.connected({ tokens: issued, clients: [issued.client] });
    stand.answer = () => [400, 'invalid_grant'];
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'grant_rejected');
    assert.equal(stand.forms.length, 1);
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn grant_rejected');
    assert.equal(stand.lastError(), 'grant_rejected');
    assert.deepEqual(stand.events(), ['refresh_failed grant_rejected']);
    const { refreshToken: _, ...rest } = issued;
    assert.deepEqual(stand.parts.placed('c'), {
      ...stand.parts.place('x', {}),
      generation: 2,
      tokens: rest,
      clients: [issued.client],
    });
  });

  it('P30 by invalid_grant because another process was first goes on with what that has stored', async () => {
    await stand.connected();
    stand.answer = (form) => {
      if (form['refresh_token'] === 'rt-9') return stand.rotated();
      stand.parts.place('c', { generation: 9, tokens: { ...issued, refreshToken: 'rt-9' } });
      return [400, 'invalid_grant'];
    };
    assert.equal((await stand.renewals.refresh('c')).state.type, 'ready');
    assert.deepEqual(
      stand.forms.map((form) => form['refresh_token']),
      ['rt-1', 'rt-9'],
    );
    assert.deepEqual(stand.events(), ['refreshed']);
  });

  it('P30 by invalid_grant when another process has signed out is the end', async () => {
    await stand.connected();
    stand.answer = () => {
      stand.parts.place('c', { generation: 9 });
      return [400, 'invalid_grant'];
    };
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'grant_rejected');
    assert.equal(stand.forms.length, 1);
    assert.deepEqual(stand.parts.placed('c'), stand.parts.place('x', { generation: 9 }));
  });

  it('P30 for another reason is not tried with what another process has stored meanwhile', async () => {
    await stand.connected();
    stand.answer = () => {
      stand.parts.place('c', { generation: 9, tokens: { ...issued, refreshToken: 'rt-9' } });
      return unreachable;
    };
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'server_unreachable');
    assert.equal(stand.forms.length, 1);
  });

  it('P12 as the client is not known needs the person, with another client', async () => {
    await stand.connected();
    stand.answer = () => [401, 'invalid_client'];
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'client_rejected');
    assert.deepEqual(stand.rejectedClients, ['c mine']);
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn client_rejected');
    assert.equal(stand.lastError(), 'client_rejected');
    assert.deepEqual(
      stand.parts.placed('c'),
      stand.parts.place('x', { tokens: issued }),
      'P32 the refresh token stays',
    );
  });

  it('as the keychain hides the secret waits for the keychain', async () => {
    await stand.connected();
    stand.parts.keychain.state = 'locked';
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'keychain_locked');
    assert.equal(stand.parts.stateOf('c'), 'unreachable keychain_locked');
    assert.deepEqual(stand.events(), ['refresh_failed keychain_locked']);
    assert.deepEqual(
      stand.parts.troubles.map((trouble) => trouble?.effect),
      ['hidden'],
    );
    assert.equal(stand.outages.noteFailure('c', unreachable).isFirst, true, 'it is no outage');
  });

  it('as the secret cannot be read needs the person', async () => {
    await stand.connected();
    stand.parts.keychain.entries.set('connection:c', 'broken');
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'secret_unreadable');
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn secret_unreadable');
    assert.equal(stand.lastError(), 'secret_unreadable');
  });

  for (const [title, settings, code, reason] of [
    ['no longer has what it asks with', { assertionIssuer: ISSUER }, 'credentials_missing', 'secret_missing'],
    ['has it for another issuer', { assertionIssuer: 'https://o.example' }, 'client_issuer_mismatch', 'issuer_changed'],
  ] as const) {
    it(`as its workload ${title} needs the person`, async () => {
      const { refreshToken: _, ...rest } = issued;
      await stand.connected({ tokens: rest }, { kind: 'workload_identity', settings });
      assert.equal(await codeOf(stand.renewals.refresh('c')), code);
      assert.equal(stand.parts.stateOf('c'), `needsSignIn ${reason}`);
      assert.equal(stand.lastError(), code);
      assert.deepEqual(stand.events(), [`refresh_failed ${code}`]);
    });
  }

  it('as the file of a workload is refused looks at it soon, without another event', async () => {
    const { refreshToken: _, ...rest } = issued;
    const settings = { assertionFile: '/token', assertionIssuer: ISSUER };
    await stand.connected({ tokens: rest }, { kind: 'workload_identity', settings });
    stand.answer = () => [400, 'invalid_grant'];
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'grant_rejected');
    assert.equal(stand.parts.stateOf('c'), 'unreachable grant_rejected');
    stand.parts.clock.advance(1000);
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'grant_rejected');
    assert.equal(stand.forms.length, 1);
    assert.deepEqual(stand.events(), ['refresh_failed grant_rejected']);
    const { state } = stand.parts.records.get('c').connection;
    assert.ok(state.type === 'unreachable');
    assert.equal(state.retryAt, 1_002_500, 'not later than it would be tried again anyway');
    // The person need not wait, nor does one that has signed in anew.
    await codeOf(stand.renewals.refreshForPerson('c'));
    assert.equal(stand.forms.length, 2);
    stand.renewals.forget('c');
    await codeOf(stand.renewals.refresh('c'));
    assert.equal(stand.forms.length, 3);
  });

  it('is not repeated by requests until it is tried again by itself, but by the person', async () => {
    await stand.connected();
    stand.renewals.failWhileWaiting('c');
    stand.answer = () => unreachable;
    await codeOf(stand.renewals.refreshForRequest('c'));
    await assert.rejects(stand.renewals.refreshForRequest('c'), unreachable);
    assert.throws(() => stand.renewals.failWhileWaiting('c'), unreachable);
    assert.equal(stand.forms.length, 1);
    await codeOf(stand.renewals.refreshForPerson('c'));
    assert.equal(stand.forms.length, 2);
    stand.parts.clock.advance(5000);
    stand.renewals.failWhileWaiting('c');
    await codeOf(stand.renewals.refreshForRequest('c'));
    assert.equal(stand.forms.length, 3);
  });

  it('is repeated by requests at any time when it was the keychain’s', async () => {
    await stand.connected();
    stand.parts.keychain.state = 'locked';
    await codeOf(stand.renewals.refreshForRequest('c'));
    stand.renewals.failWhileWaiting('c');
    stand.parts.keychain.state = 'open';
    assert.equal(await codeOf(stand.renewals.refreshForRequest('c')), 'done');
  });

  it('is not repeated by the person either before its server allows', async () => {
    await stand.connected();
    const error = new OAuthError('token_request_failed', { issuer: ISSUER, status: 429, retryAfterMs: 60_000 });
    const { retryAt } = stand.outages.noteFailure('c', error);
    stand.parts.states.set('c', { type: 'unreachable', grant: someGrant(stand.parts.clock), error, retryAt });
    await assert.rejects(stand.renewals.refreshForPerson('c'), error);
    assert.equal(stand.forms.length, 0);
    stand.parts.clock.advance(60_000);
    assert.equal(await codeOf(stand.renewals.refreshForPerson('c')), 'done');
  });

  it('after the window gave way is told to who asked, and noted nowhere', async () => {
    await stand.connected();
    stand.answer = () => {
      stand.renewals.leave();
      return unreachable;
    };
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'server_unreachable');
    assert.deepEqual([stand.events(), stand.lastError()], [[], undefined]);
  });

  it('P31 an answer that comes after the window gave way is left in the journal', async () => {
    await stand.connected();
    stand.answer = () => {
      stand.renewals.leave();
      return stand.rotated();
    };
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'owner_gone');
    assert.deepEqual(stand.journaled, ['begin 1 rt-1', 'record', 'end']);
    assert.deepEqual(stand.parts.placed('c'), stand.parts.place('x', { tokens: issued }));
    assert.deepEqual(stand.events(), []);
  });

  it('P31 puts an answer of no use aside', async () => {
    await stand.connected();
    stand.answer = () => ({ token_type: 'bearer' });
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'token_response_invalid');
    assert.deepEqual(stand.journaled, ['begin 1 rt-1', 'record', 'end', 'set aside rt-1']);
  });
});
