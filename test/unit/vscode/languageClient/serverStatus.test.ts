import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'valibot';
import type { Connection } from '../../../../src/connections/connection.ts';
import { serverStatusSchema, type ServerStatus } from '../../../../src/mcpConfig/languageProtocol.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { serverStatus } from '../../../../src/vscode/languageClient/serverStatus.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../../connectionFixture.ts';

const URL = 'http://127.0.0.1:1/name/mcp';
const plain = { id: 'id', name: 'Name', serverUrl: 'https://example.com/mcp', gatewayUrl: URL };
const expiresAt = NOW + 42 * MINUTE_MS;
const grant = grantWith({ authorized: ['a', 'b'], granted: ['a'], expiresAt });
const unreachable = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });

const statuses: readonly (readonly [title: string, Connection, Partial<ServerStatus>])[] = [
  [
    'connected, with a scope that a refresh dropped and one that was never given',
    connectionIn({ type: 'ready', grant }, { requested: ['a', 'c'], account: 'me', issuer: 'https://as.example' }),
    {
      health: 'ok',
      account: 'me',
      issuer: 'https://as.example',
      granted: ['a'],
      missing: ['b', 'c'],
      expiresAt,
      text: '1 of 3 scopes · expires in 42 min',
    },
  ],
  [
    'never signed in: nothing is missing yet',
    connectionIn({ type: 'disconnected' }),
    { health: 'off', granted: [], missing: [], text: 'signed out' },
  ],
  [
    'a server that demands more',
    connectionIn({ type: 'needsConsent', grant: grantWith(), missing: ['d'] }),
    { health: 'attention', granted: ['a'], missing: ['d'], text: 'needs 1 more scope' },
  ],
  [
    'the last error, in words',
    connectionIn({ type: 'disconnected' }, { lastError: unreachable }),
    {
      health: 'failed',
      granted: [],
      missing: [],
      text: 'host not found',
      problem: 'The host of example.com was not found.',
    },
  ],
];

for (const [title, connection, expected] of statuses) {
  test(title, () => {
    const status = serverStatus(connection, URL, NOW);
    assert.deepEqual(status, { ...plain, ...expected });
    assert.deepEqual(parse(serverStatusSchema, status), status);
  });
}

test('a sign-in on another device says what the row says', () => {
  const device = { userCode: 'ABCD-EFGH', verificationUri: 'https://example.com/device', expiresAt };
  const connection = connectionIn({ type: 'authorizing', step: 'waitingForDevice' });
  assert.match(serverStatus(connection, URL, NOW, device).text, /ABCD-EFGH/);
});
