import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'valibot';
import { storedConnectionsSchema } from '../../../src/connections/storedConnections.ts';
import type { Fetch } from '../../../src/oauth/fetchPort.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';

const CA_FILE = '/company/ca.pem';

/** What file each request names, by the path of its URL. */
function recordNames() {
  const named: [string, string | undefined][] = [];
  const wrapFetch = (fetch: Fetch): Fetch => {
    return async (url, request) => {
      named.push([new URL(url).pathname, request.caFile]);
      // The servers here are http.
      return fetch(url, { ...request, caFile: undefined });
    };
  };
  return { named, wrapFetch };
}

describe('a connection with a file of certificate authorities', () => {
  it('names it in every request, also after a restart, and no other connection does', async (t) => {
    const { named, wrapFetch } = recordNames();
    const { server, headless } = await startWithFaults(t, { registrationManagement: 'ok' }, { wrapFetch });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { caFile: CA_FILE });
    await headless.manager.authorize(id);
    await headless.manager.refresh(id);
    await headless.dispose();
    const { text = '' } = headless.file;
    const [stored] = parse(storedConnectionsSchema, JSON.parse(text)).connections;
    assert.equal(stored?.settings.caFile, CA_FILE);

    const browser = async (url: string) => server.authorize(url);
    const restarted = createHeadlessManager({ ...headless, wrapFetch, browser });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await restarted.manager.refresh(id);
    assert.deepEqual(await restarted.manager.disconnect(id), { revocation: 'revoked' });
    await restarted.manager.remove(id);
    const paths = new Set(named.map(([path]) => path.replace(/(?<=^\/register\/).+/, 'client')));
    for (const path of ['/mcp', '/register', '/token', '/revoke', '/register/client']) assert.ok(paths.has(path), path);
    assert.deepEqual(new Set(named.map(([, caFile]) => caFile)), new Set([CA_FILE]));

    named.length = 0;
    await restarted.connect(server.mcpUrl);
    assert.deepEqual(new Set(named.map(([, caFile]) => caFile)), new Set([undefined]));
  });

  it('names it when the authorization server alone is asked for', async (t) => {
    const { named, wrapFetch } = recordNames();
    const { server, headless } = await startWithFaults(t, {}, { wrapFetch });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { caFile: CA_FILE });
    assert.equal(await headless.manager.discoverIssuer(id), server.issuer);
    assert.ok(named.length > 0);
    assert.deepEqual(new Set(named.map(([, caFile]) => caFile)), new Set([CA_FILE]));
  });

  it('names it when a sign-in is cancelled and its tokens are given back', async (t) => {
    const { named, wrapFetch } = recordNames();
    const { server, headless } = await startWithFaults(t, {}, { wrapFetch });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { caFile: CA_FILE });
    const controller = new AbortController();
    const subscription = headless.manager.onDidChangeConnection(({ connection: { state } }) => {
      if (state.type === 'authorizing' && state.step === 'exchanging') controller.abort();
    });
    const outcome = await headless.manager.authorize(id, { signal: controller.signal });
    subscription.dispose();
    assert.equal(outcome.type, 'cancelled');
    assert.deepEqual(
      named.filter(([path]) => path === '/revoke').map(([, caFile]) => caFile),
      [CA_FILE, CA_FILE],
    );
  });
});
