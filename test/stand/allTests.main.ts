// npm test: all parts, also after one has failed. Its last line is `N passed, N failed`.
// This file is bundled by itself, so that it can tell of the others when they do not compile.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Counts, readCounts } from './counts.ts';
import { runLoudly } from './processes.ts';
import { OUT_FOLDER, RESULTS_FOLDER } from './standPaths.ts';

interface Part {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

const stand = (name: string): string => path.join(OUT_FOLDER, 'test', 'stand', `${name}.main.mjs`);
const chaos = path.join(OUT_FOLDER, 'test', 'chaos', 'chaos.main.mjs');
const PARTS: readonly Part[] = [
  { name: 'compile the tests', script: 'esbuild.mjs', args: ['--tests'] },
  { name: 'check', script: stand('check'), args: [] },
  { name: 'rules', script: stand('rules'), args: [] },
  { name: 'build', script: 'esbuild.mjs', args: [] },
  { name: 'package', script: stand('package'), args: [] },
  { name: 'unit', script: stand('nodeTests'), args: ['unit'] },
  { name: 'integration', script: stand('nodeTests'), args: ['integration'] },
  { name: 'conformance', script: path.join(OUT_FOLDER, 'test', 'conformance', 'conformance.main.mjs'), args: [] },
  // The keyring that it locks and unlocks is there on Linux only.
  ...(process.platform === 'linux' ? [{ name: 'chaos', script: chaos, args: ['--kills', '2', '--rounds', '3'] }] : []),
  { name: 'host', script: stand('hostTests'), args: ['--packed'] },
  // code-server, which these drive, is there on Linux only.
  ...(process.platform === 'linux' ? [{ name: 'e2e', script: stand('nodeTests'), args: ['e2e', '--packed'] }] : []),
];

async function runPart({ name, script, args }: Part): Promise<Counts> {
  console.log(`\n=== ${name}`);
  const exitCode = await runLoudly(process.execPath, ['--enable-source-maps', script, ...args]);
  const counts = (await readCounts(name)) ?? { passed: exitCode === 0 ? 1 : 0, failed: 0 };
  const isFailedAsWhole = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  return isFailedAsWhole ? { ...counts, failed: 1 } : counts;
}

await rm(RESULTS_FOLDER, { recursive: true, force: true });
const lines: string[] = [];
const sum = { passed: 0, failed: 0 };
for (const part of PARTS) {
  const startedAt = Date.now();
  const counts = await runPart(part);
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  lines.push(`${part.name}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`);
}
console.log(`\n${lines.join('\n')}\n${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;
