import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { deferred } from '../../../src/connections/deferred.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { connectionTo, type Lookup, NO_BODY, startUpstream } from '../../headless/upstreamStand.ts';
import { type Certificate, issueCertificate, makeAuthority } from '../../servers/certificates.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';

/** A server, and how many connections it has had. */
async function serve(t: TestContext, answer: RequestListener, certificate?: Certificate) {
  const server = certificate === undefined ? http.createServer(answer) : https.createServer(certificate, answer);
  const origin = await listenOnLoopback(server);
  t.after(async () => stopServer(server));
  const count = { connections: 0 };
  server.on('connection', () => (count.connections += 1));
  return { server, origin, port: new URL(origin).port, count };
}

const answerOk: RequestListener = (_request, response) => response.writeHead(200).end('{}');

const AT_LOOPBACK: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];

describe('requests to MCP servers', () => {
  it('P20 a name of a public server that leads to this machine is refused, and nothing is sent', async (t) => {
    const { count, port } = await serve(t, answerOk);
    let answers = 0;
    // Public when it is judged, and something else when it is used.
    const lookup: Lookup = async () => {
      answers += 1;
      return [{ address: answers === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
    };
    const { get } = startUpstream(t, { lookup });
    await assert.rejects(get(connectionTo(`https://mcp.test:${port}/mcp`)), (error) => {
      assert.ok(isOAuthError(error, 'address_refused'));
      return error.details.address === '127.0.0.1';
    });
    assert.equal(count.connections, 0);
  });

  it('P20 plain http goes to this machine only', async (t) => {
    const { get } = startUpstream(t, { lookup: AT_LOOPBACK });
    await assert.rejects(get(connectionTo('http://mcp.test/mcp')), { code: 'insecure_url' });
  });

  it('P20 a private server is found again after its name could not be resolved', async (t) => {
    let isOffline = true;
    const lookup: Lookup = async () => {
      if (isOffline) throw Object.assign(new Error('offline'), { code: 'ENOTFOUND' });
      return [{ address: '10.0.0.1', family: 4 }];
    };
    const clock = new ManualClock();
    const { upstream, get } = startUpstream(t, { lookup, clock });
    const connection = connectionTo('https://intranet.test/mcp');
    await assert.rejects(get(connection), (error) => {
      assert.ok(isOAuthError(error, 'server_unreachable'));
      return error.details.failure === 'dns';
    });
    isOffline = false;
    const head = { method: 'GET', url: connection.serverUrl, headers: [] };
    const exchange = upstream.send(connection, head, NO_BODY);
    // It connects to the private address now, where nobody is; that it is not refused is what counts.
    setImmediate(() => exchange.abort());
    await assert.rejects(exchange.answer, { code: 'server_unreachable' });
  });

  it('a server that does not take the connection is given up after 10 s', async (t) => {
    const silent = createTcpServer();
    const { promise: reached, resolve } = deferred<void>();
    silent.on('connection', () => resolve());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const address = silent.address();
    assert.ok(typeof address === 'object' && address !== null);
    const clock = new ManualClock();
    const { get } = startUpstream(t, { clock });
    // It takes the bytes, and never speaks TLS.
    const answer = get(connectionTo(`https://localhost:${address.port}/mcp`));
    await reached;
    clock.advance(10_000);
    await assert.rejects(answer, (error) => {
      assert.ok(isOAuthError(error, 'server_unreachable'));
      return error.details.failure === 'timeout';
    });
  });

  it('P37 a tool may work for as long as it likes once the server is connected', async (t) => {
    const clock = new ManualClock();
    let answer: http.ServerResponse | undefined;
    const { promise: reached, resolve } = deferred<void>();
    const { origin } = await serve(t, (_request, response) => {
      answer = response;
      resolve();
    });
    const { get } = startUpstream(t, { clock });
    const status = get(connectionTo(`${origin}/mcp`));
    await reached;
    clock.advance(24 * 3_600_000);
    answer?.writeHead(200).end();
    assert.equal(await status, 200);
  });
});

function isTls(error: unknown): boolean {
  return isOAuthError(error, 'server_unreachable') && error.details.failure === 'tls';
}

describe('certificates of MCP servers', () => {
  it('P20 are checked against the authorities of the connection and the setting, and a change of those counts', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-upstream-'));
    t.after(async () => rm(folder, { recursive: true }));
    const authority = makeAuthority();
    const caFile = path.join(folder, 'ca.pem');
    const otherFile = path.join(folder, 'other.pem');
    await writeFile(caFile, authority.cert);
    await writeFile(otherFile, makeAuthority().cert);
    const { count, port } = await serve(t, answerOk, issueCertificate(authority, 'DNS:localhost'));
    let extra: string | undefined;
    const clock = new ManualClock();
    const { get } = startUpstream(t, { clock, extraCaFile: () => extra });
    const url = `https://localhost:${port}/mcp`;
    await assert.rejects(get(connectionTo(url)), isTls);
    await assert.rejects(get(connectionTo(url, { caFile: otherFile })), isTls);
    assert.equal(await get(connectionTo(url, { caFile })), 200);
    const { connections } = count;
    assert.equal(await get(connectionTo(url, { caFile })), 200);
    assert.equal(count.connections, connections, 'it was used again');
    await assert.rejects(get(connectionTo(url)), isTls, 'one that was trusted for another file is not used');
    extra = caFile;
    clock.advance(1000);
    assert.equal(await get(connectionTo(url)), 200);
    await assert.rejects(get(connectionTo(url, { caFile: path.join(folder, 'gone.pem') })), {
      code: 'ca_file_unreadable',
    });
  });
});

describe('connections that are idle', () => {
  it('P37 stay though a request was aborted', async (t) => {
    const { count, origin } = await serve(t, (request, response) => {
      if (request.method === 'GET') response.writeHead(200).end('{}');
    });
    const { get, upstream } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    await Promise.all([get(connection), get(connection)]);
    const head = { method: 'POST', url: connection.serverUrl, headers: [] };
    const exchange = upstream.send(connection, head, NO_BODY);
    exchange.abort();
    await assert.rejects(exchange.answer, { code: 'server_unreachable' });
    await get(connection);
    assert.equal(count.connections, 2);
  });

  for (const [title, keepAlive, stillUsedAfterMs, closedAfterMs] of [
    ['that the server says nothing of', undefined, 3900, 4000],
    ['that the server keeps for 30 s', 'timeout=30', 28_900, 29_000],
    ['that the server keeps for long', 'max=100, timeout=3600', 59_900, 60_000],
    ['that the server does not keep', 'timeout=1', undefined, 0],
    ['of which the server says nonsense', 'timeout=soon', 3900, 4000],
  ] as const) {
    it(`P37 ${title} are used again before it closes them, and not after`, async (t) => {
      const clock = new ManualClock();
      const { count, origin, server } = await serve(t, (_request, response) => {
        // Node says how long it keeps one, unless it is said already.
        if (keepAlive !== undefined) response.setHeader('keep-alive', keepAlive);
        response.setHeader('connection', 'keep-alive');
        response.writeHead(200).end('{}');
      });
      server.keepAliveTimeout = 0;
      const { get } = startUpstream(t, { clock });
      const connection = connectionTo(`${origin}/mcp`);
      await get(connection);
      if (stillUsedAfterMs !== undefined) {
        clock.jump(stillUsedAfterMs);
        await get(connection);
        assert.equal(count.connections, 1);
      }
      clock.jump(closedAfterMs);
      await get(connection);
      assert.equal(count.connections, 2);
    });
  }

  it('P37 are closed by themselves when their time is over', async (t) => {
    const clock = new ManualClock();
    const { origin, server } = await serve(t, answerOk);
    const closed = new Promise((resolve) => {
      server.on('connection', (socket) => socket.once('close', resolve));
    });
    const { get } = startUpstream(t, { clock });
    await get(connectionTo(`${origin}/mcp`));
    clock.advance(6000);
    await closed;
  });

  it('P37 are many for many requests at once, and few of them are kept', async (t) => {
    const { count, origin } = await serve(t, answerOk);
    const { get } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    const many = async () => Promise.all(Array.from({ length: 50 }, async () => get(connection)));
    await many();
    assert.equal(count.connections, 50);
    await many();
    assert.equal(count.connections, 50 + 18);
  });
});
