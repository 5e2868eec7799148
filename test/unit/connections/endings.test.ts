import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Challenges } from '../../../src/connections/challenges.ts';
import type { ConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { Endings } from '../../../src/connections/endings.ts';
import { ConnectionError, isConnectionError } from '../../../src/connections/errors.ts';
import type { ExchangeJournal } from '../../../src/connections/exchangeJournal.ts';
import { Outages } from '../../../src/connections/outages.ts';
import { Renewals } from '../../../src/connections/renewals.ts';
import { SignIns } from '../../../src/connections/signIns.ts';
import { DpopNonces } from '../../../src/oauth/dpop.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';

const ISSUER = 'https://as.example';
const client = { issuer: ISSUER, clientId: 'mine', authMethod: 'none', source: 'registered' } as const;
const authorizationServer = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/token`,
  revocation_endpoint: `${ISSUER}/revoke`,
};
const tokens = { accessToken: 'at', refreshToken: 'rt', client, authorizationServer };
const managed = { ...client, management: { uri: `${ISSUER}/clients/mine`, accessToken: 'registration-token' } };

let parts: ConnectionParts;
let endings: Endings;
/** What was sent, in order: the method, the URL and the token. */
let requests: string[];
/** What the servers answer with. */
let status: number;
/** What was forgotten of the journal. */
let forgotten: string[];
let journal: ExchangeJournal;
let outages: Outages;

const unused = async (): Promise<never> => assert.fail('not to be called');

beforeEach(() => {
  parts = connectionParts();
  [requests, forgotten, status] = [[], [], 200];
  journal = {
    prepare: unused,
    find: unused,
    begin: unused,
    record: unused,
    end: unused,
    setAside: unused,
    forget: async (id, below) => void forgotten.push(below === undefined ? id : `${id} ${below}`),
  };
  const ports = {
    ...parts,
    fetch: async (url: string, { body, method }: { body?: string; method: string }) => {
      requests.push(`${method} ${url} ${new URLSearchParams(body).get('token') ?? ''}`.trim());
      return new Response(null, { status });
    },
    resolveReach: async () => 'public' as const,
    prepareRedirect: unused,
    readAssertion: unused,
    openBrowser: unused,
    random: () => 0,
    software: { name: 'Test', softwareId: 'id', version: '1' },
    nonces: new DpopNonces(),
    journal: { ...journal, forget: async (...args: Parameters<typeof journal.forget>) => journal.forget(...args) },
  };
  const signIns = new SignIns(ports, { ...parts, onAuthorized: () => assert.fail() });
  outages = new Outages({ ...parts, random: () => 0 });
  const renewals = new Renewals(ports, { ...parts, outages, onClientRejected: () => assert.fail() });
  const challenges = new Challenges({ ...parts, ...ports, renewals, authorizeUnattended: unused });
  endings = new Endings(ports, { ...parts, signIns, outages, renewals, challenges });
});

/** A connection with a grant and a document. */
async function connected(secret: Partial<ConnectionSecret> = { tokens }): Promise<void> {
  await parts.add('c', { state: { type: 'ready', grant: someGrant(parts.clock) } });
  parts.place('c', secret);
}

const revocations = [`POST ${ISSUER}/revoke rt`, `POST ${ISSUER}/revoke at`];

describe('P35 signing out', () => {
  it('revokes, and keeps what a client needs', async () => {
    await connected({ tokens, clients: [client] });
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'revoked' });
    assert.deepEqual(requests, revocations);
    assert.deepEqual(parts.placed('c'), { ...parts.place('x', {}), generation: 2, clients: [client] });
    const { activity, connection } = parts.records.get('c');
    assert.deepEqual(connection.state, { type: 'disconnected' });
    assert.equal(connection.lastError, undefined);
    assert.deepEqual(
      activity.map(({ type }) => type),
      ['disconnected'],
    );
    assert.deepEqual(forgotten, ['c']);
  });

  it('leaves no entry when there is nothing to keep', async () => {
    await connected();
    await endings.disconnect('c');
    assert.equal(parts.placed('c'), undefined);
    assert.equal(parts.records.get('c').secretIn, undefined);
  });

  for (const [title, secret] of [
    ['it never had one', undefined],
    ['the person brought it', { tokens: { accessToken: 'at' } }],
    ['it was never signed in', { clients: [client] }],
  ] as const) {
    it(`has no token to revoke when ${title}`, async () => {
      if (secret === undefined) await parts.add('c');
      else await connected(secret);
      assert.deepEqual(await endings.disconnect('c'), { revocation: 'nothing_to_revoke' });
      assert.deepEqual(requests, []);
      assert.equal(parts.stateOf('c'), 'disconnected');
    });
  }

  it('forgets a document that is missing, and that it was there', async () => {
    await connected();
    parts.keychain.entries.delete('connection:c');
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'nothing_to_revoke' });
    assert.equal(parts.records.get('c').secretIn, undefined);
  });

  it('forgets one that cannot be read, of which nobody knows what to revoke', async () => {
    await connected();
    parts.keychain.entries.set('connection:c', 'broken');
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'failed' });
    assert.equal(parts.keychain.entries.get('connection:c'), undefined);
    assert.equal(parts.stateOf('c'), 'disconnected');
  });

  it('is done though the server fails or has no way to revoke', async () => {
    await connected();
    status = 503;
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'failed' });
    parts.place('c', {
      tokens: { ...tokens, authorizationServer: { ...authorizationServer, revocation_endpoint: undefined } },
    });
    await parts.secrets.newest('c', 'https://example.com/mcp');
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'unsupported' });
  });

  it('is done though the keychain does not take it: that is told, and done when it does', async () => {
    await connected({ tokens, clients: [client] });
    await parts.secrets.current('c', 'https://example.com/mcp');
    parts.keychain.state = parts.editor.state = 'refusesWrites';
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'revoked' });
    assert.equal(parts.stateOf('c'), 'disconnected');
    assert.equal(parts.records.get('c').connection.lastError?.code, 'keychain_failed');
    parts.keychain.state = 'open';
    parts.clock.advance(5000);
    await new Promise((resolve) => void setImmediate(resolve));
    assert.doesNotMatch(JSON.stringify(parts.placed('c')), /accessToken/);
    assert.equal(parts.records.get('c').connection.lastError, undefined);
  });

  it('is done though the journal cannot be cleared, which is told in the log', async () => {
    await connected();
    journal.forget = async () => Promise.reject(new ConnectionError('keychain_locked', {}));
    assert.deepEqual(await endings.disconnect('c'), { revocation: 'revoked' });
    assert.equal(parts.log.lines.filter((line) => line.includes('could not be cleared')).length, 1);
  });

  it('P32 begins anew: what failed before says nothing of the next sign-in', async () => {
    await connected();
    const error = new ConnectionError('owner_gone', {});
    outages.noteFailure('c', error);
    await endings.disconnect('c');
    assert.equal(outages.noteFailure('c', error).isFirst, true);
  });
});

describe('P35 removing', () => {
  it('revokes, deletes the registration, and leaves nothing', async () => {
    await connected({ tokens, clients: [managed] });
    outages.noteFailure('c', new ConnectionError('owner_gone', {}));
    assert.deepEqual(await endings.remove('c', false), { revocation: 'revoked' });
    assert.deepEqual(requests, [...revocations, `DELETE ${ISSUER}/clients/mine`]);
    assert.deepEqual(parts.records.list(), []);
    assert.deepEqual([...parts.keychain.entries.keys()], ['connections']);
    assert.deepEqual(forgotten, ['c']);
    assert.equal(await parts.secrets.current('c', 'https://example.com/mcp'), undefined);
    assert.equal(outages.noteFailure('c', new ConnectionError('owner_gone', {})).isFirst, true);
  });

  for (const [title, text, leaves, revocation, isLeft] of [
    ['cannot be read', 'broken', false, 'failed', false],
    ['cannot be read, and may stay', 'broken', true, 'failed', false],
    ['is missing', undefined, false, 'nothing_to_revoke', false],
    ['is missing, and may stay', undefined, true, 'failed', false],
    ['is of a newer version, and may stay', '{"version":2}', true, 'failed', true],
  ] as const) {
    it(`of one whose document ${title}: revocation ${revocation}${isLeft ? ', and it stays' : ''}`, async () => {
      await connected();
      if (text === undefined) parts.keychain.entries.delete('connection:c');
      else parts.keychain.entries.set('connection:c', text);
      assert.deepEqual(await endings.remove('c', leaves), { revocation });
      assert.equal(parts.keychain.entries.get('connection:c'), isLeft ? text : undefined);
      assert.deepEqual([parts.records.list(), requests], [[], []]);
    });
  }

  it('of one whose document is of a newer version is refused unless that may stay', async () => {
    await connected();
    parts.keychain.entries.set('connection:c', '{"version":2}');
    await assert.rejects(endings.remove('c', false), (error) => isConnectionError(error, 'secret_too_new'));
    assert.equal(parts.stateOf('c'), 'ready');
  });

  it('is refused, and nothing has changed, while the keychain does not give the secret up, unless it may stay', async () => {
    await connected({ tokens, clients: [managed] });
    await parts.secrets.current('c', 'https://example.com/mcp');
    const remove = parts.keychain.delete.bind(parts.keychain);
    // It fails when a part of it is gone.
    parts.keychain.delete = async (key) => {
      await remove(key);
      throw new ConnectionError('keychain_unavailable', { problem: 'gone' });
    };
    await assert.rejects(endings.remove('c', false), (error) => isConnectionError(error, 'keychain_unavailable'));
    assert.equal(parts.stateOf('c'), 'ready');
    assert.deepEqual(requests, []);
    assert.match(JSON.stringify(parts.placed('c')), /"refreshToken":"rt"/);
    assert.deepEqual(await endings.remove('c', true), { revocation: 'revoked' });
    assert.deepEqual(parts.records.list(), []);
  });

  it('of one that can be neither read nor deleted leaves its bytes as they are', async () => {
    await connected();
    parts.keychain.entries.set('connection:c', 'broken');
    parts.keychain.delete = async () =>
      Promise.reject(new ConnectionError('keychain_unavailable', { problem: 'gone' }));
    await assert.rejects(endings.remove('c', false), (error) => isConnectionError(error, 'keychain_unavailable'));
    assert.deepEqual([...parts.keychain.entries.keys()], ['connection:c', 'connections']);
    assert.equal(parts.keychain.entries.get('connection:c'), 'broken');
    assert.equal(parts.stateOf('c'), 'ready');
  });

  it('of one that is locked away, and of which nothing was read, is refused unless that may stay', async () => {
    await connected();
    parts.keychain.state = 'locked';
    await assert.rejects(endings.remove('c', false), (error) => isConnectionError(error, 'keychain_locked'));
    assert.deepEqual(await endings.remove('c', true), { revocation: 'failed' });
    assert.deepEqual(parts.records.list(), []);
    parts.keychain.state = 'open';
    assert.match(JSON.stringify(parts.placed('c')), /"refreshToken":"rt"/);
  });
});

describe('P35 ending a grant whose document has given way', () => {
  it('revokes, then deletes the registration', async () => {
    await connected({ tokens, clients: [managed] });
    const secret = await parts.secrets.current('c', 'https://example.com/mcp');
    outages.noteFailure('c', new ConnectionError('owner_gone', {}));
    await endings.endGrant(parts.records.get('c').connection, secret);
    assert.deepEqual(requests, [...revocations, `DELETE ${ISSUER}/clients/mine`]);
    assert.deepEqual(forgotten, ['c']);
    assert.equal(outages.noteFailure('c', new ConnectionError('owner_gone', {})).isFirst, true);
    await endings.endGrant(parts.records.get('c').connection, undefined);
    assert.equal(requests.length, 3);
    await endings.forgetAnswers('c', 7);
    assert.deepEqual(forgotten, ['c', 'c', 'c 7']);
  });
});
