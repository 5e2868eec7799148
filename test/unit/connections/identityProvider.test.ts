import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { findIdentityProvider, sessionAt, withSession } from '../../../src/connections/flows/identityProvider.ts';
import type { FlowPorts } from '../../../src/connections/flows/flow.ts';
import { isOAuthError, OAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { newConnection } from '../../headless/flowParts.ts';

const ISSUER = 'https://idp.example';
const provider = { issuer: ISSUER, clientId: 'us' };
const session = { ...provider, clientSecret: 's', idToken: 'id', refreshToken: 'rt' };
const metadata = { issuer: ISSUER, token_endpoint: `${ISSUER}/token` };
const connection = newConnection({ kind: 'enterprise_managed', settings: { identityProvider: provider } });

type Ports = Pick<FlowPorts, 'fetch' | 'resolveReach'>;

const answers = (response: () => Response): Ports => ({
  fetch: async () => response(),
  resolveReach: async () => 'private',
});

describe('P11 what is stored of a sign-in at a provider', () => {
  for (const [title, at, isFound] of [
    ['is for its client', provider, true],
    ['is for no other client', { ...provider, clientId: 'other' }, false],
    ['is for no other provider', { ...provider, issuer: 'https://other.example' }, false],
  ] as const) {
    it(title, () => {
      assert.equal(sessionAt(at, { identityProvider: session }), isFound ? session : undefined);
      assert.equal(sessionAt(at, { accessToken: 'at' }), undefined);
      assert.equal(sessionAt(at, undefined), undefined);
    });
  }

  it('is replaced by what comes next, with the secret of its client, and beside what else was entered', () => {
    const next = { idToken: 'id-2', refreshToken: 'rt-2' };
    const stored = { assertion: 'jwt', identityProvider: session };
    assert.deepEqual(withSession(provider, stored, next), {
      assertion: 'jwt',
      identityProvider: { ...provider, clientSecret: 's', ...next },
    });
    assert.deepEqual(withSession(provider, stored, { idToken: 'id-2' }).identityProvider, {
      ...provider,
      clientSecret: 's',
      idToken: 'id-2',
    });
    assert.deepEqual(withSession(provider, undefined, next), { identityProvider: { ...provider, ...next } });
    assert.deepEqual(withSession(provider, { assertion: 'jwt' }, next), {
      assertion: 'jwt',
      identityProvider: { ...provider, ...next },
    });
  });

  it('stays as it is when the person has named another one meanwhile', () => {
    const stored = { identityProvider: { ...session, clientId: 'other' } };
    assert.equal(withSession(provider, stored, { idToken: 'id-2' }), stored);
  });
});

describe('P4 the identity provider that the person named', () => {
  for (const [title, credentials, methods, expected] of [
    ['a client without a secret', undefined, undefined, { authMethod: 'none' }],
    ['another client’s secret', { ...session, clientId: 'other' }, undefined, { authMethod: 'none' }],
    ['a secret', session, undefined, { clientSecret: 's', authMethod: 'client_secret_basic' }],
    ['a secret for the body', session, ['client_secret_post'], { clientSecret: 's', authMethod: 'client_secret_post' }],
  ] as const) {
    it(`has its metadata, and ${title}`, async () => {
      const document = { ...metadata, ...(methods && { token_endpoint_auth_methods_supported: [...methods] }) };
      const stored = credentials && { identityProvider: credentials };
      const found = await findIdentityProvider(
        answers(() => Response.json(document)),
        connection,
        stored,
      );
      assert.equal(found.authorizationServer.token_endpoint, metadata.token_endpoint);
      assert.equal(found.reach, 'private');
      assert.deepEqual(found.client, { ...provider, source: 'preregistered', ...expected });
    });
  }

  it('is missing when none is named', async () => {
    const found = findIdentityProvider(
      answers(() => assert.fail()),
      { ...connection, settings: {} },
      undefined,
    );
    await assert.rejects(found, (error) => {
      assert.ok(isConnectionError(error, 'credentials_missing'));
      assert.deepEqual(error.details, { missing: 'identity_provider' });
      return true;
    });
  });

  it('is none when what is named is no issuer, which is told in short', async () => {
    const issuer = `no-url-${'x'.repeat(300)}`;
    const settings = { identityProvider: { ...provider, issuer } };
    const found = findIdentityProvider(
      answers(() => assert.fail()),
      { ...connection, settings },
      undefined,
    );
    await assert.rejects(found, (error) => {
      assert.ok(isOAuthError(error, 'authorization_server_not_found'));
      const url = issuer.slice(0, 200);
      assert.deepEqual(error.details, { issuers: [url], tried: [{ url, outcome: 'not_an_issuer' }] });
      return true;
    });
  });

  const unreachable = new OAuthError('server_unreachable', { url: ISSUER, failure: 'dns' });
  for (const [title, response, code] of [
    ['is not there', () => new Response(null, { status: 404 }), 'authorization_server_not_found'],
    ['says that it is another', () => Response.json({ ...metadata, issuer: 'https://o.example' }), 'issuer_mismatch'],
    [
      'cannot be reached',
      () => {
        throw unreachable;
      },
      'server_unreachable',
    ],
  ] as const satisfies readonly (readonly [string, () => Response, OAuthErrorCode])[]) {
    it(`is none when it ${title}: ${code}`, async () => {
      await assert.rejects(findIdentityProvider(answers(response), connection, undefined), (error) => {
        assert.ok(isOAuthError(error, code), String(error));
        if (isOAuthError(error, 'authorization_server_not_found')) {
          assert.deepEqual(error.details.issuers, [ISSUER]);
          assert.ok(error.details.tried.length > 0);
        }
        return true;
      });
    });
  }
});
