import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TraceRecorder } from '../../../src/connections/traceRecorder.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import type { Fetch, FetchRequest } from '../../../src/oauth/fetchPort.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';

const TOKEN_URL = 'https://as.example/token?key=in-the-query';
const SECRET = 'a-secret-of-some-length';

function form(parameters: Readonly<Record<string, string>>, more: Partial<FetchRequest> = {}): FetchRequest {
  return { method: 'POST', reach: 'public', body: new URLSearchParams(parameters).toString(), ...more };
}

function answering(body: unknown, init: ResponseInit = {}): Fetch {
  return async () => (typeof body === 'string' ? new Response(body, init) : Response.json(body, init));
}

describe('the recorder of a trace', () => {
  it('measures a request, and leaves its answer as it is', async () => {
    const clock = new ManualClock(1000);
    const recorder = new TraceRecorder(clock);
    const fetch = recorder.recorded(async () => {
      clock.advance(40);
      return Response.json({ token_type: 'Bearer' });
    });
    assert.deepEqual(recorder.trace, { startedAt: 1000, outcome: 'running', steps: [] });
    clock.advance(5);
    const response = await fetch(TOKEN_URL, form({ grant_type: 'refresh_token' }));
    assert.deepEqual(await response.json(), { token_type: 'Bearer' });
    assert.deepEqual(recorder.trace.steps, [
      {
        at: 1005,
        durationMs: 40,
        purpose: 'refresh',
        method: 'POST',
        url: 'https://as.example/token',
        sent: [{ name: 'grant_type', value: 'refresh_token' }],
        status: 200,
        received: [
          { name: 'content-type', value: 'application/json' },
          { name: 'token_type', value: 'Bearer' },
        ],
      },
    ]);
  });

  const hostile: readonly (readonly [string, FetchRequest, Fetch])[] = [
    ['a parameter', form({ code: SECRET }), answering({})],
    ['an unknown parameter', form({ anything: SECRET }), answering({})],
    ['a header', form({}, { headers: { authorization: `Bearer ${SECRET}`, dpop: SECRET } }), answering({})],
    ['an answer', form({ grant_type: 'x' }), answering({ access_token: SECRET, any_other: { deep: SECRET } })],
    ['an answer that is no JSON', form({ grant_type: 'x' }), answering(`{"access_token":"${SECRET}"`)],
    ['an echo', form({ code: SECRET }), answering({ error_description: `What is ${SECRET}?` }, { status: 400 })],
    ['an echo in the name', form({ code: SECRET }), answering({ [SECRET]: 1 })],
    ['an echo of the answer', form({ code: 'x' }), answering({ access_token: SECRET, scope: SECRET })],
    ['an echoing challenge', form({ code: SECRET }), answering({}, { headers: { 'www-authenticate': SECRET } })],
    ['a query', form({ resource: `https://example.com/mcp?key=${SECRET}` }), answering({})],
    ['a place', form({}), answering({}, { status: 302, headers: { location: `https://a.example/?c=${SECRET}` } })],
  ];
  for (const [title, request, fetch] of hostile) {
    it(`P36 tells no secret: ${title}`, async () => {
      const recorder = new TraceRecorder(new ManualClock());
      await recorder.recorded(fetch)(TOKEN_URL, request);
      recorder.end('failed', new OAuthError('grant_rejected', { issuer: 'https://as.example' }));
      const text = JSON.stringify(recorder.trace);
      assert.ok(!text.includes(SECRET), text);
      assert.ok(!text.includes('in-the-query'));
    });
  }

  it('P36 hides later what was secret before', async () => {
    const recorder = new TraceRecorder(new ManualClock());
    await recorder.recorded(answering({ access_token: SECRET }))(TOKEN_URL, form({ grant_type: 'x' }));
    await recorder.browse(`https://as.example/authorize?scope=${SECRET}`, async () => new URL(`ed:/cb?iss=${SECRET}`));
    assert.ok(!JSON.stringify(recorder.trace).includes(SECRET));
  });

  it('P17 tells no text of a callback that came from elsewhere', async () => {
    const issuer = 'https://as.example';
    const callback = new URL('ed:/cb?iss=https%3A%2F%2Fevil.example&error=call_us&state=12345');
    callback.searchParams.set('error_description', 'Your account is locked, call us. '.repeat(20));
    callback.searchParams.set('error_uri', 'https://evil.example/help');
    for (const isForged of [true, false]) {
      const recorder = new TraceRecorder(new ManualClock());
      await recorder.browse(`${issuer}/authorize`, async () => callback);
      const error = isForged
        ? new OAuthError('callback_issuer_mismatch', { issuer })
        : new OAuthError('authorization_failed', { issuer, error: 'call_us' });
      recorder.end('failed', error);
      const received = recorder.trace.steps.at(-1)?.received.map(({ name, value }) => `${name}: ${value}`);
      assert.deepEqual(received?.slice(0, 3), [
        'iss: https://evil.example',
        isForged ? 'error: [7 characters]' : 'error: call_us',
        'state: [5 characters]',
      ]);
      assert.equal(received?.[3] === 'error_description: [660 characters]', isForged);
      assert.equal(received?.[4] === 'error_uri: [25 characters]', isForged);
    }
  });

  it('bounds steps, fields and texts', async () => {
    const recorder = new TraceRecorder(new ManualClock());
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`scope${index}`, 'x']));
    const fetch = recorder.recorded(answering({ ...many, scope: 'long '.repeat(5000) }));
    for (let count = 0; count < 100; count += 1) await fetch(TOKEN_URL, form({ scope: 'y'.repeat(9999), ...many }));
    const { omitted, steps } = recorder.trace;
    assert.deepEqual([steps.length, omitted], [60, 40]);
    assert.ok(JSON.stringify(steps).length < 60 * 2 * 40 * 100);
    for (const { sent, received } of steps) assert.ok(sent.length <= 40 && received.length <= 40);
  });

  for (const [title, text] of [
    ['letters', 'a'.repeat(1_000_000)],
    ['digits', '1'.repeat(1_000_000)],
    ['colons', 'a:'.repeat(500_000)],
    ['slashes', 'a:/'.repeat(333_333)],
    ['URLs', 'a://b '.repeat(166_666)],
  ] as const) {
    it(`P36 reads a megabyte of ${title} in under 500 ms`, async () => {
      const request = form({ grant_type: 'x' });
      const fetch = answering({ error_description: text }, { status: 400 });
      // The best of several: a machine that is busy with something else says nothing of the reader.
      const times: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const startedAt = performance.now();
        await new TraceRecorder(new ManualClock()).recorded(fetch)(TOKEN_URL, request);
        times.push(performance.now() - startedAt);
      }
      assert.ok(Math.min(...times) < 500, `took ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    });
  }

  it('tells what made a request fail', async () => {
    const recorder = new TraceRecorder(new ManualClock());
    const refused = new OAuthError('address_refused', { url: 'https://as.example', address: '10.0.0.1' });
    const fetch = recorder.recorded(async () => Promise.reject(refused));
    await assert.rejects(fetch(TOKEN_URL, form({ grant_type: 'x' })), refused);
    const [step] = recorder.trace.steps;
    assert.deepEqual([step?.status, step?.errorCode, step?.rule], [undefined, 'address_refused', 'P20']);
  });
});
