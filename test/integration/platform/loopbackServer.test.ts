import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CallbackAnswer, LoopbackRoutes } from '../../../src/platform/callbackRoute.ts';
import { freePort } from '../../servers/loopback.ts';
import { createLoopbackServer, type LoopbackRole, type LoopbackServer } from '../../../src/platform/loopbackServer.ts';

interface Window {
  readonly role: LoopbackRole;
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A request that may be malformed in ways that `fetch` does not let through. */
async function ask(port: number, target: string, options: http.RequestOptions = {}): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port, path: target, agent: false, ...options }).end();
  const [response] = await once(request, 'response');
  response.setEncoding('utf8');
  let body = '';
  for await (const text of response) body += text;
  return { status: response.statusCode, headers: response.headers, body };
}

async function showCode(url: URL): Promise<CallbackAnswer> {
  return { status: 200, html: `<p>${url.searchParams.get('code')}</p>` };
}

/** Another program on a port of this computer. */
async function holdPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port };
}

describe('loopbackServer', () => {
  let folder = '';
  let callbacks: string[] = [];
  let onCallback = showCode;
  const servers: LoopbackServer[] = [];
  const windows: Window[] = [];

  beforeEach(async () => {
    folder = path.join(await mkdtemp(path.join(tmpdir(), 'scopekeeper-port-')), 'user');
    callbacks = [];
    onCallback = showCode;
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => server.release()));
    await Promise.all(windows.splice(0).map(endWindow));
    await rm(path.dirname(folder), { recursive: true, force: true });
  });

  function create(answerTimeoutMs = 30_000, onRequest?: LoopbackRoutes['onRequest']): LoopbackServer {
    const server = createLoopbackServer({
      folder,
      answerTimeoutMs,
      routes: {
        onCallback: async (url) => {
          callbacks.push(url.href);
          return onCallback(url);
        },
        ...(onRequest !== undefined && { onRequest }),
        upgrade: { path: '/window', token: 'some-token', accept: (stream) => void stream.end('accepted') },
      },
    });
    servers.push(server);
    return server;
  }

  async function own(server = create()): Promise<number> {
    const role = await server.acquire();
    assert.equal(role.role, 'owner');
    return role.port;
  }

  async function openWindow(): Promise<Window> {
    const program = fileURLToPath(new URL('portOwner.main.mjs', import.meta.url));
    const child = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(child.stdout), 'line');
    const window: Window = { role: JSON.parse(line), process: child };
    windows.push(window);
    return window;
  }

  async function kept(): Promise<unknown> {
    return JSON.parse(await readFile(path.join(folder, 'port.json'), 'utf8'));
  }

  describe('a port that is set', () => {
    let wanted = 0;
    let news: object[] = [];

    beforeEach(() => {
      wanted = 0;
      news = [];
    });

    function createWanting(): LoopbackServer {
      const server = createLoopbackServer({
        folder,
        wantedPort: () => wanted,
        onPort: async (told) => void news.push(told),
        routes: {
          onCallback,
          upgrade: { path: '/window', token: 'some-token', accept: (stream) => void stream.end() },
        },
      });
      servers.push(server);
      return server;
    }

    it('P18a is taken at the first start, and nothing is told', async () => {
      wanted = await freePort();
      assert.deepEqual(await createWanting().acquire(), { role: 'owner', port: wanted });
      assert.deepEqual([await kept(), news], [{ version: 1, port: wanted }, []]);
    });

    it('P18a that another program has at the first start is taken by nobody, and no other one is chosen', async () => {
      const stranger = await holdPort();
      wanted = stranger.port;
      assert.deepEqual(await createWanting().acquire(), { role: 'taken', port: wanted });
      await assert.rejects(kept());
      stranger.server.close();
    });

    it('P18a is moved to while it is held, with a word', async () => {
      const server = createWanting();
      const from = await own(server);
      assert.equal(await server.follow(), from);
      wanted = await freePort();
      assert.equal(await server.follow(), wanted);
      assert.deepEqual([await kept(), news], [{ version: 1, port: wanted }, [{ type: 'moved', from, to: wanted }]]);
      assert.equal((await ask(wanted, '/callback?code=c')).status, 200);
      await assert.rejects(ask(from, '/callback'), { code: 'ECONNREFUSED' });
      assert.deepEqual(await create().acquire(), { role: 'taken', port: wanted });
      wanted = 0;
      assert.equal(await server.follow(), (await server.acquire()).port, 'one that is set no longer is kept');
    });

    it('P18a is moved to at the next start, with a word', async () => {
      const from = await own();
      await Promise.all(servers.splice(0).map(async (server) => server.release()));
      wanted = await freePort();
      assert.deepEqual(await createWanting().acquire(), { role: 'owner', port: wanted });
      assert.deepEqual([await kept(), news], [{ version: 1, port: wanted }, [{ type: 'moved', from, to: wanted }]]);
    });

    it('P18a that another program has moves nothing, with a word', async () => {
      const stranger = await holdPort();
      const server = createWanting();
      const port = await own(server);
      wanted = stranger.port;
      assert.equal(await server.follow(), port);
      assert.deepEqual([await kept(), news], [{ version: 1, port }, [{ type: 'refused', wanted, kept: port }]]);
      assert.equal((await ask(port, '/callback?code=c')).status, 200);
      stranger.server.close();
    });

    it('P29 moves nothing while another window holds the port, and leaves one that a stranger holds', async () => {
      const owner = create();
      const port = await own(owner);
      wanted = await freePort();
      const server = createWanting();
      assert.deepEqual(await server.acquire(), { role: 'taken', port });
      assert.equal(await server.follow(), undefined);
      assert.deepEqual(await kept(), { version: 1, port });
      assert.equal(await server.forsake(port), true);
      assert.deepEqual(await server.acquire(), { role: 'owner', port: wanted });
      assert.deepEqual(news, [{ type: 'moved', from: port, to: wanted }]);
      assert.equal(await server.forsake(wanted), false);
    });

    it('P29 has one owner when a window comes to the port before just as it is free', async () => {
      const server = createWanting();
      const from = await own(server);
      wanted = await freePort();
      const [, ...roles] = await Promise.all([
        server.follow(),
        ...Array.from({ length: 20 }, async () => create().acquire()),
      ]);
      const owners = roles.filter(({ role }) => role === 'owner');
      assert.deepEqual(owners, []);
      assert.ok(roles.every(({ port }) => port === from || port === wanted));
    });

    it('P18a that cannot be written down is not moved to', async () => {
      const server = createWanting();
      const port = await own(server);
      wanted = await freePort();
      await mkdir(path.join(folder, 'port.json.new', 'in the way'), { recursive: true });
      await assert.rejects(server.follow(), { code: 'storage_failed' });
      assert.deepEqual(await server.acquire(), { role: 'owner', port });
      assert.equal((await ask(port, '/callback?code=c')).status, 200);
    });
  });

  describe('the port', () => {
    it('P18a is chosen once and kept', async () => {
      const server = create();
      const port = await own(server);
      assert.deepEqual(await kept(), { version: 1, port });
      assert.deepEqual(await server.acquire(), { role: 'owner', port });
      await server.release();
      assert.deepEqual((await readdir(folder)).toSorted(), ['port.json']);
      assert.equal(await own(server), port);
      assert.deepEqual(await create().acquire(), { role: 'taken', port });
    });

    it('is on 127.0.0.1 only', async () => {
      const port = await own();
      const socket = connect(port, '::1');
      const [error] = await once(socket, 'error');
      assert.equal(error.code, 'ECONNREFUSED');
    });

    it('has one owner, also when five windows start at the same moment for the first time', async () => {
      const opened = await Promise.all(Array.from({ length: 5 }, openWindow));
      const owners = opened.filter(({ role }) => role.role === 'owner');
      assert.equal(owners.length, 1);
      const { port } = JSON.parse(JSON.stringify(await kept()));
      assert.deepEqual(owners[0]?.role, { role: 'owner', port });
    });

    it('is free at once when its owner ends or is killed', async () => {
      const first = await openWindow();
      assert.equal(first.role.role, 'owner');
      const { port } = first.role;
      const server = create();
      assert.deepEqual(await server.acquire(), { role: 'taken', port });
      await endWindow(first);
      assert.equal(await own(server), port);
      await server.release();

      const second = await openWindow();
      second.process.kill('SIGKILL');
      await once(second.process, 'exit');
      assert.equal(await own(server), port);
    });

    it('P18 that a stranger holds is taken, and is not replaced', async () => {
      const server = create();
      const port = await own(server);
      await server.release();
      const stranger = createServer();
      stranger.listen(port, '127.0.0.1');
      await once(stranger, 'listening');
      assert.deepEqual(await server.acquire(), { role: 'taken', port });
      assert.deepEqual(await kept(), { version: 1, port });
      stranger.close();
      await once(stranger, 'close');
      assert.equal(await own(server), port);
    });

    it('a broken port file is an error, and is left as it is', async () => {
      const server = create();
      await own(server);
      await server.release();
      await writeFile(path.join(folder, 'port.json'), '{"port":');
      const file = path.join(folder, 'port.json');
      await assert.rejects(server.acquire(), {
        code: 'storage_broken',
        details: { path: file, problem: 'not a port' },
      });
      assert.equal(await readFile(file, 'utf8'), '{"port":');
    });
  });

  describe('requests', () => {
    it('GET /callback gets its page, with headers that keep it to itself', async () => {
      const port = await own();
      const { status, headers, body } = await ask(port, '/callback?code=a%20b&state=s');
      assert.equal(status, 200);
      assert.equal(body, '<p>a b</p>');
      assert.deepEqual(callbacks, [`http://127.0.0.1:${port}/callback?code=a%20b&state=s`]);
      assert.equal(headers['content-type'], 'text/html; charset=utf-8');
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(
        headers['content-security-policy']?.toString() ?? '',
        /default-src 'none'; style-src 'unsafe-inline'/,
      );
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers.connection, 'close');
    });

    it('localhost, and a navigation from another site, are fine', async () => {
      const port = await own();
      const headers = { host: `localhost:${port}`, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' };
      assert.equal((await ask(port, '/callback?code=x', { headers })).status, 200);
    });

    const refused: readonly [string, string, http.RequestOptions, number][] = [
      ['another path', '/', {}, 404],
      ['a path below', '/callback/x', {}, 404],
      ['a doubled slash', '//callback', {}, 404],
      ['a target with a host', 'http://evil.test/callback', {}, 404],
      ['HEAD', '/callback?code=x', { method: 'HEAD' }, 405],
      ['POST', '/callback?code=x', { method: 'POST' }, 405],
      ['OPTIONS', '/callback?code=x', { method: 'OPTIONS' }, 405],
      ['a name that rebinds', '/callback', { headers: { host: 'evil.test' } }, 403],
      ['a host without the port', '/callback', { headers: { host: '127.0.0.1' } }, 403],
      ['another origin', '/callback', { headers: { origin: 'https://evil.test' } }, 403],
      ['a null origin', '/callback', { headers: { origin: 'null' } }, 403],
      ['a subresource', '/callback', { headers: { 'sec-fetch-mode': 'no-cors' } }, 403],
    ];
    for (const [what, target, options, status] of refused) {
      it(`P16 ${what} gets ${status} and does not use up the callback`, async () => {
        const port = await own();
        const answer = await ask(port, target, options);
        assert.equal(answer.status, status);
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.deepEqual(callbacks, []);
      });
    }

    it('P37 all but the callback is for the gateway, byte for byte as it came', async () => {
      const seen: (string | undefined)[] = [];
      const server = create(30_000, (request, response, port) => {
        seen.push(`${request.method} ${request.url} ${port}`);
        response.end('from the gateway');
      });
      const port = await own(server);
      for (const target of [
        '/notes/mcp',
        '/callbacks',
        '/callback/',
        '//callback',
        '/CALLBACK',
        '/a/../callback',
        '/?a',
      ]) {
        const { body, headers } = await ask(port, target, { method: 'PUT', headers: { connection: 'keep-alive' } });
        assert.equal(body, 'from the gateway');
        assert.equal(headers['keep-alive'], 'timeout=60', 'local clients call again');
        assert.equal(seen.at(-1), `PUT ${target} ${port}`);
      }
      assert.equal((await ask(port, '/callback?code=x', { method: 'POST' })).status, 405);
      assert.equal((await ask(port, '/callback', { headers: { host: 'evil.test' } })).status, 403);
      assert.equal(seen.length, 7);
      assert.deepEqual(callbacks, []);
    });

    it('P37 clients that keep their connections for nothing keep nobody out', { timeout: 60_000 }, async () => {
      const port = await own(create(30_000, (_request, response) => void response.end('from the gateway')));
      const agents: http.Agent[] = [];
      // More than the port takes. Each was used, and is kept.
      for (let wave = 0; wave < 11; wave += 1) {
        const agent = new http.Agent({ keepAlive: true });
        agents.push(agent);
        const calls = Array.from({ length: 100 }, async () => ask(port, '/notes/mcp', { agent }));
        for (const { body } of await Promise.all(calls)) assert.equal(body, 'from the gateway');
      }
      for (const agent of agents) agent.destroy();
    });

    it('P37 a head that does not come to its end is given up', { timeout: 30_000 }, async () => {
      const port = await own();
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /notes/mcp HTTP/1.1\r\nhost: ');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.match(text, /^HTTP\/1\.1 408 /);
    });

    it('a callback that fails shows nothing of the error', async () => {
      const port = await own();
      onCallback = async () => Promise.reject(new Error('canary'));
      const { status, body } = await ask(port, '/callback?code=x');
      assert.equal(status, 500);
      assert.doesNotMatch(body, /canary/);
    });

    it('a callback that takes too long sends the person back to the editor', async () => {
      const port = await own(create(50));
      const never = new AbortController();
      onCallback = async () => {
        await once(never.signal, 'abort');
        return { status: 200, html: '' };
      };
      assert.equal((await ask(port, '/callback?code=x')).status, 504);
      never.abort();
    });

    const upgrade = { connection: 'Upgrade', upgrade: 'some-token' };
    const upgrades: readonly [string, string, http.OutgoingHttpHeaders, string][] = [
      ['as it should be', '/window', upgrade, 'accepted'],
      ['from a page in a browser', '/window', { ...upgrade, origin: 'https://evil.test' }, 'HTTP/1.1 403 Forbidden'],
      ['from a page of its own', '/window', { ...upgrade, origin: 'null' }, 'HTTP/1.1 403 Forbidden'],
      ['to a name that rebinds', '/window', { ...upgrade, host: 'evil.test' }, 'HTTP/1.1 403 Forbidden'],
      ['to localhost', '/window', { ...upgrade, host: 'localhost' }, 'HTTP/1.1 403 Forbidden'],
      ['to something else', '/window', { ...upgrade, upgrade: 'websocket' }, 'HTTP/1.1 404 Not Found'],
      ['to several things', '/window', { ...upgrade, upgrade: 'some-token, h2c' }, 'HTTP/1.1 404 Not Found'],
      ['elsewhere', '/callback', upgrade, 'HTTP/1.1 404 Not Found'],
    ];
    for (const [what, target, headers, answer] of upgrades) {
      it(`an upgrade ${what} is answered by ${answer}`, async () => {
        const port = await own();
        const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(
          ([name, value]) => `${name}: ${String(value)}`,
        );
        const socket = connect(port, '127.0.0.1');
        socket.write([`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
        let text = '';
        for await (const chunk of socket) text += String(chunk);
        assert.equal(text.split('\r\n', 1)[0], answer);
        assert.deepEqual(callbacks, []);
      });
    }

    it('releasing ends connections that are open', async () => {
      const server = create();
      const port = await own(server);
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const closed = once(socket, 'close');
      await server.release();
      await closed;
    });
  });
});

async function endWindow({ process: child }: Window): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin.end();
  await exited;
}
