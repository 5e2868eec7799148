import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import {
  isSettingName,
  SETTING_NAMES,
  settingChoices,
  settingLabel,
  settingsOf,
  settingValue,
} from '../../../src/vscode/settingRows.ts';
import { connectionIn } from '../connectionFixture.ts';

const ISSUERS = ['https://one.example', 'https://two.example/tenant'];

function connection(change: Partial<Connection> = {}): Connection {
  return connectionIn({ type: 'disconnected' }, { issuers: ISSUERS, ...change });
}

test('P6 the choice of an authorization server is offered when there is one to choose', () => {
  assert.ok(settingsOf(connection()).includes('issuer'));
  assert.ok(!settingsOf(connection({ issuers: ISSUERS.slice(0, 1) })).includes('issuer'));
  // One that was chosen and is no longer named must be possible to undo.
  const chosen = connection({ issuers: [], settings: { issuer: 'https://gone.example/x' } });
  assert.ok(settingsOf(chosen).includes('issuer'));
  assert.equal(settingValue(chosen, 'issuer'), 'gone.example/x');
});

for (const [kind, expected] of [
  ['authorization_code', SETTING_NAMES],
  ['enterprise_managed', SETTING_NAMES],
  ['client_credentials', ['issuer', 'fixedScopes', 'omitResource', 'dpop']],
  ['device_code', ['issuer', 'fixedScopes', 'omitResource', 'dpop']],
  ['static_token', []],
] as const) {
  test(`a connection of kind ${kind} offers what means something for it`, () => {
    assert.deepEqual(settingsOf(connection({ kind })), expected);
  });
}

for (const name of SETTING_NAMES) {
  test(`${name} has a label, and says what is so unless it is set`, () => {
    assert.ok(isSettingName(name));
    assert.notEqual(settingLabel(name), '');
    assert.notEqual(settingValue(connection(), name), '');
    if (name === 'fixedScopes') return;
    const choices = settingChoices(connection(), name);
    assert.equal(choices[0]?.value, undefined);
    for (const { value, label, detail = '' } of choices) {
      assert.ok(detail.length <= 80, `the list cuts it off: ${detail}`);
      const set = connection({ settings: value === undefined ? {} : { [name]: value } });
      assert.equal(settingValue(set, name), label);
    }
  });
}

test('fixed scopes are shown as they are', () => {
  assert.equal(settingValue(connection({ settings: { fixedScopes: ['a', 'b'] } }), 'fixedScopes'), 'a b');
  assert.equal(settingValue(connection({ settings: { fixedScopes: [] } }), 'fixedScopes'), 'none');
  assert.ok(!isSettingName('client'));
  assert.ok(!isSettingName(undefined));
});
