import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ConnectionSecret,
  formatConnectionSecret,
  issuedTokens,
  parseConnectionSecret,
  withoutTokens,
  withRegisteredClient,
  withoutKind,
} from '../../../src/connections/connectionSecret.ts';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { TOKEN_ENDPOINT_AUTH_METHODS } from '../../../src/oauth/client.ts';

const key = { algorithm: 'ES256', jwk: { kty: 'EC', d: 'secret' } };
const client = { issuer: 'https://as.example', clientId: 'c', authMethod: 'none', source: 'registered' } as const;
const authorizationServer = { issuer: 'https://as.example', token_endpoint: 'https://as.example/token' };
const least: ConnectionSecret = { version: 1, generation: 1, serverUrl: 'https://example.com/mcp' };
const most: Required<ConnectionSecret> = {
  ...least,
  generation: 4,
  answered: 3,
  clients: [
    {
      ...client,
      clientSecret: 's',
      privateKey: key,
      authMethod: 'private_key_jwt',
      redirectUris: ['http://127.0.0.1:7777/callback'],
      scopes: ['a'],
      secretExpiresAt: 5,
      management: { uri: 'https://as.example/register/c', accessToken: 'm' },
    },
  ],
  configuredClient: { issuer: 'https://as.example', clientId: 'c', clientSecret: 's', privateKey: key },
  credentials: {
    accessToken: 'brought',
    assertion: 'workload',
    identityProvider: {
      issuer: 'https://idp.example',
      clientId: 'i',
      clientSecret: 's',
      idToken: 'id',
      refreshToken: 'session',
    },
  },
  tokens: {
    accessToken: 'AT',
    refreshToken: 'RT',
    client,
    authorizationServer: {
      ...authorizationServer,
      authorization_endpoint: 'https://as.example/authorize',
      revocation_endpoint: 'https://as.example/revoke',
      authorization_response_iss_parameter_supported: true,
    },
    resource: 'https://example.com',
    refreshScope: 'omitted',
    dpopKey: key,
  },
};

describe('a connection’s secret document', () => {
  for (const [title, secret] of [
    ['with nothing but its server', least],
    ['with everything', most],
    ['with a token that the person brought', { ...least, tokens: { accessToken: 'AT' } }],
    ...TOKEN_ENDPOINT_AUTH_METHODS.map(
      (authMethod) => [`of a client with ${authMethod}`, { ...least, clients: [{ ...client, authMethod }] }] as const,
    ),
    ...(['preregistered', 'metadata_document', 'registered'] as const).map(
      (source) => [`of a client that is ${source}`, { ...least, clients: [{ ...client, source }] }] as const,
    ),
    ...(['authorized', 'requested', 'omitted'] as const).map(
      (refreshScope) =>
        [`that remembers ${refreshScope}`, { ...least, tokens: { accessToken: 'AT', refreshScope } }] as const,
    ),
  ] as const) {
    it(`${title} is read as it was written`, () => {
      assert.deepEqual(parseConnectionSecret('id', formatConnectionSecret(secret)), secret);
    });
  }

  for (const [title, text] of [
    ['is empty', ''],
    ['is no JSON', 'canary {'],
    ['is no object', '["canary"]'],
    ...[
      { version: 0 },
      { generation: '1' },
      { serverUrl: undefined },
      { client: {} },
      { clients: [{}] },
      { clients: [{ ...client, authMethod: '' }] },
      { clients: [{ ...client, source: '' }] },
      { clients: [{ ...client, privateKey: {} }] },
      { clients: [{ ...client, management: {} }] },
      { configuredClient: {} },
      { credentials: { identityProvider: {} } },
      { tokens: {} },
      { tokens: { accessToken: 'canary', refreshToken: null } },
      { tokens: { accessToken: 'canary', refreshScope: '' } },
      { tokens: { accessToken: 'canary', authorizationServer: {} } },
    ].map((change) => [`has ${JSON.stringify(change)}`, JSON.stringify({ ...least, ...change })] as const),
  ] as const) {
    it(`that ${title} is unreadable, and the error repeats nothing of it`, () => {
      assert.throws(
        () => parseConnectionSecret('id', text),
        (error) => {
          assert.ok(isConnectionError(error, 'secret_unreadable'));
          assert.deepEqual(error.details, { id: 'id' });
          assert.equal(error.cause, undefined);
          return !error.message.includes('canary');
        },
      );
    });
  }

  it('P35 keeps, when its tokens go, only what makes a client: nothing that a sign-in gave', () => {
    assert.deepEqual(withoutTokens(most), {
      version: 1,
      generation: 5,
      serverUrl: most.serverUrl,
      clients: most.clients,
      configuredClient: most.configuredClient,
      credentials: {
        assertion: 'workload',
        identityProvider: { issuer: 'https://idp.example', clientId: 'i', clientSecret: 's' },
      },
    });
    assert.deepEqual(withoutTokens(least), { ...least, generation: 2 });
    assert.deepEqual(withoutTokens({ ...least, credentials: { accessToken: 'brought' } }), { ...least, generation: 2 });
    assert.deepEqual(withoutTokens({ ...least, credentials: { assertion: 'w' } }).credentials, { assertion: 'w' });
    const { identityProvider } = most.credentials;
    assert.deepEqual(
      withoutTokens({ ...least, credentials: { ...(identityProvider && { identityProvider }) } }).credentials,
      {
        identityProvider: { issuer: 'https://idp.example', clientId: 'i', clientSecret: 's' },
      },
    );
  });

  it('has issued tokens when it says who issued them, and to whom', () => {
    assert.deepEqual(issuedTokens(most), most.tokens);
    assert.equal(issuedTokens(undefined), undefined);
    assert.equal(issuedTokens(least), undefined);
    assert.equal(issuedTokens({ ...least, tokens: { accessToken: 'AT', client } }), undefined);
    assert.equal(issuedTokens({ ...least, tokens: { accessToken: 'AT', authorizationServer } }), undefined);
  });
});

describe('a secret document whose connection gets its tokens in another way', () => {
  const provider = { issuer: 'https://idp.example', clientId: 'i', clientSecret: 's' };
  const credentials = {
    accessToken: 'brought',
    assertion: 'workload',
    identityProvider: { ...provider, idToken: 'ID', refreshToken: 'IR' },
  };

  for (const [kind, kept] of [
    ['authorization_code', credentials],
    ['static_token', { assertion: 'workload', identityProvider: credentials.identityProvider }],
    ['workload_identity', { accessToken: 'brought', identityProvider: credentials.identityProvider }],
    ['enterprise_managed', { accessToken: 'brought', assertion: 'workload', identityProvider: provider }],
  ] as const) {
    it(`P36 keeps nothing that was brought, or signed in for, as ${kind}`, () => {
      assert.deepEqual(withoutKind({ ...least, credentials }, kind), { ...least, credentials: kept, generation: 2 });
    });
  }

  for (const [kind, only] of [
    ['static_token', { accessToken: 'brought' }],
    ['workload_identity', { assertion: 'workload' }],
  ] as const) {
    it(`P36 has no credentials left when there were those of ${kind} alone`, () => {
      assert.deepEqual(withoutKind({ ...least, credentials: only }, kind), { ...least, generation: 2 });
    });
  }

  it('has none afterwards that it had not before', () => {
    assert.deepEqual(withoutKind(least, 'authorization_code'), { ...least, generation: 2 });
    for (const kind of ['authorization_code', 'enterprise_managed'] as const) {
      const { credentials: kept } = withoutKind({ ...least, credentials: { assertion: 'w' } }, kind);
      assert.deepEqual(kept, { assertion: 'w' });
    }
  });
});

const clientOf = (issuer: string, clientId = 'c') => ({ ...client, issuer, clientId });

describe('the registered clients of a secret document', () => {
  it('P11 are one for each issuer, the newest last', () => {
    const first = withRegisteredClient([], clientOf('https://a.example'));
    const second = withRegisteredClient(first, clientOf('https://b.example'));
    const replaced = withRegisteredClient(second, clientOf('https://a.example', 'anew'));
    assert.deepEqual(replaced, [clientOf('https://b.example'), clientOf('https://a.example', 'anew')]);
  });

  it('P12 keep the one that there are tokens of, until the newer one has given some', () => {
    const [used, newer, newest] = ['used', 'newer', 'newest'].map((id) => clientOf('https://a.example', id));
    assert.ok(used !== undefined && newer !== undefined && newest !== undefined);
    const other = clientOf('https://b.example', 'used');
    assert.deepEqual(withRegisteredClient([used, other], newer, used), [other, used, newer]);
    assert.deepEqual(withRegisteredClient([other, used, newer], newest, used), [other, used, newest]);
    assert.deepEqual(withRegisteredClient([other, used, newest], newest), [other, newest]);
    assert.deepEqual(withRegisteredClient([used, newer], used, used), [used]);
    const many = Array.from({ length: 5 }, (_, index) => clientOf(`https://${index}.example`));
    assert.deepEqual(withRegisteredClient([used, ...many], newer, used), [...many.slice(2), used, newer]);
  });

  it('are the newest five', () => {
    const issuers = Array.from({ length: 9 }, (_, index) => `https://${index}.example`);
    const clients = issuers.reduce<ReturnType<typeof withRegisteredClient>>(
      (before, issuer) => withRegisteredClient(before, clientOf(issuer)),
      [],
    );
    assert.deepEqual(
      clients.map(({ issuer }) => issuer),
      issuers.slice(4),
    );
  });

  for (const [title, stored, clients] of [
    ['of an older version', { client: clientOf('https://a.example') }, [clientOf('https://a.example')]],
    ['of this version', { clients: [clientOf('https://b.example')] }, [clientOf('https://b.example')]],
    [
      'of both, which no version writes',
      { clients: [clientOf('https://b.example')], client: clientOf('https://a.example') },
      [clientOf('https://b.example')],
    ],
  ] as const) {
    it(`are read from a document ${title}`, () => {
      const read = parseConnectionSecret('id', JSON.stringify({ ...least, ...stored }));
      assert.deepEqual(read, { ...least, clients });
      assert.deepEqual(parseConnectionSecret('id', formatConnectionSecret(read)), read);
    });
  }
});
