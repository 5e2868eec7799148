import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'valibot';
import type { Connection, ConnectionState } from '../../../../src/connections/connection.ts';
import { ConnectionError } from '../../../../src/connections/errors.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { hostMessageSchema } from '../../../../src/vscode/details/detailsMessages.ts';
import { detailsModel } from '../../../../src/vscode/details/detailsModel.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../../connectionFixture.ts';

function details(connection: Connection) {
  return detailsModel({ connection, activity: [], trace: undefined, device: undefined, now: NOW });
}

const offline = new OAuthError('server_unreachable', { url: 'https://example.com/', failure: 'dns' });
const noPkce = new OAuthError('pkce_unsupported', { issuer: 'https://as.example' });
const grant = grantWith({ expiresAt: NOW + 42 * MINUTE_MS });
const ending = grantWith({ expiresAt: NOW + 42 * MINUTE_MS, refreshable: false });

const STATES: readonly (readonly [
  state: ConnectionState,
  change: Partial<Connection>,
  told: string,
  actions: string,
])[] = [
  [
    { type: 'ready', grant },
    {},
    'good Connected',
    'reauthorize refreshToken chooseScopes diagnose copyGatewayUrl export',
  ],
  [
    { type: 'ready', grant: ending },
    {},
    'warning Needs you soon',
    '*reauthorize chooseScopes diagnose copyGatewayUrl export',
  ],
  [{ type: 'refreshing', grant }, {}, 'working Renewing', 'reauthorize chooseScopes diagnose copyGatewayUrl export'],
  [
    { type: 'needsConsent', grant, missing: ['b'] },
    {},
    'warning Needs more scopes',
    '*reauthorize refreshToken chooseScopes diagnose copyGatewayUrl export',
  ],
  [
    { type: 'needsSignIn', reason: 'expired', since: NOW },
    {},
    'bad Needs sign-in',
    '*reauthorize chooseScopes diagnose copyGatewayUrl export',
  ],
  [
    { type: 'unreachable', grant, error: offline, retryAt: NOW + 5000 },
    {},
    'away Trying again by itself',
    'reauthorize refreshToken chooseScopes diagnose copyGatewayUrl export',
  ],
  [{ type: 'disconnected' }, {}, 'quiet Signed out', '*signIn chooseScopes diagnose copyGatewayUrl export'],
  [
    { type: 'disconnected' },
    { lastError: noPkce },
    'bad Not connected',
    '*fix signIn chooseScopes diagnose copyGatewayUrl export',
  ],
  [
    { type: 'authorizing', step: 'waitingForBrowser' },
    {},
    'working Signing in',
    '*copySignInUrl cancelSignIn copyGatewayUrl export',
  ],
  [
    { type: 'ready', grant: grantWith() },
    { kind: 'static_token' },
    'good Connected',
    'reauthorize refreshToken copyGatewayUrl export',
  ],
];

describe('the head of the details', () => {
  for (const [state, change, told, actions] of STATES) {
    it(`says: ${told}, and offers ${actions}`, () => {
      const { header } = details(connectionIn(state, change));
      assert.equal(`${header.tone} ${header.state}`, told);
      const offered = header.actions.map(({ action, isPrimary }) => (isPrimary ? `*${action}` : action));
      assert.equal(offered.join(' '), actions);
    });
  }

  it('has what is known, and of URLs no query', () => {
    const { header } = details(
      connectionIn(
        { type: 'ready', grant: { ...grant, refreshedAt: NOW - MINUTE_MS } },
        { serverUrl: 'https://example.com/mcp?key=1', issuer: 'https://as.example', account: 'me@example.com' },
      ),
    );
    const facts = new Map(header.facts.map(({ label, value }) => [label, value]));
    assert.deepEqual(
      [...facts.keys()],
      ['Server', 'Authorization server', 'Account', 'Signed in', 'Renewed', 'Expires'],
    );
    assert.equal(facts.get('Server'), 'https://example.com/mcp?…');
    assert.match(facts.get('Expires') ?? '', /^in 42 min · renews itself/);
  });

  it('says what went wrong and what to do, with the button for it', () => {
    const { header } = details(connectionIn({ type: 'disconnected' }, { lastError: noPkce }));
    assert.match(header.problem?.message ?? '', /as\.example does not say/);
    assert.deepEqual(header.actions[0], { action: 'fix', label: 'Allow…', isPrimary: true });
    const locked = new ConnectionError('keychain_locked', {});
    const waiting = details(
      connectionIn({ type: 'unreachable', grant, error: locked, retryAt: NOW }, { lastError: locked }),
    );
    assert.ok(!waiting.header.actions.some(({ action }) => action === 'fix'), 'trying again is no button of its own');
  });

  it('is announced by its state, which does not tick', () => {
    const connection = connectionIn({ type: 'ready', grant });
    const entry = { at: NOW, type: 'refreshed' } as const;
    const later = [NOW, NOW + 5 * MINUTE_MS].map(
      (now) => detailsModel({ connection, activity: [entry], trace: undefined, device: undefined, now }).announcement,
    );
    assert.deepEqual(new Set(later), new Set(['Name, Connected, Token renewed']));
  });
});

describe('the message to the page', () => {
  it('is taken as it is, whatever a server and a person have named', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('<img src=x onerror=alert(1)>‮'));
    fc.assert(
      fc.property(text, text, text, fc.array(text), (name, account, issuer, scopes) => {
        const shown = details(
          connectionIn(
            { type: 'ready', grant: grantWith({ granted: scopes, authorized: scopes }) },
            { name, account, issuer, requested: scopes },
          ),
        );
        const message = { type: 'show', connectionId: 'id', language: 'en', title: 'Details', details: shown };
        assert.deepEqual(parse(hostMessageSchema, structuredClone(message)), message);
        for (const { value } of shown.header.facts) assert.doesNotMatch(value, /[\p{Cc}\p{Cf}]/u);
        assert.doesNotMatch(shown.header.name, /[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});
