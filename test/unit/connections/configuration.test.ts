import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Configuration, type EnteredSecrets } from '../../../src/connections/configuration.ts';
import type { SettingsChange } from '../../../src/connections/connection.ts';
import { type ConnectionSecret, parseConnectionSecret } from '../../../src/connections/connectionSecret.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { type ConnectionParts, connectionParts, someGrant } from '../../headless/connectionParts.ts';
import { ecKey, rsaKey } from '../../headless/privateKeys.ts';

const client = { issuer: 'https://as.example', clientId: 'mine' };
const identityProvider = { issuer: 'https://idp.example', clientId: 'at-idp' };
const authorizationServer = { issuer: client.issuer, token_endpoint: 'https://as.example/token' };
const key = ecKey();

let parts: ConnectionParts;
let configuration: Configuration;

beforeEach(async () => {
  parts = connectionParts();
  configuration = new Configuration(parts);
  await parts.add('c');
});

/** The stored document. */
function document(): ConnectionSecret | undefined {
  const text = parts.keychain.entries.get('connection:c');
  return text === undefined ? undefined : parseConnectionSecret('c', text);
}

/** What of it was entered, and the tokens. */
function entered(): Pick<ConnectionSecret, 'configuredClient' | 'credentials' | 'tokens'> {
  const { configuredClient, credentials, tokens } = document() ?? assert.fail();
  return {
    ...(configuredClient && { configuredClient }),
    ...(credentials && { credentials }),
    ...(tokens && { tokens }),
  };
}

describe('what a person enters is stored', () => {
  const tables: [title: string, change: SettingsChange, entered: EnteredSecrets, expected: object][] = [
    ['a client secret', { client }, { clientSecret: ' s ' }, { configuredClient: { ...client, clientSecret: 's' } }],
    ['a token', {}, { accessToken: '\tat\n' }, { credentials: { accessToken: 'at' } }],
    ['an identity token', {}, { assertion: ' jwt' }, { credentials: { assertion: 'jwt' } }],
    [
      'a session at a provider',
      { identityProvider },
      { identityProvider: { idToken: ' id ' } },
      { credentials: { identityProvider: { ...identityProvider, idToken: 'id' } } },
    ],
    [
      'a secret of a provider',
      { identityProvider },
      { identityProvider: { clientSecret: ' s ' } },
      { credentials: { identityProvider: { ...identityProvider, clientSecret: 's' } } },
    ],
    [
      'all at once',
      { client, identityProvider },
      {
        clientSecret: 's',
        accessToken: 'at',
        assertion: 'jwt',
        identityProvider: { idToken: 'id', clientSecret: 't' },
      },
      {
        configuredClient: { ...client, clientSecret: 's' },
        credentials: {
          accessToken: 'at',
          assertion: 'jwt',
          identityProvider: { ...identityProvider, idToken: 'id', clientSecret: 't' },
        },
      },
    ],
  ];
  for (const [title, change, secrets, expected] of tables) {
    it(`${title}: without white space, and the rest stays as it was`, async () => {
      await configuration.configure('c', change, secrets);
      assert.deepEqual(entered(), expected);
      assert.deepEqual(parts.records.get('c').connection.settings, change);
      // What is set after it, and is no secret, asks nobody for it.
      const { reads } = parts.keychain;
      await configuration.configure('c', { scopes: ['a'] }, {});
      assert.equal(parts.keychain.reads, reads);
      assert.deepEqual(entered(), expected);
      assert.deepEqual(parts.records.get('c').connection.settings, { ...change, scopes: ['a'] });
      await configuration.configure('c', { scopes: undefined }, {});
      assert.deepEqual(parts.records.get('c').connection.settings, change);
    });
  }

  it('P30 under the next generation', async () => {
    parts.place('c', { generation: 6, credentials: { assertion: 'old' } });
    await configuration.configure('c', {}, { assertion: 'new' });
    assert.deepEqual(document(), { ...parts.place('x', {}), generation: 7, credentials: { assertion: 'new' } });
    assert.equal(parts.records.get('c').generation, 7);
  });

  it('a key, read from PEM', async () => {
    await configuration.configure('c', { client }, { privateKey: key.pem });
    const { configuredClient } = entered();
    assert.equal(configuredClient?.privateKey?.algorithm, 'ES256');
    assert.equal(configuredClient.clientSecret, undefined);
    assert.equal(configuredClient.clientId, 'mine');
  });

  for (const [title, change, secrets] of [
    ['nothing that is a secret', { client, identityProvider, scopes: ['a'] }, {}],
    ['white space', { client, identityProvider }, { clientSecret: ' ', accessToken: '', assertion: '\n' }],
    ['an empty session', { identityProvider }, { identityProvider: { idToken: ' ', clientSecret: '' } }],
  ] as const) {
    it(`${title}: no entry in the keychain`, async () => {
      await configuration.configure('c', change, secrets);
      assert.deepEqual([...parts.keychain.entries.keys()], []);
      assert.deepEqual(parts.records.get('c').connection.settings, change);
    });
  }

  it('and goes, with its entry, when it is taken back or what it proved goes', async () => {
    for (const [first, change, secrets] of [
      [{ clientSecret: 's' }, {}, { clientSecret: '' }],
      [{ clientSecret: 's' }, { client: undefined }, {}],
      [{ clientSecret: 's' }, { client: { ...client, clientId: 'other' } }, {}],
      [{ accessToken: 'at' }, {}, { accessToken: '' }],
      [{ assertion: 'jwt' }, {}, { assertion: ' ' }],
      [{ identityProvider: { idToken: 'id' } }, { identityProvider: undefined }, {}],
      [{ identityProvider: { idToken: 'id' } }, { identityProvider: { ...identityProvider, clientId: 'o' } }, {}],
      [{ identityProvider: { idToken: 'id' } }, {}, { identityProvider: { idToken: '' } }],
    ] as const) {
      await configuration.configure('c', { client, identityProvider }, first);
      assert.notEqual(parts.placed('c'), undefined);
      await configuration.configure('c', change, secrets);
      assert.equal(parts.placed('c'), undefined, JSON.stringify(change));
      assert.equal(parts.records.get('c').secretIn, undefined);
    }
  });

  it('also when what is left cannot be forgotten', async () => {
    await configuration.configure('c', { client }, { clientSecret: 's' });
    parts.keychain.delete = async () => Promise.reject(new Error('no'));
    await configuration.configure('c', { client: undefined }, {});
    assert.deepEqual(entered(), {});
  });

  it('and does not touch what was entered for something else', async () => {
    await configuration.configure(
      'c',
      { client, identityProvider },
      { clientSecret: 's', accessToken: 'at', assertion: 'jwt', identityProvider: { idToken: 'id' } },
    );
    const session = { ...identityProvider, idToken: 'id' };
    await configuration.configure('c', {}, { clientSecret: 't' });
    await configuration.configure('c', {}, { accessToken: 'bt' });
    const all = { accessToken: 'bt', assertion: 'jwt', identityProvider: session };
    assert.deepEqual(entered(), { configuredClient: { ...client, clientSecret: 't' }, credentials: all });
    await configuration.configure('c', {}, { accessToken: '' });
    await configuration.configure('c', {}, { identityProvider: { clientSecret: 'u' } });
    assert.deepEqual(entered(), {
      configuredClient: { ...client, clientSecret: 't' },
      credentials: { assertion: 'jwt', identityProvider: { ...identityProvider, clientSecret: 'u' } },
    });
  });

  for (const [state, code] of [
    ['locked', 'keychain_locked'],
    ['refusesReads', 'keychain_failed'],
  ] as const) {
    it(`or nothing has changed, when the keychain fails: ${code}`, async () => {
      const before = parts.place('c', { credentials: { assertion: 'jwt' } });
      parts.keychain.state = state;
      await assert.rejects(configuration.configure('c', { client }, { clientSecret: 's' }), (error) =>
        isConnectionError(error, code),
      );
      assert.deepEqual(parts.placed('c'), before);
      assert.deepEqual(parts.records.get('c').connection.settings, {});
    });
  }

  it('over what cannot be read for good', async () => {
    parts.place('c', {});
    parts.keychain.entries.set('connection:c', 'broken');
    await configuration.configure('c', {}, { assertion: 'jwt' });
    assert.deepEqual(entered(), { credentials: { assertion: 'jwt' } });
  });
});

describe('P28 tokens and another proof of the client that they were issued to', () => {
  const tokens = { accessToken: 'at', refreshToken: 'rt', authorizationServer };
  const issued = { ...client, source: 'preregistered', authMethod: 'none' } as const;
  const first = ecKey();
  const jwk = { kty: 'EC', crv: 'P-256' };

  /** The client of the tokens after something was entered for the client in the settings. */
  async function clientAfter(
    before: object,
    secrets: EnteredSecrets,
    change: SettingsChange = { client },
  ): Promise<NonNullable<ConnectionSecret['tokens']>['client']> {
    parts.place('c', { tokens: { ...tokens, client: { ...issued, ...before } } });
    await configuration.configure('c', change, secrets);
    const { client: after, ...rest } = document()?.tokens ?? assert.fail();
    assert.deepEqual(rest, tokens, 'the tokens stay');
    return after;
  }

  for (const [title, before, expected] of [
    ['none before', {}, 'client_secret_basic'],
    ['another one before', { clientSecret: 'old', authMethod: 'client_secret_basic' }, 'client_secret_basic'],
    ['one in the body before', { clientSecret: 'old', authMethod: 'client_secret_post' }, 'client_secret_post'],
  ] as const) {
    it(`a secret, and ${title}: ${expected}`, async () => {
      const after = await clientAfter(before, { clientSecret: 's' });
      assert.deepEqual(after, { ...issued, clientSecret: 's', authMethod: expected });
    });
  }

  it('none, and a secret or a key before: none', async () => {
    assert.deepEqual(await clientAfter({ clientSecret: 'old', authMethod: 'client_secret_post' }, {}), issued);
    const privateKey = { algorithm: 'ES256', jwk };
    assert.deepEqual(await clientAfter({ privateKey, authMethod: 'private_key_jwt' }, {}), issued);
  });

  for (const [title, earlier, entry, algorithm] of [
    ['none before', undefined, first, 'ES256'],
    ['one of the same kind before', { algorithm: 'PS256', jwk: { kty: 'RSA' } }, rsaKey(), 'PS256'],
    ['one of another type before', { algorithm: 'PS256', jwk: { kty: 'RSA' } }, first, 'ES256'],
    ['one of another curve before', { algorithm: 'ES384', jwk: { kty: 'EC', crv: 'P-384' } }, first, 'ES256'],
  ] as const) {
    it(`a key, and ${title}: ${algorithm}`, async () => {
      const before = earlier === undefined ? {} : { privateKey: earlier, authMethod: 'private_key_jwt' };
      const after = await clientAfter({ ...before, clientSecret: 'old' }, { privateKey: entry.pem });
      assert.equal(after?.authMethod, 'private_key_jwt');
      assert.equal(after.clientSecret, undefined);
      assert.equal(after.privateKey?.algorithm, algorithm);
    });
  }

  for (const [title, before, secrets, change] of [
    ['a registered client', { source: 'registered' }, { clientSecret: 's' }, { client }],
    ['one of another issuer', { issuer: 'https://other.example' }, { clientSecret: 's' }, { client }],
    ['another one of the issuer', { clientId: 'other' }, { clientSecret: 's' }, { client }],
    ['one that is no longer set', { clientSecret: 'old' }, {}, { client: undefined }],
  ] as const) {
    it(`of ${title} are left as they are`, async () => {
      assert.deepEqual(await clientAfter(before, secrets, change), { ...issued, ...before });
    });
  }

  it('of nobody, as those that a person brings, are left as they are', async () => {
    parts.place('c', { tokens: { accessToken: 'at' } });
    await configuration.configure('c', { client }, { clientSecret: 's' });
    assert.deepEqual(entered(), {
      configuredClient: { ...client, clientSecret: 's' },
      tokens: { accessToken: 'at' },
    });
  });

  it('stay as they are when no client is entered', async () => {
    const before = { ...tokens, client: { ...issued, clientSecret: 'old', authMethod: 'client_secret_post' as const } };
    parts.records.update('c', { settings: { client } });
    parts.place('c', { tokens: before });
    await configuration.configure('c', {}, { assertion: 'jwt' });
    assert.deepEqual(entered(), { credentials: { assertion: 'jwt' }, tokens: before });
  });
});

describe('another way to get tokens', () => {
  it('is one change: what is of the old way is told, ended, and gone', async () => {
    const grant = someGrant(parts.clock);
    parts.records.update('c', { state: { type: 'ready', grant }, account: 'ada', settings: { client } });
    const secret = parts.place('c', { tokens: { accessToken: 'at' }, credentials: { accessToken: 'at' } });
    const ended: unknown[] = [];
    const change = { kind: 'workload_identity', change: { scopes: ['a'] }, entered: { assertion: 'jwt' } } as const;
    await configuration.changeKind('c', change, async (connection, document) => {
      ended.push(connection.account, connection.kind, document);
      assert.equal(parts.records.get('c').connection.kind, 'workload_identity', 'it is done by then');
    });
    assert.deepEqual(ended, ['ada', 'authorization_code', secret]);
    const { connection, activity } = parts.records.get('c');
    const { account, kind, lastError, settings, state } = connection;
    assert.deepEqual(
      { account, kind, lastError, settings, state },
      {
        account: undefined,
        kind: 'workload_identity',
        lastError: undefined,
        settings: { client, scopes: ['a'] },
        state: { type: 'disconnected' },
      },
    );
    assert.deepEqual(
      activity.map(({ type }) => type),
      ['disconnected'],
    );
    assert.deepEqual(entered(), { credentials: { accessToken: 'at', assertion: 'jwt' } });
  });

  it('of a connection that had none says nothing, and has no document', async () => {
    const seen: unknown[] = [];
    const change = { kind: 'device_code', change: {}, entered: {} } as const;
    await configuration.changeKind('c', change, async (_connection, secret) => void seen.push(secret));
    assert.deepEqual(seen, [undefined]);
    assert.deepEqual(parts.records.get('c').activity, []);
    assert.equal(parts.placed('c'), undefined);
    assert.ok(!parts.keychain.entries.has('connections'));
  });

  it('forgets what went wrong in the old one', async () => {
    const error = await configuration.configure('unknown', {}, {}).catch((thrown: unknown) => thrown);
    assert.ok(isConnectionError(error, 'connection_unknown'));
    parts.records.update('c', {}, { lastError: error });
    await configuration.changeKind('c', { kind: 'device_code', change: {}, entered: {} }, async () => undefined);
    assert.equal(parts.records.get('c').connection.lastError, undefined);
  });
});
