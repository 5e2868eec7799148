import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { startRaw, UPSTREAM_TOKEN } from '../../headless/rawConnection.ts';

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const CALL = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}';

/** What came to the server. */
interface Reached {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends bytes of a client that may use the tool `read`, and gives the statuses of the answers and what got through. */
async function start(t: TestContext) {
  const reached: Reached[] = [];
  const raw = await startRaw(
    t,
    async (request, response) => {
      const { headers, method, url } = request;
      reached.push({ line: `${method} ${url}`, headers, body: await text(request) });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    },
    { tools: ['read'] },
  );
  const { port } = new URL(raw.url);
  const send = async (bytes: string, isGoing = false): Promise<number[]> => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(bytes.replaceAll('PORT', port).replaceAll('TOKEN', raw.token), 'latin1');
    if (isGoing) socket.end();
    const answers = await text(socket);
    return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  };
  return { reached, send };
}

const HEAD = 'Host: 127.0.0.1:PORT\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n';
const CHUNK = `${PING.length.toString(16)}\r\n${PING}\r\n`;
const SMUGGLED = `POST /raw/mcp HTTP/1.1\r\n${HEAD}Content-Length: ${CALL.length}\r\n\r\n${CALL}`;

function post(headers: string, body: string, line = 'POST /raw/mcp HTTP/1.1'): string {
  return `${line}\r\n${HEAD}${headers}\r\n\r\n${body}`;
}

describe('P43 P45 a request whose end two programs could see in two places', () => {
  const length = `Content-Length: ${PING.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  for (const [name, bytes] of [
    ['a length and chunks', post(`${length}\r\n${chunked}`, `0\r\n\r\n${SMUGGLED}`)],
    ['chunks and a length', post(`${chunked}\r\n${length}`, `${CHUNK}0\r\n\r\n${SMUGGLED}`)],
    ['two lengths', post(`${length}\r\nContent-Length: 0`, PING)],
    ['two lengths in one', post(`Content-Length: ${PING.length}, ${PING.length}`, PING)],
    ['a length with a sign', post(`Content-Length: +${PING.length}`, PING)],
    ['a length in hexadecimal', post(`Content-Length: 0x${PING.length.toString(16)}`, PING)],
    ['a length that is negative', post('Content-Length: -1', PING)],
    ['chunks that are not last', post('Transfer-Encoding: chunked, identity', `${CHUNK}0\r\n\r\n`)],
    ['chunks twice', post(`${chunked}\r\nTransfer-Encoding: identity`, `${CHUNK}0\r\n\r\n`)],
    ['an encoding that is nearly chunked', post('Transfer-Encoding: xchunked', `${CHUNK}0\r\n\r\n`)],
    ['a space before the colon', post('Transfer-Encoding : chunked', `${CHUNK}0\r\n\r\n`)],
    ['a folded header', post(`X: a\r\n ${chunked}\r\n${length}`, PING)],
    ['a header without a name', post(`: x\r\n${length}`, PING)],
    ['a bare line feed', post(`X: a\n${chunked}\r\n${length}`, PING)],
    ['a bare carriage return', post(`X: a\r${chunked}\r\n${length}`, PING)],
    ['a null byte', post(`X: a\0b\r\n${length}`, PING)],
    ['a chunk of a size that is none', post(chunked, `0x28\r\n${PING}\r\n0\r\n\r\n`)],
    ['a chunk of a size with more', post(chunked, `28 x\r\n${PING}\r\n0\r\n\r\n`)],
    ['a chunk that is longer than it says', post(chunked, `1\r\n${PING}\r\n0\r\n\r\n`)],
    ['a chunk that ends in a line feed', post(chunked, `28\n${PING}\n0\n\n`)],
  ] as const) {
    it(`does not get through: ${name}`, async (t) => {
      const { reached, send } = await start(t);
      assert.deepEqual(await send(bytes), [400]);
      assert.deepEqual(reached, []);
    });
  }

  it('gets through once, as it is, when it has one end only', async (t) => {
    const { reached, send } = await start(t);
    const extended = `${PING.length.toString(16)};a=b\r\n${PING}\r\n0\r\nAuthorization: Bearer x\r\nMcp-Name: x\r\n\r\n`;
    assert.deepEqual(await send(post(`${chunked}\r\nConnection: close`, extended)), [200]);
    assert.deepEqual(await send(post(`${length}\r\nConnection: close`, PING)), [200]);
    for (const { body, headers, line } of reached) {
      assert.deepEqual([line, body], ['POST /mcp', PING]);
      assert.equal(headers['content-length'], String(PING.length));
      assert.equal(headers['transfer-encoding'], undefined);
      assert.equal(headers['mcp-name'], undefined);
      assert.equal(headers.authorization, `Bearer ${UPSTREAM_TOKEN}`);
    }
    assert.equal(reached.length, 2);
  });

  it('is judged for itself when it comes behind another', async (t) => {
    const { reached, send } = await start(t);
    const stranger = SMUGGLED.replace('Authorization: Bearer TOKEN\r\n', 'Connection: close\r\n');
    assert.deepEqual(await send(post(length, PING) + SMUGGLED + stranger), [200, 200, 401]);
    assert.deepEqual(
      reached.map(({ body }) => body),
      [PING],
    );
  });

  it('is not sent on when it is not whole', async (t) => {
    const { reached, send } = await start(t);
    await send(post(`Content-Length: ${PING.length + 1}`, PING), true);
    await send(post(chunked, CHUNK), true);
    assert.deepEqual(reached, []);
  });
});

describe('P37 P45 a request that says of itself what is not so', () => {
  const length = `Content-Length: ${PING.length}\r\nConnection: close`;
  for (const [name, bytes, status] of [
    ['another host, too', post(`Host: evil.test\r\n${length}`, PING), undefined],
    ['another host first', `POST /raw/mcp HTTP/1.1\r\nHost: evil.test\r\n${HEAD}${length}\r\n\r\n${PING}`, 403],
    ['two origins', post(`Origin: null\r\nOrigin: http://127.0.0.1:PORT\r\n${length}`, PING), 403],
    ['two tokens', post(`Authorization: Bearer x\r\n${length}`, PING), undefined],
    [
      'a token of nobody first',
      `POST /raw/mcp HTTP/1.1\r\nAuthorization: Bearer x\r\n${HEAD}${length}\r\n\r\n${PING}`,
      401,
    ],
    ['a target with an authority', post(length, PING, 'POST http://127.0.0.1:PORT/raw/mcp HTTP/1.1'), 404],
    ['a target elsewhere', post(length, PING, 'POST http://evil.test/raw/mcp HTTP/1.1'), 404],
    [
      'no host, in HTTP/1.0',
      `POST /raw/mcp HTTP/1.0\r\n${HEAD.replace(/Host.*\r\n/, '')}${length}\r\n\r\n${PING}`,
      403,
    ],
    ['no host', `POST /raw/mcp HTTP/1.1\r\n${HEAD.replace(/Host.*\r\n/, '')}${length}\r\n\r\n${PING}`, 400],
  ] as const) {
    it(`is judged by what counts: ${name}`, async (t) => {
      const { reached, send } = await start(t);
      const statuses = await send(bytes);
      if (status === undefined) {
        // What comes first counts, here and there.
        assert.deepEqual(statuses, [200]);
        assert.equal(reached.length, 1);
        assert.equal(reached[0]?.headers.authorization, `Bearer ${UPSTREAM_TOKEN}`);
        return;
      }
      assert.deepEqual(statuses, [status]);
      assert.deepEqual(reached, []);
    });
  }

  it('takes nothing of ours away by naming it for this connection only', async (t) => {
    const { reached, send } = await start(t);
    const named = 'Connection: authorization, host, content-length, accept-encoding, close';
    assert.deepEqual(await send(post(`Content-Length: ${PING.length}\r\n${named}`, PING)), [200]);
    const [request] = reached;
    assert.equal(request?.body, PING);
    assert.equal(request.headers.authorization, `Bearer ${UPSTREAM_TOKEN}`);
    assert.equal(request.headers['accept-encoding'], 'identity');
  });

  it('P43 is judged by the headers that are sent on', async (t) => {
    const { reached, send } = await start(t);
    const taken = post(`Content-Length: ${PING.length}\r\nConnection: content-type, close`, PING);
    assert.deepEqual(await send(taken), [415]);
    assert.deepEqual(reached, []);
  });

  it('opens no tunnel', async (t) => {
    const { reached, send } = await start(t);
    assert.deepEqual(await send(`CONNECT 127.0.0.1:PORT HTTP/1.1\r\n${HEAD}\r\n${SMUGGLED}`), []);
    assert.deepEqual(reached, []);
  });
});
