// npm run bench:tree [-- --no-host]: the tree of a thousand connections, in a real extension host and by itself. Times are those of this
// machine; what counts is how many rows are drawn.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { ConnectionRecords } from '../../src/connections/connectionRecords.ts';
import { TreeModel } from '../../src/vscode/treeModel.ts';
import { manyConnections } from '../headless/manyConnections.ts';
import { ManualClock, MemoryFile, MemoryLog } from '../headless/memoryPorts.ts';
import { cleanEnvironment, runLoudly } from '../stand/processes.ts';
import { TREE_FIGURES_VARIABLE, treeFiguresSchema } from './treeFigures.ts';
import { measureWindows } from './windows.ts';

const MANY = 1000;
const TICKS = 20;
const TICK_MS = 30_000;
const KIBIBYTE = 1024;

/** Ticks of the tree with all rows at the top drawn: what they cost, and how many rows are drawn anew. */
async function measureTicks(): Promise<readonly string[]> {
  const clock = new ManualClock();
  const file = new MemoryFile();
  file.text = JSON.stringify({ version: 1, connections: manyConnections(MANY, clock.now()) });
  const records = new ConnectionRecords(file, clock, new MemoryLog(), () => undefined);
  await records.load();
  const connections = records.list().map(({ connection }) => connection);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const model = new TreeModel({
    clock,
    gateway: { accesses: [] },
    service: {
      connections,
      get: (id) => records.find(id)?.connection,
      activity: (id) => records.find(id)?.activity ?? [],
      deviceAuthorization: () => undefined,
    },
  });
  for (const row of model.children()) model.draw(row);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed - heapBefore;
  const drawn: number[] = [];
  const cpuUs: number[] = [];
  for (let tick = 0; tick < TICKS; tick += 1) {
    clock.advance(TICK_MS);
    const before = process.cpuUsage();
    const changed = model.changed();
    const { system, user } = process.cpuUsage(before);
    cpuUs.push(user + system);
    drawn.push(changed.length);
    for (const row of changed) model.draw(row);
  }
  const sorted = cpuUs.toSorted((one, other) => one - other);
  return [
    `rows drawn anew in each of ${TICKS} ticks of ${TICK_MS / 1000} s: ${drawn.join(' ')}`,
    `CPU of a tick: ${((sorted[TICKS / 2] ?? 0) / 1000).toFixed(1)} ms (median), ${((sorted.at(-1) ?? 0) / 1000).toFixed(1)} ms (most)`,
    `memory of what is drawn: ${(heap / KIBIBYTE).toFixed(0)} KiB`,
  ];
}

async function measureHost(): Promise<readonly string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-bench-'));
  try {
    const file = path.join(folder, 'tree.json');
    const script = fileURLToPath(new URL('../stand/hostTests.main.mjs', import.meta.url));
    const env = cleanEnvironment({ [TREE_FIGURES_VARIABLE]: file });
    const exitCode = await runLoudly(process.execPath, [script, 'manyConnections'], { env });
    if (exitCode !== 0) throw new Error('The host tests of the tree have failed.');
    const figures = v.parse(v.pipe(v.string(), v.parseJson(), treeFiguresSchema), await readFile(file, 'utf8'));
    return [
      `loaded by the owner: ${figures.loadMs.toFixed(0)} ms`,
      `getChildren and getTreeItem of all: ${figures.rowsMs.toFixed(1)} ms (the first time ${figures.firstRowsMs.toFixed(1)} ms)`,
      `opened by the editor: ${figures.openMs.toFixed(0)} ms, ${figures.openCalls} calls`,
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Four times as many take four times as long where nothing is quadratic. */
async function measureLoading(): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const count of [MANY, 4 * MANY]) {
    const { guestMs, ownerMs } = await measureWindows(count);
    lines.push(`${count} connections: ${ownerMs.toFixed(0)} ms to the owner, ${guestMs.toFixed(0)} ms to a guest`);
  }
  return lines;
}

const { values } = parseArgs({ options: { 'no-host': { type: 'boolean', default: false } } });
const host = values['no-host'] ? [] : [`${MANY} connections, in the host:`, ...(await measureHost()), ''];
const ticks = ['The tree by itself:', ...(await measureTicks()), ''];
console.log([...host, ...ticks, 'Windows without an editor:', ...(await measureLoading())].join('\n'));
