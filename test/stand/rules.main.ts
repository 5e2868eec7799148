// npm run rules: which tests name which rule of test/rules.md. Fails on a rule without one.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { writeCounts } from './counts.ts';
import { readRules, sortByRule, testNamesIn } from './ruleNames.ts';
import { REPOSITORY } from './standPaths.ts';

const LONGEST_LINE = 110;
const TESTS = path.join(REPOSITORY, 'test');

const rules = readRules(await readFile(path.join(TESTS, 'rules.md'), 'utf8'));
// The tests of the stand hold no rule: their names of rules are made up.
const isWireTest = (file: string): boolean => file.endsWith('.test.ts') && !file.startsWith(path.join('unit', 'stand'));
const files = (await readdir(TESTS, { recursive: true })).filter(isWireTest).toSorted();
const sources = await Promise.all(files.map(async (file) => readFile(path.join(TESTS, file), 'utf8')));
const { named, missing, unknown } = sortByRule(sources.flatMap(testNamesIn), rules);

for (const [{ id, title }, tests] of named) {
  console.log(short(`${id.padEnd(5)} ${String(tests.length).padStart(3)}  ${title}`));
  for (const test of tests) console.log(short(`             ${test}`));
}
for (const { id, title } of missing) console.log(`NO TEST NAMES ${id} ${title}`);
for (const name of unknown) console.log(`NO SUCH RULE ${name}`);
await writeCounts('rules', { passed: named.size - missing.length, failed: missing.length + unknown.length });
process.exitCode = missing.length + unknown.length === 0 && named.size > 0 ? 0 : 1;

function short(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE - 1)}…`;
}
