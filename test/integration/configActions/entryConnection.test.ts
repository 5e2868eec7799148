import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { connectionTo, keepToken } from '../../../src/vscode/configActions/entryConnection.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';
import type { StoreState } from '../../headless/memoryPorts.ts';
import { createPlainClient } from '../../servers/plainClient.ts';

describe('a token from a file', () => {
  test('P36 is a connection of its own, whose token is in the keychain only', async (t) => {
    const { server, headless } = await startWithFaults(t, {});
    const { access_token: token } = await createPlainClient(server).signIn();
    const { id, kind, name } = await keepToken(headless.manager, { serverUrl: server.mcpUrl, name: 'it' }, token);
    assert.deepEqual([kind, name], ['static_token', 'it']);
    assert.ok([...headless.keychain.entries.values()].some((text) => text.includes(token)));
    assert.ok(headless.file.text?.includes(token) === false);
    await headless.manager.authorize(id);
    assert.equal(connectionTo(headless.manager, server.mcpUrl)?.state.type, 'ready');
  });

  for (const state of ['locked', 'unavailable', 'silent', 'refusesWrites'] satisfies StoreState[]) {
    test(`P36 is not kept, and no connection is there, when the keychain is ${state}`, async (t) => {
      const { server, headless } = await startWithFaults(t, {});
      headless.keychain.state = state;
      await assert.rejects(
        async () => keepToken(headless.manager, { serverUrl: server.mcpUrl, name: 'it' }, 'sk-1'),
        (error) => isConnectionError(error),
      );
      assert.deepEqual(headless.manager.connections, []);
      headless.keychain.state = 'open';
      assert.ok(![...headless.keychain.entries.values()].some((text) => text.includes('sk-1')));
    });
  }

  test('of several connections to a server, the one that is signed in to counts', async (t) => {
    const { server, headless } = await startWithFaults(t, {});
    const { manager } = headless;
    assert.equal(connectionTo(manager, server.mcpUrl), undefined);
    const first = await manager.add(server.mcpUrl);
    const second = await manager.add(server.mcpUrl);
    assert.equal(connectionTo(manager, server.mcpUrl)?.id, first.id);
    await manager.authorize(second.id);
    assert.equal(connectionTo(manager, server.mcpUrl)?.id, second.id);
    assert.equal(connectionTo(manager, `${server.mcpUrl}/other`), undefined);
  });
});
