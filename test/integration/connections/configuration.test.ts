import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ecKey } from '../../headless/privateKeys.ts';
import { refreshForms, stored } from './refreshing.ts';

describe('what a person enters', () => {
  for (const [title, entered, missing] of [
    ['a client secret', { clientSecret: 'entered' }, 'client'],
    ['a private key', { privateKey: ecKey().pem }, 'client'],
    ['a session', { identityProvider: { idToken: 'entered' } }, 'identity_provider'],
  ] as const) {
    it(`P11 is not kept without knowing whose it is: ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t);
      const { id } = await headless.manager.add(server.mcpUrl);
      await assert.rejects(headless.manager.configure(id, { scopes: ['a'] }, entered), (error) => {
        assert.ok(isConnectionError(error, 'credentials_missing'));
        assert.deepEqual(error.details, { missing });
        return true;
      });
      assert.deepEqual(headless.manager.get(id)?.settings, {});
      assert.equal(stored(headless, id), '');
    });
  }

  it('P10 of white space alone takes the secret away, which the next renewal does without', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { manager } = headless;
    const client = { issuer: server.issuer, clientId: 'mine' };
    server.addClient({ id: 'mine', secret: 'my-secret', authMethod: 'client_secret_basic' });
    const { id } = await manager.add(server.mcpUrl);
    await manager.configure(id, { client }, { clientSecret: ' my-secret\n' });
    await manager.authorize(id);
    await manager.refresh(id);
    assert.equal(refreshForms(server)[0]?.['client_id'], undefined);
    assert.match(server.requestsTo('token').at(-1)?.headers.authorization ?? '', /^Basic /);

    server.addClient({ id: 'mine', authMethod: 'none' });
    await manager.configure(id, {}, { clientSecret: ' \n' });
    assert.doesNotMatch(stored(headless, id), /my-secret/);
    await manager.refresh(id);
    assert.equal(refreshForms(server)[1]?.['client_id'], 'mine');
    assert.equal(server.requestsTo('token').at(-1)?.headers.authorization, undefined);
  });

  it('P28 for another client leaves the tokens with the one that they were issued to', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { manager } = headless;
    server.addClient({ id: 'mine', secret: 'my-secret', authMethod: 'client_secret_basic' });
    const { id } = await manager.add(server.mcpUrl);
    const mine = { issuer: server.issuer, clientId: 'mine' };
    await manager.configure(id, { client: mine }, { clientSecret: 'my-secret' });
    await manager.authorize(id);
    for (const client of [
      { ...mine, clientId: 'other' },
      { ...mine, issuer: server.secondIssuer },
    ]) {
      await manager.configure(id, { client }, { clientSecret: 'other-secret' });
      assert.equal((await manager.refresh(id)).state.type, 'ready');
    }
  });
});
