import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState, Grant } from '../../../src/connections/connection.ts';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { tooltipLines } from '../../../src/vscode/connectionTooltip.ts';
import { scopeRows } from '../../../src/vscode/scopeRows.ts';
import {
  activityEntryText,
  activityText,
  authorizationServerText,
  connectionFlags,
  connectionText,
  expiresText,
  scopesText,
  scopeText,
} from '../../../src/vscode/treeText.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

const FIVE = ['a', 'b', 'c', 'd', 'e'];

function grant(change: Partial<Grant> = {}): Grant {
  return grantWith({ authorized: FIVE, granted: FIVE, expiresAt: NOW + 42 * MINUTE_MS, ...change });
}

function connection(state: ConnectionState, change: Partial<Connection> = {}): Connection {
  return connectionIn(state, { requested: FIVE, ...change });
}

const offline = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
const identityRefused = new OAuthError('grant_rejected', { issuer: 'https://as.example', of: 'assertion_file' });
const grantRefused = new OAuthError('grant_rejected', { issuer: 'https://as.example' });
const refused = new OAuthError('registration_refused', { issuer: 'https://as.example', status: 400, error: 'x' });

const rows: readonly (readonly [description: string, state: ConnectionState, icon: string])[] = [
  ['signed out', { type: 'disconnected' }, 'circle-slash'],
  ['finding out where to sign in…', { type: 'authorizing', step: 'discovering' }, 'sync~spin'],
  ['see your browser…', { type: 'authorizing', step: 'waitingForBrowser' }, 'sync~spin'],
  ['expires in 42 min · 5 scopes', { type: 'ready', grant: grant() }, 'pass'],
  ['expires in 42 min · 5 scopes', { type: 'ready', grant: grant({ refreshable: false }) }, 'warning'],
  ['4 of 5 scopes · expires in 42 min', { type: 'ready', grant: grant({ granted: FIVE.slice(0, 4) }) }, 'pass'],
  [
    'expires in 42 min · 4 of 5 scopes',
    { type: 'ready', grant: grant({ granted: FIVE.slice(0, 4), refreshable: false }) },
    'warning',
  ],
  ['renews when needed · 5 scopes', { type: 'ready', grant: grant({ expiresAt: NOW - 1 }) }, 'pass'],
  ['renewing · 5 scopes', { type: 'refreshing', grant: grant() }, 'sync~spin'],
  ['needs 1 more scope', { type: 'needsConsent', grant: grant(), missing: ['f'] }, 'warning'],
  ['needs sign-in · the token has expired', { type: 'needsSignIn', reason: 'expired', since: NOW }, 'error'],
  [
    'keychain locked, retrying in 20 s',
    {
      type: 'unreachable',
      grant: grant(),
      error: new ConnectionError('keychain_locked', {}),
      retryAt: NOW + 20_000,
    },
    'debug-disconnect',
  ],
  [
    'offline, retrying in 20 s',
    { type: 'unreachable', grant: grant(), error: offline, retryAt: NOW + 20_000 },
    'debug-disconnect',
  ],
  [
    'identity token refused, retrying in 20 s',
    { type: 'unreachable', grant: grant(), error: identityRefused, retryAt: NOW + 20_000 },
    'debug-disconnect',
  ],
  [
    'token refused, retrying in 20 s',
    { type: 'unreachable', grant: grant(), error: grantRefused, retryAt: NOW + 20_000 },
    'debug-disconnect',
  ],
];

for (const [description, state, icon] of rows) {
  test(`a row says: ${description} (${icon})`, () => {
    const text = connectionText(connection(state), NOW);
    assert.equal(text.description, description);
    assert.equal(text.icon?.id, icon);
    assert.equal(text.spoken, `Name, ${description}`);
  });
}

test('a connection that never worked stays listed with the reason', () => {
  const text = connectionText(connection({ type: 'disconnected' }, { lastError: refused }), NOW);
  assert.equal(text.description, 'registration refused');
  assert.equal(text.icon?.id, 'error');
});

test('a server without scopes shows no count', () => {
  const none = grant({ granted: [], authorized: [] });
  assert.equal(
    connectionText(connection({ type: 'ready', grant: none }, { requested: [] }), NOW).description,
    'expires in 42 min',
  );
});

test('P21 each scope is there once: granted, dropped by a refresh, demanded, not granted', () => {
  const state: ConnectionState = { type: 'ready', grant: grant({ authorized: ['a', 'b'], granted: ['a'] }) };
  const shown = scopeRows(connection(state, { requested: ['a', 'b', 'c'], challenged: ['d', 'a'] }));
  assert.deepEqual(shown, [
    { scope: 'a', status: 'granted' },
    { scope: 'b', status: 'dropped' },
    { scope: 'd', status: 'demanded' },
    { scope: 'c', status: 'not_granted' },
  ]);
  assert.deepEqual(
    shown.map((row) => scopeText(row).description),
    ['', 'dropped by a refresh', 'demanded, not granted', 'requested, not granted'],
  );
});

const forClaude = {
  at: NOW - 5 * MINUTE_MS,
  operation: 'tools/call add_note',
  client: { kind: 'oauth', label: 'Claude Code' },
} as const;

test('P22 a scope that is demanded says for which tool of which client', () => {
  const demands = [
    { ...forClaude, at: NOW - 9 * MINUTE_MS, scopes: ['f', 'a'], operation: 'tools/list' },
    { ...forClaude, scopes: ['f'] },
  ];
  const state: ConnectionState = { type: 'needsConsent', grant: grant(), missing: ['f', 'g'] };
  const waiting = connection(state, { demands });
  const [shown, other] = scopeRows(waiting).filter(({ status }) => status === 'demanded');
  assert.ok(shown !== undefined && other !== undefined);
  assert.equal(scopeText(shown).description, 'for add_note · Claude Code');
  assert.equal(scopeText(shown).spoken, 'f, demanded, not granted, for add_note · Claude Code');
  assert.equal(scopeText(other).description, 'demanded, not granted');
  assert.deepEqual(
    tooltipLines(waiting, NOW).filter(({ label }) => label === 'Asked for'),
    [
      { label: 'Asked for', value: 'f · tools/call add_note · Claude Code · 5 min ago' },
      { label: 'Asked for', value: 'f · tools/list · Claude Code · 9 min ago' },
    ],
  );
  const entry = { ...forClaude, type: 'consent_needed', scopes: ['f'] } as const;
  assert.equal(activityEntryText(entry, NOW).description, '5 min ago · f · add_note · Claude Code');
});

test('the tooltip names who uses the connection, and what they may', () => {
  const access = { id: 'x', kind: 'oauth', label: 'Claude Code', connection: 'id', createdAt: NOW } as const;
  const accesses = [
    { ...access, allowedTools: ['a', 'b'] },
    { ...access, kind: 'editor', allowedTools: '*' },
    { ...access, connection: 'other', label: 'Elsewhere', allowedTools: '*' },
  ] as const;
  const line = tooltipLines(connection({ type: 'ready', grant: grant() }), NOW, { accesses }).find(
    ({ label }) => label === 'Used by',
  );
  assert.equal(line?.value, 'Claude Code (2 tools), Agent mode (all tools)');
});

test('P15 offline_access is not missed when there is a refresh token', () => {
  const asked = { requested: ['a', 'offline_access'] };
  const one = { authorized: ['a'], granted: ['a'] };
  const row = (refreshable: boolean) =>
    connectionText(connection({ type: 'ready', grant: grant({ ...one, refreshable }) }, asked), NOW).description;
  assert.equal(row(true), 'expires in 42 min · 1 scope');
  assert.equal(row(false), 'expires in 42 min · 1 of 2 scopes');
});

test('before a sign-in nothing is called missing', () => {
  const signedOut = connection({ type: 'disconnected' }, { challenged: ['a', 'f'] });
  assert.equal(scopesText(signedOut).description, 'none');
  assert.ok(scopeRows(signedOut).every(({ status }) => status === 'not_asked_yet'));
  assert.ok(!tooltipLines(signedOut, NOW).some(({ label }) => label === 'Not granted'));
});

test('the row above the scopes counts them', () => {
  const four: ConnectionState = { type: 'ready', grant: grant({ granted: FIVE.slice(0, 4) }) };
  assert.equal(scopesText(connection({ type: 'ready', grant: grant() })).description, '5');
  assert.equal(scopesText(connection(four)).description, '4 of 5');
});

function expires(change: Partial<Grant>): string {
  return expiresText(connection({ type: 'ready', grant: grant(change) }), NOW).description;
}

test('the expiry says when, and what happens then', () => {
  assert.match(expires({}), /^in 42 min · renews itself · \d/);
  assert.match(expires({ refreshable: false }), /^in 42 min · sign in then · \d/);
});

test('the authorization server is shown without its scheme, with the account', () => {
  const known = connection({ type: 'disconnected' }, { issuer: 'https://as.example/t1', account: 'me@example.com' });
  assert.equal(authorizationServerText(known).label, 'as.example/t1');
  assert.equal(authorizationServerText(known).description, 'me@example.com');
  assert.equal(authorizationServerText(known).spoken, 'Authorization server, as.example/t1 · me@example.com');
  const nobody = connection({ type: 'disconnected' }, { issuer: 'https://as.example' });
  assert.equal(authorizationServerText(nobody).description, 'signs you in');
});

test('the activity tells the last event and how long ago it was', () => {
  const entry = { at: NOW - 5 * MINUTE_MS, type: 'scopes_dropped', scopes: ['b', 'c'] } as const;
  assert.equal(activityText([entry], NOW).description, 'Scopes dropped · 5 min ago');
  assert.equal(activityEntryText(entry, NOW).description, '5 min ago · b c');
  assert.equal(activityEntryText({ ...entry, type: 'scopes_restored' }, NOW).label, 'Scopes restored');
});

test('an event says in words what went wrong, and nothing where there are none', () => {
  const entry = { at: NOW - 5 * MINUTE_MS, type: 'sign_in_failed' } as const;
  for (const [errorCode, words] of [
    ['pkce_unsupported', '5 min ago · no protected sign-in'],
    ['server_unreachable', '5 min ago · offline'],
    ['authorization_failed', '5 min ago'],
    ['of_a_newer_version', '5 min ago'],
  ] as const) {
    assert.equal(activityEntryText({ ...entry, errorCode }, NOW).description, words);
  }
});

function flags(state: ConnectionState): string {
  return connectionFlags(connection(state)).join(' ');
}

test('what a menu offers fits the state', () => {
  assert.equal(flags({ type: 'disconnected' }), 'connection hasScopes canSignIn');
  assert.equal(flags({ type: 'authorizing', step: 'waitingForBrowser' }), 'connection isAuthorizing waitsForBrowser');
  assert.equal(
    flags({ type: 'ready', grant: grant() }),
    'connection hasScopes canReauthorize canRefresh canDisconnect',
  );
  assert.equal(
    flags({ type: 'ready', grant: grant({ refreshable: false }) }),
    'connection hasScopes canReauthorize canDisconnect',
  );
});

test('the tooltip has everything known, and of URLs no query', () => {
  const lines = tooltipLines(
    connection({ type: 'ready', grant: grant({ granted: ['a'] }) }, { serverUrl: 'https://example.com/mcp?key=1' }),
    NOW,
  );
  const values = new Map(lines.map(({ label, value }) => [label, value]));
  assert.equal(values.get('Server'), 'https://example.com/mcp?…');
  assert.equal(values.get('Requested'), 'a b c d e');
  assert.equal(values.get('Granted'), 'a');
  assert.equal(values.get('Not granted'), 'b c d e');
  assert.equal(values.get('Renewal'), 'renews itself');
});
