import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConnectionError,
  type AnyScopekeeperError,
  type ConnectionErrorCode,
  type ConnectionErrorDetails,
} from '../../../src/connections/errors.ts';
import { OAuthError, type OAuthErrorCode, type OAuthErrorDetails } from '../../../src/oauth/errors.ts';
import { errorCodeText } from '../../../src/vscode/errorCodeText.ts';
import { errorText } from '../../../src/vscode/errorText.ts';
import type { ErrorAction } from '../../../src/vscode/errorWords.ts';

const URL_WITH_SECRET = 'https://user:canary@example.com/mcp?token=canary#canary';
const ISSUER = 'https://as.example/tenant?token=canary';
const EVIL = `[click](command:evil) ${'x'.repeat(400)}\nsecond line`;

interface Expected {
  readonly says: RegExp;
  readonly action?: ErrorAction;
}

// The types make sure that no code is left out, here as in the code under test.
const oauth: { readonly [C in OAuthErrorCode]: readonly [OAuthErrorDetails[C], Expected] } = {
  invalid_server_url: [
    { input: 'x', problem: 'not_a_url' },
    { says: /not a URL/, action: 'change_url' },
  ],
  insecure_url: [
    { url: URL_WITH_SECRET, role: 'server' },
    { says: /plain http/, action: 'change_url' },
  ],
  address_refused: [
    { url: URL_WITH_SECRET, address: '10.0.0.1' },
    { says: /private or reserved/, action: 'change_url' },
  ],
  server_unreachable: [
    { url: URL_WITH_SECRET, failure: 'refused' },
    { says: /Nothing answers/, action: 'try_again' },
  ],
  ca_file_unreadable: [
    { path: '/etc/canary/[x](command:y)/ca.pem', problem: 'unreadable', from: 'connection' },
    { says: /\(x\)\(command:y\)\/ca\.pem, cannot be read/, action: 'choose_ca_file' },
  ],
  response_too_large: [
    { url: URL_WITH_SECRET, limitBytes: 262_144 },
    { says: /too large \(over 256 KB\)/, action: 'change_url' },
  ],
  redirect_refused: [
    { url: URL_WITH_SECRET, location: URL_WITH_SECRET },
    { says: /not safe to follow/, action: 'change_url' },
  ],
  authorization_not_required: [
    { url: URL_WITH_SECRET, status: 200 },
    { says: /without signing in/, action: 'change_url' },
  ],
  not_an_mcp_server: [
    { url: URL_WITH_SECRET, status: 200, contentType: 'text/html; charset=utf-8' },
    { says: /is a web page/, action: 'change_url' },
  ],
  resource_metadata_invalid: [
    { url: URL_WITH_SECRET, problem: 'x' },
    { says: /cannot be understood/, action: 'show_log' },
  ],
  resource_mismatch: [
    { expected: 'https://a.example/mcp', actual: 'https://b.example/mcp' },
    { says: /says that it is b\.example\/mcp/, action: 'change_url' },
  ],
  authorization_server_not_found: [
    { issuers: [ISSUER], tried: [] },
    { says: /no description of that authorization server/, action: 'try_again' },
  ],
  issuer_not_named: [
    { issuer: ISSUER, issuers: [EVIL] },
    { says: /You chose to sign in at as\.example/, action: 'change_issuer' },
  ],
  issuer_mismatch: [
    { expected: ISSUER, actual: EVIL },
    { says: /calls itself “/, action: 'show_log' },
  ],
  pkce_unsupported: [{ issuer: ISSUER }, { says: /PKCE/, action: 'allow_unadvertised_pkce' }],
  registration_unsupported: [{ issuer: ISSUER }, { says: /register by themselves/, action: 'enter_client' }],
  client_issuer_mismatch: [
    { issuer: ISSUER, configuredIssuer: 'https://old.example' },
    { says: /is for old\.example/, action: 'enter_client' },
  ],
  registration_refused: [
    { issuer: ISSUER, status: 400, error: 'invalid_client_metadata', description: EVIL },
    { says: /refused to register.*It says: “/, action: 'enter_client' },
  ],
  client_rejected: [
    { issuer: ISSUER, description: EVIL },
    { says: /any more/, action: 'sign_in' },
  ],
  authorization_denied: [
    { issuer: ISSUER, description: EVIL },
    { says: /denied in the browser/, action: 'try_again' },
  ],
  authorization_failed: [
    { issuer: ISSUER, error: 'server_error', description: EVIL },
    { says: /ended the sign-in/, action: 'try_again' },
  ],
  callback_issuer_mismatch: [{ issuer: ISSUER }, { says: /did not come from as\.example/, action: 'try_again' }],
  callback_repeated: [{}, { says: /taken already/ }],
  callback_state_unknown: [{}, { says: /belongs to no sign-in/ }],
  grant_rejected: [
    { issuer: ISSUER, description: EVIL },
    { says: /no longer accepts/, action: 'sign_in' },
  ],
  token_request_failed: [
    { issuer: ISSUER, status: 500, description: EVIL },
    { says: /is failing \(status 500\)/, action: 'try_again' },
  ],
  token_response_invalid: [
    { issuer: ISSUER, status: 200, problem: 'x' },
    { says: /no token that can be used/, action: 'try_again' },
  ],
  revocation_failed: [{ issuer: ISSUER }, { says: /did not confirm/ }],
  grant_unsupported: [
    { issuer: ISSUER, grantType: 'authorization_code', supported: ['client_credentials'] },
    { says: /does not let people sign in this way/, action: 'choose_kind' },
  ],
  signing_key_invalid: [{ problem: 'not_pkcs8' }, { says: /PKCS #8/, action: 'choose_kind' }],
  resource_rejected: [
    { issuer: ISSUER, description: EVIL },
    { says: /does not accept the address/, action: 'omit_resource' },
  ],
  identity_ended: [{ issuer: ISSUER }, { says: /has ended/, action: 'sign_in' }],
  device_code_expired: [{ issuer: ISSUER }, { says: /not entered/, action: 'try_again' }],
  access_token_refused: [
    { url: URL_WITH_SECRET, status: 401 },
    { says: /refused the token/, action: 'enter_token' },
  ],
};

const connections: { readonly [C in ConnectionErrorCode]: readonly [ConnectionErrorDetails[C], Expected] } = {
  connection_unknown: [{ id: 'x' }, { says: /no longer there/ }],
  connection_exists: [{ name: EVIL, serverUrl: URL_WITH_SECRET }, { says: /already a connection called “/ }],
  sign_in_required: [{ id: 'x' }, { says: /cannot renew itself/, action: 'sign_in' }],
  authorization_timed_out: [{ timeoutMs: 300_000 }, { says: /within 5 minutes/, action: 'try_again' }],
  keychain_locked: [{}, { says: /keychain of this computer is locked/, action: 'try_again' }],
  keychain_unavailable: [{ problem: 'canary' }, { says: /no keychain service/, action: 'try_again' }],
  keychain_timeout: [
    { operation: 'read', timeoutMs: 1 },
    { says: /does not answer/, action: 'try_again' },
  ],
  keychain_failed: [
    { operation: 'write', problem: 'canary' },
    { says: /did not take the change/, action: 'try_again' },
  ],
  secret_unreadable: [{ id: 'x' }, { says: /cannot be read/, action: 'sign_in' }],
  secret_too_new: [{ id: 'x', version: 2 }, { says: /newer version/ }],
  secret_elsewhere: [{ id: 'x' }, { says: /another editor/, action: 'sign_in' }],
  storage_failed: [
    { operation: 'write', path: '/home/me/[x](command:y)', problem: 'ENOSPC' },
    { says: /could not write its data to me\/\(x\)/, action: 'try_again' },
  ],
  storage_broken: [
    { path: '/home/me/port.json', problem: 'canary' },
    { says: /not what Scopekeeper wrote/, action: 'open_file' },
  ],
  journal_broken: [{ path: '/home/me/scopekeeper/journal' }, { says: /damaged. It is kept in scopekeeper\/journal/ }],
  storage_salvaged: [
    { path: '/home/me/connections.json.broken-1', lost: 2 },
    { says: /2 parts of the list of connections/, action: 'open_file' },
  ],
  storage_too_new: [{ path: '/canary', version: 2 }, { says: /newer version/ }],
  port_busy: [{ port: 41_234 }, { says: /uses port 41234/, action: 'try_again' }],
  unexpected: [{ problem: 'canary' }, { says: /inside Scopekeeper/, action: 'show_log' }],
  credentials_missing: [
    { missing: 'client', issuer: ISSUER },
    { says: /client that you registered/, action: 'choose_kind' },
  ],
  assertion_unreadable: [
    { path: '/canary/me/token', problem: 'ENOENT' },
    { says: /cannot be read/, action: 'choose_kind' },
  ],
  foreign_origin: [{ url: URL_WITH_SECRET }, { says: /was not sent/, action: 'show_log' }],
  owner_gone: [{}, { says: /was closed before it had finished/, action: 'try_again' }],
  window_outdated: [{}, { says: /newer version of Scopekeeper/, action: 'reload_window' }],
};

/** Codes that fail for more than one reason, with other words for each. */
const variants: readonly (readonly [AnyScopekeeperError, Expected])[] = [
  ...(
    [
      ['scheme', /begins with https/],
      ['credentials', /password/],
      ['fragment', /after #/],
    ] as const
  ).map(
    ([problem, says]) =>
      [new OAuthError('invalid_server_url', { input: '', problem }), { says, action: 'change_url' }] as const,
  ),
  [
    new OAuthError('insecure_url', { url: 'http://as.example/token', role: 'token_endpoint' }),
    { says: /fault of the server/, action: 'show_log' },
  ],
  [
    new OAuthError('not_an_mcp_server', { url: 'https://a.example', status: 404, contentType: null }),
    { says: /nothing at a\.example/, action: 'change_url' },
  ],
  [
    new OAuthError('not_an_mcp_server', { url: 'https://a.example', status: 503, contentType: 'text/html' }),
    { says: /is failing/, action: 'try_again' },
  ],
  [
    new OAuthError('authorization_server_not_found', { issuers: [], tried: [] }),
    { says: /does not say where/, action: 'try_again' },
  ],
  [
    new OAuthError('token_request_failed', { issuer: ISSUER, status: 400, error: 'invalid_request' }),
    { says: /gave no token \(status 400\)/, action: 'try_again' },
  ],
  [
    new OAuthError('token_request_failed', { issuer: ISSUER, status: 400, error: 'invalid_scope' }),
    { says: /refused the scopes/, action: 'fix_scopes' },
  ],
  [
    new OAuthError('authorization_failed', { issuer: ISSUER, error: 'invalid_scope' }),
    { says: /refused the scopes/, action: 'fix_scopes' },
  ],
  [
    new OAuthError('client_rejected', { issuer: ISSUER, description: EVIL, isEntered: true }),
    { says: /the client that you entered/, action: 'enter_client' },
  ],
  [
    new OAuthError('client_issuer_mismatch', {
      issuer: ISSUER,
      configuredIssuer: 'https://old.example',
      of: 'assertion',
    }),
    { says: /identity token of the workload is for old\.example/, action: 'choose_kind' },
  ],
  ...(
    [
      ['assertion', 'choose_kind'],
      ['assertion_file', 'try_again'],
    ] as const
  ).map(
    ([of, action]) =>
      [
        new OAuthError('grant_rejected', { issuer: ISSUER, description: EVIL, of }),
        { says: /does not accept the identity token of the workload.*It says: “/, action },
      ] as const,
  ),
  ...(['unauthorized_client', 'invalid_client'] as const).map(
    (error) =>
      [
        new OAuthError('authorization_failed', { issuer: ISSUER, error, description: EVIL }),
        { says: /does not let this app sign people in.*It says: “/, action: 'enter_client' },
      ] as const,
  ),
  ...(['invalid_dpop_proof', 'use_dpop_nonce'] as const).map(
    (error) =>
      [
        new OAuthError('token_request_failed', { issuer: ISSUER, status: 400, error, description: EVIL }),
        { says: /\(DPoP\).*It says: “/, action: 'change_dpop' },
      ] as const,
  ),
  [
    new OAuthError('registration_refused', { issuer: ISSUER, status: 400, error: 'invalid_redirect_uri' }),
    { says: /come back to a port/, action: 'change_redirect' },
  ],
  ...(
    [
      ['client', /client that you registered/, 'choose_kind'],
      ['assertion', /identity token of the workload/, 'choose_kind'],
      ['identity_provider', /identity provider of your company/, 'choose_kind'],
      ['access_token', /token that you enter/, 'enter_token'],
    ] as const
  ).map(
    ([missing, says, action]) => [new ConnectionError('credentials_missing', { missing }), { says, action }] as const,
  ),
  [
    new ConnectionError('authorization_timed_out', { timeoutMs: 300_000, offersDeviceCode: true }),
    { says: /within 5 minutes/, action: 'try_again' },
  ],
  [
    new OAuthError('server_unreachable', { url: 'https://a.example', failure: 'tls' }),
    { says: /a\.example.*certificate is not trusted/, action: 'choose_ca_file' },
  ],
  ...(
    [
      [undefined, /proxy on the way to a\.example could not be reached/],
      [407, /proxy .*user name and a password \(status 407\)/],
      [502, /proxy .*did not let the connection through \(status 502\)/],
    ] as const
  ).map(([proxyStatus, says]) => {
    const status = proxyStatus === undefined ? {} : { proxyStatus };
    const error = new OAuthError('server_unreachable', { url: 'https://a.example', failure: 'proxy', ...status });
    return [error, { says, action: 'open_proxy_settings' }] as const;
  }),
  ...(
    [
      ['relative_path', /not given by its full path/],
      ['no_certificate', /no list of certificates/],
    ] as const
  ).map(
    ([problem, says]) =>
      [
        new OAuthError('ca_file_unreadable', { path: 'company/ca.pem', problem, from: 'setting' }),
        { says, action: 'open_ca_setting' },
      ] as const,
  ),
  ...(['dns', 'timeout', 'reset', 'other'] as const).map(
    (failure) =>
      [
        new OAuthError('server_unreachable', { url: 'https://a.example', failure }),
        { says: /a\.example/, action: 'try_again' },
      ] as const,
  ),
];

function checkWords(error: unknown, { says, action }: Expected): void {
  const text = errorText(error);
  const all = `${text.summary}\n${text.message}\n${text.nextStep}`;
  assert.match(text.message, says);
  assert.equal(text.action, action);
  assert.match(text.message, /[.”]$/);
  assert.match(text.nextStep, /\.$/);
  assert.ok(text.summary.length <= 32 && !text.summary.endsWith('.'), text.summary);
  assert.doesNotMatch(all, /canary/, 'a secret');
  assert.doesNotMatch(all, /\]\(|undefined|\{\d\}/, 'a link or an empty place');
  assert.doesNotMatch(all.replaceAll(/“.*?”/g, ''), /_/, 'a code that no server said');
  assert.ok(!text.message.includes('\n') && text.message.length < 400);
}

for (const [code, [details, expected]] of Object.entries(oauth)) {
  test(`${code} has words and a next step`, () => checkWords(makeOAuthError(code, details), expected));
}

for (const [code, [details, expected]] of Object.entries(connections)) {
  test(`${code} has words and a next step`, () => checkWords(makeConnectionError(code, details), expected));
}

for (const [error, expected] of variants) {
  test(`${error.code} ${JSON.stringify(error.details)} has words of its own`, () => checkWords(error, expected));
}

test('what is no error of ours is called a fault of this extension, without its text', () => {
  checkWords(new TypeError('canary'), { says: /inside Scopekeeper/, action: 'show_log' });
  checkWords('canary', { says: /inside Scopekeeper/, action: 'show_log' });
});

// Object.entries forgets which details belong to which code; the tables above were checked by their types.
function makeOAuthError(code: string, details: object): OAuthError {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new OAuthError(code as OAuthErrorCode, details as never);
}

function makeConnectionError(code: string, details: object): ConnectionError {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new ConnectionError(code as ConnectionErrorCode, details as never);
}

test('what a missing proxy may be the cause of says so', () => {
  for (const failure of ['dns', 'refused', 'timeout'] as const) {
    const { nextStep } = errorText(new OAuthError('server_unreachable', { url: 'https://a.example', failure }));
    assert.match(nextStep, /If your network needs a proxy, set http\.proxy\./);
  }
});

test('where its code alone is known, an error is called as it is else', () => {
  // Not of a cause but of what they have in common.
  const common = new Set(['server_unreachable', 'grant_rejected']);
  const all = [
    ...Object.entries(oauth).map(([code, [details]]) => makeOAuthError(code, details)),
    ...Object.entries(connections).map(([code, [details]]) => makeConnectionError(code, details)),
    ...variants.map(([error]) => error),
  ].filter(({ code }) => !common.has(code));
  const named = all.filter(({ code }) => errorCodeText(code) !== undefined);
  assert.ok(named.length > 30);
  for (const error of named) assert.equal(errorCodeText(error.code), errorText(error).summary, error.code);
});
