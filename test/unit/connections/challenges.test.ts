import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ServerChallenge } from '../../../src/connections/challengePolicy.ts';
import { Challenges } from '../../../src/connections/challenges.ts';
import type { Connection, Grant } from '../../../src/connections/connection.ts';
import type { AuthorizationOutcome } from '../../../src/connections/connectionService.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import { Outages } from '../../../src/connections/outages.ts';
import { Renewals } from '../../../src/connections/renewals.ts';
import { DpopNonces } from '../../../src/oauth/dpop.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const SERVER_URL = 'https://example.com/mcp';
const ISSUER = 'https://as.example';
const tokens = {
  accessToken: 'at-1',
  refreshToken: 'rt',
  client: { issuer: ISSUER, clientId: 'mine', authMethod: 'none', source: 'registered' },
  authorizationServer: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
} as const;
const unused = async (): Promise<never> => assert.fail('not to be called');
const MINUTE_MS = 60_000;

let parts: ConnectionParts;
let nonces: DpopNonces;
let challenges: Challenges;
let renewals: Renewals;
/** The scopes of the refresh requests. */
let refreshed: (string | undefined)[];
/** What the token endpoint waits for before it answers. */
let gate: Promise<unknown>;
let isOffline: boolean;
/** How a sign-in without the person goes. */
let stepUp: () => Promise<AuthorizationOutcome>;
let stepUps: number;

beforeEach(() => {
  parts = connectionParts();
  nonces = new DpopNonces();
  [refreshed, stepUps, isOffline, gate] = [[], 0, false, Promise.resolve()];
  stepUp = unused;
  const ports = {
    ...parts,
    nonces,
    random: () => 0,
    resolveReach: async () => 'public' as const,
    readAssertion: unused,
    fetch: async (_url: string, { body }: { readonly body?: string }) => {
      if (isOffline) throw new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });
      await gate;
      refreshed.push(new URLSearchParams(body).get('scope') ?? undefined);
      return Response.json({ access_token: `at-${refreshed.length + 1}`, token_type: 'bearer', expires_in: 3600 });
    },
    journal: {
      prepare: unused,
      find: async () => undefined,
      begin: async () => undefined,
      record: async () => undefined,
      end: async () => undefined,
      setAside: async () => undefined,
      forget: unused,
    },
  };
  const outages = new Outages({ ...parts, random: () => 0 });
  renewals = new Renewals(ports, { ...parts, outages, onClientRejected: () => assert.fail() });
  const authorizeUnattended = async (): Promise<AuthorizationOutcome> => {
    stepUps += 1;
    return stepUp();
  };
  challenges = new Challenges({ ...parts, nonces, renewals, authorizeUnattended });
});

/** A connection that is in use. */
async function connected(more: Partial<Connection> = {}, grant: Partial<Grant> = {}, brought = false): Promise<void> {
  await parts.add('c', { state: { type: 'ready', grant: someGrant(parts.clock, grant) }, issuer: ISSUER, ...more });
  parts.place('c', { tokens: brought ? { accessToken: 'at-1' } : tokens });
}

/** Answers a challenge to a request that carried the token in use. */
async function answer(wwwAuthenticate: string | null, more: Partial<ServerChallenge> = {}): Promise<unknown> {
  const secret = await parts.secrets.current('c', SERVER_URL);
  const token = secret?.tokens?.accessToken;
  return challenges.answer('c', { status: 401, operation: 'call', token, wwwAuthenticate, ...more });
}

const lacking = (scope: string): string => `Bearer error="insufficient_scope", scope="${scope}"`;

const forbidden = async (scope: string, more: Partial<ServerChallenge> = {}): Promise<unknown> =>
  answer(lacking(scope), { status: 403, ...more });

const PASS = { type: 'pass' };
const RETRY = { type: 'retry' };
const STOP = { type: 'stop' };
const authorize = (...scopes: readonly string[]): unknown => ({ type: 'authorize', scopes });

function connection(): Connection {
  return parts.records.get('c').connection;
}

/** Another grant, as a sign-in gives it. */
async function signedIn(granted: readonly string[]): Promise<void> {
  const generation = (parts.states.grant('c')?.generation ?? 0) + 1;
  await parts.secrets.keep('c', {
    version: 1,
    serverUrl: SERVER_URL,
    generation,
    tokens: { ...tokens, accessToken: `signed-in-${generation}` },
  });
  parts.states.meetDemand('c');
  parts.states.set('c', { type: 'ready', grant: someGrant(parts.clock, { granted, generation }) });
  challenges.noteAuthorized('c');
}

describe('a 401 to a token of ours', () => {
  it('P24 is met by a renewal, once; then the person is needed, and then it is stopped', async () => {
    await connected();
    assert.deepEqual(await answer(null), RETRY);
    assert.equal(refreshed.length, 1);
    assert.deepEqual(await answer(null), authorize());
    assert.equal(parts.stateOf('c'), 'needsSignIn token_rejected');
    assert.deepEqual(connection().challenged, []);
  });

  it('P25 is met anew for another operation, and when the next token has been good for a while', async () => {
    await connected();
    assert.deepEqual(await answer(null), RETRY);
    assert.deepEqual(await answer(null, { operation: 'other' }), RETRY);
    parts.clock.advance(MINUTE_MS);
    assert.deepEqual(await answer(null), RETRY);
    assert.equal(refreshed.length, 3);
  });

  it('P29 is no news when the token was replaced meanwhile, or is about to be', async () => {
    await connected();
    assert.deepEqual(await answer(null, { token: 'at-0' }), RETRY);
    assert.equal(refreshed.length, 0);
    const opened = deferred<void>();
    gate = opened.promise;
    const refresh = renewals.refresh('c');
    const answered = answer(null);
    opened.resolve();
    await refresh;
    assert.deepEqual(await answered, RETRY);
    assert.equal(refreshed.length, 1);
  });

  it('P32 is not met while the renewal fails, and was not tried by that', async () => {
    await connected();
    isOffline = true;
    await assert.rejects(answer(null));
    isOffline = false;
    parts.clock.advance(5000);
    assert.deepEqual(await answer(null), RETRY);
    assert.deepEqual(await answer(null), authorize());
  });

  for (const [title, expiresAt, sent] of [
    ['is about a token that should be good: nothing that is remembered is relied on', 1_000_001, 'a'],
    ['comes when the token has ended', 1_000_000, undefined],
    ['comes for a token without an end', undefined, undefined],
  ] as const) {
    it(`P27 ${title}`, async () => {
      const { expiresAt: _expiresAt, ...endless } = someGrant(parts.clock);
      const grant = { ...endless, ...(expiresAt !== undefined && { expiresAt }) };
      await connected({ state: { type: 'ready', grant } });
      parts.records.rememberRefresh(ISSUER, { scope: 'omitted' });
      assert.deepEqual(await answer(null), RETRY);
      assert.deepEqual(refreshed, [sent]);
    });
  }

  it('P24 is about the token first, also when it names scopes; then about these', async () => {
    await connected();
    assert.deepEqual(await answer('Bearer scope="a b"'), RETRY);
    assert.deepEqual(connection().challenged, ['a', 'b']);
    assert.deepEqual(await answer('Bearer scope="b a"'), authorize('b', 'a'));
    assert.equal(parts.stateOf('c'), 'needsConsent');
    const { state } = connection();
    assert.deepEqual(state.type === 'needsConsent' && state.missing, ['b']);
  });

  it('P2 P22 leaves what it names: its scopes while they are not granted, its metadata until another is named', async () => {
    await connected({ challenged: ['a', 'x'] });
    await answer('Bearer scope="y", resource_metadata="https://example.com/prm"');
    assert.deepEqual(connection().challenged, ['x', 'y']);
    assert.equal(connection().resourceMetadataUrl, 'https://example.com/prm');
    await answer('Bearer', { operation: 'other' });
    assert.equal(connection().resourceMetadataUrl, 'https://example.com/prm');
    assert.deepEqual(connection().challenged, ['x', 'y']);
    await answer(null, { operation: 'third' });
    assert.equal(connection().resourceMetadataUrl, 'https://example.com/prm');
  });
});

describe('a 401 for scopes that the person did not grant', () => {
  it('P24 is about the token first again when the next one was good for a while', async () => {
    await connected();
    assert.deepEqual(await answer('Bearer scope="b"'), RETRY);
    assert.deepEqual(await answer('Bearer scope="b"'), authorize('b'));
    await signedIn(['a']);
    parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await answer('Bearer scope="b"'), RETRY);
    assert.deepEqual(await answer('Bearer scope="b"'), STOP, 'P25 and the person is not asked again');
  });

  it('P24 is about a token that cannot be renewed, though the person was asked for the scopes before', async () => {
    await connected();
    await answer('Bearer scope="b"');
    await answer('Bearer scope="b"');
    await signedIn(['a']);
    const grant = parts.states.grant('c') ?? assert.fail();
    parts.states.set('c', { type: 'ready', grant: { ...grant, refreshable: false } });
    parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await answer('Bearer scope="b"'), authorize('b'));
    assert.equal(parts.stateOf('c'), 'needsSignIn token_rejected');
  });
});

describe('a 401 that is not about a token of ours', () => {
  it('has the person sign in, and says nothing of the connection', async () => {
    await parts.add('c', { challenged: ['a'] });
    assert.deepEqual(await answer('Bearer scope="s"', { token: undefined }), authorize('s'));
    assert.equal(parts.stateOf('c'), 'disconnected');
    assert.deepEqual(connection().challenged, ['a', 's']);
    assert.deepEqual(await answer('Bearer scope="s"', { token: undefined }), STOP);
    assert.deepEqual(await answer(null, { token: 'of-before' }), authorize());
    assert.equal(parts.stateOf('c'), 'disconnected');
  });

  it('as none was sent leaves a connection that has one as it is', async () => {
    await connected({}, { refreshable: false });
    assert.deepEqual(await answer(null, { token: undefined }), authorize());
    assert.equal(parts.stateOf('c'), 'ready');
  });
});

describe('a 403', () => {
  it('P24 that speaks of no scope is passed on', async () => {
    await connected();
    for (const wwwAuthenticate of [null, 'Bearer', 'Bearer error="invalid_token"']) {
      assert.deepEqual(await answer(wwwAuthenticate, { status: 403 }), PASS);
    }
    assert.deepEqual([connection().challenged, refreshed], [[], []]);
  });

  it('P24 for scopes that were not granted needs the person, who is asked for what is missing', async () => {
    await connected();
    assert.deepEqual(await forbidden('a b'), authorize('a', 'b'));
    const { state } = connection();
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['b']);
    assert.deepEqual(refreshed, []);
  });

  it('P24 for scopes that were granted is met by a renewal in full; then the person is asked for them', async () => {
    await connected();
    parts.records.rememberRefresh(ISSUER, { scope: 'omitted' });
    parts.clock.advance(2 * 60 * MINUTE_MS);
    assert.deepEqual(await forbidden('a'), RETRY);
    assert.deepEqual(refreshed, ['a'], 'though the token had ended');
    assert.deepEqual(await forbidden('a'), authorize('a'));
    const { state } = connection();
    assert.ok(state.type === 'needsConsent');
    assert.deepEqual(state.missing, ['a']);
    assert.deepEqual(await forbidden('a'), STOP);
  });

  it('P25 that was answered by asking the person is not answered so again before something changes', async () => {
    await connected();
    assert.deepEqual(await forbidden('b'), authorize('b'));
    assert.deepEqual(await forbidden('b'), STOP);
    assert.deepEqual(await forbidden('b', { operation: 'other' }), authorize('b'));
    // The person signs in, and does not grant it.
    await signedIn(['a']);
    parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await forbidden('b'), STOP);
    assert.deepEqual(await forbidden('c'), authorize('c'), 'it is another question');
    await signedIn(['a', 'b', 'c']);
    await signedIn(['a']);
    parts.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(await forbidden('b'), authorize('b'), 'it was granted in between');
  });

  it('P25 that the very next grant does not meet either is stopped; later it is a new one', async () => {
    await connected();
    assert.deepEqual(await forbidden('b'), authorize('b'));
    await signedIn(['a', 'b']);
    assert.deepEqual(await forbidden('b'), STOP);
    parts.clock.advance(MINUTE_MS);
    assert.deepEqual(await forbidden('b'), RETRY);
  });

  it('P32 needs the person also while the server of the tokens is away', async () => {
    await connected();
    isOffline = true;
    await assert.rejects(renewals.refresh('c'));
    assert.deepEqual(await forbidden('b'), authorize('b'));
    assert.equal(parts.stateOf('c'), 'needsConsent');
  });

  it('needs the person also when the secret is not there any more', async () => {
    await connected();
    parts.keychain.entries.delete('connection:c');
    assert.deepEqual(await forbidden('b', { token: 'at-1' }), authorize('b'));
  });

  it('P25 is as good as never answered once the connection has ended', async () => {
    await connected();
    await forbidden('b');
    challenges.forget('c');
    assert.deepEqual(await forbidden('b'), authorize('b'));
  });

  it('P25 for ever other scopes is stopped', async () => {
    await connected();
    for (const scope of ['s1', 's2', 's3', 's4', 's5']) assert.deepEqual(await forbidden(scope), authorize(scope));
    assert.deepEqual(await forbidden('s6'), STOP);
  });

  it('for a connection that was signed out meanwhile changes nothing of it', async () => {
    await connected();
    const { accessToken: token } = tokens;
    parts.states.set('c', { type: 'disconnected' });
    assert.deepEqual(await forbidden('b', { token }), authorize('b'));
    assert.equal(parts.stateOf('c'), 'disconnected');
  });
});

describe('a challenge to a token that the person brought', () => {
  beforeEach(async () => connected({ kind: 'static_token' }, { granted: [], refreshable: false }, true));

  it('P24 that refuses it needs another one, each time', async () => {
    assert.deepEqual(await answer('Bearer scope="x"'), authorize('x'));
    assert.equal(parts.stateOf('c'), 'needsSignIn token_rejected');
    parts.states.set('c', { type: 'ready', grant: someGrant(parts.clock, { refreshable: false }) });
    assert.deepEqual(await answer('Bearer scope="x"'), STOP);
    assert.equal(parts.stateOf('c'), 'needsSignIn token_rejected');
  });

  it('P25 that wants more of it is stopped, and it stays good for the rest', async () => {
    assert.deepEqual(await forbidden('x'), authorize('x'));
    assert.equal(parts.stateOf('c'), 'needsConsent');
    assert.deepEqual(await forbidden('x'), STOP);
    assert.equal(parts.stateOf('c'), 'needsConsent');
  });

  it('P25 that was sent without it says nothing of it', async () => {
    await answer(null, { token: undefined });
    assert.deepEqual(await answer(null, { token: undefined }), STOP);
    assert.equal(parts.stateOf('c'), 'ready');
  });
});

describe('P22 P24 a challenge to a connection that needs nobody', () => {
  beforeEach(async () => connected({ kind: 'client_credentials' }));

  it('is met by asking for more, once for all who wait', async () => {
    const opened = deferred<void>();
    stepUp = async () => {
      await opened.promise;
      await signedIn(['a', 'b']);
      return { type: 'authorized', connection: connection() };
    };
    const answers = [1, 2, 3].map(async () => forbidden('b'));
    await new Promise((resolve) => void setImmediate(resolve));
    opened.resolve();
    assert.deepEqual(await Promise.all(answers), [RETRY, RETRY, RETRY]);
    assert.equal(stepUps, 1);
    assert.equal(parts.stateOf('c'), 'ready');
  });

  for (const [title, outcome] of [
    ['fails', async () => Promise.reject(new Error('no'))],
    ['is cancelled', async () => ({ type: 'cancelled' as const })],
  ] as const) {
    it(`needs the person when that ${title}`, async () => {
      stepUp = outcome;
      assert.deepEqual(await forbidden('b'), authorize('b'));
      assert.equal(parts.stateOf('c'), 'needsConsent');
      assert.equal(stepUps, 1);
      assert.deepEqual(await forbidden('b'), STOP);
      assert.equal(stepUps, 1);
      assert.deepEqual(await forbidden('c', { operation: 'other' }), authorize('c'), 'and it is tried for another');
      assert.equal(stepUps, 2);
    });
  }

  it('waits as a renewal does', async () => {
    isOffline = true;
    await assert.rejects(renewals.refresh('c'));
    await assert.rejects(forbidden('b'));
    assert.equal(stepUps, 0);
    parts.clock.advance(MINUTE_MS);
    stepUp = async () => ({ type: 'cancelled' });
    await forbidden('b');
    assert.equal(stepUps, 1);
  });

  it('that comes when it was signed out asks for nothing', async () => {
    parts.states.set('c', { type: 'disconnected' });
    assert.deepEqual(await forbidden('b', { token: 'at-1' }), authorize('b'));
    assert.equal(stepUps, 0);
    assert.equal(parts.stateOf('c'), 'disconnected');
  });

  it('says nothing of it when it was signed out meanwhile', async () => {
    stepUp = async () => {
      parts.states.set('c', { type: 'disconnected' });
      return { type: 'cancelled' };
    };
    assert.deepEqual(await forbidden('b'), authorize('b'));
    assert.equal(parts.stateOf('c'), 'disconnected');
  });

  it('that is not about scopes is the person’s, once a renewal was of no use', async () => {
    assert.deepEqual(await answer(null), RETRY);
    assert.deepEqual(await answer(null), authorize());
    assert.equal(stepUps, 0);
    assert.equal(parts.stateOf('c'), 'needsSignIn token_rejected');
  });

  it('to a request without a token asks for nothing', async () => {
    assert.deepEqual(await forbidden('b', { token: undefined }), authorize('b'));
    assert.equal(stepUps, 0);
    assert.equal(parts.stateOf('c'), 'ready');
  });
});

describe('RFC 9449 a challenge for another nonce', () => {
  it('is met by taking it, and by nothing else', async () => {
    await connected();
    const demand = { dpopNonce: 'n', attempt: 1 };
    assert.deepEqual(await answer('DPoP error="use_dpop_nonce"', demand), RETRY);
    assert.equal(nonces.for(SERVER_URL), 'n');
    assert.deepEqual(await answer('DPoP error="use_dpop_nonce"', { attempt: 1 }), STOP);
    assert.deepEqual([refreshed, connection().challenged], [[], []]);
    for (let count = 1; count <= 20; count += 1) await answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' });
    assert.deepEqual(await answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' }), STOP);
    challenges.forget('c');
    assert.deepEqual(await answer('DPoP error="use_dpop_nonce"', { dpopNonce: 'n' }), RETRY);
  });
});
