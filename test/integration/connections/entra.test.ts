import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import type { EntraSwitch } from '../../servers/grantSwitches.ts';
import { granted, refreshForms, restart, sentForms } from './refreshing.ts';

const SCOPES = { scopesSupported: ['api://x/.default'], asScopesSupported: ['offline_access'] };
const ASKED = 'api://x/.default offline_access';
const ECHOED = 'api://x/files:read api://x/files:write';

describe('Microsoft Entra ID', () => {
  for (const [title, entra, first, later] of [
    ['P27 AADSTS90009 without scope', { requireScopeOnRefresh: true }, [`${ASKED} +`], `${ASKED} +`],
    ['P27 AADSTS70011 for echoed scopes', { rejectEchoedScopes: true }, [`${ASKED} +`], `${ASKED} +`],
    [
      'P27 AADSTS70011 for echoed scopes beside .default',
      { rejectEchoedScopes: 'with-default' },
      [`${ECHOED} api://x/.default +`, `${ASKED} +`],
      `${ASKED} +`,
    ],
    ['P14 AADSTS9010010 for resource with scopes', { rejectResourceWithScopes: true }, [`${ASKED} +`, ASKED], ASKED],
    [
      'P14 P27 all of them',
      { requireScopeOnRefresh: true, rejectEchoedScopes: 'with-default', rejectResourceWithScopes: true },
      [`${ECHOED} api://x/.default +`, `${ECHOED} api://x/.default`, ASKED],
      ASKED,
    ],
  ] as const satisfies readonly (readonly [string, EntraSwitch, readonly string[], string])[]) {
    it(`${title}: is learnt in ${first.length} requests, and then takes one for each refresh`, async (t) => {
      const { server, headless } = await startWithFaults(t, { ...SCOPES, entra });
      const connected = await headless.connect(server.mcpUrl);
      const { id } = connected;
      const eventsBefore = headless.manager.activity(id).length;
      for (let round = 1; round <= 10; round += 1) {
        const connection = await headless.manager.refresh(id);
        assert.deepEqual(granted(connection), granted(connected));
        assert.ok(server.isActive(await headless.manager.accessToken(id)));
      }
      assert.deepEqual(sentForms(server), [...first, ...Array.from({ length: 9 }, () => later)]);
      const restarted = await restart(t, headless);
      for (let round = 1; round <= 2; round += 1) await restarted.manager.refresh(id);
      assert.deepEqual(sentForms(server, first.length + 9), [later, later]);
      assert.ok(server.isActive(await restarted.manager.accessToken(id)));
      const events = restarted.manager.activity(id).slice(eventsBefore);
      assert.ok(events.every(({ type }) => type === 'refreshed'));
    });
  }

  it('P14 AADSTS9010010 everywhere: the sign-in says so, and without resource all goes well', async (t) => {
    const entra: EntraSwitch = {
      requireScopeOnRefresh: true,
      rejectEchoedScopes: 'with-default',
      rejectResourceWithScopes: 'everywhere',
    };
    const { server, headless } = await startWithFaults(t, { ...SCOPES, entra });
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.authorize(id), (error) => isOAuthError(error, 'resource_rejected'));
    await headless.manager.configure(id, { omitResource: true });
    await headless.manager.authorize(id);
    for (let round = 1; round <= 10; round += 1) {
      assert.equal((await headless.manager.refresh(id)).state.type, 'ready');
    }
    assert.equal(refreshForms(server).length, 11);
    assert.ok(refreshForms(server).every((form) => !('resource' in form)));
  });

  it('P27 AADSTS90009 after scope was left out before, as stored by an older version', async (t) => {
    const { server, headless } = await startWithFaults(t, { ...SCOPES, entra: { requireScopeOnRefresh: true } });
    const { id } = await headless.connect(server.mcpUrl);
    const key = `connection:${id}`;
    const before = headless.keychain.entries.get(key) ?? '';
    headless.keychain.entries.set(key, before.replace('"tokens":{', '"tokens":{"refreshScope":"omitted",'));
    const restarted = await restart(t, headless);
    for (let round = 1; round <= 2; round += 1) await restarted.manager.refresh(id);
    assert.deepEqual(sentForms(server), ['- +', `${ASKED} +`, `${ASKED} +`]);
    assert.doesNotMatch(headless.keychain.entries.get(key) ?? '', /refreshScope/);
  });
});
