import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { isResourceOf, judgeResourceMetadata, resourceMetadataUrls } from '../../../src/oauth/resourceMetadata.ts';
import { isIssuer, judgeServerMetadata, metadataUrls } from '../../../src/oauth/serverMetadata.ts';

describe('where metadata lie', () => {
  it('P1 of a resource: path-inserted, then at the root', () => {
    assert.deepEqual(resourceMetadataUrls(new URL('https://example.com/a/mcp')), [
      'https://example.com/.well-known/oauth-protected-resource/a/mcp',
      'https://example.com/.well-known/oauth-protected-resource',
    ]);
    assert.deepEqual(resourceMetadataUrls(new URL('https://example.com')), [
      'https://example.com/.well-known/oauth-protected-resource',
    ]);
  });

  for (const [issuer, expected] of [
    [
      'https://as.example',
      [
        'https://as.example/.well-known/oauth-authorization-server',
        'https://as.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://as.example/t1',
      [
        'https://as.example/.well-known/oauth-authorization-server/t1',
        'https://as.example/.well-known/openid-configuration/t1',
        'https://as.example/t1/.well-known/openid-configuration',
      ],
    ],
  ] as const) {
    it(`P4 of the authorization server ${issuer}`, () => assert.deepEqual(metadataUrls(issuer), expected));
  }
});

describe('P3 the resource', () => {
  const server = new URL('https://example.com/a/mcp');
  for (const [resource, matches] of [
    ['https://example.com/a/mcp', true],
    ['https://EXAMPLE.com:443/a/mcp', true],
    ['https://example.com/a/mcp/', true],
    ['https://example.com/a', true],
    ['https://example.com', true],
    ['https://example.com/a/m', false],
    ['https://example.com/b', false],
    ['https://example.com/a/mcp/deeper', false],
    ['https://example.com/a?x=1', false],
    ['http://example.com/a/mcp', false],
    ['https://other.example/a/mcp', false],
    ['https://user@example.com/a/mcp', false],
    ['https://:pw@example.com/a/mcp', false],
    ['urn:example', false],
    ['', false],
  ] as const) {
    it(`${resource || '(nothing)'} ${matches ? 'is' : 'is not'} that of ${server.href}`, () => {
      assert.equal(isResourceOf(resource, server), matches);
    });
  }

  it('of another server stops', () => {
    assert.throws(
      () => judgeResourceMetadata({ resource: 'https://other.example' }, 'https://example.com/x', server),
      (error) => isOAuthError(error, 'resource_mismatch'),
    );
  });
});

describe('an authorization server’s metadata', () => {
  const good = {
    issuer: 'https://as.example',
    authorization_endpoint: 'https://as.example/authorize',
    token_endpoint: 'https://as.example/token',
  };

  it('may hold null or nonsense for what is optional', () => {
    const metadata = judgeServerMetadata(
      { ...good, registration_endpoint: '', scopes_supported: null, code_challenge_methods_supported: 'S256' },
      good.issuer,
      'public',
    );
    assert.equal(metadata?.registration_endpoint, undefined);
    assert.equal(metadata?.code_challenge_methods_supported, undefined);
  });

  for (const [title, change, code] of [
    ['P5 names another issuer', { issuer: 'https://as.example/' }, 'issuer_mismatch'],
    ['P20 has an endpoint over http', { token_endpoint: 'http://as.example/token' }, 'insecure_url'],
    ['P20 leads into a private network', { token_endpoint: 'https://192.168.1.1/token' }, 'address_refused'],
    ['P20 leads to this machine', { registration_endpoint: 'https://127.0.0.1/register' }, 'address_refused'],
  ] as const) {
    it(`is not used when it ${title}`, () => {
      assert.throws(
        () => judgeServerMetadata({ ...good, ...change }, good.issuer, 'public'),
        (error) => isOAuthError(error, code),
      );
    });
  }

  it('is none without its endpoints', () => {
    assert.equal(judgeServerMetadata({ issuer: good.issuer }, good.issuer, 'public'), undefined);
    assert.equal(judgeServerMetadata([], good.issuer, 'public'), undefined);
  });

  for (const [text, valid] of [
    ['https://as.example', true],
    ['https://as.example:8443/tenant/v2.0', true],
    ['http://[::1]:4000', true],
    ['https://as.example/x?y=1', false],
    ['https://as.example/#x', false],
    ['https://evil.example/x [Verify](command:workbench.action.terminal.new)', false],
    ['https://user@as.example', false],
    [' https://as.example', false],
    ['xhttps://as.example', false],
    ['javascript:alert(1)', false],
    ['as.example', false],
  ] as const) {
    it(`${text} ${valid ? 'can' : 'cannot'} be an issuer`, () => assert.equal(isIssuer(text), valid));
  }
});
