import { readFile, readdir, rm, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Counts, writeCounts } from './counts.ts';
import { runLoudly } from './processes.ts';
import { OUT_FOLDER, RESULTS_FOLDER } from './standPaths.ts';

const TEST_TIMEOUT_MS = 300_000;

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
  const report = path.join(RESULTS_FOLDER, `${folder}.tap`);
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await rm(report, { force: true });
  const reporters = ['spec', 'stdout', 'tap', report].map(
    (value, index) => `--test-reporter${index % 2 === 0 ? '' : '-destination'}=${value}`,
  );
  const options = ['--enable-source-maps', '--test', `--test-timeout=${TEST_TIMEOUT_MS}`, ...reporters];
  const exitCode = await runLoudly(process.execPath, [...options, ...files]);
  const counts = await countsIn(report, exitCode);
  await writeCounts(folder, counts);
  return counts;
}

async function testFiles(folder: string, filters: readonly string[]): Promise<string[]> {
  const top = path.join(OUT_FOLDER, 'test', folder);
  const names = await readdir(top, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.test.mjs'))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .toSorted()
    .map((name) => path.join(top, name));
}

/** Reads the totals at the end of a TAP report. Skipped and unfinished tests count as failed: nobody looks at them. */
async function countsIn(report: string, exitCode: number): Promise<Counts> {
  const text = await readFile(report, 'utf8').catch(() => '');
  const total = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const passed = total('pass');
  const failed = total('fail') + total('cancelled') + total('skipped') + total('todo');
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}
