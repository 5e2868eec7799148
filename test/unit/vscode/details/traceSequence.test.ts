import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConnectionError } from '../../../../src/connections/errors.ts';
import { type AuthorizationTrace, TRACE_PURPOSES, type TraceStep } from '../../../../src/connections/trace.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { LANES } from '../../../../src/vscode/details/detailsMessages.ts';
import { traceSequence } from '../../../../src/vscode/details/traceSequence.ts';
import { NOW } from '../../connectionFixture.ts';

const STARTED_AT = NOW - 5 * 60_000;

function step(change: Partial<TraceStep>): TraceStep {
  return {
    at: STARTED_AT,
    durationMs: 20,
    purpose: 'probe',
    method: 'POST',
    url: 'https://mcp.example/mcp',
    sent: [],
    status: 401,
    received: [],
    ...change,
  };
}

const ALL: readonly TraceStep[] = [
  step({}),
  step({ at: STARTED_AT + 30, purpose: 'resource_metadata', method: 'GET', status: 200 }),
  step({ at: STARTED_AT + 60, purpose: 'authorization', method: 'GET', url: 'https://as.example/authorize?state=x' }),
  step({ at: STARTED_AT + 4200, purpose: 'callback', method: 'GET', url: 'http://127.0.0.1:1/callback?code=x' }),
  step({
    at: STARTED_AT + 4300,
    purpose: 'token',
    url: 'https://as.example/token',
    status: 200,
    sent: [{ name: 'code', value: '(43 characters)' }],
  }),
];
const AUTHORIZED: AuthorizationTrace = {
  startedAt: STARTED_AT,
  endedAt: STARTED_AT + 4500,
  outcome: 'authorized',
  steps: ALL,
};

describe('the last authorization as a sequence', () => {
  it('tells each step in order: who told whom, when, and what came of it', () => {
    const { lanes, outcome, problem, steps, tone } = traceSequence(AUTHORIZED, false, NOW);
    assert.equal(tone, 'good');
    assert.match(outcome, /^Authorized on .*\(5 min ago\), 5 steps in 4\.5 s$/);
    assert.equal(problem, undefined);
    assert.deepEqual(
      lanes.map(({ name }) => name),
      ['Scopekeeper', 'Browser', 'MCP server', 'Authorization server'],
    );
    assert.deepEqual(
      steps.map(({ route, status, time, title }) => [title, route, status, time].join(' | ')),
      [
        'Ask the server without a token | Scopekeeper → MCP server | 401 | +0 ms, took 20 ms',
        'Read where to sign in | Scopekeeper → MCP server | 200 | +30 ms, took 20 ms',
        'Open the sign-in page | Scopekeeper → Browser → Authorization server | 401 | +60 ms, took 20 ms',
        'Come back from the browser | Authorization server → Browser → Scopekeeper | 401 | +4.2 s, took 20 ms',
        'Get the tokens | Scopekeeper → Authorization server | 200 | +4.3 s, took 20 ms',
      ],
    );
    assert.deepEqual(steps[4]?.fields[0]?.fields, [{ label: 'code', value: '(43 characters)' }]);
    assert.equal(steps[2]?.request, 'GET https://as.example/authorize?…');
  });

  it('P13 marks the step that failed, with the rule and what to do', () => {
    const error = new OAuthError('pkce_unsupported', { issuer: 'https://as.example' });
    const failing = step({ purpose: 'server_metadata', status: 200, errorCode: 'pkce_unsupported', rule: 'P13' });
    const { problem, steps, tone } = traceSequence(
      { ...AUTHORIZED, outcome: 'failed', error, steps: [step({ errorCode: 'authorization_not_required' }), failing] },
      false,
      NOW,
    );
    assert.equal(tone, 'bad');
    assert.equal(problem, undefined);
    assert.deepEqual(
      steps.map((one) => [one.tone, one.status, one.problem?.rule?.source]),
      [
        ['warning', '401, authorization not required', undefined],
        ['bad', '200, pkce unsupported', 'RFC 7636 §4.2'],
      ],
    );
    assert.match(steps[1]?.problem?.rule?.text ?? '', /^Not so: Sign-ins are protected against interception/);
    assert.match(steps[1]?.problem?.message ?? '', /does not say that it protects sign-ins/);
    assert.match(steps[1]?.problem?.nextStep ?? '', /you can allow it/);
  });

  it('tells what went wrong at no step apart', () => {
    const error = new ConnectionError('authorization_timed_out', { timeoutMs: 300_000 });
    const { problem, steps } = traceSequence({ ...AUTHORIZED, outcome: 'failed', error }, false, NOW);
    assert.match(problem?.message ?? '', /Nobody came back/);
    assert.ok(steps.every((one) => one.problem === undefined));
  });

  it('says that a step is still running', () => {
    const { durationMs: _, status: __, ...running } = step({ purpose: 'token' });
    const { outcome, steps, tone } = traceSequence(
      { startedAt: STARTED_AT, outcome: 'running', steps: [running] },
      false,
      NOW,
    );
    assert.equal(tone, 'working');
    assert.match(outcome, /^Running since .*, 1 step so far$/);
    assert.deepEqual([steps[0]?.tone, steps[0]?.status, steps[0]?.arrows.length], ['working', 'waiting…', 1]);
    assert.equal(steps[0]?.fields[1]?.empty, 'nothing yet');
  });

  for (const [title, trace, isOwnToken, said] of [
    ['nothing was recorded', undefined, false, /No authorization was recorded/],
    ['the person brings the token', undefined, true, /you entered the token yourself/],
    ['it ended before its first step', { ...AUTHORIZED, steps: [] }, false, /No authorization was recorded/],
  ] as const) {
    it(`says that ${title}`, () => assert.match(traceSequence(trace, isOwnToken, NOW).empty ?? '', said));
  }

  it('P36 shows of no URL a query, and cuts texts of servers, whatever they are', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('‮'.repeat(9)), fc.constant('x'.repeat(9000)));
    const field = fc.record({ name: text, value: text });
    const url = fc.webUrl({ withQueryParameters: true, withFragments: true });
    const instant = fc.integer({ min: 0, max: 8.64e15 });
    const anyStep = fc.record({
      at: instant,
      purpose: fc.constantFrom(...TRACE_PURPOSES),
      method: fc.constantFrom('GET', 'POST'),
      url,
      sent: fc.array(field, { maxLength: 3 }),
      received: fc.array(field, { maxLength: 3 }),
      status: fc.nat(999),
      errorCode: text,
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120 }), instant, (steps, startedAt) => {
        const shown = traceSequence({ startedAt, outcome: 'failed', steps }, false, NOW);
        assert.ok(shown.steps.length <= 100);
        for (const [index, one] of shown.steps.entries()) {
          const { search } = new URL(steps[index]?.url ?? '');
          assert.ok(search.length < 2 || !one.request.includes(search), one.request);
          assert.ok(one.arrows.every(({ from, to }) => from !== to && LANES.includes(from)));
          for (const { label, value } of one.fields.flatMap(({ fields }) => fields)) {
            assert.ok(label.length <= 2000 && value.length <= 2000);
            assert.doesNotMatch(label + value, /[\p{Cc}\p{Cf}]/u);
          }
        }
      }),
    );
  });
});
