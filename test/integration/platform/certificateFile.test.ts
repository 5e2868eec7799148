import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createGuardedFetch, type GuardedFetchOptions } from '../../../src/platform/guardedFetch.ts';
import { issueCertificate, makeAuthority } from '../../servers/certificates.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';

/** What comes of a request: the status, or the failure. */
async function outcome(url: string, caFile?: string, options: Partial<GuardedFetchOptions> = {}): Promise<unknown> {
  const { fetch } = createGuardedFetch({ version: '1', ...options });
  try {
    return (await fetch(url, { method: 'GET', reach: 'loopback', caFile })).status;
  } catch (error) {
    if (isOAuthError(error, 'server_unreachable')) return error.details.failure;
    return isOAuthError(error) ? error.details : error;
  }
}

describe('P20 certificate authorities of the person', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'scopekeeper-ca-'));
  const [one, two] = [makeAuthority(), makeAuthority()];
  const servers = [one, two].map((authority) =>
    https.createServer(issueCertificate(authority, 'IP:127.0.0.1'), (_request, response) => response.end('hello')),
  );
  const plain = http.createServer((request, response) => {
    response.writeHead(request.url === '/redirect' ? 302 : 200, { location: `${urls.one}/` }).end();
  });
  const urls = { one: '', two: '', plain: '' };
  const oneFile = file('one.pem', one.cert);
  const twoFile = file('two.pem', two.cert);

  before(async () => {
    const [first = '', second = ''] = await Promise.all(servers.map(async (server) => listenOnLoopback(server)));
    urls.one = first.replace('http:', 'https:');
    urls.two = second.replace('http:', 'https:');
    urls.plain = await listenOnLoopback(plain);
  });
  after(async () => {
    await Promise.all([...servers, plain].map(stopServer));
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content: string): string {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  }

  it('are those of the request alone', async () => {
    assert.equal(await outcome(urls.one), 'tls');
    assert.equal(await outcome(urls.one, oneFile), 200);
    assert.equal(await outcome(urls.two, oneFile), 'tls');
    assert.equal(await outcome(urls.one), 'tls');
  });

  it('are those of the setting and of the request together', async () => {
    const options = { extraCaFile: () => oneFile };
    assert.equal(await outcome(urls.one, undefined, options), 200);
    assert.equal(await outcome(urls.one, twoFile, options), 200);
    assert.equal(await outcome(urls.two, twoFile, options), 200);
    assert.equal(await outcome(urls.two, undefined, options), 'tls');
  });

  it('may be many in one file, with comments', async () => {
    const bundle = file('bundle.pem', `# Company\n${one.cert}\n# Subsidiary\r\n${two.cert.replaceAll('\n', '\r\n')}`);
    assert.equal(await outcome(urls.one, bundle), 200);
    assert.equal(await outcome(urls.two, bundle), 200);
  });

  it('come on top of those that are trusted anyway', async (t) => {
    const original = https.request;
    let trusted: https.RequestOptions['ca'];
    t.mock.method(https, 'request', (options: https.RequestOptions) => {
      trusted = options.ca;
      return original(options);
    });
    assert.equal(await outcome(urls.one, oneFile), 200);
    const all = new Set([trusted].flat());
    assert.ok(tls.rootCertificates.every((certificate) => all.has(certificate)));
  });

  it('are trusted after a redirect from http, too', async () => {
    assert.equal(await outcome(`${urls.plain}/redirect`), 'tls');
    assert.equal(await outcome(`${urls.plain}/redirect`, oneFile), 200);
  });

  it('are not asked for by plain http', async () => {
    assert.equal(await outcome(urls.plain, path.join(folder, 'missing.pem')), 200);
  });

  describe('in a file that is of no use are an error that names it', () => {
    mkdirSync(path.join(folder, 'folder.pem'));
    const broken = one.cert.replace(/\n.{8}/, '\nAAAAAAAA');
    const table = [
      [path.join(folder, 'missing.pem'), 'unreadable'],
      [path.join(folder, 'folder.pem'), 'unreadable'],
      ['one.pem', 'relative_path'],
      [file('empty.pem', ''), 'no_certificate'],
      [file('key.pem', one.key), 'no_certificate'],
      [file('cut.pem', one.cert.slice(0, -40)), 'no_certificate'],
      [file('broken.pem', broken), 'no_certificate'],
      [file('half.pem', two.cert + broken), 'no_certificate'],
    ] as const;
    for (const [caFile, problem] of table) {
      it(`${path.basename(caFile)}: ${problem}`, async () => {
        assert.deepEqual(await outcome(urls.one, caFile), { path: caFile, problem, from: 'connection' });
        const options = { extraCaFile: () => caFile };
        assert.deepEqual(await outcome(urls.one, oneFile, options), { path: caFile, problem, from: 'setting' });
      });
    }
  });
});
