import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRules, rulesOfName, sortByRule, testNamesIn } from '../../stand/ruleNames.ts';

const RULES = readRules(`# Rules

A line about P9.

## Each is named by a test

- P1 Where it is
- P2 What is kept
- P2a How long
- P3 Whose it is
- P30 Another one

## Not built yet

- P31 Something else
`);

describe('the list of rules', () => {
  it('is read in its order, and tells what has to be named', () => {
    assert.deepEqual(
      RULES.map(({ id, title, isRequired }) => `${id} ${title} ${isRequired}`),
      [
        'P1 Where it is true',
        'P2 What is kept true',
        'P2a How long true',
        'P3 Whose it is true',
        'P30 Another one true',
        'P31 Something else false',
      ],
    );
  });
});

describe('the names of tests in a source', () => {
  for (const [title, source, expected] of [
    ['a test', `it('P1 finds', () => {});`, ['P1 finds']],
    ['any of the functions', `test('P1 a', f); describe('P2 b', f); holds('P3 c', {}, f);`, ['P1 a', 'P2 b', 'P3 c']],
    ['a name on the next line', `holds(\n    'P1 finds',`, ['P1 finds']],
    ['a template', 'it(`P1 finds ${what} \\`here\\``, f)', ['P1 finds ${what} \\`here\\`']],
    ['the rows of a table', `[['P1 a', 1], [\n  'P2 b', 2], { title: 'P3 c' }]`, ['P1 a', 'P2 b', 'P3 c']],
    ['a quoted quote', `it('P1 it\\'s', f)`, [`P1 it\\'s`]],
    ['not a rule further on', `it('finds P1', f); it('keeps it (P2)', f)`, []],
    ['not a text that a test says', `assert.ok(isRight, 'P1 is right'); assert.equal(a, b,\n 'P2 too')`, []],
    ['not what is commented out', `  // it('P1 finds', f)\n /* it('P2 keeps', f)\n * it('P3 c', f) */`, []],
    ['not what is skipped', `it.skip('P1 finds', f); it.todo('P2 keeps'); split('P3')`, []],
    ['not another word that begins alike', `it('P1x2 a', f); it('PKCE', f); it('POST', f)`, []],
  ] as const) {
    it(`are those of ${title}`, () => assert.deepEqual(testNamesIn(source), expected));
  }
});

describe('the rules of a name', () => {
  for (const [name, expected] of [
    ['P1 finds', ['P1']],
    ['P1, P3 finds', ['P1', 'P3']],
    ['P1 P3 finds P2', ['P1', 'P3']],
    ['P2a keeps', ['P2a']],
    ['P30 is not P3', ['P30']],
    ['P1-P3 keeps', ['P1', 'P2', 'P2a', 'P3']],
    ['P1 - P2, P30 keeps', ['P1', 'P2', 'P30']],
    ['P31 is listed too', ['P31']],
    ['P1', ['P1']],
    ['finds', []],
    ['P4 is not listed', undefined],
    ['P1, P4 is not listed', undefined],
    ['P3-P1 is no range', undefined],
  ] as const) {
    it(`${JSON.stringify(name)}: ${expected?.join(' ') ?? 'unknown'}`, () =>
      assert.deepEqual(
        rulesOfName(name, RULES)?.map(({ id }) => id),
        expected,
      ));
  }
});

describe('sorting names by rule', () => {
  it('gives each rule its tests, and tells of rules without one and of names without a rule', () => {
    const { named, missing, unknown } = sortByRule(['P1-P2 a', 'P2 b', 'P31 c', 'P77 d', 'P30 e'], RULES);
    assert.deepEqual(
      [...named].map(([{ id }, names]) => [id, names]),
      [
        ['P1', ['P1-P2 a']],
        ['P2', ['P1-P2 a', 'P2 b']],
        ['P2a', []],
        ['P3', []],
        ['P30', ['P30 e']],
        ['P31', ['P31 c']],
      ],
    );
    assert.deepEqual(
      missing.map(({ id }) => id),
      ['P2a', 'P3'],
    );
    assert.deepEqual(unknown, ['P77 d']);
  });

  it('misses every required rule when there are no tests', () => {
    assert.equal(sortByRule([], RULES).missing.length, 5);
  });
});
