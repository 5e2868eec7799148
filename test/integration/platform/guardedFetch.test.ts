import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { isOAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';
import type { LookupAll } from '../../../src/platform/pinnedLookup.ts';
import { makeCertificate } from '../../servers/certificates.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';

const LIMIT = 262_144;

/** What the test names resolve to; `rebind.test` changes at each question. */
let rebinds = 0;
const asked: string[] = [];
const lookup: LookupAll = async (hostname) => {
  asked.push(hostname);
  const names: Record<string, readonly string[]> = {
    localhost: ['127.0.0.1'],
    'loop.test': ['127.0.0.1'],
    'private.test': ['10.1.2.3'],
    'mixed.test': ['1.1.1.1', '10.1.2.3'],
    'public.test': ['1.1.1.1'],
    'metadata.test': ['169.254.169.254'],
    'mapped.test': ['::ffff:10.0.0.1'],
    'rebind.test': [rebinds++ % 2 === 0 ? '1.1.1.1' : '127.0.0.1'],
  };
  const addresses = names[hostname];
  if (addresses === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};

const seen: { path: string; headers: http.IncomingHttpHeaders; method: string | undefined; body: string }[] = [];

const answer: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    const url = new URL(request.url ?? '', 'http://x');
    seen.push({ path: url.pathname, headers: request.headers, method: request.method, body });
    const to = url.searchParams.get('to');
    const text = JSON.stringify({ hello: 'wörld' });
    switch (url.pathname) {
      case '/redirect':
        response.writeHead(Number(url.searchParams.get('status') ?? 302), { location: to ?? '' }).end();
        return;
      case '/chain': {
        const left = Number(url.searchParams.get('left'));
        if (left === 0) response.end('done');
        else response.writeHead(307, { location: `/chain?left=${left - 1}` }).end();
        return;
      }
      case '/challenge':
        response.writeHead(401, { 'www-authenticate': ['Basic realm="a, b"', 'Bearer scope="read"'] }).end();
        return;
      case '/status':
        response.writeHead(Number(to)).end();
        return;
      case '/large':
        response.end('x'.repeat(Number(to)));
        return;
      case '/endless':
        response.write('x');
        return;
      case '/silent':
        return;
      case '/cut':
        response.writeHead(200, { 'content-length': 100 });
        response.write('x', () => response.destroy());
        return;
      case '/gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
        return;
      case '/deflate':
        response.writeHead(200, { 'content-encoding': 'deflate' }).end(deflateSync(text));
        return;
      case '/br':
        response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(text));
        return;
      case '/bomb':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)));
        return;
      default:
        response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    }
  });
};

async function rejectsWith(promise: Promise<unknown>, code: OAuthErrorCode, details: object = {}): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isOAuthError(error), String(error));
    assert.equal(error.code, code);
    for (const [name, value] of Object.entries(details)) {
      assert.deepEqual(Object.entries(error.details).find(([key]) => key === name)?.[1], value);
    }
    return true;
  });
}

const toLoopback: NonNullable<https.RequestOptions['lookup']> = (_name, _options, callback) => {
  callback(null, [{ address: '127.0.0.1', family: 4 }]);
};

describe('guardedFetch', () => {
  const certificate = makeCertificate(
    'DNS:localhost',
    'DNS:*.localhost',
    'DNS:app.localhost',
    'DNS:loop.test',
    'IP:127.0.0.1',
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'scopekeeper-ca-'));
  const caFile = path.join(folder, 'ca.pem');
  writeFileSync(caFile, certificate.cert);
  const plain = http.createServer(answer);
  const secure = https.createServer(certificate, answer);
  let base = '';
  let secureBase = '';
  let securePort = 0;
  const guarded = createGuardedFetch({
    version: '9.8.7',
    timeoutMs: 2000,
    lookup,
    extraCaFile: () => caFile,
  });
  const { fetch, resolveReach } = guarded;
  const get = { method: 'GET', reach: 'loopback' } as const;

  before(async () => {
    base = await listenOnLoopback(plain);
    securePort = Number(new URL(await listenOnLoopback(secure)).port);
    secureBase = `https://localhost:${securePort}`;
  });
  after(async () => {
    guarded.dispose();
    rmSync(folder, { recursive: true });
    await Promise.all([plain, secure].map(stopServer));
  });

  it('gives a standard response over http to loopback', async () => {
    const response = await fetch(`${base}/json?a=b`, { ...get, headers: { accept: 'text/x' } });
    assert.ok(response instanceof Response);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.url, `${base}/json?a=b`);
    assert.deepEqual(await response.json(), { hello: 'wörld' });
    const request = seen.at(-1);
    assert.equal(request?.headers['user-agent'], 'Scopekeeper/9.8.7');
    assert.equal(request?.headers.accept, 'text/x');
    assert.equal(request?.headers.connection, 'close');
  });

  it('sends a body with its length', async () => {
    await fetch(`${base}/token`, { ...get, method: 'POST', body: 'a=ö' });
    assert.equal(seen.at(-1)?.body, 'a=ö');
    assert.equal(seen.at(-1)?.headers['content-length'], '4');
  });

  it('P7 several WWW-Authenticate headers are joined', async () => {
    const response = await fetch(`${base}/challenge`, get);
    assert.equal(response.headers.get('www-authenticate'), 'Basic realm="a, b", Bearer scope="read"');
  });

  for (const status of [204, 205, 304, 404, 500]) {
    it(`gives status ${status}`, async () => {
      const response = await fetch(`${base}/status?to=${status}`, get);
      assert.equal(response.status, status);
      assert.equal(await response.text(), '');
    });
  }

  for (const encoding of ['gzip', 'deflate', 'br']) {
    it(`unpacks ${encoding}, sent against our wish`, async () => {
      const response = await fetch(`${base}/${encoding}`, get);
      assert.equal(seen.at(-1)?.headers['accept-encoding'], 'identity');
      assert.equal(response.headers.get('content-encoding'), null);
      assert.deepEqual(await response.json(), { hello: 'wörld' });
    });
  }

  it('a body at the limit is read, one byte more is refused', async () => {
    assert.equal((await (await fetch(`${base}/large?to=${LIMIT}`, get)).text()).length, LIMIT);
    await rejectsWith(fetch(`${base}/large?to=${LIMIT + 1}`, get), 'response_too_large', { limitBytes: LIMIT });
    await rejectsWith(fetch(`${base}/bomb`, get), 'response_too_large', { limitBytes: LIMIT });
  });

  describe('https', () => {
    it('P20 a name is resolved once, and the socket goes to what was checked', async () => {
      asked.length = 0;
      const response = await fetch(`${secureBase}/json`, get);
      assert.equal(response.status, 200);
      assert.deepEqual(asked, ['localhost']);
    });

    it('P20 a name below localhost is this machine without asking a resolver for it', async () => {
      asked.length = 0;
      const response = await fetch(`https://app.localhost:${securePort}/json`, get);
      assert.equal(response.status, 200);
      assert.deepEqual(asked, ['localhost']);
      assert.equal(seen.at(-1)?.headers.host, `app.localhost:${securePort}`);
    });

    it('an unknown authority is a tls failure', async () => {
      const strict = createGuardedFetch({ version: '1', lookup });
      await rejectsWith(strict.fetch(`${secureBase}/json`, get), 'server_unreachable', { failure: 'tls' });
    });

    it('a name that is not in the certificate is a tls failure', async () => {
      await rejectsWith(fetch(`https://[::ffff:127.0.0.1]:${securePort}/`, get), 'server_unreachable', {
        failure: 'tls',
      });
    });

    it('P20 a socket that somebody else left in the pool is not used', async (t) => {
      // Trusted through the agent, so that only the pool's key can tell the two requests apart.
      https.globalAgent.options.ca = certificate.cert;
      t.after(() => delete https.globalAgent.options.ca);
      const url = `https://loop.test:${securePort}/json`;
      const [response] = await once(https.request(url, { lookup: toLoopback }).end(), 'response');
      const pooled = once(https.globalAgent, 'free');
      response.resume();
      await pooled;
      await setImmediate();
      assert.ok(Object.keys(https.globalAgent.freeSockets).some((name) => name.startsWith('loop.test:')));
      const guest = createGuardedFetch({ version: '1', lookup });
      await rejectsWith(guest.fetch(url, { ...get, reach: 'private' }), 'address_refused', { address: '127.0.0.1' });
      assert.equal((await guest.fetch(url, get)).status, 200);
    });
  });

  describe('P20 addresses', () => {
    const refused: readonly [string, 'public' | 'private' | 'loopback', string][] = [
      ['https://private.test/', 'public', '10.1.2.3'],
      ['https://mixed.test/', 'public', '10.1.2.3'],
      ['https://mapped.test/', 'public', '::ffff:10.0.0.1'],
      ['https://loop.test/', 'public', '127.0.0.1'],
      ['https://loop.test/', 'private', '127.0.0.1'],
      ['https://metadata.test/', 'loopback', '169.254.169.254'],
      ['https://127.0.0.1/', 'public', '127.0.0.1'],
      ['https://10.0.0.1/', 'public', '10.0.0.1'],
    ];
    for (const [url, reach, address] of refused) {
      it(`${url} is refused with reach ${reach}`, async () => {
        await rejectsWith(fetch(url, { method: 'GET', reach }), 'address_refused', { address });
      });
    }

    it('plain http is for loopback', async () => {
      await rejectsWith(fetch('http://public.test/', get), 'insecure_url');
      await rejectsWith(fetch(`${base}/`, { method: 'GET', reach: 'public' }), 'insecure_url');
    });

    it('localhost that resolves elsewhere is refused', async () => {
      const wrong = createGuardedFetch({ version: '1', lookup: async () => [{ address: '10.0.0.1', family: 4 }] });
      await rejectsWith(wrong.fetch('http://localhost:1/', get), 'address_refused', { address: '10.0.0.1' });
    });

    it('a name that turns to loopback at the second question is never asked twice', async () => {
      rebinds = 0;
      const controller = new AbortController();
      const direct = createGuardedFetch({ version: '1', lookup });
      const attempt = direct.fetch('https://rebind.test/', { ...get, reach: 'public', signal: controller.signal });
      attempt.catch(() => undefined);
      await setImmediate();
      assert.equal(rebinds, 1);
      controller.abort();
      await assert.rejects(attempt);
    });
  });

  describe('redirects', () => {
    it('are followed at most three times', async () => {
      const response = await fetch(`${base}/chain?left=3`, get);
      assert.equal(await response.text(), 'done');
      assert.equal(response.url, `${base}/chain?left=0`);
      await rejectsWith(fetch(`${base}/chain?left=4`, get), 'redirect_refused');
    });

    it('P36 are given back, not followed, for a POST or with credentials', async () => {
      const url = `${base}/redirect?to=/json`;
      assert.equal((await fetch(url, { ...get, method: 'POST', body: '' })).status, 302);
      assert.equal((await fetch(url, { ...get, headers: { AUTHORIZATION: 'Bearer x' } })).status, 302);
      assert.equal((await fetch(url, get)).status, 200);
    });

    it('P20 each hop is checked', async () => {
      await rejectsWith(fetch(`${base}/redirect?to=https://169.254.169.254/`, get), 'address_refused');
      await rejectsWith(fetch(`${base}/redirect?to=https://metadata.test/`, get), 'address_refused');
      await rejectsWith(fetch(`${base}/redirect?to=http://public.test/`, get), 'redirect_refused');
      await rejectsWith(fetch(`${base}/redirect?to=file:///etc/passwd`, get), 'redirect_refused');
      await rejectsWith(fetch(`${base}/redirect?to=http://[`, get), 'redirect_refused');
    });

    it('P20 never lead from https to http', async () => {
      await rejectsWith(fetch(`${secureBase}/redirect?to=${base}/json`, get), 'redirect_refused');
      assert.equal((await fetch(`${secureBase}/redirect?to=/json`, get)).status, 200);
    });

    it('without a Location are an answer like any other', async () => {
      assert.equal((await fetch(`${base}/status?to=302`, get)).status, 302);
    });
  });

  describe('failures', () => {
    it('P32 are sorted, and show no query', async () => {
      const unused = http.createServer();
      const url = `${await listenOnLoopback(unused)}/x`;
      await stopServer(unused);
      await rejectsWith(fetch(`${url}?key=canary`, get), 'server_unreachable', { url, failure: 'refused' });
      await rejectsWith(fetch('https://nowhere.test/', get), 'server_unreachable', { failure: 'dns' });
      await rejectsWith(fetch(`${base}/cut`, get), 'server_unreachable', { failure: 'reset' });
    });

    it('an answer that never begins, or never ends, is a timeout', async () => {
      const hasty = createGuardedFetch({ version: '1', timeoutMs: 100 });
      await rejectsWith(hasty.fetch(`${base}/silent`, get), 'server_unreachable', { failure: 'timeout' });
      await rejectsWith(hasty.fetch(`${base}/endless`, get), 'server_unreachable', { failure: 'timeout' });
    });

    it('cancelling rejects with the reason', async () => {
      const controller = new AbortController();
      const reason = new Error('cancelled by the person');
      const arrived = once(plain, 'request');
      const pending = fetch(`${base}/silent`, { ...get, signal: controller.signal });
      const rejected = assert.rejects(pending, (error) => error === reason);
      await arrived;
      controller.abort(reason);
      await rejected;
      await assert.rejects(fetch(`${base}/json`, { ...get, signal: controller.signal }), (error) => error === reason);
    });

    it('disposing ends what is under way', async () => {
      const short = createGuardedFetch({ version: '1' });
      const arrived = once(plain, 'request');
      const rejected = rejectsWith(short.fetch(`${base}/silent`, get), 'server_unreachable');
      await arrived;
      short.dispose();
      await rejected;
    });

    it('what is no HTTP is unreachable', async () => {
      const server = http.createServer();
      server.on('connection', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
      await rejectsWith(fetch(await listenOnLoopback(server), get), 'server_unreachable');
      await stopServer(server);
    });
  });

  it('calls what is on the module at the time, as VS Code replaces it, and passes no agent', async (t) => {
    const original = http.request;
    const replaced = t.mock.method(http, 'request', (...args: Parameters<typeof original>) => original(...args));
    await fetch(`${base}/json`, get);
    assert.equal(replaced.mock.callCount(), 1);
    const options: unknown = replaced.mock.calls[0]?.arguments[0];
    assert.ok(typeof options === 'object' && options !== null && !('agent' in options) && !('ca' in options));
  });

  it('leaves no socket behind', async () => {
    await fetch(`${base}/json`, get);
    const free = Object.keys(http.globalAgent.freeSockets).filter((name) => name.includes(new URL(base).port));
    assert.deepEqual(free, []);
  });

  describe('P20 resolveReach', () => {
    const table: readonly [string, string][] = [
      ['http://localhost:3000/mcp', 'loopback'],
      ['https://app.localhost/', 'loopback'],
      ['https://127.1/', 'loopback'],
      ['https://[::1]/', 'loopback'],
      ['https://10.0.0.1/', 'private'],
      ['https://[fd00::1]/', 'private'],
      ['https://1.1.1.1/', 'public'],
      ['https://private.test/', 'private'],
      // One public address is enough: its owner could widen its own reach.
      ['https://mixed.test/', 'public'],
      ['https://public.test/', 'public'],
      ['https://loop.test/', 'public'],
      ['https://metadata.test/', 'public'],
      ['https://nowhere.test/', 'public'],
    ];
    for (const [url, reach] of table) {
      it(`${url} has ${reach}`, async () => assert.equal(await resolveReach(url), reach));
    }
  });

  it('a name is resolved by the system when nothing else is given', async () => {
    const plainly = createGuardedFetch({ version: '1' });
    const url = new URL(base);
    url.hostname = 'localhost';
    assert.equal((await plainly.fetch(url.href, get)).status, 200);
    assert.equal(await plainly.resolveReach('https://does-not-exist.invalid/'), 'public');
  });
});
