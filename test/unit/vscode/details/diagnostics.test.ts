import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../../../../src/connections/errors.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { diagnostics } from '../../../../src/vscode/details/diagnostics.ts';
import { connectionIn, grantWith, NOW } from '../../connectionFixture.ts';

const ISO = new Date(NOW).toISOString();

test('a file of diagnostics says what is known of each connection, with instants that anybody can read', () => {
  const connection = connectionIn(
    { type: 'ready', grant: grantWith({ refreshedAt: NOW, expiresAt: NOW }) },
    { issuer: 'https://as.example', requested: ['a', 'b'], challenged: ['b'] },
  );
  const file = diagnostics(
    { versions: { scopekeeper: '1.2.3' } },
    [
      {
        connection,
        activity: [{ at: NOW, type: 'connected', scopes: ['a'], expiresAt: NOW }],
        trace: {
          startedAt: NOW,
          outcome: 'authorized',
          steps: [{ at: NOW, purpose: 'probe', method: 'POST', url: 'https://x.example', sent: [], received: [] }],
        },
      },
    ],
    NOW,
  );
  assert.deepEqual(JSON.parse(JSON.stringify(file)), {
    product: 'Scopekeeper',
    format: 1,
    exportedAt: ISO,
    versions: { scopekeeper: '1.2.3' },
    connections: [
      {
        id: 'id',
        name: 'Name',
        slug: 'name',
        kind: 'authorization_code',
        serverUrl: 'https://example.com/mcp',
        issuer: 'https://as.example',
        state: { type: 'ready' },
        health: 'ok',
        scopes: { requested: ['a', 'b'], challenged: ['b'], authorized: ['a'], granted: ['a'] },
        token: { issuedAt: ISO, refreshedAt: ISO, expiresAt: ISO, isRenewable: true, generation: 1 },
        settings: {},
        activity: [{ at: ISO, type: 'connected', scopes: ['a'], expiresAt: ISO }],
        trace: {
          startedAt: ISO,
          outcome: 'authorized',
          steps: [{ at: ISO, purpose: 'probe', method: 'POST', url: 'https://x.example', sent: [], received: [] }],
        },
      },
    ],
  });
});

test('P36 nothing of it tells who the person is, or what a URL carries', () => {
  const secret = 'tell-nobody';
  const url = `https://user:${secret}@example.com/mcp?token=${secret}#${secret}`;
  const path = `/home/${secret}/keys/ca.pem`;
  const lastError = new OAuthError('resource_mismatch', { expected: url, actual: url });
  const error = new ConnectionError('storage_failed', { operation: 'read', path, problem: 'EACCES' });
  const connection = connectionIn(
    { type: 'unreachable', grant: grantWith(), error, retryAt: NOW },
    {
      serverUrl: url,
      resource: url,
      issuer: url,
      issuers: [url],
      resourceMetadataUrl: url,
      account: secret,
      settings: { caFile: path, assertionFile: path },
      lastError,
    },
  );
  const step = { at: NOW, purpose: 'token', method: 'POST', url, sent: [], received: [] } as const;
  const trace = { startedAt: NOW, outcome: 'failed', error: lastError, steps: [step] } as const;
  const text = JSON.stringify(diagnostics({}, [{ connection, activity: [], trace }], NOW));
  assert.ok(!text.includes(secret), text);
  assert.match(text, /resource_mismatch/);
  assert.match(text, /EACCES/);
});

test('P36 no part of a URL that only the person may know is in it', () => {
  const secret = 'NmY4ZDEyLTQ1ZmEtOTk';
  const url = `https://mcp.example.com/api/mcp/s/${secret}/mcp`;
  const long = `https://mcp.example.com/${'long/'.repeat(14)}${secret}/mcp`;
  const metadata = `https://mcp.example.com/.well-known/oauth-protected-resource/api/mcp/s/${secret}/mcp`;
  const lastError = new OAuthError('resource_mismatch', { expected: url, actual: long });
  const connection = connectionIn(
    { type: 'unreachable', grant: grantWith(), error: lastError, retryAt: NOW },
    { name: url, serverUrl: url, resource: url, issuer: url, issuers: [url], resourceMetadataUrl: metadata, lastError },
  );
  const field = { name: 'resource', value: `for ${url}` };
  const step = { at: NOW, purpose: 'probe', method: 'POST', url, sent: [field], received: [field] } as const;
  const trace = { startedAt: NOW, outcome: 'failed', error: lastError, steps: [step] } as const;
  const activity = [{ at: NOW, type: 'consent_needed', operation: `read ${url}` }] as const;
  const text = JSON.stringify(diagnostics({ settings: { any: [url] } }, [{ connection, activity, trace }], NOW));
  assert.ok(!text.includes(secret.slice(0, 6)), text);
  assert.match(text, /"serverUrl":"https:\/\/mcp\.example\.com\/api\/mcp\/s\/…\/mcp"/);
});
