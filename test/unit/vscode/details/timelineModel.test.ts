import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ActivityEntry } from '../../../../src/connections/activity.ts';
import type { ConnectionState } from '../../../../src/connections/connection.ts';
import { timelineModel } from '../../../../src/vscode/details/timelineModel.ts';
import { connectionIn, grantWith, MINUTE_MS, NOW } from '../../connectionFixture.ts';

const HOUR_MS = 60 * MINUTE_MS;

/** Signed in three hours ago, renewed each hour, good for 40 min more. */
const RENEWED: readonly ActivityEntry[] = [
  { at: NOW - 181 * MINUTE_MS, type: 'added' },
  { at: NOW - 180 * MINUTE_MS, type: 'connected', scopes: ['a'], expiresAt: NOW - 120 * MINUTE_MS },
  { at: NOW - 130 * MINUTE_MS, type: 'refreshed', expiresAt: NOW - 70 * MINUTE_MS },
  { at: NOW - 75 * MINUTE_MS, type: 'refresh_failed', errorCode: 'server_unreachable' },
  { at: NOW - 20 * MINUTE_MS, type: 'refreshed', expiresAt: NOW + 40 * MINUTE_MS },
];
const GRANT = grantWith({
  issuedAt: NOW - 180 * MINUTE_MS,
  refreshedAt: NOW - 20 * MINUTE_MS,
  expiresAt: NOW + 40 * MINUTE_MS,
});
const READY: ConnectionState = { type: 'ready', grant: GRANT };

describe('the line of time of a token', () => {
  it('has a span for each token, a gap where there was none, and what is ahead apart', () => {
    const { marks, now, spans, ticks } = timelineModel(connectionIn(READY), RENEWED, NOW);
    assert.deepEqual(
      spans.map(({ isAhead }) => isAhead),
      [false, false, false, true],
    );
    const [first, second, third, ahead] = spans;
    assert.ok(first && second && third && ahead);
    assert.equal(first.to, second.from, 'a renewal ends the token before it');
    assert.ok(second.to < third.from, 'nothing was good while the server was away');
    assert.equal(third.to, now.at);
    assert.equal(ahead.from, now.at);
    assert.deepEqual(
      marks.map(({ mark }) => mark),
      ['signIn', 'renewal', 'failure', 'renewal', 'end'],
    );
    assert.equal(ahead.to, marks.at(-1)?.at);
    assert.equal(ticks.at(-1)?.text, 'expires in 40 min');
  });

  it('says the same as a list, the newest first', () => {
    const { earlier, events } = timelineModel(connectionIn(READY), RENEWED, NOW);
    assert.deepEqual(
      events.map(({ ago, details, title }) =>
        [title, ago, ...details].join(' | ').replace(/good until .*/, 'good until'),
      ),
      [
        'Token renewed | 20 min ago | good until',
        'Renewal failed | 1 h 15 min ago | offline',
        'Token renewed | 2 h 10 min ago | good until',
        'Signed in | 3 h ago | a | good until',
        'Added | 3 h 1 min ago',
      ],
    );
    assert.deepEqual(earlier, []);
    assert.equal(events[0]?.iso, new Date(NOW - 20 * MINUTE_MS).toISOString());
  });

  it('P22 calls a sign-in that brought more scopes so, with those that are new', () => {
    const stepUp: ActivityEntry = { at: NOW - 1, type: 'connected', scopes: ['a', 'b'] };
    const again: ActivityEntry = { at: NOW, type: 'connected', scopes: ['a', 'b'] };
    const { events } = timelineModel(connectionIn(READY), [...RENEWED, stepUp, again], NOW);
    assert.deepEqual(
      events.slice(0, 2).map(({ details, mark, title }) => [mark, title, details.join()]),
      [
        ['signIn', 'Signed in again', 'a b'],
        ['stepUp', 'Signed in for more scopes', 'b'],
      ],
    );
  });

  it('P22 tells for which request more scopes are needed', () => {
    const { events } = timelineModel(
      connectionIn(READY),
      [...RENEWED, { at: NOW, type: 'consent_needed', scopes: ['b'], operation: 'tools/call add_note' }],
      NOW,
    );
    assert.equal(events[0]?.mark, 'warning');
    assert.equal(events[0]?.details[0], 'b');
    assert.match(events[0]?.details[1] ?? '', /add_note/);
  });

  it('folds the older events away', () => {
    const many = Array.from(
      { length: 20 },
      (_, index) => ({ at: NOW - (20 - index) * HOUR_MS, type: 'refreshed' }) as const,
    );
    const { earlier, earlierTitle, events } = timelineModel(connectionIn(READY), many, NOW);
    assert.deepEqual([events.length, earlier.length, earlierTitle], [8, 12, '12 earlier events']);
  });

  it('knows the newest token from the grant where the entries of older versions do not say when one ends', () => {
    const old = RENEWED.map(({ at, type }) => ({ at, type }));
    const { now, spans } = timelineModel(connectionIn(READY), old, NOW);
    assert.deepEqual(
      spans.slice(-2).map(({ from, isAhead }) => [isAhead, isAhead && from]),
      [
        [false, false],
        [true, now.at],
      ],
    );
  });

  for (const [kind, said] of [
    ['authorization_code', /Nobody has signed in yet/],
    ['static_token', /No token was entered yet/],
  ] as const) {
    it(`says what will be there for a connection of ${kind} that has no token yet`, () => {
      const { empty, spans } = timelineModel(
        connectionIn({ type: 'disconnected' }, { kind }),
        [{ at: NOW, type: 'added' }],
        NOW,
      );
      assert.match(empty ?? '', said);
      assert.deepEqual(spans, []);
    });
  }

  it('ends with the token that was given up', () => {
    const { marks, spans } = timelineModel(
      connectionIn({ type: 'disconnected' }),
      [...RENEWED, { at: NOW - MINUTE_MS, type: 'disconnected' }],
      NOW,
    );
    assert.ok(spans.every(({ isAhead }) => !isAhead));
    assert.equal(marks.at(-1)?.mark, 'end');
  });

  it('stays on the line whatever the clock did', () => {
    const types = [
      'connected',
      'refreshed',
      'refresh_failed',
      'scopes_dropped',
      'sign_in_needed',
      'disconnected',
    ] as const;
    const instant = fc.integer({ min: 0, max: 8.64e15 });
    const entry = fc.record(
      { at: instant, type: fc.constantFrom(...types), expiresAt: instant, scopes: fc.array(fc.string()) },
      { requiredKeys: ['at', 'type'] },
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 50 }),
        instant,
        instant,
        fc.option(instant),
        (entries, now, issuedAt, end) => {
          const grant = grantWith({ issuedAt, ...(end !== null && { expiresAt: end }) });
          const line = timelineModel(connectionIn({ type: 'ready', grant }), entries, now);
          const places = [
            line.now.at,
            ...line.spans.flatMap(({ from, to }) => [from, to]),
            ...line.marks.map(({ at }) => at),
            ...line.ticks.map(({ at }) => at),
          ];
          for (const at of places) assert.ok(at >= 0 && at <= 100, String(at));
          for (const { from, to } of line.spans) assert.ok(from <= to);
          assert.equal(line.events.length + line.earlier.length, entries.length);
        },
      ),
    );
  });
});
