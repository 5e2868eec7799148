import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';
import { startConnectProxy } from '../../servers/connectProxy.ts';

const URL_BEHIND = 'https://mcp.scopekeeper.example/mcp';

/** Puts an agent in as VS Code does; its ways with a real proxy are tested in the host. */
function putIn(t: TestContext, createConnection: https.Agent['createConnection']): void {
  const original = https.request;
  const agent = new https.Agent();
  agent.createConnection = createConnection;
  t.mock.method(https, 'request', (options: https.RequestOptions) => original({ ...options, agent }));
}

describe('a request on its way through a proxy', () => {
  const { fetch } = createGuardedFetch({ version: '1', timeoutMs: 100 });
  const post = { method: 'POST', body: 'a=b', reach: 'public' } as const;

  async function unreachable(signal?: AbortSignal): Promise<object> {
    const error: unknown = await fetch(URL_BEHIND, { ...post, signal }).catch((reason: unknown) => reason);
    assert.ok(isOAuthError(error, 'server_unreachable'), String(error));
    return error.details;
  }

  it('ends in time though the agent never finds a way', async (t) => {
    putIn(t, () => undefined);
    assert.deepEqual(await unreachable(), { url: URL_BEHIND, failure: 'proxy' });
  });

  it('can be cancelled while the agent looks for a way', async (t) => {
    const controller = new AbortController();
    const reason = new Error('cancelled by the person');
    putIn(t, () => void setImmediate(() => controller.abort(reason)));
    await assert.rejects(fetch(URL_BEHIND, { ...post, signal: controller.signal }), (error) => error === reason);
  });

  for (const [status, headers] of [
    [401, ['www-authenticate: Bearer resource_metadata="https://evil.example/"']],
    [302, ['location: https://evil.example/']],
    [407, ['proxy-authenticate: Digest realm="x"']],
    [502, []],
  ] as const) {
    it(`P20 takes nothing for the server's that came unencrypted: a ${status} of the proxy`, async (t) => {
      const proxy = await startConnectProxy(new Map());
      t.after(async () => proxy.close());
      proxy.refusal = { status, headers };
      putIn(t, () => {
        const socket = net.connect(Number(new URL(proxy.url).port), '127.0.0.1');
        socket.write('CONNECT mcp.scopekeeper.example:443 HTTP/1.1\r\nHost: mcp.scopekeeper.example:443\r\n\r\n');
        return socket;
      });
      assert.deepEqual(await unreachable(), { url: URL_BEHIND, failure: 'proxy', proxyStatus: status });
    });
  }

  it('P20 takes what is no HTTP for a failure of the proxy, too', async (t) => {
    const server = http.createServer();
    server.on('connection', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const { port } = new URL(await listenOnLoopback(server));
    t.after(async () => stopServer(server));
    putIn(t, () => net.connect(Number(port), '127.0.0.1'));
    assert.deepEqual(await unreachable(), { url: URL_BEHIND, failure: 'proxy' });
  });
});
