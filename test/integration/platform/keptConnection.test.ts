import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { connectionTo, NO_BODY, readAnswer, startUpstream } from '../../headless/upstreamStand.ts';
import { listenOnLoopback } from '../../servers/loopback.ts';

const LENGTH = 'content-length: 2\r\n\r\n{}';
const OK = `HTTP/1.1 200 OK\r\n${LENGTH}`;

/**
 * A server that says what it is told to.
 * @param answer to each request, by how many there were before it; undefined closes the connection
 */
async function serveRaw(t: TestContext, answer: (count: number) => string | undefined) {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const text = answer(asked.length);
      asked.push(data.toString('latin1'));
      if (text === undefined) socket.destroy();
      else socket.write(text, 'latin1');
    });
  });
  const origin = await listenOnLoopback(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { asked, origin, sockets };
}

/** Begins a second request, whose body is a stream that has only begun, at a server that answers it so. */
async function beginLong(t: TestContext, secondAnswer: string) {
  const { asked, origin, sockets } = await serveRaw(t, (count) => (count === 1 ? secondAnswer : OK));
  const { get, upstream } = startUpstream(t);
  const connection = connectionTo(`${origin}/mcp`);
  await get(connection);
  const [socket = assert.fail()] = sockets;
  const [arrived, closed] = [once(socket, 'data'), once(socket, 'close')];
  const body = new PassThrough();
  body.write('{');
  const request = { method: 'POST', url: connection.serverUrl, headers: ['content-length', '9'] };
  const { answer } = upstream.send(connection, request, body);
  return { answer, arrived, asked, body, closed, get: async () => get(connection) };
}

/** They go another way than the first, which must not show. */
describe('later requests on a connection', () => {
  const head = ['HTTP/1.1 200 OK', 'Content-Type: application/json', 'content-type: text/plain'];
  const repeated = [
    'WWW-Authenticate: Bearer a="1"',
    'www-authenticate: Bearer a="2"',
    'set-cookie: a',
    'set-cookie: b',
  ];
  const odd = ['Cache-Control: no-store', 'cache-control: private', 'x-name: J\u00fcrgen', 'x-empty:'];
  const answer = [...head, ...repeated, ...odd, 'content-length: 2', '', '{}'].join('\r\n');

  it('P37 say what the first said, and are answered alike', async (t) => {
    const { asked, origin, sockets } = await serveRaw(t, () => answer);
    const { upstream } = startUpstream(t);
    const headers = ['x-name', 'J\u00fcrgen', 'accept', 'a, b', 'content-length', '3'];
    const received: unknown[] = [];
    for (let count = 0; count < 3; count += 1) {
      const request = { method: 'POST', url: `${origin}/mcp?a=%20b`, headers };
      const { headers: got, ...rest } = await readAnswer(
        upstream.send(connectionTo(`${origin}/mcp`), request, Buffer.from('{ }')).answer,
      );
      received.push({ ...rest, headers: Object.entries(got) });
    }
    assert.equal(sockets.length, 1);
    assert.deepEqual(received[1], received[0]);
    assert.deepEqual(received[2], received[0]);
    const lines = asked.map((text) => text.split('\r\n').toSorted());
    assert.deepEqual(lines[1], lines[0]);
    assert.deepEqual(lines[2], lines[0]);
  });

  it('P37 are answered whole, in one piece, in several, or with nothing at all', async (t) => {
    const texts = ['{}', '', '{}', 'x'.repeat(3_000_000), '{ }'];
    const { origin, sockets } = await serveRaw(t, (count) => {
      const text = texts[count] ?? '';
      return `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    });
    const { upstream } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    const request = { method: 'GET', url: connection.serverUrl, headers: [] };
    for (const text of texts) {
      const { body } = await readAnswer(upstream.send(connection, request, NO_BODY).answer);
      assert.equal(body, text);
    }
    assert.equal(sockets.length, 1);
  });

  it('P37 leave a body alone that the server has not waited for', async (t) => {
    const { answer, body, closed, get } = await beginLong(t, `HTTP/1.1 413 No\r\n${LENGTH}`);
    assert.equal((await readAnswer(answer)).status, 413);
    await closed;
    // Of a client's request: its connection has still to carry the answer.
    assert.equal(body.destroyed, false);
    assert.equal(await get(), 200);
  });

  it('P37 break off with the body', async (t) => {
    const { answer, arrived, asked, body, closed } = await beginLong(t, '');
    await arrived;
    body.destroy();
    await assert.rejects(answer, { code: 'server_unreachable' });
    await closed;
    assert.match(asked[1] ?? '', /\r\n\r\n\{$/);
  });

  it('P37 break off with the answer, and the next one has another connection', async (t) => {
    const cut = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}';
    const { origin, sockets } = await serveRaw(t, (count) => (count === 1 ? cut : OK));
    const { get, upstream } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    await get(connection);
    const request = { method: 'GET', url: connection.serverUrl, headers: [] };
    const broken = await upstream.send(connection, request, NO_BODY).answer;
    const failed = once(broken.body, 'error');
    broken.body.once('data', () => sockets[0]?.destroy());
    await failed;
    assert.equal(await get(connection), 200);
    assert.equal(sockets.length, 2);
  });

  it('P37 that are not answered fail, and the next one has another connection', async (t) => {
    const { origin, sockets } = await serveRaw(t, (count) => (count === 1 ? undefined : OK));
    const { get } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    await get(connection);
    await assert.rejects(get(connection), (error) => {
      assert.ok(isOAuthError(error, 'server_unreachable'));
      assert.equal(error.details.failure, 'reset');
      return true;
    });
    assert.equal(await get(connection), 200);
    assert.equal(sockets.length, 2);
  });

  for (const [title, informing] of [
    ['hints', '103 Early Hints\r\nlink: </a>'],
    ['a go-ahead that nobody asked for', '100 Continue'],
  ] as const) {
    it(`P37 succeed though the server sends ${title} first`, async (t) => {
      const { asked, origin } = await serveRaw(t, () => `HTTP/1.1 ${informing}\r\n\r\n${OK}`);
      const { get } = startUpstream(t);
      const connection = connectionTo(`${origin}/mcp`);
      for (let count = 0; count < 3; count += 1) assert.equal(await get(connection), 200);
      assert.equal(asked.length, 3);
    });
  }

  it('P37 that cannot be written close their connection', async (t) => {
    const { asked, origin, sockets } = await serveRaw(t, () => OK);
    const { get, upstream } = startUpstream(t);
    const connection = connectionTo(`${origin}/mcp`);
    await get(connection);
    const [first = assert.fail()] = sockets;
    const closed = once(first, 'close');
    const request = { method: 'GET', url: connection.serverUrl, headers: ['x-name', 'a\r\nb: c'] };
    await assert.rejects(async () => upstream.send(connection, request, NO_BODY).answer);
    await closed;
    assert.equal(asked.length, 1);
  });

  for (const [title, isAtOnce] of [
    ['with the answer', true],
    ['after it', false],
  ] as const) {
    for (const [which, before] of [
      ['first', 0],
      ['second', 1],
    ] as const) {
      it(`P37 have another connection where the server says something unasked ${title}, the ${which}`, async (t) => {
        const unasked = 'HTTP/1.1 299 Unasked\r\ncontent-length: 2\r\n\r\n{}';
        const { asked, origin, sockets } = await serveRaw(t, (count) =>
          isAtOnce && count === before ? OK + unasked : OK,
        );
        const { get } = startUpstream(t);
        const connection = connectionTo(`${origin}/mcp`);
        for (let count = 0; count <= before; count += 1) assert.equal(await get(connection), 200);
        if (!isAtOnce) {
          const first = sockets[0] ?? assert.fail();
          const closed = once(first, 'close');
          first.write(unasked);
          await closed;
        }
        assert.equal(await get(connection), 200);
        assert.equal(sockets.length, 2);
        assert.equal(asked.length, before + 2);
      });
    }
  }
});
