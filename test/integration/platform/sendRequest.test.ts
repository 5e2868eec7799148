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

/** What an agent as VS Code's does with a request: it tells of its way, and may then open a socket. */
function putInWay(t: TestContext, act: (request: http.ClientRequest) => void): void {
  for (const module of [http, https]) {
    const original = module.request;
    t.mock.method(module, 'request', (options: https.RequestOptions) => {
      const agent = Object.assign(new module.Agent(), { addRequest: act });
      return original({ ...options, agent });
    });
  }
}

describe('P20 whether a request goes straight to its server', () => {
  const { isPlain } = createGuardedFetch({ version: '1', timeoutMs: 100 });
  const post = { method: 'POST', body: 'a=b', reach: 'public' } as const;

  for (const [title, url] of [
    ['a name', 'https://as.example/token'],
    ['an address', 'https://192.0.2.1/token'],
    ['a loopback address', 'http://127.0.0.1:1/token'],
    ['a name of this machine', 'http://as.localhost:1/token'],
  ] as const) {
    it(`it does without anybody between: ${title}`, async () => {
      assert.equal(await isPlain(url, post), true);
    });

    it(`it does when the editor says so: ${title}`, async (t) => {
      putInWay(t, (request) => setImmediate(() => request.emit('proxy', { proxy: 'DIRECT' })));
      assert.equal(await isPlain(url, post), true);
    });

    it(`it does not through a proxy: ${title}`, async (t) => {
      putInWay(t, (request) => setImmediate(() => request.emit('proxy', { proxy: 'PROXY proxy.example:3128' })));
      assert.equal(await isPlain(url, post), false);
    });
  }

  it('it does not when a proxy could not be reached', async (t) => {
    putInWay(t, (request) => setImmediate(() => request.emit('proxy', { proxy: 'DIRECT', error: new Error('x') })));
    assert.equal(await isPlain('https://as.example/token', post), false);
  });

  it('it does not when no way is found in time', async (t) => {
    putInWay(t, () => undefined);
    assert.equal(await isPlain('https://as.example/token', post), false);
  });

  it('it does not when a socket comes from somewhere, with the name never looked up', async (t) => {
    putInWay(t, (request) => setImmediate(() => request.emit('socket', new net.Socket())));
    assert.equal(await isPlain('https://as.example/token', post), false);
  });

  it('nothing of it is sent to find out', async (t) => {
    const server = http.createServer();
    const seen: string[] = [];
    server.on('request', ({ url = '' }) => seen.push(url));
    const origin = await listenOnLoopback(server);
    t.after(async () => stopServer(server));
    assert.equal(await isPlain(`${origin}/token`, { ...post, reach: 'loopback' }), true);
    assert.deepEqual(seen, []);
  });
});
