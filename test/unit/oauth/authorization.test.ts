import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prepareAuthorization, requirePkce } from '../../../src/oauth/authorization.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';
import { requireCallbackIssuer } from '../../../src/oauth/token.ts';

const issuer = 'https://as.example';
const metadata = defaultServerMetadata(issuer);
const options = {
  authorizationServer: metadata,
  client: { issuer, clientId: 'me', authMethod: 'none', source: 'registered' },
  redirectUri: 'http://127.0.0.1:7777/callback',
  scopes: ['a', 'b'],
  resource: 'https://example.com/mcp',
  reach: 'public',
} as const;

describe('an authorization request', () => {
  it('P13 P14 P16 has what it must have, once', async () => {
    const endpoint = `${issuer}/authorize?tenant=t&state=theirs&client_id=theirs#part`;
    const authorizationServer = { ...metadata, authorization_endpoint: endpoint };
    const { url, state } = await prepareAuthorization({ ...options, authorizationServer });
    const { searchParams, hash } = new URL(url);
    assert.equal(hash, '');
    assert.deepEqual(searchParams.getAll('tenant'), ['t']);
    assert.deepEqual(searchParams.getAll('client_id'), ['me']);
    assert.deepEqual(searchParams.getAll('state'), [state]);
    assert.deepEqual(searchParams.getAll('scope'), ['a b']);
    assert.deepEqual(searchParams.getAll('resource'), ['https://example.com/mcp']);
    assert.deepEqual(searchParams.getAll('code_challenge_method'), ['S256']);
  });

  it('P16 never has the same state or verifier twice', async () => {
    const [one, two] = await Promise.all([prepareAuthorization(options), prepareAuthorization(options)]);
    assert.notEqual(one.state, two.state);
    assert.notEqual(one.codeVerifier, two.codeVerifier);
  });

  it('P21 names no scope and no resource when there is none to name', async () => {
    const { url } = await prepareAuthorization({ ...options, scopes: [], resource: undefined });
    const { searchParams } = new URL(url);
    assert.deepEqual([searchParams.has('scope'), searchParams.has('resource')], [false, false]);
  });

  it('is not made for a server that has no authorization endpoint', async () => {
    const { authorization_endpoint: _, ...rest } = metadata;
    for (const supported of [[], ['client_credentials']]) {
      const listed = supported.length === 0 ? {} : { grant_types_supported: supported };
      const authorizationServer = { ...rest, ...listed };
      await assert.rejects(prepareAuthorization({ ...options, authorizationServer }), (error) => {
        assert.ok(isOAuthError(error, 'grant_unsupported'));
        assert.deepEqual(error.details, { issuer, grantType: 'authorization_code', supported });
        return true;
      });
    }
  });

  it('P15 asks for consent when it asks for offline access', async () => {
    const { url } = await prepareAuthorization({ ...options, scopes: ['a', 'offline_access'] });
    assert.equal(new URL(url).searchParams.get('prompt'), 'consent');
  });

  for (const [title, authorization_endpoint] of [
    ['over http', 'http://as.example/authorize'],
    ['that is a script', 'javascript:alert(1)'],
    ['with user info', 'https://me:pw@as.example/authorize'],
    ['in a private network', 'https://10.0.0.1/authorize'],
  ] as const) {
    it(`P19 P20 is not made for an endpoint ${title}`, async () => {
      const authorizationServer = { ...metadata, authorization_endpoint };
      await assert.rejects(prepareAuthorization({ ...options, authorizationServer }), (error) => isOAuthError(error));
    });
  }
});

describe('P13 PKCE', () => {
  for (const [methods, allowed, passes] of [
    [['S256'], false, true],
    [['plain', 'S256'], false, true],
    [['plain'], false, false],
    [undefined, false, false],
    [undefined, true, true],
  ] as const) {
    it(`${JSON.stringify(methods ?? null)} ${allowed ? 'allowed' : ''} ${passes ? 'passes' : 'stops'}`, () => {
      const { code_challenge_methods_supported: _, ...rest } = metadata;
      const listed = methods === undefined ? rest : { ...rest, code_challenge_methods_supported: [...methods] };
      const check = (): void => requirePkce(listed, allowed);
      if (passes) check();
      else assert.throws(check, (error) => isOAuthError(error, 'pkce_unsupported') && error.details.issuer === issuer);
    });
  }
});

describe('P17 the issuer of a callback', () => {
  for (const [query, promised, passes] of [
    ['', false, true],
    ['', true, false],
    [`iss=${issuer}`, true, true],
    [`iss=${issuer}`, false, true],
    [`iss=${issuer}/`, true, false],
    ['iss=https://evil.example', false, false],
    [`iss=${issuer}&iss=${issuer}`, true, false],
    ['iss=', true, false],
  ] as const) {
    it(`${query || 'none'}, ${promised ? 'promised' : 'not promised'}: ${passes ? 'passes' : 'stops'}`, () => {
      const server = { ...metadata, authorization_response_iss_parameter_supported: promised };
      const check = (): void => requireCallbackIssuer(new URL(`http://127.0.0.1:1/callback?${query}`), server);
      if (passes) check();
      else {
        assert.throws(
          check,
          (error) => isOAuthError(error, 'callback_issuer_mismatch') && error.details.issuer === issuer,
        );
      }
    });
  }
});
