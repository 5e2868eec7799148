// npm run mutate [-- --mutate src/oauth/challenge.ts] [-- --force]: how much of a broken src the tests notice.
// Stryker changes src/oauth and src/connections in thousands of small ways and runs, for each change, the
// test files that reach it; what no test notices survives and is to be read. Not in CI: it takes long.
//
// Results are kept in out/mutation/incremental.json and used again for code and tests that have not changed,
// so a run of one file or folder (`--mutate`) adds to the score of the whole. It does not see that a helper of
// the tests or another file of src has changed: `--force` runs everything in the range again.
import { fileURLToPath } from 'node:url';

export default {
  plugins: ['@stryker-mutator/tap-runner', fileURLToPath(new URL('logTextIgnorer.mjs', import.meta.url))],
  testRunner: 'tap',
  // Only what runs anywhere, in seconds: no keychain, no editor. What measures time says nothing of instrumented code.
  tap: {
    testFiles: [
      'test/unit/oauth/!(challengeCost).test.ts',
      'test/unit/connections/*.test.ts',
      'test/integration/connections/*.test.ts',
    ],
    // Stryker is told the sources, whose changes it looks for; what runs is their bundle.
    nodeArgs: ['--test-reporter=tap', '-r', '{{hookFile}}', 'test/stand/bundledTest.mjs', '{{testFile}}'],
  },
  buildCommand: 'node esbuild.mjs --tests',
  coverageAnalysis: 'perTest',
  mutate: ['src/oauth/**/*.ts', 'src/connections/**/*.ts'],
  // Texts of the log are for people; that no secret is in them is tested by other means.
  ignorers: ['log-text'],
  // esbuild looks at no types.
  disableTypeChecks: false,
  checkers: [],
  // A mutant may wait for ever; the slowest file takes about a second when nothing is broken.
  timeoutMS: 5000,
  timeoutFactor: 2,
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
