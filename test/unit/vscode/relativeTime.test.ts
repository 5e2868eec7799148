import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteText, agoText, clockText, expiryText, inText } from '../../../src/vscode/relativeTime.ts';

const NOW = 1_800_000_000_000;
const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const DAY = 24 * H;

const expiries: readonly (readonly [left: number, text: string])[] = [
  [42 * MIN, 'expires in 42 min'],
  [42 * MIN + 59 * S, 'expires in 42 min'],
  [MIN, 'expires in 1 min'],
  [MIN - 1, 'expires in <1 min'],
  [0, 'expired just now'],
  [-MIN, 'expired 1 min ago'],
  [H, 'expires in 1 h'],
  [3 * H + 5 * MIN, 'expires in 3 h 5 min'],
  [DAY, 'expires in 1 day'],
  [30 * DAY + 5 * H, 'expires in 30 days'],
];

for (const [left, text] of expiries) {
  test(`${left} ms before the end: ${text}`, () => {
    assert.equal(expiryText(NOW + left, NOW), text);
  });
}

test('what was: just now, minutes, and a clock that went back', () => {
  assert.equal(agoText(NOW - 59 * S, NOW), 'just now');
  assert.equal(agoText(NOW - 2 * H, NOW), '2 h ago');
  assert.equal(agoText(NOW + H, NOW), 'just now');
});

test('what comes: seconds are rounded up and never 0', () => {
  assert.equal(inText(NOW + 20 * S, NOW), 'in 20 s');
  assert.equal(inText(NOW + 1, NOW), 'in 1 s');
  assert.equal(inText(NOW, NOW), 'now');
  assert.equal(inText(NOW + 3 * MIN, NOW), 'in 3 min');
});

test('an instant is written in the language of the user', () => {
  assert.match(absoluteText(Date.UTC(2026, 10, 21, 15, 53), 'UTC'), /^Nov 21, 2026, 3:53\sPM$/);
});

test('the clock names the day only when it is another one', () => {
  const now = Date.UTC(2026, 10, 21, 12);
  assert.match(clockText(Date.UTC(2026, 10, 21, 15, 53), now, 'UTC'), /^3:53\sPM$/);
  assert.match(clockText(Date.UTC(2026, 10, 22, 0, 5), now, 'UTC'), /^Nov 22, 12:05\sAM$/);
});
