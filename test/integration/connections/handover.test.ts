import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';

describe('a refresh token that somebody else has used', () => {
  it('P30 is not sent again: the newest stored one is', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    // Another process with the same keychain and file, which takes turns with this one.
    const other = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => other.dispose());
    await other.manager.start();
    for (const { manager } of [other, headless, other, other, headless]) {
      assert.equal((await manager.refresh(id)).state.type, 'ready');
      assert.ok(server.isActive(await manager.accessToken(id)));
    }
    const sent = server.requestsTo('token').flatMap(({ form }) => form?.['refresh_token'] ?? []);
    assert.equal(sent.length, 5);
    assert.equal(new Set(sent).size, 5, 'a refresh token was sent twice');
  });
});

describe('a window that does not keep the connections', () => {
  it('writes nothing when it closes: the list is the other window’s', async (t) => {
    const { server, headless } = await startWithFaults(t);
    await headless.connect(server.mcpUrl);
    const { text } = headless.file;
    const guest = createHeadlessManager({ ...headless, browser: async () => undefined });
    await guest.dispose();
    assert.equal(headless.file.text, text);
  });
});

describe('an exchange that was sent', () => {
  it('P31 P35 ends before the connection does, so that its tokens are revoked too', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const given: string[] = [];
    server.faults.tokenBody = (body) => {
      given.push(body.access_token, body.refresh_token ?? '');
      return body;
    };
    server.faults.delayMs = { token: 40 };
    const refreshed = headless.manager.refresh(id);
    const disconnected = headless.manager.disconnect(id);
    assert.equal((await refreshed).id, id);
    assert.deepEqual(await disconnected, { revocation: 'revoked' });
    assert.equal(given.length, 2);
    for (const token of given) assert.ok(!server.isActive(token));
    await assert.rejects(headless.manager.accessToken(id), (error) => isConnectionError(error, 'sign_in_required'));
  });

  it('P31 is finished and stored though the caller no longer waits', async (t) => {
    const { server, headless } = await startWithFaults(t, { expiresIn: 5, delayMs: { token: 40 } });
    const { id } = await headless.connect(server.mcpUrl);
    // The token is at its end, so this renews it; nobody looks at the outcome.
    void headless.manager.accessToken(id);
    await headless.until(id, ({ state }) => state.type === 'ready' && state.grant.generation === 2);
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, browser: async () => undefined });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
  });
});
