// npm run test:host [-- part of a file name ...]: packs the extension and runs the tests of test/host inside a real
// extension host.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  HOST_LOG_FILE,
  HOST_RESULTS_FILE,
  UNPACKED_EXTENSION,
  chooseEditor,
  forgetHostResults,
  hasHostResults,
  readHostResults,
} from './hostTests.ts';
import { writeCounts } from './counts.ts';
import { withKeyring } from './keyring.ts';
import { packVsix } from './packVsix.ts';
import { cleanEnvironment, runLoudly } from './processes.ts';
import { provision } from './provision.ts';
import { findProgram } from './provisionPackages.ts';
import { CODE_SERVER_FOLDER, RESULTS_FOLDER, VSIX_FILE, hostNodeIn } from './standPaths.ts';
import { extractZip } from './zipFile.ts';

const editor = chooseEditor();
const filters = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
if (process.platform === 'linux') await provision();
if (!process.argv.includes('--packed')) await packVsix();
await rm(UNPACKED_EXTENSION, { recursive: true, force: true });
await extractZip(VSIX_FILE, 'extension/', UNPACKED_EXTENSION);
await mkdir(RESULTS_FOLDER, { recursive: true });
await forgetHostResults();

// @vscode/test-electron needs Node 22; the stand brings a newer one.
const node = process.platform === 'linux' ? hostNodeIn(CODE_SERVER_FOLDER) : process.execPath;
const driver = [node, fileURLToPath(new URL('./hostTestsDriver.main.mjs', import.meta.url)), editor];
const needsScreen = editor === 'desktop' && process.platform === 'linux' && process.env['DISPLAY'] === undefined;
if (needsScreen && (await findProgram('xvfb-run')) === undefined) throw new Error('Install xvfb, or set DISPLAY.');
const [command = node, ...args] = needsScreen ? ['xvfb-run', '-a', ...driver] : driver;

async function drive(): Promise<number> {
  const environment = { SCOPEKEEPER_HOST_RESULTS: HOST_RESULTS_FILE, SCOPEKEEPER_HOST_FILES: filters.join(' ') };
  return runLoudly(command, args, { env: cleanEnvironment(environment) });
}

const exitCode = process.platform === 'linux' ? await withKeyring(drive) : await drive();
if (await hasHostResults()) {
  const { stats, passes, failures } = await readHostResults();
  for (const { fullTitle } of passes) console.log(`ok ${fullTitle}`);
  for (const { fullTitle, err } of failures) console.log(`FAILED ${fullTitle}\n${err.stack ?? err.message}`);
  // A skipped test is one that nobody looks at: it counts as failed.
  const counts = { passed: stats.passes, failed: stats.failures + stats.pending };
  await writeCounts('host', counts);
  process.exitCode = exitCode === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
} else {
  console.error(await endOfLog());
  console.error(`The extension host ended without results (exit code ${exitCode}); more in ${HOST_LOG_FILE}`);
  process.exitCode = 1;
}

/** The last lines of the host's log, without the editor's own agents and the inside of its workbench. */
async function endOfLog(): Promise<string> {
  const lines = (await readFile(HOST_LOG_FILE, 'utf8').catch(() => '')).split('\n');
  return lines
    .filter((line) => !line.includes('[AgentHost]') && !line.includes('/workbench.js:'))
    .slice(-30)
    .join('\n');
}
