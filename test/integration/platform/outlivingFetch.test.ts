import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import type { ExchangeKey } from '../../../src/connections/exchangeJournal.ts';
import type { FetchRequest } from '../../../src/oauth/fetchPort.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createOutlivingFetch, type OutlivingFetchOptions } from '../../../src/platform/exchange/outlivingFetch.ts';
import { createGuardedFetch, type GuardedFetchOptions } from '../../../src/platform/guardedFetch.ts';
import { SealedJournal } from '../../../src/platform/sealedJournal.ts';
import { MemoryLog } from '../../headless/memoryPorts.ts';
import { type Certificate, makeCertificate } from '../../servers/certificates.ts';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';
import { EXCHANGE_SCRIPT } from '../../stand/standPaths.ts';

const key = 'k'.repeat(43);
const exchange: ExchangeKey = { connectionId: 'c', generation: 3, refreshToken: 'rt-canary' };
const request: FetchRequest = {
  method: 'POST',
  headers: { authorization: 'Basic canary', 'content-type': 'application/x-www-form-urlencoded' },
  body: 'grant_type=refresh_token&refresh_token=rt-canary&client_id=none',
  reach: 'loopback',
};

/** A token endpoint that says yes to everything, and the bodies that it got. */
async function start(t: TestContext, certificate?: Certificate) {
  const bodies: string[] = [];
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // What the test looks at is what came whole.
    void text(incoming).then((body) => {
      bodies.push(body);
      outgoing.writeHead(200, { 'content-type': 'application/json', 'x-other': 'o' }).end('{"access_token":"at"}');
    });
  };
  const server = certificate === undefined ? createHttpServer(answer) : createHttpsServer({ ...certificate }, answer);
  const origin = await listenOnLoopback(server);
  t.after(async () => stopServer(server));
  return { bodies, url: `${certificate === undefined ? origin : origin.replace('http:', 'https:')}/token` };
}

describe('a process of its own for one refresh', () => {
  let folder = '';
  let journal: SealedJournal;
  let log: MemoryLog;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-exchange-'));
    journal = new SealedJournal({ folder: path.join(folder, 'journal'), loadKeys: async () => ({ key }) });
    log = new MemoryLog();
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  function create(more: Partial<OutlivingFetchOptions> = {}, network: Partial<GuardedFetchOptions> = {}) {
    const journalFolder = path.join(folder, 'journal');
    const outlivingFetch = createOutlivingFetch({
      guardedFetch: createGuardedFetch({ version: '1.2.3', ...network }),
      journal,
      journalFolder,
      loadKeys: async () => ({ key }),
      script: EXCHANGE_SCRIPT,
      version: '1.2.3',
      log,
      ...more,
    });
    return async (url: string, changed: Partial<FetchRequest> = {}) =>
      outlivingFetch(exchange, url, { ...request, ...changed });
  }

  /** A script that stands for ours. */
  async function script(code: string): Promise<string> {
    const file = path.join(folder, 'script.cjs');
    await writeFile(file, code);
    return file;
  }

  it('P36 is given its order over a pipe alone, after it was noted as the sender', async () => {
    const seen = path.join(folder, 'seen.json');
    const spy = await script(`
      const { readdirSync, writeFileSync } = require('node:fs');
      const journal = () => { try { return readdirSync(${JSON.stringify(path.join(folder, 'journal'))}); } catch { return []; } };
      const before = journal();
      let input = '';
      process.stdin.on('data', (data) => { if (input === '') seen.noted = journal(); input += data; });
      process.stdin.on('end', () => {
        seen.order = JSON.parse(input);
        writeFileSync(${JSON.stringify(seen)}, JSON.stringify(seen));
        console.log('{"type":"answered","status":200,"headers":{},"body":"b"}');
      });
      const seen = { argv: process.argv, env: process.env, cwd: process.cwd(), before };
      console.log('ready');
    `);
    process.env['SCOPEKEEPER_TEST_CANARY'] = 'canary';
    const answered = await create({ script: spy })('http://127.0.0.1:1/token');
    delete process.env['SCOPEKEEPER_TEST_CANARY'];
    assert.equal(await answered?.response.text(), 'b');
    const { order, noted, ...open }: Record<string, unknown> = JSON.parse(await readFile(seen, 'utf8'));
    assert.doesNotMatch(JSON.stringify(open), new RegExp(`canary|${key}`));
    assert.deepEqual(open['before'], []);
    assert.match(JSON.stringify(noted), /\.intent"\]$/);
    assert.match(JSON.stringify(order), /rt-canary/);
  });

  it('P31 has a success in the journal when it tells of it, and is no longer noted as sending', async (t) => {
    const { bodies, url } = await start(t);
    const answered = await create()(url);
    assert.equal(answered?.isRecorded, true);
    assert.equal(answered.response.headers.get('content-type'), 'application/json');
    assert.equal(await answered.response.text(), '{"access_token":"at"}');
    assert.deepEqual(bodies, [request.body]);
    const found = await journal.find(exchange);
    assert.ok(found?.type === 'answered');
    assert.equal(found.answer.body, '{"access_token":"at"}');
    assert.equal((await readdir(path.join(folder, 'journal'))).length, 1);
  });

  it('P31 tells of an answer that the journal did not take', async (t) => {
    const { url } = await start(t);
    // It can be noted as the sender, and then nothing more can be written.
    const noting = new (class extends SealedJournal {
      override async begin(...args: Parameters<SealedJournal['begin']>): Promise<void> {
        await super.begin(...args);
        await rm(path.join(folder, 'journal'), { recursive: true });
        await writeFile(path.join(folder, 'journal'), 'in the way');
      }
    })({ folder: path.join(folder, 'journal'), loadKeys: async () => ({ key }) });
    const answered = await create({ journal: noting })(url);
    assert.equal(answered?.isRecorded, false);
    assert.equal(await answered.response.text(), '{"access_token":"at"}');
  });

  for (const [title, more] of [
    ['cannot be started', { runtime: '/nowhere/to/be/found' }],
    ['ends at once', { script: '/nowhere/to/be/found.cjs' }],
  ] as const) {
    it(`that ${title} costs nothing: the window sends by itself, and does not try that again`, async () => {
      const send = create(more);
      assert.equal(await send('http://127.0.0.1:1/token'), undefined);
      assert.equal(await send('http://127.0.0.1:1/token'), undefined);
      assert.equal(await journal.find(exchange), undefined);
      assert.equal(log.lines.length, 1);
    });
  }

  it('that says nothing is ended, and not waited for', async () => {
    const silent = await script('setInterval(() => undefined, 1000)');
    assert.equal(await create({ script: silent, startTimeoutMs: 100 })('http://127.0.0.1:1/token'), undefined);
    assert.match(log.lines.join(), /sent by this window itself/);
  });

  it('P32 that ends without a word leaves it open whether the server got the token', async () => {
    const crashing = await script("console.log('ready'); process.stdin.resume().on('end', () => process.exit(3));");
    const sent = create({ script: crashing })('http://127.0.0.1:1/token');
    await assert.rejects(sent, (error) => isOAuthError(error, 'server_unreachable'));
  });

  it('P31 sends nothing on half an order', async (t) => {
    const { bodies, url } = await start(t);
    const child = spawn(process.execPath, [EXCHANGE_SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.end(JSON.stringify({ ...request, url }).slice(0, -1));
    const [code] = await once(child, 'exit');
    assert.equal(code, 1);
    assert.deepEqual(bodies, []);
  });

  it('P32 tells an answer with any character in one line, as every version of Node reads lines', async (t) => {
    const body = JSON.stringify({ error: 'invalid_grant', error_description: 'a\u2028b\u2029c\nd' });
    const server = createHttpServer((_incoming, outgoing) => void outgoing.writeHead(400).end(body));
    const origin = await listenOnLoopback(server);
    t.after(async () => stopServer(server));
    const child = spawn(process.execPath, [EXCHANGE_SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
    const order = {
      url: `${origin}/token`,
      reach: 'loopback',
      headers: {},
      body: 'b',
      privateHosts: [],
      version: '1',
      exchange,
      journal: { folder: path.join(folder, 'journal'), key },
    };
    child.stdin.end(JSON.stringify(order));
    const told = await text(child.stdout);
    assert.doesNotMatch(told, /[\u2028\u2029]/);
    const [, report = ''] = told.split('\n');
    assert.equal(JSON.parse(report).body, body);
  });

  it('P20 tells what it could not reach, so that the window can', async () => {
    assert.equal(await create()('http://127.0.0.1:1/token'), undefined);
    assert.equal(await create()('https://127.0.0.1:1/token', { reach: 'public' }), undefined);
  });

  it('is not for a certificate that it does not trust, which is tried once', async (t) => {
    const { bodies, url } = await start(t, makeCertificate('IP:127.0.0.1'));
    let started = 0;
    const send = create({
      loadKeys: async () => {
        started += 1;
        return { key };
      },
    });
    for (let round = 1; round <= 2; round += 1) assert.equal(await send(url), undefined);
    assert.equal(started, 1);
    assert.deepEqual(bodies, []);
  });

  it('P20 is not for what needs a proxy, or an authority of the person’s own', async (t) => {
    const { url } = await start(t);
    const unused = { runtime: '/nowhere/to/be/found' };
    assert.equal(await create(unused)(url, { caFile: '/a/file.pem' }), undefined);
    assert.equal(await create(unused, { extraCaFile: () => '/a/file.pem' })(url), undefined);
    assert.deepEqual(log.lines, [], 'none was started');
  });
});
