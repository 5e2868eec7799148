/** A rule of the wire as test/rules.md lists it. */
export interface Rule {
  /** For example `P18a`. */
  readonly id: string;
  readonly title: string;
  /** Whether a test has to name it. */
  readonly isRequired: boolean;
}

/** What came of looking for the rules in the names of tests. */
export interface RuleNames {
  /** The names by rule; each required rule is there, also without any. */
  readonly named: ReadonlyMap<Rule, readonly string[]>;
  /** Required rules that no test names. */
  readonly missing: readonly Rule[];
  /** Names that begin with a rule which is not listed. */
  readonly unknown: readonly string[];
}

const OPTIONAL_HEADING = /^## Not built yet$/m;
const RULE = String.raw`P\d+[a-z]?\b`;
/** `P27`, `P4, P5`, `P9 P10` or `P21-P25` at the beginning of a name. */
const RULES_FIRST = new RegExp(String.raw`^${RULE}(?:(?:\s*[-,]\s*|\s+)${RULE})*`);
/** What a test's name follows: a function that makes tests, or the beginning of a table's row. */
const NAME = /(?:\b(?:it|test|describe|holds)\(|\[|\b(?:name|title): )\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g;

/** Reads the rules from the text of test/rules.md, in its order. */
export function readRules(markdown: string): readonly Rule[] {
  const optionalFrom = OPTIONAL_HEADING.exec(markdown)?.index ?? markdown.length;
  const lines = markdown.matchAll(/^- (P\d+[a-z]?) (.+)$/gm);
  return [...lines].map(({ 1: id = '', 2: title = '', index }) => ({ id, title, isRequired: index < optionalFrom }));
}

/** The names of tests in a source file that begin with a rule. What is commented out or skipped does not count. */
export function testNamesIn(source: string): readonly string[] {
  const code = source
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .join('\n');
  const names = [...code.matchAll(NAME)].map(([, quoted, template]) => quoted ?? template ?? '');
  return names.filter((name) => RULES_FIRST.test(name));
}

/**
 * The rules that a test's name begins with; those between the two ends of a range are among them.
 * Undefined when one of them is not listed.
 */
export function rulesOfName(name: string, rules: readonly Rule[]): readonly Rule[] | undefined {
  const first = RULES_FIRST.exec(name)?.[0] ?? '';
  const found: Rule[] = [];
  for (const [, from = '', to = from] of first.matchAll(/(P\d+[a-z]?)(?:\s*-\s*(P\d+[a-z]?))?/g)) {
    const [start, end] = [from, to].map((id) => rules.findIndex((rule) => rule.id === id));
    if (start === undefined || end === undefined || start < 0 || end < start) return undefined;
    found.push(...rules.slice(start, end + 1));
  }
  return found;
}

/** Sorts the names of tests under the rules that they begin with. */
export function sortByRule(names: readonly string[], rules: readonly Rule[]): RuleNames {
  const named = new Map<Rule, string[]>(rules.filter(({ isRequired }) => isRequired).map((rule) => [rule, []]));
  const unknown: string[] = [];
  for (const name of names) {
    const found = rulesOfName(name, rules);
    if (found === undefined) unknown.push(name);
    for (const rule of found ?? []) named.set(rule, [...(named.get(rule) ?? []), name]);
  }
  const missing = [...named].filter(([, tests]) => tests.length === 0).map(([rule]) => rule);
  return { named, missing, unknown };
}
