import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type RawConnection, startRaw } from '../../headless/rawConnection.ts';
import { deferred } from '../../../src/connections/deferred.ts';
import { startTestGateway } from '../../headless/testGateway.ts';
import { rawRequest, responseTo } from '../../servers/rawRequest.ts';
import type { ServerTransport } from '../../servers/scopedMcpServer.ts';
import { startStory } from '../stories/story.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const LIST = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'read' }, { name: 'write' }], nextCursor: 'x' } };
const FILTERED = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read"}],"nextCursor":"x"}}';

function call(name: string, id?: number): object {
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), method: 'tools/call', params: { name } };
}

/** A client of the SDK with a token for the tools `read` and `größe` of a server that has one more. */
async function connectClient(t: TestContext, transport: ServerTransport) {
  const tools = ['read', 'write', 'größe'];
  const story = await startStory(t, { transport, tools, scopeOf: () => 'a', challengesFirst: true });
  const { id } = await story.headless.connect(story.mcp.url);
  const gateway = await startTestGateway(t, story.headless);
  const authorization = `Bearer ${gateway.accesses.add(id, ['read', 'größe'])}`;
  const url = new URL(gateway.url(id));
  const requestInit = { headers: { authorization } };
  const client = new Client({ name: 'local', version: '1' });
  t.after(async () => client.close());
  const added: typeof fetch = async (url, init) =>
    fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization } });
  await client.connect(
    transport === 'HTTP+SSE'
      ? new SSEClientTransport(url, { requestInit, eventSourceInit: { fetch: added } })
      : new StreamableHTTPClientTransport(url, { requestInit }),
  );
  const calls = (): string[] =>
    story.mcp.judged.flatMap(({ operation }) => (operation.startsWith('tools/call') ? [operation] : []));
  return { client, calls, server: story.mcp };
}

/** A server that answers as it is told to, and requests of a client that may use `read`. */
async function startFor(t: TestContext, answer: Parameters<typeof startRaw>[1] = () => assert.fail('it was reached')) {
  const raw = await startRaw(t, answer, { tools: ['read'] });
  const post = async (body: object | string, headers: Record<string, string> = {}) =>
    rawRequest(raw.url, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { ...JSON_TYPE, ...raw.authorization, ...headers },
    });
  return { raw, post };
}

for (const transport of ['streamable HTTP', 'HTTP+SSE'] as const) {
  it(`P43 a client sees and calls the tools that it may use, over ${transport}, and no other`, async (t) => {
    const { calls, client } = await connectClient(t, transport);
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['read', 'größe'],
    );
    for (const name of ['read', 'größe']) {
      const { content } = await client.callTool({ name });
      assert.deepEqual(content, [{ type: 'text', text: name }]);
    }
    await assert.rejects(client.callTool({ name: 'write' }), /does not allow this client the tool \\?"write\\?"/);
    await assert.rejects(client.callTool({ name: 'Read' }), /does not allow this client/);
    await client.ping();
    assert.deepEqual(calls(), ['tools/call read', 'tools/call größe']);
  });
}

describe('P43 what a client may not, the server never sees', () => {
  it('a call is answered by an error with its id', async (t) => {
    const { post } = await startFor(t);
    const answer = await post(call('write', 7));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    const message = 'Scopekeeper does not allow this client the tool "write"';
    assert.deepEqual(JSON.parse(answer.text), { jsonrpc: '2.0', id: 7, error: { code: -32602, message } });
    assert.equal((await post(call('write'))).status, 403);
  });

  it('a batch goes on or is refused as a whole', async (t) => {
    const reached: string[] = [];
    const { post } = await startFor(t, (request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => reached.push(chunk));
      response.writeHead(200, JSON_TYPE).end(JSON.stringify([LIST, { jsonrpc: '2.0', id: 2, result: {} }]));
    });
    const refused = await post([call('read', 1), call('write', 2)]);
    assert.equal(refused.status, 200);
    const errors: { id: number; error: { code: number } }[] = JSON.parse(refused.text);
    assert.deepEqual(
      errors.map(({ error, id }) => [id, error.code]),
      [
        [1, -32600],
        [2, -32602],
      ],
    );
    const good = [{ jsonrpc: '2.0', id: 1, method: 'tools/list' }, call('read', 2)];
    assert.equal((await post(good)).text, `[${FILTERED},{"jsonrpc":"2.0","id":2,"result":{}}]`);
    assert.deepEqual(reached, [JSON.stringify(good)]);
  });

  for (const [name, body, headers] of [
    ['names another method in a header', call('read', 1), { 'mcp-method': 'tools/list' }],
    ['names another tool in a header', call('read', 1), { 'mcp-name': 'write' }],
    ['has a key twice', '{"id":1,"method":"ping","method":"tools/call","params":{"name":"write"}}', {}],
    ['has a key in another spelling', '{"id":1,"method":"ping","Method":"tools/call","params":{"name":"write"}}', {}],
    ['has a byte order mark', `\uFEFF${JSON.stringify(call('read', 1))}`, {}],
    ['is no JSON', 'tools/call', {}],
    ['is in another encoding', JSON.stringify(call('read', 1)), { 'content-encoding': 'br' }],
    ['is of another type', JSON.stringify(call('read', 1)), { 'content-type': 'text/plain' }],
  ] as const) {
    it(`a request that ${name}`, async (t) => {
      const { post } = await startFor(t);
      const { status, text: refusal } = await post(body, headers);
      assert.ok(status === 400 || status === 415, String(status));
      assert.match(refusal, /^\{"jsonrpc":"2.0",(?:"id":1,)?"error":\{"code":-32\d{3},/);
    });
  }

  it('a request with a header twice', async (t) => {
    const { raw } = await startFor(t);
    const { host, port } = new URL(raw.url);
    const body = JSON.stringify(call('read', 1));
    const socket = connect(Number(port), '127.0.0.1');
    const lines = [
      'POST /raw/mcp HTTP/1.1',
      `Host: ${host}`,
      `Authorization: Bearer ${raw.token}`,
      'Content-Type: application/json',
      'Mcp-Name: read',
      'Mcp-Name: write',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    assert.match(await text(socket), /^HTTP\/1\.1 400 [^]*"code":-32020/);
  });

  it('a body on a GET', async (t) => {
    const { raw } = await startFor(t);
    const body = JSON.stringify(call('write', 1));
    const headers = { ...JSON_TYPE, ...raw.authorization, 'content-length': body.length };
    const answer = await rawRequest(raw.url, { method: 'GET', body, headers });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /"code":-32602/);
  });
});

describe('P43 the tools in an answer are those that the client may use', () => {
  it('also on a stream that it resumes, and in pieces', async (t) => {
    const { raw, post } = await startFor(t, (request, response) => {
      assert.equal(request.headers['accept-encoding'], 'identity');
      assert.equal(request.headers.range, undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = Buffer.from(`id: 8\r\nretry: 10\r\ndata: ${JSON.stringify(LIST)}\r\n\r\n: end\n\n`);
      response.write(event.subarray(0, 80));
      setImmediate(() => response.end(event.subarray(80)));
    });
    const expected = `id: 8\r\nretry: 10\r\ndata: ${FILTERED}\r\n\r\n: end\n\n`;
    const headers = { ...raw.authorization, 'last-event-id': '7', 'mcp-session-id': 's', 'accept-encoding': 'gzip' };
    assert.equal((await rawRequest(raw.url, { method: 'GET', headers })).text, expected);
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    assert.equal((await post(list, { range: 'bytes=50-', 'if-range': '"x"' })).text, expected);
  });

  for (const type of ['Text/Event-Stream', 'text/event-stream ; charset=utf-8']) {
    it(`P37 on a stream of the older transport, whose URL for messages stays ours: ${type}`, async (t) => {
      const { raw } = await startFor(t, (_request, response) => {
        const events = `event: endpoint\ndata: /messages?session=1\n\ndata: ${JSON.stringify(LIST)}\n\n`;
        response.writeHead(200, { 'content-type': type }).end(events);
      });
      const answer = await rawRequest(raw.url, { method: 'GET', headers: raw.authorization });
      const [endpoint, list] = answer.text.split('\n\n');
      assert.match(endpoint ?? '', /^event: endpoint\ndata: \/raw\/mcp\/messages\/[\w-]{22}$/);
      assert.equal(list, `data: ${FILTERED}`);
    });
  }

  it('whatever the status, and with a length that is right', async (t) => {
    const { post } = await startFor(t, (_request, response) => {
      const list = JSON.stringify(LIST);
      response.writeHead(404, { ...JSON_TYPE, 'content-length': list.length }).end(list);
    });
    const answer = await post({ jsonrpc: '2.0', id: 1, method: 'ping' });
    assert.deepEqual([answer.status, answer.text], [404, FILTERED]);
  });

  for (const [name, headers] of [
    ['packed', { 'content-encoding': 'gzip' }],
    ['packed, as the second of two encodings', { 'content-encoding': 'identity, gzip' }],
    ['a part', { 'content-range': 'bytes 10-90/91' }],
    ['in another character set', { 'content-type': 'application/json; charset=utf-16' }],
  ] as const) {
    it(`and an answer that is ${name} is not passed on`, async (t) => {
      const { post } = await startFor(t, (_request, response) => {
        response.writeHead(200, { ...JSON_TYPE, ...headers }).end(gzipSync(JSON.stringify(LIST)));
      });
      const answer = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
      assert.equal(answer.status, 502);
      assert.match(answer.text, /"id":1,"error":.*answer_unreadable/);
    });
  }
});

/** A stream that has begun, and its end. */
async function openStream(url: string, token: string) {
  const answer = await responseTo(request(url, { agent: false, headers: { authorization: `Bearer ${token}` } }).end());
  await once(answer, 'data');
  const { promise: end, resolve } = deferred<void>();
  // It breaks off.
  answer.on('error', () => undefined).once('close', () => resolve());
  return { end, answer };
}

describe('P43 what ends an access', () => {
  for (const [name, end] of [
    ['taking it away', ({ gateway, token }: RawConnection) => gateway.accesses.remove(token)],
    ['removing the connection', async ({ headless, id }: RawConnection) => headless.manager.remove(id)],
  ] as const) {
    it(`ends its streams at once: ${name}`, async (t) => {
      const { promise: gone, resolve: onGone } = deferred<void>();
      const { raw } = await startFor(t, (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': hello\n\n');
        response.once('close', () => onGone());
      });
      const stream = await openStream(raw.url, raw.token);
      await end(raw);
      await stream.end;
      assert.equal(stream.answer.complete, false);
      await gone;
    });
  }

  it('ends no stream of another client', async (t) => {
    const streams: ServerResponse[] = [];
    const { raw } = await startFor(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      streams.push(response);
    });
    const other = raw.gateway.accesses.add(raw.id);
    const ended = await openStream(raw.url, raw.token);
    const { answer } = await openStream(raw.url, other);
    raw.gateway.accesses.remove(raw.token);
    await ended.end;
    const more = once(answer, 'data');
    streams[1]?.write(': still here\n\n');
    assert.equal(String(await more), ': still here\n\n');
  });
});
