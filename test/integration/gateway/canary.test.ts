import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { startRaw, UPSTREAM_TOKEN } from '../../headless/rawConnection.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { startTestGateway, whenWaiting } from '../../headless/testGateway.ts';
import { Canaries } from '../../headless/canaries.ts';
import type { Faults } from '../../servers/faults.ts';
import { rawRequest } from '../../servers/rawRequest.ts';

const call = (tool: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } });

/** What a server does wrong, or a server of bad intent on purpose. */
const FAULTS: readonly Partial<Faults>[] = [
  {},
  { rejectTokens: true },
  { rejectTokens: true, tokenStatus: 503 },
  { rejectTokens: true, tokenHtml: true },
  { rejectTokens: true, dropTokenAnswer: true },
  { rejectTokens: true, invalidGrant: true },
  { forbidden: 'plain' },
  { forbidden: 'insufficient_scope' },
  { rawChallenge: ['Bearer error="invalid_token", error_description="what"'], rejectTokens: true },
  { html: true },
  { notFound: true },
];

describe('P45 the token of one side never goes to the other', () => {
  it('whatever the server and its authorization server answer', async (t) => {
    const { server, headless } = await startWithFaults(t, { challengeScope: 'files:read' });
    const { manager } = headless;
    const clock = new ManualClock();
    const gateway = await startTestGateway(t, headless, {
      clock,
      // Nobody comes; time goes on as soon as somebody is waited for.
      onDidDecline: whenWaiting(() => setImmediate(() => clock.advance(120_000))),
    });
    const canaries = new Canaries(server, headless);
    const { id } = await manager.add(server.mcpUrl);
    const token = gateway.accesses.add(id);
    const statuses = new Set<number | undefined>();
    const authorization = { authorization: `Bearer ${token}` };
    for (const faults of FAULTS) {
      const before = { ...server.faults };
      await manager.authorize(id);
      Object.assign(server.faults, faults);
      for (const options of [
        { method: 'POST', body: call('read_file'), headers: { ...authorization, 'content-type': 'application/json' } },
        { method: 'POST', body: call('write_file'), headers: { ...authorization, 'content-type': 'application/json' } },
        { method: 'GET', headers: { ...authorization, cookie: token, 'x-forwarded-for': token, referer: token } },
        { method: 'DELETE', headers: authorization },
        { method: 'POST', body: call('read_file'), headers: { authorization: `Bearer ${token}x` } },
      ]) {
        const { headers, status, text } = await rawRequest(gateway.url(id), options);
        statuses.add(status);
        canaries.tell(text, headers);
      }
      Object.assign(server.faults, before);
    }
    canaries.collect();
    assert.deepEqual(canaries.leaks(id), []);
    assert.ok(canaries.kinds.has('accessToken') && canaries.kinds.has('refreshToken'));
    assert.ok(!inspect(server.requests, { depth: 9 }).includes(token), 'ours reached a server');
    for (const status of [200, 401, 403, 404, 503]) assert.ok(statuses.has(status), `${status} was among the answers`);
  });

  for (const [title, answer] of [
    ['a redirect', (response: ServerResponse) => response.writeHead(307, { location: `/?a=${UPSTREAM_TOKEN}` }).end()],
    ['a redirect elsewhere', (response) => response.writeHead(302, { location: `//a.test/${UPSTREAM_TOKEN}` }).end()],
    [
      'a challenge',
      (response) => response.writeHead(401, { 'www-authenticate': `Bearer x="${UPSTREAM_TOKEN}"` }).end(),
    ],
    ['a cookie', (response) => response.writeHead(200, { 'set-cookie': `a=${UPSTREAM_TOKEN}` }).end()],
    ['a break', (response) => response.destroy()],
    [
      'a break in a body',
      (response) => response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    ],
  ] as readonly (readonly [string, (response: ServerResponse) => unknown])[]) {
    it(`in the answer to ${title}, nor in the log`, async (t) => {
      let seen: IncomingMessage | undefined;
      const listener = (request: IncomingMessage, response: ServerResponse): void => {
        seen = request;
        answer(response);
      };
      const raw = await startRaw(t, listener, { parts: { stepUpTimeoutMs: () => 0 } });
      const got = await rawRequest(raw.url, { method: 'POST', body: call('x'), headers: raw.authorization }).then(
        ({ headers, text }) => inspect([headers, text]),
        (error: unknown) => inspect(error),
      );
      assert.equal(seen?.headers.authorization, `Bearer ${UPSTREAM_TOKEN}`);
      assert.ok(!inspect(seen.rawHeaders).includes(raw.token));
      assert.ok(!got.includes(UPSTREAM_TOKEN));
      const told = raw.headless.log.lines.join('\n');
      assert.ok(!told.includes(UPSTREAM_TOKEN) && !told.includes(raw.token));
    });
  }
});
