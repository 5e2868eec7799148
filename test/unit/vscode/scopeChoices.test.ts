import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionState } from '../../../src/connections/connection.ts';
import { newScopesText } from '../../../src/vscode/causeText.ts';
import { scopeChangesText, scopeChoices, typedChoice } from '../../../src/vscode/scopeChoices.ts';
import { connectionIn, grantWith, NOW } from '../connectionFixture.ts';

const grant = grantWith({ authorized: ['read', 'lost', 'offline_access'], granted: ['read'] });
const ready: ConnectionState = { type: 'ready', grant };
const demand = { at: NOW, scopes: ['write'], operation: 'tools/call add_note' } as const;
const claude = { kind: 'oauth', label: 'Claude Code' } as const;

/** What each choice says: `scope | badge | ticked or not`. */
function told(connection: Connection, typed?: readonly string[]): readonly string[] {
  return scopeChoices(connection, typed).map(
    ({ description, isTicked, scope }) => `${scope} | ${description} | ${isTicked ? 'ticked' : ''}`,
  );
}

test('P21 P23 every scope that is known can be chosen, with how it stands; what would be asked for is ticked', () => {
  const connection = connectionIn(ready, {
    requested: ['read', 'refused'],
    challenged: ['write'],
    scopesSupported: ['read', 'admin'],
    demands: [{ ...demand, client: claude }],
  });
  assert.deepEqual(told(connection, ['mine', 'admin']), [
    'read | granted | ticked',
    'lost | dropped | ticked',
    'write | new, demanded | ticked',
    'refused | requested, not granted | ticked',
    'offline_access | requested | ticked',
    'admin | new | ',
    'mine | new, typed by you | ticked',
  ]);
  const details = new Map(scopeChoices(connection).map(({ detail, scope }) => [scope, detail]));
  assert.equal(details.get('write'), 'for “tools/call add_note” of “Claude Code”');
  assert.match(details.get('offline_access') ?? '', /^Keeps you signed in/);
});

test('P23 scopes that the person chose for good are those that are ticked', () => {
  const settings = { fixedScopes: ['read', 'own'] };
  assert.deepEqual(told(connectionIn(ready, { settings, requested: ['read'] })), [
    'read | granted | ticked',
    'lost | dropped | ',
    'offline_access | requested | ',
    'own | new | ticked',
  ]);
});

test('P23 what the person left out can be chosen again, though nothing lists it', () => {
  const connection = connectionIn(ready, { requested: ['read'], declined: ['write'] });
  assert.ok(told(connection).includes('write | new | '));
});

test('before a sign-in all that will be asked for is ticked', () => {
  const never = connectionIn({ type: 'disconnected' }, { requested: [], challenged: ['a'], scopesSupported: ['b'] });
  assert.deepEqual(told(never), ['a | requested | ticked', 'b | new | ']);
});

for (const text of ['a"b', 'a\\b', 'é', 'a b']) {
  test(`RFC 6749 section 3.3: ${text} is no scope, and says why`, () => {
    const choice = typedChoice(text);
    assert.equal(choice.isScope, false);
    assert.equal(choice.isTicked, false);
    assert.equal(choice.label, `${text} cannot be a scope.`);
  });
}

test('a scope of a server or a person runs no command and draws no icon', () => {
  const evil = '[x](command:y)$(key)';
  const supported = connectionIn(ready, { scopesSupported: [evil] });
  for (const choice of [typedChoice(evil), ...scopeChoices(supported).filter(({ scope }) => scope === evil)]) {
    assert.equal(choice.label, '(x)(command:y)$ (key)');
    assert.equal(choice.scope, evil);
  }
});

test('P23 what a choice adds and drops is told', () => {
  const connection = connectionIn(ready);
  assert.equal(scopeChangesText(connection, ['read', 'write', 'offline_access']), 'New: “write”');
  assert.equal(scopeChangesText(connection, ['write']), 'New: “write” · Dropped: “read”');
  assert.equal(scopeChangesText(connection, ['read', 'offline_access']), undefined, 'it is seldom named');
});

test('P22 a sign-in that adds scopes says which, and for which operations of whom', () => {
  const state: ConnectionState = { type: 'needsConsent', grant, missing: ['write'] };
  const demands = [{ ...demand, client: claude }, demand, { at: NOW, scopes: ['read'], operation: 'tools/list' }];
  const table: readonly (readonly [Partial<Connection>, string | undefined])[] = [
    [{ demands }, 'New: “write”, for “tools/call add_note”, for “tools/call add_note” of “Claude Code”'],
    [{ challenged: ['admin', 'read'] }, 'New: “write”, “admin”'],
    [{ state: ready, demands: [{ at: NOW, scopes: ['read'] }] }, undefined],
    [{ state: { type: 'disconnected' }, challenged: ['write'] }, undefined],
  ];
  for (const [change, expected] of table) assert.equal(newScopesText(connectionIn(state, change)), expected);
});
