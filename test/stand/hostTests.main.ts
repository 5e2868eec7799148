// npm run test:host [-- part of a file name ...]: packs the extension and runs the tests of test/host inside a real
// extension host: those of each file in one of its own, with its own keyring and folders, so that none meets what
// another has left.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  HOST_AGENTS_VARIABLE,
  HOST_LOG_VARIABLE,
  HOST_RESULTS_VARIABLE,
  UNPACKED_EXTENSION,
  chooseEditor,
  readHostResults,
} from './hostTests.ts';
import { type Counts, writeCounts } from './counts.ts';
import { startKeyring } from './keyring.ts';
import { longestFirst } from './longestFirst.ts';
import { packVsix } from './packVsix.ts';
import { cleanEnvironment, runQuietly } from './processes.ts';
import { provision } from './provision.ts';
import { findProgram } from './provisionPackages.ts';
import { CODE_SERVER_FOLDER, OUT_FOLDER, RESULTS_FOLDER, VSIX_FILE, hostNodeIn } from './standPaths.ts';
import { extractZip } from './zipFile.ts';

/** Each has an editor and a browser. */
const AT_ONCE = 2;
/** What talks to the editor's own agent mode. */
const WITH_AGENTS = new Set(['agentMode.test.cjs']);
const FOLDER = path.join(RESULTS_FOLDER, 'host');

const editor = chooseEditor();
const filters = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
if (process.platform === 'linux') await provision();
if (!process.argv.includes('--packed')) await packVsix();
await rm(UNPACKED_EXTENSION, { recursive: true, force: true });
await extractZip(VSIX_FILE, 'extension/', UNPACKED_EXTENSION);
await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });

// @vscode/test-electron needs Node 22; the stand brings a newer one.
const node = process.platform === 'linux' ? hostNodeIn(CODE_SERVER_FOLDER) : process.execPath;
const driver = [node, fileURLToPath(new URL('./hostTestsDriver.main.mjs', import.meta.url)), editor];
const needsScreen = editor === 'desktop' && process.platform === 'linux' && process.env['DISPLAY'] === undefined;
if (needsScreen && (await findProgram('xvfb-run')) === undefined) throw new Error('Install xvfb, or set DISPLAY.');
const [command = node, ...args] = needsScreen ? ['xvfb-run', '-a', ...driver] : driver;

const files = (await readdir(path.join(OUT_FOLDER, 'test', 'host'), { recursive: true }))
  .filter((file) => file.endsWith('.test.cjs'))
  // Those of a bench measure nothing but when they are asked for.
  .filter((file) =>
    filters.length === 0 ? !file.endsWith('Bench.test.cjs') : filters.some((filter) => file.includes(filter)),
  );
const waiting = await longestFirst('host', files);
const sum = { passed: 0, failed: 0 };
const workers = Array.from({ length: AT_ONCE }, async () => {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const { passed, failed } = await runFile(file);
    sum.passed += passed;
    sum.failed += failed;
  }
});
await Promise.all(workers);
await writeCounts('host', sum);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;

async function runFile(file: string): Promise<Counts> {
  const name = path.basename(file, '.test.cjs');
  const results = path.join(FOLDER, `${name}.json`);
  const log = path.join(FOLDER, `${name}.log`);
  const keyring = process.platform === 'linux' ? await startKeyring() : undefined;
  const environment = {
    [HOST_RESULTS_VARIABLE]: results,
    [HOST_LOG_VARIABLE]: log,
    SCOPEKEEPER_HOST_FILES: file,
    ...(WITH_AGENTS.has(file) && { [HOST_AGENTS_VARIABLE]: '1' }),
    ...keyring?.env,
  };
  const run = await runQuietly(command, args, { env: cleanEnvironment(environment) });
  await keyring?.dispose();
  const { code, stderr, stdout } = run;
  const came = await readHostResults(results);
  if (came === undefined) {
    console.error(`${stdout}${stderr}${await endOfLog(log)}`);
    console.error(`FAILED ${name}: the extension host ended without results (exit code ${code}); more in ${log}`);
    return { passed: 0, failed: 1 };
  }
  const { stats, passes, failures } = came;
  for (const { fullTitle } of passes) console.log(`ok ${fullTitle}`);
  for (const { fullTitle, err } of failures) console.log(`FAILED ${fullTitle}\n${err.stack ?? err.message}`);
  // A skipped test is one that nobody looks at: it counts as failed.
  const failed = stats.failures + stats.pending;
  if (code === 0 || failed > 0) return { passed: stats.passes, failed };
  console.error(`FAILED ${name}: the editor ended with exit code ${code}\n${stdout}${stderr}`);
  return { passed: stats.passes, failed: 1 };
}

/** The last lines of the host's log, without the editor's own agents and the inside of its workbench. */
async function endOfLog(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n');
  return lines
    .filter((line) => !line.includes('[AgentHost]') && !line.includes('/workbench.js:'))
    .slice(-30)
    .join('\n');
}
