import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { deferred } from '../../../src/connections/deferred.ts';
import { startRaw, UPSTREAM_TOKEN } from '../../headless/rawConnection.ts';
import { rawRequest, responseTo } from '../../servers/rawRequest.ts';

const call = (id = 1): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'x' } });
const json = { 'content-type': 'application/json' };

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a request through the gateway', () => {
  for (const [title, body, headers] of [
    ['a JSON message', Buffer.from(call()), json],
    ['odd white space and escapes', Buffer.from('{ "id" :1,\r\n"method":"caf\\u00e9 ☃", "jsonrpc": "2.0"}'), json],
    ['bytes that are no text', randomBytes(100_000), { 'content-type': 'application/octet-stream' }],
    ['a body longer than what is kept', randomBytes(5 * 1024 * 1024), { 'content-type': 'application/octet-stream' }],
    ['a body of no length', Buffer.alloc(0), json],
    ['a body in chunks', Buffer.from(call()), { ...json, 'transfer-encoding': 'chunked' }],
  ] as const) {
    it(`P37 takes ${title} over and back, byte for byte`, async (t) => {
      let length: string | undefined;
      const raw = await startRaw(t, async (request, response) => {
        length = request.headers['content-length'] ?? request.headers['transfer-encoding'];
        response.writeHead(200, { 'content-type': headers['content-type'], 'x-from-server': 'yes' });
        response.end(await bodyOf(request));
      });
      const answer = await rawRequest(raw.url, { method: 'POST', body, headers: { ...headers, ...raw.authorization } });
      assert.equal(answer.status, 200);
      assert.ok(answer.body.equals(body));
      assert.equal(answer.headers['x-from-server'], 'yes');
      assert.equal(length, String(body.length));
    });
  }

  it('P37 a packed answer stays packed', async (t) => {
    const packed = gzipSync(call());
    const raw = await startRaw(t, (request, response) => {
      assert.equal(request.headers['accept-encoding'], 'gzip');
      response.writeHead(200, { ...json, 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    });
    const answer = await rawRequest(raw.url, { headers: { 'accept-encoding': 'gzip', ...raw.authorization } });
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.ok(answer.body.equals(packed));
  });

  it('P37 has the path and query of the connection, and its own method', async (t) => {
    const seen: (string | undefined)[] = [];
    const raw = await startRaw(
      t,
      (request, response) => {
        seen.push(`${request.method} ${request.url} ${request.headers.host}`);
        response.writeHead(request.method === 'GET' ? 405 : 202).end();
      },
      { path: '/a/mcp?tenant=1' },
    );
    for (const [method, status] of [
      ['POST', 202],
      ['GET', 405],
      ['DELETE', 202],
    ] as const) {
      assert.equal((await rawRequest(raw.url, { method, headers: raw.authorization })).status, status);
    }
    const { host } = new URL(raw.serverUrl);
    assert.deepEqual(
      seen,
      ['POST', 'GET', 'DELETE'].map((method) => `${method} /a/mcp?tenant=1 ${host}`),
    );
  });

  for (const status of [200, 201, 202, 204, 304, 400, 402, 404, 405, 406, 409, 415, 422, 429, 500, 503]) {
    it(`P37 an answer of ${status} is passed on as it is`, async (t) => {
      const text = status === 204 || status === 304 ? '' : '{"as":"it is"}';
      const raw = await startRaw(t, (_request, response) => {
        response.writeHead(status, { ...json, 'retry-after': '7', 'mcp-session-id': 'its-own' }).end(text);
      });
      const answer = await rawRequest(raw.url, { method: 'POST', body: call(), headers: raw.authorization });
      const { 'mcp-session-id': session, 'retry-after': retryAfter } = answer.headers;
      assert.deepEqual([answer.status, answer.text, session, retryAfter], [status, text, 'its-own', '7']);
    });
  }

  it('P45 P36 has headers of the protocol, the token of the connection, and nothing of our side', async (t) => {
    let seen: http.IncomingHttpHeaders = {};
    const raw = await startRaw(t, (request, response) => {
      seen = request.headers;
      response.end();
    });
    const passed = {
      accept: 'application/json, text/event-stream',
      'accept-language': 'de',
      'content-type': 'application/json',
      'last-event-id': '7',
      'mcp-method': 'tools/call',
      'mcp-name': 'x',
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': 'a',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'user-agent': 'a client',
      'x-of-the-server': 'a setting',
    };
    const kept = {
      connection: 'keep-alive, X-Named',
      cookie: 'a=b',
      dpop: 'a',
      forwarded: 'for=1.2.3.4',
      'keep-alive': 'timeout=5',
      'proxy-authorization': 'Basic eA==',
      'proxy-connection': 'keep-alive',
      referer: 'http://a.test/',
      'sec-fetch-mode': 'cors',
      te: 'trailers',
      via: '1.1 a',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'a.test',
      'x-named': 'for this hop',
      'x-real-ip': '1.2.3.4',
    };
    await rawRequest(raw.url, { method: 'POST', body: '{}', headers: { ...passed, ...kept, ...raw.authorization } });
    assert.deepEqual(seen, {
      ...passed,
      authorization: `Bearer ${UPSTREAM_TOKEN}`,
      connection: 'keep-alive',
      'content-length': '2',
      host: new URL(raw.serverUrl).host,
    });
  });

  it('P45 its answer has nothing of the server that would rule over our origin', async (t) => {
    const raw = await startRaw(t, (_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'mcp-session-id': 'a',
        'x-of-the-server': 'yes',
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'alt-svc': 'h3=":443"',
        'clear-site-data': '"*"',
        connection: 'keep-alive, x-named',
        'dpop-nonce': 'a',
        link: '</x>; rel=preload',
        location: 'http://a.test/?secret',
        'proxy-authenticate': 'Basic',
        'set-cookie': ['a=b', 'c=d'],
        'strict-transport-security': 'max-age=1',
        'www-authenticate': 'Bearer',
        'x-named': 'for this hop',
      });
      response.end('{}');
    });
    const { headers } = await rawRequest(raw.url, { headers: raw.authorization });
    const { date, ...rest } = headers;
    assert.ok(date);
    assert.deepEqual(rest, {
      'content-type': 'application/json',
      'mcp-session-id': 'a',
      'x-of-the-server': 'yes',
      connection: 'close',
      'transfer-encoding': 'chunked',
    });
  });

  for (const status of [300, 301, 302, 303, 305, 307, 308]) {
    it(`P36 a redirect of ${status} is neither followed nor passed on`, async (t) => {
      let count = 0;
      const raw = await startRaw(t, (_request, response) => {
        count += 1;
        response.writeHead(status, { location: `/elsewhere?token=${UPSTREAM_TOKEN}` }).end('gone');
      });
      const answer = await rawRequest(raw.url, { method: 'POST', body: call(7), headers: raw.authorization });
      assert.equal(answer.status, 502);
      assert.equal(answer.headers.location, undefined);
      const { error, id } = JSON.parse(answer.text);
      assert.equal(id, 7);
      assert.equal(error.code, -31_055);
      assert.deepEqual(error.data, { source: 'scopekeeper', reason: 'redirect_refused', connection: 'Raw' });
      assert.equal(count, 1);
    });
  }
});

describe('a stream through the gateway', () => {
  for (const method of ['GET', 'POST'] as const) {
    it(`P37 ${method}: its head comes before its first event, and each event when it is sent`, async (t) => {
      let answer: http.ServerResponse | undefined;
      const raw = await startRaw(t, (_request, response) => {
        answer = response;
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders();
      });
      const request = http.request(raw.url, { method, headers: raw.authorization, agent: false });
      request.end(method === 'POST' ? call() : undefined);
      const response = await responseTo(request);
      assert.equal(response.statusCode, 200);
      assert.equal(response.headers['content-type'], 'text/event-stream');
      for (const event of [': ping\n\n', 'event: message\ndata: {"a":1}\n\n', 'data: ☃\n\n', 'id: 1\ndata: x\n\n']) {
        answer?.write(event);
        const [chunk] = await once(response, 'data');
        assert.equal(String(chunk), event);
      }
      answer?.end();
      await once(response, 'end');
    });
  }

  it('P37 a client that goes away ends the request at the server', async (t) => {
    const { promise: closed, resolve } = deferred<boolean>();
    const raw = await startRaw(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      response.once('close', () => resolve(response.writableFinished));
    });
    const request = http.get(raw.url, { headers: raw.authorization, agent: false });
    request.on('error', () => undefined);
    await once(await responseTo(request), 'data');
    request.destroy();
    assert.equal(await closed, false);
  });

  it('P37 a client that goes away before there is an answer ends the request at the server', async (t) => {
    const { promise: closed, resolve } = deferred<void>();
    const { promise: begun, resolve: begin } = deferred<void>();
    const raw = await startRaw(t, (_request, response) => {
      response.once('close', () => resolve());
      begin();
    });
    const request = http.request(raw.url, { method: 'POST', headers: raw.authorization, agent: false });
    request.on('error', () => undefined);
    request.end(call());
    await begun;
    request.destroy();
    await closed;
  });

  for (const [title, headers] of [
    ['a stream', { 'content-type': 'text/event-stream' }],
    ['an answer of a known length', { ...json, 'content-length': '100' }],
    ['an answer in chunks', json],
  ] as const) {
    it(`P37 ${title} that the server breaks off is broken off for the client`, async (t) => {
      const { promise: isRead, resolve: read } = deferred<void>();
      const raw = await startRaw(t, async (_request, response) => {
        response.writeHead(200, headers).write('data: 1\n\n');
        await isRead;
        response.destroy();
      });
      const request = http.request(raw.url, { method: 'POST', headers: raw.authorization, agent: false });
      request.end(call());
      const response = await responseTo(request);
      await once(response, 'data');
      read();
      const [error] = await once(response, 'error');
      assert.equal(error.code, 'ECONNRESET');
      assert.equal(response.complete, false);
    });
  }

  it('P37 a client that breaks off a long body breaks it off at the server', async (t) => {
    const { promise: ended, resolve } = deferred<boolean>();
    const raw = await startRaw(t, (request) => {
      request.on('error', () => undefined);
      request.once('close', () => resolve(request.complete));
      request.resume();
    });
    const request = http.request(raw.url, { method: 'POST', headers: raw.authorization, agent: false });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(6 * 1024 * 1024));
    request.once('drain', () => request.destroy());
    assert.equal(await ended, false);
  });
});

describe('connections to a server', () => {
  it('P37 one is used for requests that follow one another, whatever their answers', async (t) => {
    let connections = 0;
    const raw = await startRaw(t, async (request, response) => {
      await bodyOf(request);
      response.writeHead(request.method === 'GET' ? 405 : 200, json).end('{}');
    });
    raw.server.on('connection', () => (connections += 1));
    for (let round = 0; round < 10; round += 1) {
      const method = round % 3 === 0 ? 'GET' : 'POST';
      await rawRequest(raw.url, {
        method,
        headers: raw.authorization,
        ...(method === 'POST' && { body: call(round) }),
      });
    }
    assert.equal(connections, 1);
  });

  it('P37 one that the server has closed meanwhile is not used again', async (t) => {
    const raw = await startRaw(t, (_request, response) => void response.writeHead(200, json).end('{}'));
    const connections: unknown[] = [];
    raw.server.on('connection', (socket) => connections.push(once(socket, 'close')));
    for (let round = 0; round < 3; round += 1) {
      const answer = await rawRequest(raw.url, { method: 'POST', body: call(), headers: raw.authorization });
      assert.equal(answer.status, 200);
      raw.server.closeIdleConnections();
      await connections.at(-1);
      // A whole turn of the event loop, in which the connection's end comes here.
      for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(connections.length, 3);
  });

  it('P37 a server that is gone is told as an error that names no address', async (t) => {
    const raw = await startRaw(t, (request) => void request.socket.destroy(), { path: '/mcp?tenant=secret' });
    const answer = await rawRequest(raw.url, { method: 'POST', body: call(3), headers: raw.authorization });
    assert.equal(answer.status, 502);
    const { error, id, jsonrpc } = JSON.parse(answer.text);
    assert.deepEqual([jsonrpc, id, error.code], ['2.0', 3, -31_054]);
    assert.deepEqual(error.data, {
      source: 'scopekeeper',
      reason: 'server_unreachable',
      connection: 'Raw',
      cause: 'server_unreachable',
    });
    assert.doesNotMatch(answer.text, /127\.0\.0\.1|tenant/);
  });
});
