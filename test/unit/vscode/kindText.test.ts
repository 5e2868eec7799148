import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, CONNECTION_KINDS, type ConnectionState } from '../../../src/connections/connection.ts';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { tooltipLines } from '../../../src/vscode/connectionTooltip.ts';
import { deviceRowText, deviceText } from '../../../src/vscode/deviceText.ts';
import { isOffered, kindText, signsInText } from '../../../src/vscode/kindText.ts';
import { connectionText, expiresText, signInText } from '../../../src/vscode/treeText.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../connectionFixture.ts';

const READY: ConnectionState = { type: 'ready', grant: grantWith({ expiresAt: NOW + 42 * MINUTE_MS }) };
const ISSUER = 'https://as.example';

test('each way to sign in is offered in words of its own', () => {
  const texts = CONNECTION_KINDS.map(kindText);
  for (const part of ['label', 'detail', 'icon'] as const) {
    assert.equal(new Set(texts.map((text) => text[part])).size, CONNECTION_KINDS.length, part);
  }
  for (const { detail, label } of texts) {
    assert.match(detail, /\.$/);
    // A longer one is cut off in the list.
    assert.ok(detail.length <= 95 && label.length <= 20, detail);
  }
});

const signsIn: readonly (readonly [Partial<Connection>, string | undefined])[] = [
  [{ kind: 'authorization_code' }, undefined],
  [{ kind: 'device_code' }, 'device code'],
  [
    { kind: 'client_credentials', settings: { client: { issuer: ISSUER, clientId: 'robot-7' } } },
    'client credentials of robot-7',
  ],
  [{ kind: 'client_credentials' }, 'client credentials'],
  [
    { kind: 'workload_identity', settings: { assertionFile: '/var/run/secrets/tokens/mcp' } },
    'workload identity from tokens/mcp',
  ],
  [{ kind: 'workload_identity' }, 'workload identity'],
  [
    {
      kind: 'enterprise_managed',
      settings: { identityProvider: { issuer: 'https://login.example/t?x=canary', clientId: 'a' } },
    },
    'company sign-in at login.example/t',
  ],
  [{ kind: 'enterprise_managed' }, 'company sign-in'],
  [{ kind: 'static_token' }, 'a token of your own'],
];

for (const [change, says] of signsIn) {
  test(`${change.kind} is told as: ${says ?? '(nothing)'}`, () => {
    const connection = connectionIn(READY, change);
    assert.equal(signsInText(connection), says);
    assert.equal(signInText(connection).description, says ?? '');
    const line = tooltipLines(connection, NOW).find(({ label }) => label === 'Signs in with');
    assert.equal(line?.value, says);
  });
}

test('a connection that asks anew by itself says so', () => {
  const connection = connectionIn(READY, { kind: 'client_credentials' });
  assert.match(expiresText(connection, NOW).description, /^in 42 min · renews itself/);
});

test('a token of the person’s own has no known end, and is replaced by the person', () => {
  const grant = grantWith({ granted: [], authorized: [], refreshable: false });
  const connection = connectionIn({ type: 'ready', grant }, { kind: 'static_token', requested: [] });
  assert.equal(connectionText(connection, NOW).description, 'your own token');
  assert.equal(connectionText(connection, NOW).contextValue, 'connection canReauthorize canDisconnect');
  assert.equal(expiresText(connection, NOW).description, 'not known');
  assert.ok(!tooltipLines(connection, NOW).some(({ label }) => label === 'Granted'));
  assert.ok(tooltipLines(connection, NOW).some(({ value }) => value === 'you enter another one when it has ended'));
});

test('after a refusal the ways that the authorization server knows are marked', () => {
  const lastError = new OAuthError('grant_unsupported', {
    issuer: ISSUER,
    grantType: 'authorization_code',
    supported: ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
  });
  const refused = connectionIn({ type: 'disconnected' }, { lastError });
  const offered = CONNECTION_KINDS.filter((kind) => isOffered(refused, kind));
  assert.deepEqual(offered, ['device_code', 'client_credentials']);
  assert.equal(isOffered(connectionIn({ type: 'disconnected' }), 'device_code'), false);
});

function timedOut(details: { timeoutMs: number; offersDeviceCode?: boolean }) {
  return connectionIn({ type: 'disconnected' }, { lastError: new ConnectionError('authorization_timed_out', details) });
}

test('a browser from which nobody came back suggests the device code, where there is one', () => {
  const offered = CONNECTION_KINDS.filter((kind) =>
    isOffered(timedOut({ timeoutMs: 1, offersDeviceCode: true }), kind),
  );
  assert.deepEqual(offered, ['device_code']);
  assert.equal(isOffered(timedOut({ timeoutMs: 1 }), 'device_code'), false);
});

const DEVICE = {
  userCode: 'BCDF-GHJK',
  verificationUri: 'https://as.example/device?x=canary',
  verificationUriComplete: 'https://as.example/device?user_code=BCDF-GHJK',
  expiresAt: NOW + 15 * MINUTE_MS,
};

test('a row that waits for a device code shows the code first, and where to enter it', () => {
  const waiting = connectionIn({ type: 'authorizing', step: 'waitingForDevice' }, { kind: 'device_code' });
  const text = connectionText(waiting, NOW, DEVICE);
  assert.equal(text.description, 'BCDF-GHJK · enter it at as.example/device');
  assert.equal(text.spoken, 'Name, enter BCDF-GHJK at as.example/device');
  assert.equal(text.contextValue, 'connection isAuthorizing waitsForDevice');
  const state = tooltipLines(waiting, NOW, { device: DEVICE }).find(({ label }) => label === 'State');
  assert.equal(state?.value, 'enter BCDF-GHJK at as.example/device');
  assert.equal(connectionText(waiting, NOW).description, 'waiting for you to enter the code…');
});

test('a code that a server chose is neither a link nor an icon', () => {
  for (const words of [deviceText, deviceRowText]) {
    assert.doesNotMatch(words({ ...DEVICE, userCode: '[x](command:y) $(bug)' }), /\]\(|\$\(/);
  }
});
