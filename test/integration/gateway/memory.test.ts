import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import http, { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { listenOnLoopback, stopServer } from '../../servers/loopback.ts';
import { responseTo } from '../../servers/rawRequest.ts';

const MEBIBYTE = 1024 * 1024;
const GROWTH_AT_MOST = 32 * MEBIBYTE;
const CHUNK = Buffer.alloc(MEBIBYTE, 'x');

const startedSchema = v.object({ url: v.string(), token: v.string() });
const memorySchema = v.object({ inUse: v.number(), rss: v.number() });

/** A server that streams so many mebibytes, as fast as they are taken; `sent` counts. */
async function startServer(t: TestContext, mebibytes: number) {
  const sent = { mebibytes: 0 };
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (): void => {
      while (sent.mebibytes < mebibytes) {
        sent.mebibytes += 1;
        if (!response.write(CHUNK)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  const origin = await listenOnLoopback(server);
  t.after(async () => stopServer(server));
  return { origin, sent };
}

/** A gateway in a process of its own. */
async function startGateway(t: TestContext, serverUrl: string) {
  const program = fileURLToPath(new URL('memory.main.mjs', import.meta.url));
  const child = fork(program, [serverUrl], { execArgv: ['--expose-gc'] });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const { token, url } = v.parse(startedSchema, await messageOf(child));
  const memory = async (): Promise<v.InferOutput<typeof memorySchema>> => {
    child.send('memory');
    return v.parse(memorySchema, await messageOf(child));
  };
  return { headers: { authorization: `Bearer ${token}` }, memory, url };
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message');
  return message;
}

describe('an answer of 1 GB', () => {
  it('P37 makes memory grow by no more than 32 MB', { timeout: 120_000 }, async (t) => {
    const { origin, sent } = await startServer(t, 1024);
    const { headers, memory, url } = await startGateway(t, `${origin}/mcp`);
    const before = await memory();
    const response = await responseTo(http.get(url, { headers, agent: false }));
    let length = 0;
    let most = 0;
    for await (const chunk of response) {
      const part = Math.floor(length / (64 * MEBIBYTE));
      length += Buffer.byteLength(chunk);
      if (Math.floor(length / (64 * MEBIBYTE)) === part) continue;
      const { inUse } = await memory();
      most = Math.max(most, inUse - before.inUse);
    }
    assert.equal(length, sent.mebibytes * MEBIBYTE);
    const { rss } = await memory();
    t.diagnostic(
      `in use: ${Math.round(most / MEBIBYTE)} MiB more, resident: ${Math.round((rss - before.rss) / MEBIBYTE)}`,
    );
    assert.ok(most < GROWTH_AT_MOST, `grew by ${Math.round(most / MEBIBYTE)} MiB`);
  });

  it('P37 that nobody reads is not taken from the server', { timeout: 60_000 }, async (t) => {
    const { origin, sent } = await startServer(t, 1024);
    const { headers, memory, url } = await startGateway(t, `${origin}/mcp`);
    const before = await memory();
    const request = http.get(url, { headers, agent: false });
    const response = await responseTo(request);
    response.pause();
    // It fills what buffers there are, also those of the system, and stands still.
    for (let last = -1; last !== sent.mebibytes;) {
      last = sent.mebibytes;
      for (let turn = 0; turn < 20; turn += 1) await memory();
    }
    assert.ok(sent.mebibytes < 128, `${sent.mebibytes} MiB were taken`);
    const { inUse } = await memory();
    assert.ok(inUse - before.inUse < GROWTH_AT_MOST);
    request.destroy();
  });
});
