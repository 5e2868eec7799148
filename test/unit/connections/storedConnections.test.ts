import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { safeParse } from 'valibot';
import { CONNECTION_KINDS } from '../../../src/connections/connection.ts';
import {
  type StoredConnection,
  type StoredConnections,
  storedConnectionsSchema,
} from '../../../src/connections/storedConnections.ts';
import { NOW } from '../connectionFixture.ts';

const LATEST_INSTANT = 8.64e15;

const least: StoredConnection = {
  id: 'id',
  name: 'Name',
  serverUrl: 'https://example.com/mcp',
  kind: 'authorization_code',
  requested: [],
  challenged: [],
  settings: {},
  generation: 0,
  activity: [],
};

const most: Required<StoredConnection> = {
  ...least,
  slug: 'name',
  resource: 'https://example.com',
  issuer: 'https://as.example',
  issuers: ['https://as.example', 'https://other.example'],
  account: 'ada@example.com',
  requested: ['a', 'b'],
  challenged: ['b'],
  declined: ['c'],
  demands: [
    { at: NOW, scopes: ['b'], operation: 'tools/call add', client: { kind: 'oauth', label: 'Claude' } },
    { at: NOW, scopes: ['b'] },
  ],
  scopesSupported: ['a', 'b', 'c'],
  resourceMetadataUrl: 'https://example.com/.well-known/oauth-protected-resource',
  settings: {
    allowUnadvertisedPkce: true,
    omitResource: true,
    scopes: ['a'],
    client: { issuer: 'https://as.example', clientId: 'c' },
    issuer: 'https://as.example',
    redirect: 'uri_handler',
    dpop: 'always',
    assertionFile: '/run/token',
    assertionIssuer: 'https://issuer.example',
    identityProvider: { issuer: 'https://idp.example', clientId: 'c' },
  },
  grant: {
    authorized: ['a', 'b'],
    granted: ['a'],
    expiresAt: LATEST_INSTANT,
    refreshable: true,
    issuedAt: 0,
    refreshedAt: NOW,
    generation: 2,
  },
  needsSignIn: { reason: 'expired', since: NOW },
  secretIn: 'keychain',
  generation: 2,
  activity: [
    { at: NOW, type: 'scopes_dropped', scopes: ['b'] },
    { at: NOW, type: 'refresh_failed', errorCode: 'server_unreachable' },
  ],
};

function file(...connections: readonly unknown[]): { version: number; connections: readonly unknown[] } {
  return { version: 1, connections };
}

function isRead(document: unknown): boolean {
  return safeParse(storedConnectionsSchema, document).success;
}

describe('the file of connections', () => {
  it('is read as it was written, all of it', () => {
    const document: StoredConnections = {
      version: 1,
      connections: [least, { ...most, id: 'other' }],
      issuers: [
        { issuer: 'https://as.example', refresh: { scope: 'requested', omitsResource: true } },
        { issuer: 'https://other.example', refresh: {} },
      ],
    };
    const result = safeParse(storedConnectionsSchema, JSON.parse(JSON.stringify(document)));
    assert.deepEqual(result.output, document);
    assert.ok(result.success);
    assert.ok(isRead(file()));
  });

  it('loses what it does not know, such as a secret that somebody wrote there', () => {
    const foreign = { ...most, accessToken: 'canary', settings: { ...most.settings, clientSecret: 'canary' } };
    const result = safeParse(storedConnectionsSchema, file(foreign));
    assert.ok(result.success && !JSON.stringify(result.output).includes('canary'));
  });

  for (const change of [
    ...CONNECTION_KINDS.map((kind) => ({ kind })),
    ...['loopback', 'uri_handler'].map((redirect) => ({ settings: { redirect } })),
    ...['always', 'never'].map((dpop) => ({ settings: { dpop } })),
    ...['keychain', 'editor'].map((secretIn) => ({ secretIn })),
    ...[
      'grant_rejected',
      'client_rejected',
      'expired',
      'token_rejected',
      'secret_missing',
      'secret_unreadable',
      'issuer_changed',
    ].map((reason) => ({ needsSignIn: { reason, since: 0 } })),
    ...[
      'added',
      'connected',
      'refreshed',
      'scopes_dropped',
      'scopes_restored',
      'sign_in_failed',
      'sign_in_cancelled',
      'refresh_failed',
      'sign_in_needed',
      'consent_needed',
      'disconnected',
    ].map((type) => ({ activity: [{ at: 0, type }] })),
    { activity: [{ at: 0, type: 'connected', scopes: ['a'], requested: ['a', 'b'], challenged: ['b'], expiresAt: 1 }] },
  ]) {
    it(`may say ${JSON.stringify(change)}`, () => {
      const document = file({ ...least, ...change });
      assert.deepEqual(safeParse(storedConnectionsSchema, document).output, document);
    });
  }

  for (const [title, document] of [
    ['that is nothing', undefined],
    ['that is no object', []],
    ['of another version', { ...file(), version: 2 }],
    ['without connections', { version: 1 }],
    ['with the same id twice', file(least, { ...most })],
    ['with issuers that are no list', { ...file(), issuers: {} }],
    ['with an issuer without a name', { ...file(), issuers: [{ refresh: {} }] }],
    ['with an issuer of which nothing is said', { ...file(), issuers: [{ issuer: 'https://as.example' }] }],
    ['with a scope that is no form', { ...file(), issuers: [{ issuer: '', refresh: { scope: 'a' } }] }],
    [
      'with a resource that is not left out',
      { ...file(), issuers: [{ issuer: '', refresh: { omitsResource: false } }] },
    ],
  ] as const) {
    it(`${title} is not taken`, () => assert.ok(!isRead(document)));
  }

  for (const change of [
    { id: 7 },
    { name: null },
    { serverUrl: 'no url' },
    { serverUrl: undefined },
    { kind: 'password' },
    { kind: '' },
    { requested: 'a' },
    { challenged: [7] },
    { issuer: null },
    { issuers: 'https://as.example' },
    { settings: undefined },
    { settings: { scopes: 'a' } },
    { settings: { client: { clientId: 'c' } } },
    { settings: { client: { issuer: 'https://as.example' } } },
    { settings: { identityProvider: { issuer: 'https://idp.example' } } },
    { settings: { identityProvider: { clientId: 'c' } } },
    { settings: { redirect: 'http://evil.example' } },
    { settings: { redirect: '' } },
    { settings: { dpop: '' } },
    { grant: {} },
    { grant: { ...most.grant, expiresAt: LATEST_INSTANT + 2 } },
    { grant: { ...most.grant, issuedAt: -1 } },
    { grant: { ...most.grant, refreshedAt: '0' } },
    { grant: { ...most.grant, generation: undefined } },
    { needsSignIn: {} },
    { needsSignIn: { reason: '', since: 0 } },
    { needsSignIn: { reason: 'expired' } },
    { secretIn: 'file' },
    { secretIn: '' },
    { generation: '1' },
    { activity: [{}] },
    { activity: [{ at: 0, type: '' }] },
    { activity: [{ at: LATEST_INSTANT * 2, type: 'added' }] },
    { activity: [{ at: 0, type: 'added', scopes: [0] }] },
    { activity: undefined },
  ]) {
    it(`with ${JSON.stringify(change)} is not taken`, () => assert.ok(!isRead(file({ ...least, ...change }))));
  }
});
