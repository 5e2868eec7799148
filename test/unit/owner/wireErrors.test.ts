import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ConnectionError,
  type ConnectionErrorCode,
  type ConnectionErrorDetails,
} from '../../../src/connections/errors.ts';
import { OAuthError, type OAuthErrorCode, type OAuthErrorDetails } from '../../../src/oauth/errors.ts';
import { reviveError } from '../../../src/owner/wireErrors.ts';

const ISSUER = 'https://as.example';
const URL = 'https://server.example/mcp';

// The types make sure that no code is left out.
const oauth: { readonly [C in OAuthErrorCode]: readonly OAuthErrorDetails[C][] } = {
  invalid_server_url: [{ input: 'x', problem: 'fragment' }],
  insecure_url: [{ url: URL, role: 'token_endpoint' }],
  address_refused: [{ url: URL, address: '10.0.0.1' }],
  server_unreachable: [
    { url: URL, failure: 'refused' },
    { url: URL, failure: 'proxy', proxyStatus: 407 },
  ],
  ca_file_unreadable: [{ path: '/a', problem: 'unreadable', from: 'setting' }],
  response_too_large: [{ url: URL, limitBytes: 1 }],
  redirect_refused: [{ url: URL, location: 'x' }],
  authorization_not_required: [{ url: URL, status: 200 }],
  not_an_mcp_server: [
    { url: URL, status: 200, contentType: null },
    { url: URL, status: 200, contentType: 'text/html' },
  ],
  resource_metadata_invalid: [{ url: URL, problem: 'x' }],
  resource_mismatch: [{ expected: 'a', actual: 'b' }],
  authorization_server_not_found: [
    {
      issuers: [ISSUER],
      tried: [
        { url: URL, outcome: 404 },
        { url: URL, outcome: 'issuer_mismatch' },
      ],
    },
  ],
  issuer_not_named: [{ issuer: ISSUER, issuers: ['a'] }],
  issuer_mismatch: [{ expected: 'a', actual: 'b' }],
  pkce_unsupported: [{ issuer: ISSUER }],
  registration_unsupported: [{ issuer: ISSUER }],
  client_issuer_mismatch: [
    { issuer: ISSUER, configuredIssuer: 'b' },
    { issuer: ISSUER, configuredIssuer: 'b', of: 'assertion' },
  ],
  grant_unsupported: [{ issuer: ISSUER, grantType: 'a', supported: ['b'] }],
  signing_key_invalid: [{ problem: 'algorithm' }],
  registration_refused: [{ issuer: ISSUER, status: 400, error: 'x', description: 'y' }],
  client_rejected: [{ issuer: ISSUER }, { issuer: ISSUER, isEntered: true }],
  authorization_denied: [{ issuer: ISSUER, description: 'no' }],
  authorization_failed: [
    { issuer: ISSUER, error: 'x' },
    { issuer: ISSUER, error: 'x', scopes: ['a'] },
  ],
  callback_issuer_mismatch: [{ issuer: ISSUER }],
  callback_repeated: [{}],
  callback_state_unknown: [{}],
  resource_rejected: [{ issuer: ISSUER }],
  identity_ended: [{ issuer: ISSUER }],
  device_code_expired: [{ issuer: ISSUER }],
  access_token_refused: [{ url: URL, status: 401 }],
  grant_rejected: [{ issuer: ISSUER }, { issuer: ISSUER, of: 'assertion_file' }],
  token_request_failed: [
    { issuer: ISSUER, status: 429, retryAfterMs: 1000 },
    { issuer: ISSUER, status: 400, error: 'x', description: 'y' },
    { issuer: ISSUER, status: 400, error: 'x', scopes: ['a'] },
  ],
  token_response_invalid: [{ issuer: ISSUER, status: 200, problem: 'x' }],
  revocation_failed: [{ issuer: ISSUER }, { issuer: ISSUER, status: 500 }],
};

const connections: { readonly [C in ConnectionErrorCode]: readonly ConnectionErrorDetails[C][] } = {
  connection_unknown: [{ id: 'x' }],
  connection_exists: [{ name: 'x', serverUrl: URL }],
  sign_in_required: [{ id: 'x' }],
  credentials_missing: [{ missing: 'client' }, { missing: 'client', issuer: ISSUER }],
  assertion_unreadable: [{ path: '/a', problem: 'ENOENT' }],
  foreign_origin: [{ url: URL }],
  authorization_timed_out: [{ timeoutMs: 1 }, { timeoutMs: 1, offersDeviceCode: true }],
  keychain_locked: [{}],
  keychain_unavailable: [{ problem: 'x' }],
  keychain_timeout: [{ operation: 'read', timeoutMs: 1 }],
  keychain_failed: [{ operation: 'delete', problem: 'x' }],
  secret_unreadable: [{ id: 'x' }],
  secret_too_new: [{ id: 'x', version: 2 }],
  secret_elsewhere: [{ id: 'x' }],
  storage_failed: [{ operation: 'write', path: '/a', problem: 'ENOSPC' }],
  storage_broken: [{ path: '/a', problem: 'x' }],
  storage_salvaged: [{ path: '/a', lost: 1 }],
  journal_broken: [{ path: '/a' }],
  storage_too_new: [{ path: '/a', version: 2 }],
  port_busy: [{ port: 1 }],
  unexpected: [{ problem: 'x' }],
  owner_gone: [{}],
  window_outdated: [{}],
};

/** What comes out of a message that an error went into. */
function throughAMessage(error: unknown): unknown {
  return reviveError(JSON.parse(JSON.stringify(error)));
}

describe('an error that travels between windows', () => {
  for (const [Class, table] of [
    [OAuthError, oauth],
    [ConnectionError, connections],
  ] as const) {
    for (const [code, all] of Object.entries(table)) {
      it(`is the same ${code} there`, () => {
        for (const details of all) {
          const sent = makeError(Class, code, details);
          const received = throughAMessage(sent);
          assert.ok(received instanceof Class);
          assert.deepEqual([received.code, received.details], [code, details]);
          assert.equal(received.message, sent.message);
        }
      });
    }
  }

  it('carries neither its cause nor its stack, which may hold anything', () => {
    const error = new ConnectionError('owner_gone', {}, { cause: new Error('canary') });
    assert.deepEqual(JSON.parse(JSON.stringify(error)), { name: 'ConnectionError', code: 'owner_gone', details: {} });
  });

  for (const [what, code, details] of [
    ['of a newer version', 'not_known_yet', {}],
    ['with details of another kind', 'port_busy', { port: 'x' }],
    ['without details', 'connection_unknown', undefined],
    ['that is named like a property of all objects', 'toString', {}],
  ] as const) {
    it(`is unexpected when it is one ${what}`, () => {
      const error = reviveError({ code, details });
      assert.ok(error instanceof ConnectionError && error.code === 'unexpected');
      assert.match(JSON.stringify(error.details), new RegExp(code));
    });
  }
});

function makeError(Class: typeof OAuthError | typeof ConnectionError, code: string, details: object) {
  // Object.entries forgets which details belong to which code; the tables above were checked by their types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [typedCode, typedDetails] = [code as never, details as never];
  return Class === OAuthError ? new OAuthError(typedCode, typedDetails) : new ConnectionError(typedCode, typedDetails);
}
