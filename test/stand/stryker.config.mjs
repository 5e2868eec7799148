// npm run mutate [-- --mutate src/oauth/challenge.ts] [-- --force]: how much of a broken src the tests notice.
// Stryker changes src/oauth and src/connections in thousands of small ways and runs, for each change, the
// tests that reach it; what no test notices survives and is to be read. Not in CI: it takes long.
// It runs them all in one process, which notices most changes within milliseconds (mutation/inProcessRunner.mjs).
//
// Results are kept in out/mutation/incremental.json and used again for code and tests that have not changed,
// so a run of one file or folder (`--mutate`) adds to the score of the whole. It does not see that a helper of
// the tests or another file of src has changed: `--force` runs everything in the range again.
import { fileURLToPath } from 'node:url';

export default {
  plugins: [
    fileURLToPath(new URL('mutation/inProcessRunner.mjs', import.meta.url)),
    fileURLToPath(new URL('mutation/logTextIgnorer.mjs', import.meta.url)),
  ],
  testRunner: 'in-process',
  buildCommand: 'node test/stand/mutation/bundleTests.mjs',
  coverageAnalysis: 'perTest',
  mutate: ['src/oauth/**/*.ts', 'src/connections/**/*.ts'],
  // Texts of the log are for people; that no secret is in them is tested by other means.
  ignorers: ['log-text'],
  // esbuild looks at no types.
  disableTypeChecks: false,
  checkers: [],
  // For a mutant that loops without end; one that only waits is given up by the runner, test by test.
  // Generous, as what is timed out counts as noticed, and other work may take the processors.
  timeoutMS: 30_000,
  timeoutFactor: 4,
  concurrency: 2,
  ignorePatterns: ['**', '!src/**/*', '!test/**/*', '!esbuild.mjs', '!package.json'],
  tempDirName: 'out/mutation/sandbox',
  incremental: true,
  incrementalFile: 'out/mutation/incremental.json',
  reporters: ['clear-text', 'progress', 'html', 'json'],
  htmlReporter: { fileName: 'out/mutation/report.html' },
  jsonReporter: { fileName: 'out/mutation/report.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: false },
  thresholds: { high: 90, low: 80, break: 80 },
};
