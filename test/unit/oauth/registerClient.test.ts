import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseSecretAuthMethod, isClientUsable } from '../../../src/oauth/client.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import { judgeRegistration, registerClient, registrationRequest } from '../../../src/oauth/registration.ts';
import { type AuthorizationServerMetadata, defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';
import { type Answer, networkOf } from '../answers.ts';

const issuer = 'https://as.example';
const ENDPOINT = `${issuer}/register`;
const metadata = defaultServerMetadata(issuer);
const software = { name: 'Scopekeeper', softwareId: '0b6f', version: '1.0.0' };
const redirectUri = 'http://127.0.0.1:7777/callback';
const { signal } = new AbortController();
const options = { software, use: { redirectUri }, scopes: ['a', 'b'], reach: 'public', signal } as const;

function refusal(error: string, status = 400): Response {
  return Response.json({ error }, { status });
}

async function register(
  answer: Answer | readonly Answer[],
  change: Partial<AuthorizationServerMetadata> = {},
  scopes: readonly string[] = options.scopes,
) {
  const { fetch, sent } = networkOf({ [ENDPOINT]: answer });
  const outcome = await registerClient(fetch, { ...metadata, ...change }, { ...options, scopes }).catch(
    (error: unknown) => error,
  );
  const bodies = sent.map(({ body }): Record<string, unknown> => JSON.parse(body ?? ''));
  return { outcome, sent, bodies };
}

describe('P9 P10 a registration', () => {
  it('is one POST of JSON, and gives the client', async () => {
    const { outcome, sent, bodies } = await register({ client_id: 'c' });
    assert.deepEqual(outcome, {
      issuer,
      clientId: 'c',
      authMethod: 'none',
      source: 'registered',
      redirectUris: [redirectUri],
      scopes: ['a', 'b'],
    });
    assert.deepEqual(bodies, [registrationRequest(metadata, software, { redirectUri }, ['a', 'b'])]);
    assert.equal(sent.length, 1);
    assert.deepEqual(
      { ...sent[0], body: undefined },
      {
        url: ENDPOINT,
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: undefined,
        reach: 'public',
        signal,
      },
    );
  });

  for (const error of ['invalid_client_metadata', 'invalid_scope']) {
    it(`P12 that is refused with ${error} is tried once without scopes`, async () => {
      const { outcome, bodies } = await register([refusal(error), { client_id: 'c' }]);
      assert.deepEqual(
        bodies.map(({ scope }) => scope),
        ['a b', undefined],
      );
      assert.ok(typeof outcome === 'object' && outcome !== null && !('scopes' in outcome));
      assert.equal((await register(refusal(error))).bodies.length, 2);
      assert.equal((await register(refusal(error), {}, [])).bodies.length, 1);
    });
  }

  for (const answer of [
    refusal('invalid_redirect_uri'),
    refusal('invalid_scope_of_ours'),
    new Response('<html>', { status: 500 }),
  ]) {
    it(`P12 that is refused otherwise is not tried again: ${answer.status}`, async () => {
      const { outcome, bodies } = await register(answer);
      assert.ok(isOAuthError(outcome, 'registration_refused'));
      assert.equal(bodies.length, 1);
    });
  }

  it('fails as the network does, and is none where the server offers none', async () => {
    const unreachable = new OAuthError('server_unreachable', { url: ENDPOINT, failure: 'dns' });
    assert.equal((await register(unreachable)).outcome, unreachable);
    const { registration_endpoint: _, ...without } = metadata;
    await assert.rejects(registerClient(networkOf({}).fetch, without, options), {
      code: 'registration_unsupported',
      details: { issuer },
    });
  });

  it('P10 brings a key of its own where the server takes no other proof', async () => {
    const change = {
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES384'],
    };
    const { outcome, bodies } = await register({ client_id: 'c' }, change);
    assert.ok(typeof outcome === 'object' && outcome !== null && 'privateKey' in outcome && 'authMethod' in outcome);
    assert.equal(outcome.authMethod, 'private_key_jwt');
    const sent = JSON.stringify(bodies[0]?.['jwks']);
    assert.match(sent, /"alg":"ES384"/);
    assert.ok(!sent.includes('"d":') && JSON.stringify(outcome.privateKey).includes('"d":'));
    const none = await register(
      { client_id: 'c' },
      { ...change, token_endpoint_auth_signing_alg_values_supported: ['x'] },
    );
    assert.ok(!('jwks' in (none.bodies[0] ?? {})));
  });

  it('for a grant without a browser names no redirect URI', () => {
    const { redirect_uris, grant_types, response_types } = registrationRequest(
      metadata,
      software,
      { grantType: 'g' },
      [],
    );
    assert.deepEqual(
      { redirect_uris, grant_types, response_types },
      {
        redirect_uris: [],
        grant_types: ['g', 'refresh_token'],
        response_types: [],
      },
    );
  });
});

describe('P10 P12 the answer to a registration', () => {
  const request = registrationRequest(metadata, software, { redirectUri }, []);
  const withKey = { ...request, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } };
  const withSecret = { ...request, token_endpoint_auth_method: 'client_secret_post' };
  const key = { algorithm: 'ES256', jwk: { kty: 'EC' } };
  const listing = (...methods: string[]): AuthorizationServerMetadata => ({
    ...metadata,
    token_endpoint_auth_methods_supported: methods,
  });

  for (const [title, answer, server, asked, method] of [
    [
      'with a secret, from a server that lists nothing',
      { client_secret: 's' },
      metadata,
      request,
      'client_secret_basic',
    ],
    [
      'with a secret, from one that lists only post',
      { client_secret: 's' },
      listing('client_secret_post'),
      request,
      'client_secret_post',
    ],
    ['with a secret, as it was asked for', { client_secret: 's' }, metadata, withSecret, 'client_secret_post'],
    [
      'with a secret, as it says',
      { client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' },
      metadata,
      withSecret,
      'client_secret_basic',
    ],
    [
      'with a secret that is not needed',
      { client_secret: 's', token_endpoint_auth_method: 'none' },
      metadata,
      request,
      'none',
    ],
    [
      'with a secret and a way that nobody knows',
      { client_secret: 's', token_endpoint_auth_method: 'x' },
      metadata,
      request,
      'client_secret_basic',
    ],
    ['with a way and no secret', { token_endpoint_auth_method: 'client_secret_post' }, metadata, request, 'none'],
    ['with no word of the key', {}, metadata, withKey, 'private_key_jwt'],
    ['that takes the key', { token_endpoint_auth_method: 'private_key_jwt' }, metadata, withKey, 'private_key_jwt'],
    [
      'that takes a secret for the key',
      { client_secret: 's', token_endpoint_auth_method: 'client_secret_post' },
      metadata,
      withKey,
      'client_secret_post',
    ],
    [
      'that takes a key that was not sent',
      { token_endpoint_auth_method: 'private_key_jwt' },
      metadata,
      request,
      'none',
    ],
    ['with null and nothing', { client_secret: null, token_endpoint_auth_method: '' }, metadata, request, 'none'],
  ] as const) {
    it(`${title} is for ${method}`, () => {
      assert.equal(judgeRegistration(201, { client_id: 'c', ...answer }, server, asked).authMethod, method);
    });
  }

  it('is kept whole', () => {
    const answer = {
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at: 5,
      token_endpoint_auth_method: 'private_key_jwt',
      registration_client_uri: 'https://as.example/register/c',
      registration_access_token: 'm',
      scope: 'x',
    };
    assert.deepEqual(judgeRegistration(299, answer, metadata, withKey, key), {
      issuer,
      clientId: 'c',
      clientSecret: 's',
      privateKey: key,
      authMethod: 'private_key_jwt',
      source: 'registered',
      redirectUris: [redirectUri],
      scopes: ['x'],
      secretExpiresAt: 5000,
      management: { uri: 'https://as.example/register/c', accessToken: 'm' },
    });
  });

  for (const half of [{ registration_client_uri: 'https://as.example/r' }, { registration_access_token: 'm' }]) {
    it(`P12 with ${Object.keys(half).join('')} alone cannot be managed`, () => {
      const client = judgeRegistration(
        201,
        { client_id: 'c', client_secret_expires_at: -1, ...half },
        metadata,
        request,
      );
      assert.deepEqual(Object.keys(client).toSorted(), ['authMethod', 'clientId', 'issuer', 'redirectUris', 'source']);
    });
  }

  for (const [status, document, details] of [
    [400, { error: 'e\u0007', error_description: 'why' }, { issuer, status: 400, error: 'e', description: 'why' }],
    [199, { client_id: 'c' }, { issuer, status: 199, error: 'invalid_response' }],
    [300, { client_id: 'c' }, { issuer, status: 300, error: 'invalid_response' }],
    [201, ['client_id'], { issuer, status: 201, error: 'invalid_response' }],
    [201, null, { issuer, status: 201, error: 'invalid_response' }],
    [201, { client_id: 7, error: 7, error_description: '' }, { issuer, status: 201, error: 'invalid_response' }],
    [201, { client_id: 'c', client_secret_expires_at: 'soon' }, { issuer, status: 201, error: 'invalid_response' }],
  ] as const) {
    it(`with ${status} and ${JSON.stringify(document)} is a refusal`, () => {
      assert.throws(() => judgeRegistration(status, document, metadata, request), {
        code: 'registration_refused',
        details,
      });
    });
  }

  it('a secret is used as the server lists, and not where it takes none', () => {
    assert.equal(chooseSecretAuthMethod(metadata), 'client_secret_basic');
    assert.equal(chooseSecretAuthMethod(listing('client_secret_post', 'client_secret_basic')), 'client_secret_basic');
    assert.equal(chooseSecretAuthMethod(listing('private_key_jwt')), 'none');
  });
});

describe('P11 P18 a client with no limits', () => {
  it('serves every redirect URI, scope and time, and a grant without a browser whatever its redirect URIs', () => {
    const client = { issuer, clientId: 'c', authMethod: 'none', source: 'preregistered' } as const;
    const needs = { issuer, redirectUri, scopes: ['a'], now: 1 };
    assert.ok(isClientUsable(client, needs));
    assert.ok(isClientUsable({ ...client, redirectUris: [] }, { ...needs, redirectUri: undefined }));
    assert.ok(!isClientUsable({ ...client, redirectUris: [] }, needs));
    assert.ok(isClientUsable({ ...client, secretExpiresAt: 2 }, needs));
  });
});
