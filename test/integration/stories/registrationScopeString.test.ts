import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import { createPerson } from '../../sample/person.ts';
import { startSampleServer } from '../../sample/sampleServer.ts';
import { createPlainClient } from '../../servers/plainClient.ts';

describe('a server that validates registrations strictly (seed 001)', () => {
  for (const scope of [['openid', 'profile', 'email'], ['openid'], []]) {
    it(`refuses the array ${JSON.stringify(scope)}`, async (t) => {
      const { server } = await startWithFaults(t);
      const { status, answer } = await createPlainClient(server).register({ scope });
      assert.equal(status, 400);
      assert.equal(answer['error'], 'invalid_client_metadata');
    });
  }

  for (const [title, scopesSupported, expected] of [
    ['several scopes as one string', ['openid', 'profile', 'email'], { scope: 'openid profile email' }],
    ['one scope as a string', ['openid'], { scope: 'openid' }],
    ['no scopes by leaving scope out', undefined, {}],
    ['an empty list by leaving scope out', [], {}],
  ] as const) {
    for (const style of ['string', 'array', 'null', 'absent'] as const) {
      it(`P9 is told ${title}, and may answer with scope as ${style}`, async (t) => {
        const { server, headless } = await startWithFaults(t, { scopesSupported, registrationScopeStyle: style });
        const { id, state } = await headless.connect(server.mcpUrl);
        assert.equal(state.type, 'ready');
        const [registration] = server.requestsTo('registration');
        const sent = registration?.json;
        assert.ok(typeof sent === 'object' && sent !== null);
        assert.deepEqual('scope' in sent ? { scope: sent.scope } : {}, expected);
        // What was answered limits nothing: the client is good for the next authorization and refresh.
        await headless.manager.authorize(id);
        const refreshed = await headless.manager.refresh(id);
        assert.deepEqual(currentGrant(refreshed)?.granted, scopesSupported ?? []);
        assert.equal(server.requestsTo('registration').length, 1);
      });
    }
  }

  it('P9 is oidc-provider, which takes the registration as it is', async (t) => {
    const sample = await startSampleServer();
    t.after(async () => sample.close());
    const person = createPerson(sample);
    const headless = createHeadlessManager({ browser: async (url) => person.authorize(url) });
    t.after(async () => headless.dispose());
    assert.equal((await headless.connect(sample.mcpUrl)).state.type, 'ready');
    const registrations = sample.requests.filter(({ endpoint }) => endpoint === 'registration');
    assert.deepEqual(
      registrations.map(({ status, body }) => [status, body['scope']]),
      [[201, 'notes:read notes:write offline_access']],
    );
  });
});
