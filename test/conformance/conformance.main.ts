// npm run conformance [-- [--client NAME] part of a scenario name ...]: the official client authorization scenarios on
// both wires, strict: a warning fails, and so does a client that exits with an error; then those for an authorization
// server against the gateway's. Prints a table.
// NAME is a peer (peers/peers.ts), whose failures are a measurement and fail nothing; without it our own client runs.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeCounts } from '../stand/counts.ts';
import { outputOf, runQuietly } from '../stand/processes.ts';
import { recentNode } from '../stand/recentNode.ts';
import { OUT_FOLDER, REPOSITORY } from '../stand/standPaths.ts';
import { runAuthorizationScenarios } from './authorizationScenarios.ts';
import { PEERS } from './peers/peers.ts';

const VERSIONS = ['2025-11-25', '2026-07-28'] as const;
const AT_ONCE = 2;
/** The suite gives a client 30 seconds; this is for a suite that itself does not end. */
const RUN_LIMIT_MS = 60_000;

interface Run {
  readonly scenario: string;
  readonly version: (typeof VERSIONS)[number];
}

// The suite needs Node 22.
const node = await recentNode();
const suite = path.join(REPOSITORY, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
const { values, positionals: filters } = parseArgs({
  options: { client: { type: 'string' } },
  allowPositionals: true,
});
const driver = driverOf(values.client);
const scenarios = [...(await outputOf(node, [suite, 'list'])).matchAll(/^\s*- (auth\/\S+)/gm)]
  .flatMap(([, scenario]) => scenario ?? [])
  .filter((scenario) => filters.length === 0 || filters.some((filter) => scenario.includes(filter)));

const waiting: Run[] = scenarios.flatMap((scenario) => VERSIONS.map((version) => ({ scenario, version })));
const isPassed = new Map<string, boolean>();
const workers = Array.from({ length: AT_ONCE }, async () => {
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await runScenario(run);
});
await Promise.all(workers);

console.log(`${'scenario'.padEnd(44)} ${VERSIONS.join('  ')}`);
for (const scenario of scenarios) {
  const cells = VERSIONS.map((version) => (isPassed.get(`${scenario} ${version}`) === true ? 'pass' : '-').padEnd(10));
  console.log(`${scenario.padEnd(44)} ${cells.join('  ')}`);
}
const totals = VERSIONS.map((version) => scenarios.filter((one) => isPassed.get(`${one} ${version}`)).length);
console.log(`${`of ${scenarios.length}`.padEnd(44)} ${totals.map((total) => String(total).padEnd(10)).join('  ')}`);

if (values.client === undefined) {
  for (const [scenario, isGood] of await runAuthorizationScenarios(node, suite)) {
    console.log(`${scenario.padEnd(44)} ${isGood ? 'pass' : '-'}`);
    isPassed.set(scenario, isGood);
  }
  const passed = [...isPassed.values()].filter(Boolean).length;
  const failed = isPassed.size - passed;
  await writeCounts('conformance', { passed, failed });
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

/** Gives the client under test. Throws for a name that is no peer's. */
function driverOf(client: string | undefined): string {
  const folder = path.join(OUT_FOLDER, 'test', 'conformance');
  if (client === undefined) return path.join(folder, 'driver.main.mjs');
  const peer = PEERS.get(client);
  if (peer === undefined) throw new Error(`--client takes one of ${[...PEERS.keys()].join(', ')}`);
  return path.join(folder, 'peers', peer);
}

async function runScenario({ scenario, version }: Run): Promise<void> {
  const command = `${node} --enable-source-maps ${driver}`;
  const args = [suite, 'client', '--command', command, '--scenario', scenario, '--spec-version', version, '--force'];
  const { code, stdout, stderr } = await runQuietly(node, args, { timeout: RUN_LIMIT_MS });
  isPassed.set(`${scenario} ${version}`, code === 0);
  if (code !== 0) console.log(`${scenario} ${version}\n${stdout}${stderr}`);
}
