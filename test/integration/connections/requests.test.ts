import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { startWithFaults } from '../../headless/headlessManager.ts';

describe('a request to the server', () => {
  it('P36 gets the token for any path of the server’s origin', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    const url = new URL('/messages?sessionId=1', server.mcpUrl).href;
    const { accessToken, headers } = await headless.manager.authorizeRequest(id, { method: 'POST', url });
    assert.ok(server.isActive(accessToken));
    assert.deepEqual(headers, { authorization: `Bearer ${accessToken}` });
  });

  for (const [title, change] of [
    ['another host', { hostname: 'localhost' }],
    ['another port', { port: '1' }],
    ['another scheme', { protocol: 'https:' }],
  ] as const) {
    it(`P36 gets no token for ${title}`, async (t) => {
      const { server, headless } = await startWithFaults(t);
      const { id } = await headless.connect(server.mcpUrl);
      const { href: url } = Object.assign(new URL(server.mcpUrl), change);
      await assert.rejects(headless.manager.authorizeRequest(id, { method: 'POST', url }), (error) =>
        isConnectionError(error, 'foreign_origin'),
      );
    });
  }
});
