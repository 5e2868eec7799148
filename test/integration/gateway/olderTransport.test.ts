import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startRaw } from '../../headless/rawConnection.ts';
import { rawRequest, responseTo } from '../../servers/rawRequest.ts';

const OURS = /^event: endpoint\ndata: (\/raw\/mcp\/messages\/[\w-]{22})\n\n$/;

/** A server of the HTTP+SSE transport (2024-11-05) that announces `endpoint`, and a client's stream from it. */
async function start(t: TestContext, endpoint: string) {
  const messages: string[] = [];
  let stream: http.ServerResponse | undefined;
  const raw = await startRaw(
    t,
    async (request, response) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
        stream.write(`event: endpoint\r\ndata: ${endpoint}\r\n\r\n`);
        return;
      }
      let text = '';
      for await (const chunk of request) text += String(chunk);
      messages.push(`${request.method} ${request.url} ${text}`);
      response.writeHead(202).end('Accepted');
      stream?.write(`data: {"about":${text}}\n\n`);
    },
    { path: '/v1/sse?tenant=7' },
  );
  const request = http.get(raw.url, { headers: raw.authorization, agent: false });
  request.on('error', () => undefined);
  t.after(() => request.destroy());
  const answer = await responseTo(request);
  answer.on('error', () => undefined);
  return { raw, messages, request, stream: answer };
}

describe('P37 the older HTTP+SSE transport', () => {
  for (const [endpoint, path] of [
    ['/messages?session=1', '/messages?session=1'],
    ['messages/1', '/v1/messages/1'],
    ['?session=1', '/v1/sse?session=1'],
    ['/messages#part', '/messages'],
  ] as const) {
    it(`takes messages to ${endpoint} by a URL of ours, and answers by the stream`, async (t) => {
      const { messages, raw, stream } = await start(t, endpoint);
      const [first] = await once(stream, 'data');
      const ours = OURS.exec(String(first))?.[1] ?? assert.fail(String(first));
      const url = raw.gateway.origin + ours;
      const answer = await rawRequest(url, { method: 'POST', body: '{"id":1}', headers: raw.authorization });
      assert.deepEqual([answer.status, answer.text], [202, 'Accepted']);
      assert.deepEqual(messages, [`POST ${path} {"id":1}`]);
      const [next] = await once(stream, 'data');
      assert.equal(String(next), 'data: {"about":{"id":1}}\n\n');
    });
  }

  for (const endpoint of [
    'https://evil.test/messages',
    '//evil.test/messages',
    'http://user@127.0.0.1:1/messages',
    'http://localhost:1/messages',
    'javascript:alert(1)',
  ]) {
    it(`P36 breaks off a stream that wants messages at ${endpoint}`, async (t) => {
      const { raw, stream } = await start(t, endpoint);
      const [error] = await once(stream, 'error');
      assert.equal(error.code, 'ECONNRESET');
      assert.ok(raw.headless.log.lines.some((line) => line.includes('wants messages elsewhere')));
      assert.ok(!raw.headless.log.lines.some((line) => line.includes('evil')));
    });
  }

  it('forgets the URL with its stream, and lets no other client use it', async (t) => {
    const { messages, raw, request, stream } = await start(t, '/messages');
    const [first] = await once(stream, 'data');
    const url = raw.gateway.origin + (OURS.exec(String(first))?.[1] ?? '');
    const post = async (headers: http.OutgoingHttpHeaders) =>
      (await rawRequest(url, { method: 'POST', body: '{}', headers })).status;
    assert.equal(await post(raw.authorization), 202);
    const other = raw.gateway.accesses.add(raw.id);
    assert.equal(await post({ authorization: `Bearer ${other}` }), 404);
    assert.equal(await post({}), 401);
    request.destroy();
    // The gateway hears of it by its own end of the connection.
    let status = await post(raw.authorization);
    for (let round = 0; status === 202 && round < 100; round += 1) status = await post(raw.authorization);
    assert.equal(status, 404);
    assert.ok(messages.length >= 1);
  });

  it('leaves streams of the newer transport as they are, also one whose first event has that name', async (t) => {
    const text = 'event: endpoint\ndata: /elsewhere\n\n';
    const raw = await startRaw(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
    });
    const session = { ...raw.authorization, 'mcp-session-id': '1' };
    assert.equal((await rawRequest(raw.url, { headers: session })).text, text);
    assert.equal((await rawRequest(raw.url, { method: 'POST', body: '{}', headers: raw.authorization })).text, text);
  });
});
