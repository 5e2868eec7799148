import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { type RawConnection, startRaw } from '../../headless/rawConnection.ts';
import { type RawAnswer, rawRequest } from '../../servers/rawRequest.ts';

const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

async function start(t: Parameters<typeof startRaw>[0]) {
  const reached: string[] = [];
  const raw = await startRaw(t, (request, response) => {
    reached.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { raw, reached };
}

/** What every refusal has, and what none has. */
function assertRefused(answer: RawAnswer, status: number): void {
  assert.equal(answer.status, status);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.deepEqual(
    Object.keys(answer.headers).filter((name) => name.startsWith('access-control-') || name === 'set-cookie'),
    [],
  );
  assert.ok(answer.text.length < 60, answer.text);
}

describe('P37 the guard', () => {
  const sources: readonly [string, Record<string, string>, 200 | 403][] = [
    ['a program', {}, 200],
    ['a program by the name localhost', { host: 'localhost:PORT' }, 200],
    ['Node, whose fetch names a mode', { 'sec-fetch-mode': 'cors' }, 200],
    ['a name that rebinds', { host: 'evil.test' }, 403],
    ['a name that rebinds, with the port', { host: 'evil.test:PORT' }, 403],
    ['a host without the port', { host: '127.0.0.1' }, 403],
    ['a host with another port', { host: '127.0.0.1:1' }, 403],
    ['another way to write the host', { host: '127.1:PORT' }, 403],
    ['a name below localhost', { host: 'a.localhost:PORT' }, 403],
    ['the host in upper case', { host: 'LOCALHOST:PORT' }, 403],
    ['a host with a dot at its end', { host: 'localhost.:PORT' }, 403],
    ['IPv6', { host: '[::1]:PORT' }, 403],
    ['a page elsewhere', { origin: 'https://evil.test' }, 403],
    ['a page on this machine', { origin: 'http://localhost:6274' }, 403],
    ['a page of our own origin', { origin: 'http://127.0.0.1:PORT' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['an empty origin', { origin: '' }, 403],
    ['an image of a page', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a frame of our own origin', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'nested-navigate' }, 403],
  ];
  for (const [what, headers, status] of sources) {
    it(`${status === 200 ? 'lets in' : 'refuses'} ${what}`, async (t) => {
      const { raw, reached } = await start(t);
      const { port } = new URL(raw.gateway.origin);
      const own = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', port)]),
      );
      const answer = await rawRequest(raw.url, { method: 'POST', body, headers: { ...raw.authorization, ...own } });
      if (status === 403) assertRefused(answer, 403);
      else assert.equal(answer.status, 200);
      assert.equal(reached.length, status === 200 ? 1 : 0);
    });
  }

  const targets: readonly [string, string, number][] = [
    ['GET', '/raw/mcp', 200],
    ['POST', '/raw/mcp', 200],
    ['DELETE', '/raw/mcp', 200],
    ['HEAD', '/raw/mcp', 405],
    ['OPTIONS', '/raw/mcp', 405],
    ['PUT', '/raw/mcp', 405],
    ['PATCH', '/raw/mcp', 405],
    ['TRACE', '/raw/mcp', 405],
    ['PROPFIND', '/raw/mcp', 405],
    ['GET', '/raw/mcp/messages/AAAAAAAAAAAAAAAAAAAAAA', 405],
    ['DELETE', '/raw/mcp/messages/AAAAAAAAAAAAAAAAAAAAAA', 405],
    ['POST', '/raw/mcp/messages/AAAAAAAAAAAAAAAAAAAAAA', 404],
    ['POST', '/raw/mcp/messages/short', 404],
    ['POST', '/raw/mcp/messages/AAAAAAAAAAAAAAAAAAAAA.', 404],
    ['POST', '/raw/mcp/', 404],
    ['POST', '/raw/mcp?', 404],
    ['POST', '/raw/mcp?a=b', 404],
    ['POST', '/raw/mcp#a', 404],
    ['POST', '/raw/MCP', 404],
    ['POST', '/Raw/mcp', 404],
    ['POST', '//raw/mcp', 404],
    ['POST', '/raw//mcp', 404],
    ['POST', '/./raw/mcp', 404],
    ['POST', '/raw/../raw/mcp', 404],
    ['POST', '/x/..%2fraw/mcp', 404],
    ['POST', '/raw%2fmcp', 404],
    ['POST', '/r%61w/mcp', 404],
    ['POST', '/raw\\mcp', 404],
    ['POST', '/raw/mcp;a', 404],
    ['POST', '/raw/mcp/x', 404],
    ['POST', 'http://127.0.0.1/raw/mcp', 404],
    ['OPTIONS', '*', 404],
    ['GET', '/', 404],
    ['GET', '/raw', 404],
    ['GET', '/mcp', 404],
    ['GET', '/callback', 404],
  ];
  for (const [method, target, status] of targets) {
    it(`answers ${method} ${target} by ${status}`, async (t) => {
      const { raw, reached } = await start(t);
      const answer = await rawTarget(raw, method, target);
      assert.equal(answer.status, status);
      assert.equal(reached.length, status === 200 ? 1 : 0);
      if (status !== 200) assert.match(answer.head, /cache-control: no-store\r\nx-content-type-options: nosniff/i);
      if (status === 405) assert.match(answer.head, /allow: (?:GET, POST, DELETE|POST)\r\n/i);
    });
  }

  it('asks the authorization server for all that is not an MCP URL, with the origin that was used', async (t) => {
    const asked: string[] = [];
    const raw = await startRaw(t, (_request, response) => void response.end(), {
      parts: {
        authorizationServer: {
          handle(request, response, origin) {
            asked.push(`${request.method} ${origin}${request.url}`);
            if (request.url !== '/oauth/token') return false;
            response.end('token');
            return true;
          },
        },
      },
    });
    const { origin } = raw.gateway;
    assert.equal((await rawRequest(`${origin}/oauth/token`, { method: 'POST' })).text, 'token');
    assertRefused(await rawRequest(`${origin}/elsewhere`), 404);
    assertRefused(await rawRequest(`${origin}/oauth/token`, { headers: { origin: 'https://evil.test' } }), 403);
    assert.deepEqual(asked, [`POST ${origin}/oauth/token`, `GET ${origin}/elsewhere`]);
  });
});

describe('P43 a client that was not let in', () => {
  const credentials: readonly [string, (raw: RawConnection) => Record<string, string>, boolean][] = [
    ['no token', () => ({}), false],
    ['another token', () => ({ authorization: 'Bearer inbound-token-of-nobody' }), true],
    ['a part of its token', ({ token }) => ({ authorization: `Bearer ${token.slice(0, -1)}` }), true],
    ['its token in another scheme', ({ token }) => ({ authorization: `Basic ${token}` }), true],
    ['its token alone', ({ token }) => ({ authorization: token }), true],
    ['its token with more', ({ token }) => ({ authorization: `Bearer ${token} more` }), true],
    ['its token in a cookie', ({ token }) => ({ cookie: `authorization=Bearer ${token}` }), false],
  ];
  for (const [what, headersOf, hasToken] of credentials) {
    it(`with ${what} is told where to ask`, async (t) => {
      const { raw, reached } = await start(t);
      const answer = await rawRequest(raw.url, { method: 'POST', body, headers: headersOf(raw) });
      assertRefused(answer, 401);
      const error = hasToken ? 'error="invalid_token", ' : '';
      const metadata = `${raw.gateway.origin}/.well-known/oauth-protected-resource/raw/mcp`;
      assert.equal(answer.headers['www-authenticate'], `Bearer ${error}resource_metadata="${metadata}"`);
      assert.deepEqual(reached, []);
    });
  }

  it('has no token in a query', async (t) => {
    const { raw, reached } = await start(t);
    const answer = await rawRequest(`${raw.url}?access_token=${raw.token}`, { method: 'POST', body });
    assertRefused(answer, 404);
    assert.deepEqual([reached, raw.gateway.accesses.used], [[], []]);
  });

  it('cannot use its token at another connection, and learns of no other', async (t) => {
    const { raw, reached } = await start(t);
    const other = await raw.headless.manager.add('https://other.test/mcp', 'Other');
    const headers = raw.authorization;
    const there = await rawRequest(raw.gateway.url(other.id), { method: 'POST', body, headers });
    const nowhere = await rawRequest(`${raw.gateway.origin}/nowhere/mcp`, { method: 'POST', body, headers });
    for (const answer of [there, nowhere]) assertRefused(answer, 401);
    const { date: _date, ...known } = there.headers;
    const { date: _now, ...unknown } = nowhere.headers;
    const challenge = String(unknown['www-authenticate']).replace('nowhere', 'other');
    assert.deepEqual({ ...unknown, 'www-authenticate': challenge, 'content-length': known['content-length'] }, known);
    assert.equal(there.text, nowhere.text);
    assert.deepEqual(reached, []);
  });

  it('is out as soon as the connection is gone', async (t) => {
    const { raw, reached } = await start(t);
    await raw.headless.manager.remove(raw.id);
    assertRefused(await rawRequest(raw.url, { method: 'POST', body, headers: raw.authorization }), 401);
    assert.deepEqual(reached, []);
  });

  it('is judged the same at a connection that came later', async (t) => {
    const { raw, reached } = await start(t);
    const { id } = await raw.headless.manager.add(raw.serverUrl, 'Later', 'static_token');
    const authorization = `Bearer ${raw.gateway.accesses.add(id)}`;
    const url = raw.gateway.url(id);
    assertRefused(await rawRequest(url, { method: 'POST', body }), 401);
    assertRefused(await rawRequest(url, { method: 'PUT', headers: { authorization } }), 405);
    assert.deepEqual(reached, []);
  });
});

/** A request whose target no client of Node would send, as text. */
async function rawTarget(raw: RawConnection, method: string, target: string) {
  const { port } = new URL(raw.gateway.origin);
  const socket = connect(Number(port), '127.0.0.1');
  const length = method === 'POST' ? `content-length: ${body.length}\r\n` : '';
  const head = `${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n${length}`;
  socket.write(`${head}authorization: Bearer ${raw.token}\r\n\r\n${method === 'POST' ? body : ''}`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return { status: Number(text.split(' ')[1]), head: text.split('\r\n\r\n')[0] ?? '' };
}
