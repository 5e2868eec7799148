import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseAuthMethod, type Client, isClientUsable } from '../../../src/oauth/client.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { judgeRegistration, registrationRequest } from '../../../src/oauth/registration.ts';
import { type AuthorizationServerMetadata, defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';

const issuer = 'https://as.example';
const metadata: AuthorizationServerMetadata = defaultServerMetadata(issuer);
const software = { name: 'Scopekeeper', softwareId: '0b6f', version: '1.0.0' };
const redirectUri = 'http://127.0.0.1:7777/callback';
const request = registrationRequest(metadata, software, { redirectUri }, ['a', 'b']);

describe('registration requests', () => {
  it('P9 P10 hold scope as one string and what a native client must say', () => {
    assert.deepEqual(request, {
      client_name: 'Scopekeeper',
      application_type: 'native',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'a b',
      software_id: '0b6f',
      software_version: '1.0.0',
    });
  });

  it('P9 leave scope out when there is none', () => {
    assert.ok(!('scope' in registrationRequest(metadata, software, { redirectUri }, [])));
  });

  for (const [supported, method] of [
    [undefined, 'none'],
    [['client_secret_post', 'none'], 'none'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [['client_secret_post'], 'client_secret_post'],
    [['tls_client_auth'], 'none'],
  ] as const) {
    it(`P10 choose ${method} of ${JSON.stringify(supported)}`, () => {
      const listed = supported === undefined ? {} : { token_endpoint_auth_methods_supported: [...supported] };
      assert.equal(chooseAuthMethod({ ...metadata, ...listed }), method);
    });
  }
});

describe('registration answers', () => {
  for (const [scope, expected] of [
    ['a c', ['a', 'c', 'b']],
    [
      ['a', 'b c'],
      ['a', 'b', 'c'],
    ],
    [null, ['a', 'b']],
    [undefined, ['a', 'b']],
  ] as const) {
    it(`P9 may hold scope as ${JSON.stringify(scope)}`, () => {
      assert.deepEqual(judgeRegistration(201, { client_id: 'c', scope }, metadata, request).scopes, expected);
    });
  }

  it('may come with 200, a secret, and times as text', () => {
    const answer = { client_id: 'c', client_secret: 's', client_secret_expires_at: '1900000000' };
    const client = judgeRegistration(200, answer, metadata, request);
    assert.equal(client.authMethod, 'client_secret_basic');
    assert.equal(client.secretExpiresAt, 1_900_000_000_000);
  });

  it('with expires_at 0 hold a secret for ever', () => {
    const answer = {
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_post',
    };
    const client = judgeRegistration(201, answer, metadata, request);
    assert.equal(client.secretExpiresAt, undefined);
    assert.equal(client.authMethod, 'client_secret_post');
  });

  for (const [status, answer, error] of [
    [400, { error: 'invalid_redirect_uri', error_description: 'no\u0007 loop\u202Eback' }, 'invalid_redirect_uri'],
    [201, { client_id: '' }, 'invalid_response'],
    [201, {}, 'invalid_response'],
    [403, undefined, 'invalid_response'],
    [500, '<html>', 'invalid_response'],
  ] as const) {
    it(`P12 are refused: ${status} ${JSON.stringify(answer)}`, () => {
      assert.throws(
        () => judgeRegistration(status, answer, metadata, request),
        (thrown) => isOAuthError(thrown, 'registration_refused') && thrown.details.error === error,
      );
    });
  }
});

describe('a stored client', () => {
  const client: Client = {
    issuer,
    clientId: 'c',
    authMethod: 'none',
    source: 'registered',
    redirectUris: [redirectUri],
    scopes: ['a', 'b'],
    secretExpiresAt: 1000,
  };
  const needs = { issuer, redirectUri, scopes: ['a'], now: 0 };
  for (const [title, changed, usable] of [
    ['serves what it was registered for', {}, true],
    ['P11 serves no other issuer', { issuer: 'https://other.example' }, false],
    ['P18 serves no other redirect URI', { redirectUri: 'http://127.0.0.1:1/callback' }, false],
    ['P12 serves no longer than its secret', { now: 1000 }, false],
    ['serves no scope beyond its registration', { scopes: ['a', 'c'] }, false],
  ] as const) {
    it(title, () => assert.equal(isClientUsable(client, { ...needs, ...changed }), usable));
  }
});
