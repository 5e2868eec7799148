import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  difference,
  formatScopes,
  intersection,
  isScopeToken,
  parseGrantedScopes,
  parseScopes,
  sameScopes,
  union,
} from '../../../src/oauth/scopeSet.ts';

const scopeToken = fc.stringMatching(/^[!#-[\]-~]{1,12}$/);
const scopeSet = fc.uniqueArray(scopeToken, { maxLength: 8 });

describe('scope sets', () => {
  for (const [value, expected] of [
    ['a b  c', ['a', 'b', 'c']],
    ['a b a', ['a', 'b']],
    [
      ['a b', 'c', 'a'],
      ['a', 'b', 'c'],
    ],
    ['', []],
    [null, []],
    [undefined, []],
    [42, []],
    [['a', 7, null], ['a']],
    ['good "bad" back\\slash ünïcode', ['good']],
    ['api://app/.default https://x/y', ['api://app/.default', 'https://x/y']],
  ] as const) {
    it(`P9 reads ${JSON.stringify(value)} as ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseScopes(value), expected);
    });
  }

  it('P22 unites in first-seen order without duplicates', () => {
    assert.deepEqual(union(['b', 'a'], ['a', 'c'], ['b', 'd']), ['b', 'a', 'c', 'd']);
  });

  it('P26 takes commas for delimiters only when that yields a requested scope', () => {
    assert.deepEqual(parseGrantedScopes('repo,user', ['repo', 'user']), ['repo', 'user']);
    assert.deepEqual(parseGrantedScopes('a,b', ['a,b']), ['a,b']);
    assert.deepEqual(parseGrantedScopes('x,y', ['repo']), ['x,y']);
  });

  it('writes one space-delimited string, and nothing for no scope', () => {
    assert.equal(formatScopes(['a', 'b']), 'a b');
    assert.equal(formatScopes([]), undefined);
  });

  it('holds the laws of sets', () => {
    fc.assert(
      fc.property(scopeSet, scopeSet, (a, b) => {
        const all = union(a, b);
        assert.equal(new Set(all).size, all.length);
        assert.ok(sameScopes(all, union(b, a)));
        assert.deepEqual(union(all, a, b), all);
        assert.deepEqual([...difference(a, b), ...intersection(a, b)].toSorted(), a.toSorted());
        assert.deepEqual(parseScopes(formatScopes(a)), a);
        assert.ok(a.every(isScopeToken));
      }),
    );
  });
});
