import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { asScopekeeperError, ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import type { Exchange } from '../../../src/connections/exchangeJournal.ts';
import { someGrant } from '../../headless/connectionParts.ts';
import { ISSUER, SERVER_URL } from '../../headless/flowParts.ts';
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

describe('a renewal', () => {
  it('P27 P28 stores what it was given, and its connection is ready with a new life', async () => {
    await stand.connected({ tokens: issued, credentials: { assertion: 'kept' } });
    stand.parts.records.update('c', {}, { lastError: new ConnectionError('owner_gone', {}) });
    stand.parts.clock.advance(1000);
    stand.answer = () => ({ access_token: 'at-2', refresh_token: 'rt-2', token_type: 'bearer', expires_in: 60 });
    const connection = await stand.renewals.refresh('c');
    assert.deepEqual(stand.parts.placed('c'), {
      ...stand.parts.place('x', {}),
      generation: 2,
      answered: 2,
      credentials: { assertion: 'kept' },
      tokens: { ...issued, accessToken: 'at-2', refreshToken: 'rt-2' },
    });
    const { state } = connection;
    assert.ok(state.type === 'ready');
    const { expiresAt, generation, refreshedAt } = state.grant;
    assert.deepEqual([expiresAt, generation, refreshedAt], [1_061_000, 2, 1_001_000]);
    assert.equal(connection, stand.parts.records.get('c').connection);
    assert.deepEqual(stand.events(), ['refreshed']);
    assert.equal(stand.lastError(), undefined);
    assert.deepEqual(stand.journaled, ['begin 1 rt-1', 'record', 'end']);
    assert.deepEqual(stand.forms, [
      { grant_type: 'refresh_token', refresh_token: 'rt-1', scope: 'a b', client_id: 'mine' },
    ]);
  });

  it('P29 is one for all who wait, can be waited for, and is over when it is', async () => {
    await stand.connected();
    assert.equal(stand.renewals.running('c'), undefined);
    const [one, other] = [stand.renewals.refresh('c'), stand.renewals.refresh('c')];
    assert.notEqual(stand.renewals.running('c'), undefined);
    await stand.renewals.settled();
    assert.equal(stand.forms.length, 1);
    assert.equal(await one, await other);
    assert.equal(stand.renewals.running('c'), undefined);
    await stand.renewals.refresh('c');
    assert.equal(stand.forms.at(-1)?.['refresh_token'], 'rt-2');
  });

  it('P26 tells which scopes were lost, once, and which came back', async () => {
    await stand.connected();
    for (const scope of ['a', 'a', 'a b', 'a b c']) {
      stand.answer = () => ({ access_token: 'at', token_type: 'bearer', scope });
      await stand.renewals.refresh('c');
    }
    assert.deepEqual(stand.events(), [
      'refreshed',
      'scopes_dropped b',
      'refreshed',
      'refreshed',
      'scopes_restored b',
      'refreshed',
    ]);
  });

  it('P27 remembers of the issuer what was taken', async () => {
    await stand.connected();
    stand.answer = (form) => ('scope' in form ? [400, 'invalid_scope'] : stand.rotated());
    await stand.renewals.refresh('c');
    assert.deepEqual(stand.parts.records.refreshMemory(ISSUER), { scope: 'omitted' });
    await stand.renewals.refresh('c');
    assert.equal(stand.forms.length, 3);
    await stand.renewals.refresh('c', true);
    assert.equal(stand.forms[3]?.['scope'], 'a b', 'unless that is doubted');
  });

  it('P27 begins with what an older version kept with the tokens', async () => {
    await stand.connected({ tokens: { ...issued, refreshScope: 'omitted' } });
    await stand.renewals.refresh('c');
    assert.equal(stand.forms[0]?.['scope'], undefined);
    assert.doesNotMatch(JSON.stringify(stand.parts.placed('c')), /refreshScope/);
  });

  it('is in use though no store takes it, and says so', async () => {
    await stand.connected();
    await stand.parts.secrets.current('c', SERVER_URL);
    stand.parts.keychain.state = stand.parts.editor.state = 'refusesWrites';
    await stand.renewals.refresh('c');
    assert.equal(stand.lastError(), 'keychain_failed');
    await stand.renewals.refresh('c');
    assert.equal(stand.forms.at(-1)?.['refresh_token'], 'rt-2');
  });

  it('says that the journal was damaged, unless there is worse', async () => {
    await stand.connected();
    const broken = new ConnectionError('journal_broken', { path: '/journal' });
    let looks = 0;
    stand.found = () => ((looks += 1) === 1 ? broken : undefined);
    await stand.renewals.refresh('c');
    assert.equal(stand.lastError(), 'journal_broken');
    looks = 0;
    stand.parts.keychain.state = stand.parts.editor.state = 'refusesWrites';
    await stand.renewals.refresh('c');
    assert.equal(stand.lastError(), 'keychain_failed');
  });

  it('of a connection that cannot be renewed needs the person, and changes nothing', async () => {
    await stand.connected();
    const grant = someGrant(stand.parts.clock, { refreshable: false });
    for (const state of [{ type: 'ready', grant }, { type: 'disconnected' }] as const) {
      stand.parts.states.set('c', state);
      await assert.rejects(
        stand.renewals.refresh('c'),
        (error) => isConnectionError(error, 'sign_in_required') && error.details.id === 'c',
      );
      assert.deepEqual(stand.parts.records.get('c').connection.state, state);
    }
    assert.deepEqual([stand.forms, stand.events()], [[], []]);
  });

  const { refreshToken: _, ...unrenewable } = issued;
  for (const [title, secret] of [
    ['are gone', {}],
    ['are those that the person brought', { tokens: { accessToken: 'at', refreshToken: 'rt' } }],
    ['have nothing to renew them with', { tokens: unrenewable }],
  ] as const) {
    it(`of a connection whose tokens ${title} needs the person`, async () => {
      await stand.connected(secret);
      assert.equal(await codeOf(stand.renewals.refresh('c')), 'sign_in_required');
      assert.equal(stand.parts.stateOf('c'), 'needsSignIn secret_missing');
      assert.deepEqual(stand.events(), ['sign_in_needed']);
    });
  }

  it('of a connection whose document is gone needs the person', async () => {
    await stand.connected();
    stand.parts.keychain.entries.delete('connection:c');
    assert.equal(await codeOf(stand.renewals.refresh('c')), 'sign_in_required');
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn secret_missing');
  });
});

/** An answer that was sent in a generation and never stored. */
function answered(expiresIn: number, answeredAt: number, generation = 1): Exchange {
  const body = { access_token: 'at-j', refresh_token: 'rt-j', token_type: 'bearer', expires_in: expiresIn };
  const headers = { 'content-type': 'application/json' };
  return { type: 'answered', generation, answer: { status: 200, headers, body: JSON.stringify(body), answeredAt } };
}

describe('P31 an answer that the journal has', () => {
  it('is taken, with its life from when it came, and nothing is sent', async () => {
    await stand.connected();
    stand.found = ({ refreshToken }) => (refreshToken === 'rt-1' ? answered(3600, 900_000, 5) : undefined);
    const { state } = await stand.renewals.refresh('c');
    assert.ok(state.type === 'ready');
    assert.deepEqual([state.grant.expiresAt, state.grant.generation], [4_500_000, 6]);
    assert.deepEqual(stand.forms, []);
    assert.match(JSON.stringify(stand.parts.placed('c')), /rt-j/);
  });

  it('is renewed at once when its token has ended', async () => {
    await stand.connected();
    stand.found = ({ refreshToken }) => (refreshToken === 'rt-1' ? answered(60, 900_000) : undefined);
    await stand.renewals.refresh('c');
    assert.deepEqual(
      stand.forms.map((form) => form['refresh_token']),
      ['rt-j'],
    );
    assert.deepEqual(stand.events(), ['refreshed', 'refreshed']);
    // One that was only just given has no need of that, however short it lives.
    stand.found = () => undefined;
    stand.answer = () => ({ access_token: 'at', token_type: 'bearer', expires_in: 1 });
    await stand.renewals.refresh('c');
    assert.equal(stand.forms.length, 2);
  });
});

describe('P31 the process that outlives the window', () => {
  for (const [title, more, isAsked] of [
    ['sends what a server that rotates must not lose', {}, true],
    ['is not needed where the refresh token stays', { keepsRefreshToken: true }, false],
  ] as const) {
    it(title, async () => {
      const asked: string[] = [];
      stand = new RenewalStand({
        outlivingFetch: async ({ refreshToken }) => {
          asked.push(refreshToken);
          return undefined;
        },
      });
      await stand.connected({ tokens: { ...issued, ...more } });
      await stand.renewals.refresh('c');
      assert.deepEqual(asked, isAsked ? ['rt-1'] : []);
      assert.equal(stand.forms.length, 1);
    });
  }
});

describe('P34 what the scheduler asks for', () => {
  it('is a renewal, and failing is no news to it', async () => {
    await stand.connected();
    await stand.renewals.renew('c');
    assert.equal(stand.forms.length, 1);
    stand.answer = () => new TypeError('a fault of ours');
    await stand.renewals.renew('c');
    assert.equal(stand.parts.stateOf('c'), 'unreachable unexpected');
  });

  it('is a sign-in when the token has ended and cannot be renewed', async () => {
    await stand.connected();
    stand.parts.states.set('c', { type: 'ready', grant: someGrant(stand.parts.clock, { refreshable: false }) });
    await stand.renewals.renew('c');
    assert.equal(stand.parts.stateOf('c'), 'needsSignIn expired');
    assert.deepEqual(stand.forms, []);
  });

  it('is nothing for a connection that is gone, or has no grant', async () => {
    await stand.renewals.renew('gone');
    await stand.parts.add('c');
    await stand.renewals.renew('c');
    assert.equal(stand.parts.stateOf('c'), 'disconnected');
    assert.deepEqual([stand.forms, stand.parts.log.lines], [[], []]);
  });
});
