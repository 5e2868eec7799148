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
  type ScopeSet,
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

  it('P9 reads scopes from anything, and what it reads can be sent and read again', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(' ', '\t', '\n', '\0', 'a', 'ü', '"', '\\', 'b,c')).map((parts) => parts.join('')),
    );
    const other = fc.constantFrom(null, undefined, 0, true, {}, [], ['a']);
    fc.assert(
      fc.property(fc.oneof(text, other, fc.array(fc.oneof(text, other))), (value) => {
        const scopes = parseScopes(value);
        assert.ok(scopes.every(isScopeToken));
        assert.equal(new Set(scopes).size, scopes.length);
        assert.deepEqual(parseScopes(formatScopes(scopes)), scopes);
        assert.deepEqual(parseScopes([...scopes]), scopes);
      }),
    );
  });

  it('P26 reads what was granted as requested, in whatever order, with spaces or commas between', () => {
    const plain = fc.uniqueArray(fc.stringMatching(/^[a-z.:/]{1,8}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(plain, fc.constantFrom(' ', ',', ', ', '  '), (requested, delimiter) => {
        const granted = requested.toSorted();
        assert.deepEqual(parseGrantedScopes(granted.join(delimiter), requested), granted);
      }),
    );
  });
});

describe('the laws of sets', () => {
  /** From few scopes, so that sets overlap. */
  const few = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'A'));
  const anySet = fc.oneof(few, scopeSet);
  const law = (title: string, holds: (a: ScopeSet, b: ScopeSet, c: ScopeSet) => void): void => {
    it(`P21 P22 ${title}`, () => fc.assert(fc.property(anySet, anySet, anySet, holds)));
  };

  law('a union is in first-seen order, and holds each scope once', (a, b) => {
    assert.deepEqual(union(a, b), [...a, ...b.filter((scope) => !a.includes(scope))]);
    assert.deepEqual(union([...a, ...a], [...b, ...a]), union(a, b));
  });

  law('a union is associative, idempotent, and has the empty set for its neutral one', (a, b, c) => {
    assert.deepEqual(union(union(a, b), c), union(a, b, c));
    assert.deepEqual(union(a, union(b, c)), union(a, b, c));
    assert.deepEqual(union(a, a), a);
    assert.deepEqual(union(a, []), a);
    assert.deepEqual(union([], a), a);
    assert.deepEqual(union(), []);
  });

  law('order apart, union and intersection are commutative and distributive', (a, b, c) => {
    assert.ok(sameScopes(union(a, b), union(b, a)));
    assert.ok(sameScopes(intersection(a, b), intersection(b, a)));
    assert.ok(sameScopes(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c))));
    assert.ok(sameScopes(union(a, intersection(b, c)), intersection(union(a, b), union(a, c))));
  });

  law('difference and intersection part a set in two, and keep its order', (a, b, c) => {
    const [out, both] = [difference(a, b), intersection(a, b)];
    assert.deepEqual(intersection(out, b), []);
    assert.deepEqual(difference(both, b), []);
    assert.deepEqual(
      a.filter((scope) => out.includes(scope)),
      out,
    );
    assert.deepEqual(
      a.filter((scope) => both.includes(scope)),
      both,
    );
    assert.equal(out.length + both.length, a.length);
    assert.deepEqual(difference(a, union(b, c)), intersection(difference(a, b), difference(a, c)));
    assert.deepEqual(
      difference(a, intersection(b, c)).toSorted(),
      union(difference(a, b), difference(a, c)).toSorted(),
    );
  });

  law('sets are the same when they hold the same scopes, and only then', (a, b) => {
    assert.equal(sameScopes(a, b), JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted()));
    assert.ok(sameScopes(a, a.toReversed()));
    assert.equal(sameScopes(a, union(a, b)), difference(b, a).length === 0);
    assert.equal(sameScopes(union(a, b), a), difference(b, a).length === 0);
  });
});
