import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { otherIssuers } from '../../../src/vscode/otherIssuers.ts';
import { connectionIn } from '../connectionFixture.ts';

const ONE = 'https://one.example/tenant';
const TWO = 'https://two.example';
const THREE = 'https://three.example';
const REFUSED = { status: 403, error: 'access_denied' };

for (const [title, error, issuer, expected] of [
  [
    'one registers nobody',
    new OAuthError('registration_refused', { issuer: ONE, ...REFUSED }),
    undefined,
    [TWO, THREE],
  ],
  ['one does no PKCE', new OAuthError('pkce_unsupported', { issuer: TWO }), undefined, [ONE, THREE]],
  [
    'one needs a client',
    new ConnectionError('credentials_missing', { missing: 'client', issuer: ONE }),
    undefined,
    [TWO, THREE],
  ],
  ['a company’s sign-in has ended', new OAuthError('identity_ended', { issuer: 'https://idp.example' }), undefined, []],
  [
    'all were tried',
    new OAuthError('authorization_server_not_found', { issuers: [ONE, TWO, THREE], tried: [] }),
    undefined,
    [],
  ],
  [
    'the chosen one is not there',
    new OAuthError('authorization_server_not_found', { issuers: [TWO], tried: [] }),
    TWO,
    [ONE, THREE],
  ],
  [
    'the chosen one calls itself another',
    new OAuthError('issuer_mismatch', { expected: TWO, actual: ONE }),
    TWO,
    [ONE, THREE],
  ],
  [
    'the chosen one does not answer',
    new OAuthError('server_unreachable', { url: 'https://one.example/.well-known/x', failure: 'refused' }),
    ONE,
    [TWO, THREE],
  ],
  [
    'the server itself does not answer',
    new OAuthError('server_unreachable', { url: 'https://mcp.example/mcp', failure: 'dns' }),
    ONE,
    [],
  ],
  [
    'one that is named no more fails',
    new OAuthError('pkce_unsupported', { issuer: 'https://gone.example' }),
    undefined,
    [],
  ],
  ['it is about no authorization server', new ConnectionError('keychain_locked', {}), undefined, []],
  ['it is no error of ours', new TypeError('x'), undefined, []],
] as const) {
  test(`P6 when ${title}, ${expected.length} others are offered`, () => {
    const settings = issuer === undefined ? {} : { issuer };
    const connection = connectionIn({ type: 'disconnected' }, { issuers: [ONE, TWO, THREE], settings });
    assert.deepEqual(otherIssuers(error, connection), expected);
  });
}

test('P6 where there is one authorization server, no other is offered', () => {
  const error = new OAuthError('pkce_unsupported', { issuer: ONE });
  assert.deepEqual(otherIssuers(error, connectionIn({ type: 'disconnected' })), []);
});
