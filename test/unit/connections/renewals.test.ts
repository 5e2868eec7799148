import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import type { ConnectionSecret, IssuedTokens } from '../../../src/connections/connectionSecret.ts';
import { asScopekeeperError, ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import type { Exchange, ExchangeKey } from '../../../src/connections/exchangeJournal.ts';
import { Outages } from '../../../src/connections/outages.ts';
import { Renewals, type RenewalPorts } from '../../../src/connections/renewals.ts';
import { isRenewable, renewedSecret } from '../../../src/connections/tokenRefresher.ts';
import { DpopNonces } from '../../../src/oauth/dpop.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import type { TokenAnswer } from '../../../src/oauth/token.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const SERVER_URL = 'https://example.com/mcp';
const ISSUER = 'https://as.example';
const client = { issuer: ISSUER, clientId: 'mine', authMethod: 'none', source: 'registered' } as const;
const tokens: IssuedTokens = {
  accessToken: 'at-1',
  refreshToken: 'rt-1',
  client,
  authorizationServer: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
};

type Form = Readonly<Record<string, string>>;

let parts: ConnectionParts;
let outages: Outages;
let renewals: Renewals;
let ports: RenewalPorts;
/** The forms that the token endpoint got. */
let forms: Form[];
/** How it answers: a body with 200, a status with an error, or no answer at all. */
let answer: (form: Form) => object | readonly [status: number, error: string] | Error;
/** What the journal has for an exchange. */
let found: (key: ExchangeKey) => Exchange | Error | undefined;
let journaled: string[];
let rejectedClients: string[];

beforeEach(async () => {
  parts = connectionParts();
  [forms, journaled, rejectedClients] = [[], [], []];
  answer = () => ({
    access_token: `at-${forms.length + 1}`,
    refresh_token: `rt-${forms.length + 1}`,
    token_type: 'bearer',
  });
  found = () => undefined;
  ports = {
    clock: parts.clock,
    log: parts.log,
    random: () => 0,
    nonces: new DpopNonces(),
    resolveReach: async () => 'public',
    readAssertion: async (path) => `assertion of ${path}`,
    fetch: async (_url, { body }) => {
      const form: Form = Object.fromEntries(new URLSearchParams(body));
      forms.push(form);
      const given = answer(form);
      if (given instanceof Error) throw given;
      if (!Array.isArray(given)) return Response.json(given);
      const [status, error] = given;
      return Response.json({ error }, { status: Number(status) });
    },
    journal: {
      prepare: async () => assert.fail(),
      find: async (key) => {
        const known = found(key);
        if (known instanceof Error) throw known;
        return known;
      },
      begin: async ({ generation, refreshToken }) => void journaled.push(`begin ${generation} ${refreshToken}`),
      record: async () => void journaled.push('record'),
      end: async () => void journaled.push('end'),
      setAside: async ({ refreshToken }) => void journaled.push(`set aside ${refreshToken}`),
      forget: async () => assert.fail(),
    },
  };
  start();
});

function start(more: Partial<RenewalPorts> = {}): void {
  outages = new Outages({ ...parts, random: () => 0 });
  renewals = new Renewals(
    { ...ports, ...more },
    { ...parts, outages, onClientRejected: (id, clientId) => void rejectedClients.push(`${id} ${clientId}`) },
  );
}

/** A connection whose token an earlier window stored. */
async function connected(
  secret: Partial<ConnectionSecret> = { tokens },
  more: Partial<Connection> = {},
): Promise<void> {
  const state = {
    type: 'ready',
    grant: someGrant(parts.clock, { authorized: ['a', 'b'], granted: ['a', 'b'] }),
  } as const;
  await parts.add('c', { state, issuer: ISSUER, requested: ['a', 'b'], ...more });
  parts.place('c', secret);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: unknown) => asScopekeeperError(error).code,
  );
}

function eventsOf(): readonly string[] {
  return parts.records
    .get('c')
    .activity.map(({ type, scopes = [], errorCode = '' }) => [type, ...scopes, errorCode].join(' ').trim());
}

function lastError(): string | undefined {
  return parts.records.get('c').connection.lastError?.code;
}

describe('a renewal', () => {
  it('P27 P28 stores what it was given, and its connection is ready with a new life', async () => {
    await connected({ tokens, credentials: { assertion: 'kept' } });
    parts.records.update('c', {}, { lastError: new ConnectionError('owner_gone', {}) });
    parts.clock.advance(1000);
    answer = () => ({ access_token: 'at-2', refresh_token: 'rt-2', token_type: 'bearer', expires_in: 60 });
    const connection = await renewals.refresh('c');
    assert.deepEqual(parts.placed('c'), {
      ...parts.place('x', {}),
      generation: 2,
      answered: 2,
      credentials: { assertion: 'kept' },
      tokens: { ...tokens, accessToken: 'at-2', refreshToken: 'rt-2' },
    });
    const { state } = connection;
    assert.ok(state.type === 'ready');
    const { expiresAt, generation, refreshedAt } = state.grant;
    assert.deepEqual([expiresAt, generation, refreshedAt], [1_061_000, 2, 1_001_000]);
    assert.equal(connection, parts.records.get('c').connection);
    assert.deepEqual(eventsOf(), ['refreshed']);
    assert.equal(lastError(), undefined);
    assert.deepEqual(journaled, ['begin 1 rt-1', 'record', 'end']);
    assert.deepEqual(forms, [{ grant_type: 'refresh_token', refresh_token: 'rt-1', scope: 'a b', client_id: 'mine' }]);
  });

  it('P29 is one for all who wait, can be waited for, and is over when it is', async () => {
    await connected();
    assert.equal(renewals.running('c'), undefined);
    const [one, other] = [renewals.refresh('c'), renewals.refresh('c')];
    assert.notEqual(renewals.running('c'), undefined);
    await renewals.settled();
    assert.equal(forms.length, 1);
    assert.equal(await one, await other);
    assert.equal(renewals.running('c'), undefined);
    await renewals.refresh('c');
    assert.equal(forms.at(-1)?.['refresh_token'], 'rt-2');
  });

  it('P26 tells which scopes were lost, once, and which came back', async () => {
    await connected();
    for (const scope of ['a', 'a', 'a b', 'a b c']) {
      answer = () => ({ access_token: 'at', token_type: 'bearer', scope });
      await renewals.refresh('c');
    }
    assert.deepEqual(eventsOf(), [
      'refreshed',
      'scopes_dropped b',
      'refreshed',
      'refreshed',
      'scopes_restored b',
      'refreshed',
    ]);
  });

  it('P27 remembers of the issuer what was taken', async () => {
    await connected();
    const usual = answer;
    answer = (form) => ('scope' in form ? [400, 'invalid_scope'] : usual(form));
    await renewals.refresh('c');
    assert.deepEqual(parts.records.refreshMemory(ISSUER), { scope: 'omitted' });
    await renewals.refresh('c');
    assert.equal(forms.length, 3);
    await renewals.refresh('c', true);
    assert.equal(forms[3]?.['scope'], 'a b', 'unless that is doubted');
  });

  it('P27 begins with what an older version kept with the tokens', async () => {
    await connected({ tokens: { ...tokens, refreshScope: 'omitted' } });
    await renewals.refresh('c');
    assert.equal(forms[0]?.['scope'], undefined);
    assert.doesNotMatch(JSON.stringify(parts.placed('c')), /refreshScope/);
  });

  it('is in use though no store takes it, and says so', async () => {
    await connected();
    await parts.secrets.current('c', SERVER_URL);
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await renewals.refresh('c');
    assert.equal(lastError(), 'keychain_failed');
    await renewals.refresh('c');
    assert.equal(forms.at(-1)?.['refresh_token'], 'rt-2');
  });

  it('says that the journal was damaged, unless there is worse', async () => {
    await connected();
    const broken = new ConnectionError('journal_broken', { path: '/journal' });
    let looks = 0;
    found = () => ((looks += 1) === 1 ? broken : undefined);
    await renewals.refresh('c');
    assert.equal(lastError(), 'journal_broken');
    looks = 0;
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    await renewals.refresh('c');
    assert.equal(lastError(), 'keychain_failed');
  });

  it('of a connection that cannot be renewed needs the person, and changes nothing', async () => {
    await connected();
    const grant = someGrant(parts.clock, { refreshable: false });
    for (const state of [{ type: 'ready', grant }, { type: 'disconnected' }] as const) {
      parts.states.set('c', state);
      await assert.rejects(
        renewals.refresh('c'),
        (error) => isConnectionError(error, 'sign_in_required') && error.details.id === 'c',
      );
      assert.deepEqual(parts.records.get('c').connection.state, state);
    }
    assert.deepEqual([forms, eventsOf()], [[], []]);
  });

  const { refreshToken: _, ...unrenewable } = tokens;
  for (const [title, secret] of [
    ['are gone', {}],
    ['are those that the person brought', { tokens: { accessToken: 'at', refreshToken: 'rt' } }],
    ['have nothing to renew them with', { tokens: unrenewable }],
  ] as const) {
    it(`of a connection whose tokens ${title} needs the person`, async () => {
      await connected(secret);
      assert.equal(await codeOf(renewals.refresh('c')), 'sign_in_required');
      assert.equal(parts.stateOf('c'), 'needsSignIn secret_missing');
      assert.deepEqual(eventsOf(), ['sign_in_needed']);
    });
  }

  it('of a connection whose document is gone needs the person', async () => {
    await connected();
    parts.keychain.entries.delete('connection:c');
    assert.equal(await codeOf(renewals.refresh('c')), 'sign_in_required');
    assert.equal(parts.stateOf('c'), 'needsSignIn secret_missing');
  });
});

describe('P32 a renewal that fails', () => {
  const unreachable = new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });

  it('keeps everything, is tried again, and is one event however often that fails', async () => {
    await connected();
    answer = () => unreachable;
    for (const waitMs of [2500, 5000]) {
      assert.equal(await codeOf(renewals.refresh('c')), 'server_unreachable');
      const { state } = parts.records.get('c').connection;
      assert.ok(state.type === 'unreachable' && state.error === unreachable);
      assert.equal(state.retryAt, parts.clock.now() + waitMs);
      assert.equal(state.grant.generation, 1);
    }
    assert.equal(lastError(), 'server_unreachable');
    assert.deepEqual(eventsOf(), ['refresh_failed server_unreachable']);
    assert.equal(parts.log.lines.filter((line) => line.startsWith('Refreshing c failed: ')).length, 2);
    assert.deepEqual(parts.placed('c'), parts.place('x', { tokens }));
  });

  it('by invalid_grant drops the refresh token that was sent, and nothing else', async () => {
    await connected({ tokens, clients: [client] });
    answer = () => [400, 'invalid_grant'];
    assert.equal(await codeOf(renewals.refresh('c')), 'grant_rejected');
    assert.equal(forms.length, 1);
    assert.equal(parts.stateOf('c'), 'needsSignIn grant_rejected');
    assert.equal(lastError(), 'grant_rejected');
    assert.deepEqual(eventsOf(), ['refresh_failed grant_rejected']);
    const { refreshToken: _, ...rest } = tokens;
    assert.deepEqual(parts.placed('c'), { ...parts.place('x', {}), generation: 2, tokens: rest, clients: [client] });
  });

  it('P30 by invalid_grant because another process was first goes on with what that has stored', async () => {
    await connected();
    const usual = answer;
    answer = (form) => {
      if (form['refresh_token'] === 'rt-9') return usual(form);
      parts.place('c', { generation: 9, tokens: { ...tokens, refreshToken: 'rt-9' } });
      return [400, 'invalid_grant'];
    };
    assert.equal((await renewals.refresh('c')).state.type, 'ready');
    assert.deepEqual(
      forms.map((form) => form['refresh_token']),
      ['rt-1', 'rt-9'],
    );
    assert.deepEqual(eventsOf(), ['refreshed']);
  });

  it('P30 by invalid_grant when another process has signed out is the end', async () => {
    await connected();
    answer = () => {
      parts.place('c', { generation: 9 });
      return [400, 'invalid_grant'];
    };
    assert.equal(await codeOf(renewals.refresh('c')), 'grant_rejected');
    assert.equal(forms.length, 1);
    assert.deepEqual(parts.placed('c'), parts.place('x', { generation: 9 }));
  });

  it('P30 for another reason is not tried with what another process has stored meanwhile', async () => {
    await connected();
    answer = () => {
      parts.place('c', { generation: 9, tokens: { ...tokens, refreshToken: 'rt-9' } });
      return unreachable;
    };
    assert.equal(await codeOf(renewals.refresh('c')), 'server_unreachable');
    assert.equal(forms.length, 1);
  });

  it('P12 as the client is not known needs the person, with another client', async () => {
    await connected();
    answer = () => [401, 'invalid_client'];
    assert.equal(await codeOf(renewals.refresh('c')), 'client_rejected');
    assert.deepEqual(rejectedClients, ['c mine']);
    assert.equal(parts.stateOf('c'), 'needsSignIn client_rejected');
    assert.equal(lastError(), 'client_rejected');
    assert.deepEqual(parts.placed('c'), parts.place('x', { tokens }), 'P32 the refresh token stays');
  });

  it('as the keychain hides the secret waits for the keychain', async () => {
    await connected();
    parts.keychain.state = 'locked';
    assert.equal(await codeOf(renewals.refresh('c')), 'keychain_locked');
    assert.equal(parts.stateOf('c'), 'unreachable keychain_locked');
    assert.deepEqual(eventsOf(), ['refresh_failed keychain_locked']);
    assert.deepEqual(
      parts.troubles.map((trouble) => trouble?.effect),
      ['hidden'],
    );
    assert.equal(outages.noteFailure('c', unreachable).isFirst, true, 'it is no outage');
  });

  it('as the secret cannot be read needs the person', async () => {
    await connected();
    parts.keychain.entries.set('connection:c', 'broken');
    assert.equal(await codeOf(renewals.refresh('c')), 'secret_unreadable');
    assert.equal(parts.stateOf('c'), 'needsSignIn secret_unreadable');
    assert.equal(lastError(), 'secret_unreadable');
  });

  for (const [title, settings, code, reason] of [
    ['no longer has what it asks with', { assertionIssuer: ISSUER }, 'credentials_missing', 'secret_missing'],
    ['has it for another issuer', { assertionIssuer: 'https://o.example' }, 'client_issuer_mismatch', 'issuer_changed'],
  ] as const) {
    it(`as its workload ${title} needs the person`, async () => {
      const { refreshToken: _, ...rest } = tokens;
      await connected({ tokens: rest }, { kind: 'workload_identity', settings });
      assert.equal(await codeOf(renewals.refresh('c')), code);
      assert.equal(parts.stateOf('c'), `needsSignIn ${reason}`);
      assert.equal(lastError(), code);
      assert.deepEqual(eventsOf(), [`refresh_failed ${code}`]);
    });
  }

  it('as the file of a workload is refused looks at it soon, without another event', async () => {
    const { refreshToken: _, ...rest } = tokens;
    const settings = { assertionFile: '/token', assertionIssuer: ISSUER };
    await connected({ tokens: rest }, { kind: 'workload_identity', settings });
    answer = () => [400, 'invalid_grant'];
    assert.equal(await codeOf(renewals.refresh('c')), 'grant_rejected');
    assert.equal(parts.stateOf('c'), 'unreachable grant_rejected');
    parts.clock.advance(1000);
    assert.equal(await codeOf(renewals.refresh('c')), 'grant_rejected');
    assert.equal(forms.length, 1);
    assert.deepEqual(eventsOf(), ['refresh_failed grant_rejected']);
    const { state } = parts.records.get('c').connection;
    assert.ok(state.type === 'unreachable');
    assert.equal(state.retryAt, 1_002_500, 'not later than it would be tried again anyway');
    // The person need not wait, nor does one that has signed in anew.
    await codeOf(renewals.refreshForPerson('c'));
    assert.equal(forms.length, 2);
    renewals.forget('c');
    await codeOf(renewals.refresh('c'));
    assert.equal(forms.length, 3);
  });

  it('is not repeated by requests until it is tried again by itself, but by the person', async () => {
    await connected();
    renewals.failWhileWaiting('c');
    answer = () => unreachable;
    await codeOf(renewals.refreshForRequest('c'));
    await assert.rejects(renewals.refreshForRequest('c'), unreachable);
    assert.throws(() => renewals.failWhileWaiting('c'), unreachable);
    assert.equal(forms.length, 1);
    await codeOf(renewals.refreshForPerson('c'));
    assert.equal(forms.length, 2);
    parts.clock.advance(5000);
    renewals.failWhileWaiting('c');
    await codeOf(renewals.refreshForRequest('c'));
    assert.equal(forms.length, 3);
  });

  it('is repeated by requests at any time when it was the keychain’s', async () => {
    await connected();
    parts.keychain.state = 'locked';
    await codeOf(renewals.refreshForRequest('c'));
    renewals.failWhileWaiting('c');
    parts.keychain.state = 'open';
    assert.equal(await codeOf(renewals.refreshForRequest('c')), 'done');
  });

  it('is not repeated by the person either before its server allows', async () => {
    await connected();
    const error = new OAuthError('token_request_failed', { issuer: ISSUER, status: 429, retryAfterMs: 60_000 });
    const { retryAt } = outages.noteFailure('c', error);
    parts.states.set('c', { type: 'unreachable', grant: someGrant(parts.clock), error, retryAt });
    await assert.rejects(renewals.refreshForPerson('c'), error);
    assert.equal(forms.length, 0);
    parts.clock.advance(60_000);
    assert.equal(await codeOf(renewals.refreshForPerson('c')), 'done');
  });

  it('after the window gave way is told to who asked, and noted nowhere', async () => {
    await connected();
    answer = () => {
      renewals.leave();
      return unreachable;
    };
    assert.equal(await codeOf(renewals.refresh('c')), 'server_unreachable');
    assert.deepEqual([eventsOf(), lastError()], [[], undefined]);
  });

  it('P31 an answer that comes after the window gave way is left in the journal', async () => {
    await connected();
    const usual = answer;
    answer = (form) => {
      renewals.leave();
      return usual(form);
    };
    assert.equal(await codeOf(renewals.refresh('c')), 'owner_gone');
    assert.deepEqual(journaled, ['begin 1 rt-1', 'record', 'end']);
    assert.deepEqual(parts.placed('c'), parts.place('x', { tokens }));
    assert.deepEqual(eventsOf(), []);
  });

  it('P31 puts an answer of no use aside', async () => {
    await connected();
    answer = () => ({ token_type: 'bearer' });
    assert.equal(await codeOf(renewals.refresh('c')), 'token_response_invalid');
    assert.deepEqual(journaled, ['begin 1 rt-1', 'record', 'end', 'set aside rt-1']);
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
    await connected();
    found = ({ refreshToken }) => (refreshToken === 'rt-1' ? answered(3600, 900_000, 5) : undefined);
    const { state } = await renewals.refresh('c');
    assert.ok(state.type === 'ready');
    assert.deepEqual([state.grant.expiresAt, state.grant.generation], [4_500_000, 6]);
    assert.deepEqual(forms, []);
    assert.match(JSON.stringify(parts.placed('c')), /rt-j/);
  });

  it('is renewed at once when its token has ended', async () => {
    await connected();
    found = ({ refreshToken }) => (refreshToken === 'rt-1' ? answered(60, 900_000) : undefined);
    await renewals.refresh('c');
    assert.deepEqual(
      forms.map((form) => form['refresh_token']),
      ['rt-j'],
    );
    assert.deepEqual(eventsOf(), ['refreshed', 'refreshed']);
    // One that was only just given has no need of that, however short it lives.
    found = () => undefined;
    answer = () => ({ access_token: 'at', token_type: 'bearer', expires_in: 1 });
    await renewals.refresh('c');
    assert.equal(forms.length, 2);
  });
});

describe('P31 the process that outlives the window', () => {
  for (const [title, more, isAsked] of [
    ['sends what a server that rotates must not lose', {}, true],
    ['is not needed where the refresh token stays', { keepsRefreshToken: true }, false],
  ] as const) {
    it(title, async () => {
      await connected({ tokens: { ...tokens, ...more } });
      const asked: string[] = [];
      start({
        outlivingFetch: async ({ refreshToken }) => {
          asked.push(refreshToken);
          return undefined;
        },
      });
      await renewals.refresh('c');
      assert.deepEqual(asked, isAsked ? ['rt-1'] : []);
      assert.equal(forms.length, 1);
    });
  }
});

describe('P34 what the scheduler asks for', () => {
  it('is a renewal, and failing is no news to it', async () => {
    await connected();
    await renewals.renew('c');
    assert.equal(forms.length, 1);
    answer = () => new TypeError('a fault of ours');
    await renewals.renew('c');
    assert.equal(parts.stateOf('c'), 'unreachable unexpected');
  });

  it('is a sign-in when the token has ended and cannot be renewed', async () => {
    await connected();
    parts.states.set('c', { type: 'ready', grant: someGrant(parts.clock, { refreshable: false }) });
    await renewals.renew('c');
    assert.equal(parts.stateOf('c'), 'needsSignIn expired');
    assert.deepEqual(forms, []);
  });

  it('is nothing for a connection that is gone, or has no grant', async () => {
    await renewals.renew('gone');
    await parts.add('c');
    await renewals.renew('c');
    assert.equal(parts.stateOf('c'), 'disconnected');
    assert.deepEqual([forms, parts.log.lines], [[], []]);
  });
});

describe('the tokens after a renewal', () => {
  const secret: ConnectionSecret = { version: 1, generation: 4, serverUrl: SERVER_URL, tokens };
  const dpopKey = { algorithm: 'ES256', jwk: { kty: 'EC' } };
  const newAnswer: TokenAnswer = { accessToken: 'at-2', tokenType: 'dpop' };
  const refreshed = (more: Partial<TokenAnswer> = {}) =>
    renewedSecret(
      secret,
      { ...tokens, refreshScope: 'omitted', keepsRefreshToken: true },
      { type: 'refreshed', answer: { ...newAnswer, ...more }, memory: {} },
      7,
    );

  it('P28 keep the refresh token when there is no other, and know that the server keeps it', () => {
    const kept = { ...tokens, accessToken: 'at-2', keepsRefreshToken: true };
    assert.deepEqual(refreshed(), { ...secret, generation: 7, answered: 7, tokens: kept });
    assert.deepEqual(refreshed({ refreshToken: 'rt-1' }).tokens, kept);
    assert.deepEqual(refreshed({ refreshToken: 'rt-2' }).tokens, {
      ...tokens,
      accessToken: 'at-2',
      refreshToken: 'rt-2',
    });
  });

  it('P32 have no earlier refresh token when they were asked for anew', () => {
    const anew = { type: 'asked_anew', answer: newAnswer } as const;
    const { refreshToken: _, ...rest } = tokens;
    assert.deepEqual(renewedSecret(secret, tokens, anew, 7).tokens, { ...rest, accessToken: 'at-2' });
    const withNext = { ...anew, answer: { ...newAnswer, refreshToken: 'rt-2' } };
    assert.deepEqual(renewedSecret(secret, tokens, withNext, 7).tokens, {
      ...rest,
      accessToken: 'at-2',
      refreshToken: 'rt-2',
    });
    const none = renewedSecret(secret, rest, { type: 'refreshed', answer: newAnswer, memory: {} }, 7).tokens;
    assert.deepEqual(none, { ...rest, accessToken: 'at-2' });
  });

  it('RFC 9449 say what they are where they may be bound to a key', () => {
    const bound = { ...tokens, dpopKey };
    const { tokenType } = renewedSecret(secret, bound, { type: 'asked_anew', answer: newAnswer }, 7).tokens ?? {};
    assert.equal(tokenType, 'dpop');
  });

  it('can be renewed by their refresh token, or by asking for them anew', async () => {
    await parts.add('c');
    const { connection } = parts.records.get('c');
    const { refreshToken: _, ...rest } = tokens;
    assert.deepEqual(
      [
        isRenewable(tokens, connection),
        isRenewable(rest, connection),
        isRenewable(undefined, connection),
        isRenewable(rest, { ...connection, kind: 'client_credentials' }),
        isRenewable(undefined, { ...connection, kind: 'client_credentials' }),
        isRenewable(rest, { ...connection, kind: 'static_token' }),
      ],
      [true, false, false, true, true, false],
    );
  });
});
