import { readFile, readdir, rm, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Counts, writeCounts } from './counts.ts';
import { longestFirst } from './longestFirst.ts';
import { runLoudly } from './processes.ts';
import { OUT_FOLDER, RESULTS_FOLDER } from './standPaths.ts';

const TEST_TIMEOUT_MS = 300_000;
/** A person's whole day in the workbench, where other work keeps the processors from it; each step has its own end. */
const E2E_TIMEOUT_MS = 900_000;

/**
 * How many files run at once. By itself node leaves one processor free, which on two means one after the other, while
 * most files wait for servers, timers and windows. Two sessions of the workbench keep a processor busy each.
 */
const FILES_AT_ONCE = Math.max(2, availableParallelism());

/**
 * Runs the bundled tests of one folder of test/ with node:test, and leaves and gives its counts.
 * @param filters only files whose path holds one of them; all when empty
 */
export async function runNodeTests(folder: string, filters: readonly string[]): Promise<Counts> {
  const files = await testFiles(folder, filters);
  if (files.length === 0) {
    const counts = { passed: 0, failed: filters.length === 0 ? 1 : 0 };
    await writeCounts(folder, counts);
    return counts;
  }
  await mkdir(RESULTS_FOLDER, { recursive: true });
  const first = await runFiles(files, path.join(RESULTS_FOLDER, `${folder}.tap`), folder, FILES_AT_ONCE);
  const counts = folder === 'e2e' && first.counts.failed > 0 ? await runAgain(files, first) : first.counts;
  await writeCounts(folder, counts);
  return counts;
}

interface Run {
  readonly counts: Counts;
  /** Of node:test in TAP. */
  readonly report: string;
}

async function runFiles(files: readonly string[], report: string, folder: string, atOnce: number): Promise<Run> {
  await rm(report, { force: true });
  const reporters = ['spec', 'stdout', 'tap', report].map(
    (value, index) => `--test-reporter${index % 2 === 0 ? '' : '-destination'}=${value}`,
  );
  const timeoutMs = folder === 'e2e' ? E2E_TIMEOUT_MS : TEST_TIMEOUT_MS;
  const limits = [`--test-timeout=${timeoutMs}`, `--test-concurrency=${atOnce}`];
  const options = ['--enable-source-maps', '--test', ...limits, ...reporters];
  const exitCode = await runLoudly(process.execPath, [...options, ...files]);
  const text = await readFile(report, 'utf8').catch(() => '');
  return { counts: countsIn(text, exitCode), report: text };
}

/**
 * Runs the stories that failed once more, one at a time: a whole editor in a whole browser now and then loses a key or
 * draws nothing. It may as well be a race of ours, so what passed only now is told by its name, to be looked into.
 */
async function runAgain(files: readonly string[], { counts, report }: Run): Promise<Counts> {
  const places = failurePlaces(report);
  // One without a place cannot be told alone: a test that was skipped, or one of several below the same title.
  if (places.length < counts.failed) return counts;
  const failed = files.filter((file) => places.includes(path.basename(file, '.mjs')));
  console.log(`\nOnce more, by themselves: ${failed.map((file) => path.basename(file)).join(', ')}`);
  const again = await runFiles(failed, path.join(RESULTS_FOLDER, 'e2e-again.tap'), 'e2e', 1);
  const stillFailed = failurePlaces(again.report);
  const flaky = failed.map((file) => path.basename(file, '.mjs')).filter((name) => !stillFailed.includes(name));
  if (flaky.length > 0) console.log(`FLAKY, passed only the second time: ${flaky.join(', ')}`);
  return { passed: counts.passed + counts.failed - again.counts.failed, failed: again.counts.failed };
}

async function testFiles(folder: string, filters: readonly string[]): Promise<string[]> {
  const top = path.join(OUT_FOLDER, 'test', folder);
  const names = await readdir(top, { recursive: true }).catch(() => []);
  const chosen = names
    .filter((name) => name.endsWith('.test.mjs'))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
  return (await longestFirst(folder, chosen)).map((name) => path.join(top, name));
}

/** For each test at the top that failed the file that it is in, without its ending, by where a TAP report places it. */
export function failurePlaces(report: string): string[] {
  return [...report.matchAll(/^not ok .*\n {2}---\n(?: {2}.*\n)*? {2}location: '(.*)'$/gm)].map(
    ([, location = '']) => /([^/]+\.test)\.[^/]*$/.exec(location)?.[1] ?? location,
  );
}

/** Reads the totals at the end of a TAP report. Skipped and unfinished tests count as failed: nobody looks at them. */
function countsIn(text: string, exitCode: number): Counts {
  const total = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const passed = total('pass');
  const failed = total('fail') + total('cancelled') + total('skipped') + total('todo');
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}
