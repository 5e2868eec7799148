import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRetryAfter } from '../../../src/oauth/tokenEndpoint.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

describe('P32 Retry-After', () => {
  for (const [value, ms] of [
    ['120', 120_000],
    [' 5 ', 5000],
    ['0', 0],
    ['999999999999', 999_999_999_999_000],
    ['Thu, 01 Jan 2026 12:01:30 GMT', 90_000],
    ['Thu, 01 Jan 2026 12:00:00 GMT', 0],
    ['Thu, 01 Jan 2026 11:59:59 GMT', undefined],
    ['Thu, 01 Jan 1970 00:00:00 GMT', undefined],
    ['9'.repeat(400), undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [' ', undefined],
    [null, undefined],
  ] as const) {
    it(`${value?.slice(0, 40) ?? 'none'}: ${ms ?? 'is none'}`, () => assert.equal(parseRetryAfter(value, NOW), ms));
  }
});
