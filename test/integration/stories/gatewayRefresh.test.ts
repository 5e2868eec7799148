// What a review said of another gateway's refresh grant, point by point, against a gateway of ours in a process of its own.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hashOf } from '../../../src/gateway/authorization/tokens.ts';
import { createGatewayClient, errorOf, tokensOf } from '../../headless/gatewayClient.ts';

const PROGRAM = fileURLToPath(new URL('./gatewayRefresh.main.mjs', import.meta.url));

let folder = '';
let children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-refresh-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Starts a gateway over the folder. It kills itself after it has written what a request with `x-die` changes. */
async function start(): Promise<{ readonly origin: string; readonly ended: Promise<unknown> }> {
  const child = spawn(process.execPath, [PROGRAM, folder, 'dies'], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = once(child, 'exit');
  for await (const origin of createInterface(child.stdout)) return { origin, ended };
  throw new Error('the gateway did not start');
}

async function statusOf(origin: string, token: string): Promise<number> {
  return (await fetch(`${origin}/use`, { headers: { authorization: `Bearer ${token}` } })).status;
}

describe('the refresh grant of the gateway', () => {
  it('P39 gives full lifetimes at each of 50 rotations, over the wire and in the file', async () => {
    const { origin } = await start();
    const client = createGatewayClient(origin);
    let tokens = await client.signIn();
    for (let rotation = 1; rotation <= 50; rotation += 1) {
      const before = Date.now();
      tokens = await tokensOf(await client.refresh(tokens.refresh_token));
      assert.equal(tokens.expires_in, 86_400, `rotation ${rotation}`);
      const text = await readFile(path.join(folder, 'gateway.json'), 'utf8');
      const [, end = ''] =
        new RegExp(`"${hashOf(tokens.refresh_token)}",\\s*"refresh_expires_at": "([^"]+)"`).exec(text) ?? [];
      assert.ok(Date.parse(end) >= before + 30 * 86_400_000, `rotation ${rotation}`);
    }
    assert.equal(await statusOf(origin, tokens.access_token), 200);
  });

  it('P40, P41 killed between commit and answer, gives the same successor afterwards', async () => {
    const first = await start();
    const client = createGatewayClient(first.origin);
    const tokens = await client.signIn();
    const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: tokens.refresh_token };
    await assert.rejects(client.post('/oauth/token', form, { 'x-die': '1' }));
    await first.ended;
    const second = await start();
    const again = createGatewayClient(second.origin);
    const answers = [];
    for (let round = 1; round <= 2; round += 1) answers.push(await tokensOf(await again.post('/oauth/token', form)));
    assert.equal(answers[0]?.access_token, answers[1]?.access_token);
    assert.equal(answers[0]?.refresh_token, answers[1]?.refresh_token);
    assert.equal(await statusOf(second.origin, tokens.access_token), 401);
    assert.equal(await statusOf(second.origin, answers[0]?.access_token ?? ''), 200);
    assert.equal(await errorOf(await again.post('/oauth/token', form)), '400 invalid_grant');
    assert.equal(await statusOf(second.origin, answers[0]?.access_token ?? ''), 401);
  });

  it('P40 a crowd of refreshes with one token gives one successor', async () => {
    const { origin } = await start();
    const client = createGatewayClient(origin);
    const { refresh_token: token } = await client.signIn();
    const answers = await Promise.all(Array.from({ length: 20 }, async () => tokensOf(await client.refresh(token))));
    assert.equal(new Set(answers.map((answer) => answer.access_token)).size, 1);
    assert.equal(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
  });

  it('P42 takes over a file of version 1 with its tokens, and leaves one of version 3 alone', async () => {
    const file = path.join(folder, 'gateway.json');
    const entry = {
      id: 'tok-1',
      hash: hashOf('old'),
      prefix: 'old',
      allowed_tools: ['*'],
      created_at: '2026-01-01T00:00:00Z',
    };
    const text = JSON.stringify({ version: 1, tokens: { 'tok-1': { ...entry, revoked: false } } });
    await writeFile(file, text);
    const { origin } = await start();
    assert.equal(await statusOf(origin, 'old'), 200);
    await createGatewayClient(origin).signIn();
    assert.equal(await statusOf(origin, 'old'), 200);
    assert.equal(await readFile(`${file}.v1`, 'utf8'), text);
    const newer = text.replace('"version":1', '"version":3');
    await writeFile(file, newer);
    const child = spawn(process.execPath, [PROGRAM, folder], { stdio: 'ignore' });
    children.push(child);
    const [code] = await once(child, 'exit');
    assert.notEqual(code, 0);
    assert.equal(await readFile(file, 'utf8'), newer);
  });
});
