import { spawn } from 'node:child_process';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { BENCH_VARIABLE, hostedGatewaySchema } from '../host/hostedGateway.ts';
import { fileExists } from '../stand/fileExists.ts';
import { cleanEnvironment, exitCodeOf } from '../stand/processes.ts';
import { OUT_FOLDER } from '../stand/standPaths.ts';
import { type BenchedGateway, CHOSEN_TOOLS } from './gatewayTargets.ts';
import { type AskUsage, httpTarget } from './targets.ts';

const LOOK_EVERY_MS = 200;
/** In which /proc counts. */
const TICK_US = 10_000;

/** The gateway of the packed extension, in the extension host of a real editor (test/host/gatewayBench.test.ts). */
export async function startHostedGateway(serverUrl: URL): Promise<BenchedGateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-bench-'));
  const file = path.join(folder, 'gateway.json');
  const request = JSON.stringify({ serverUrl: serverUrl.href, file, tools: CHOSEN_TOOLS });
  const script = path.join(OUT_FOLDER, 'test', 'stand', 'hostTests.main.mjs');
  const child = spawn(process.execPath, [script, 'gatewayBench'], {
    env: cleanEnvironment({ [BENCH_VARIABLE]: request }),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = exitCodeOf(child);
  // Another process writes it, and announces nothing.
  while (!(await fileExists(file))) {
    if ((await Promise.race([ended, delay(LOOK_EVERY_MS, undefined)])) !== undefined) {
      throw new Error('The editor ended without serving the gateway');
    }
  }
  const served = v.parse(v.pipe(v.string(), v.parseJson(), hostedGatewaySchema), await readFile(file, 'utf8'));
  const url = new URL(served.url);
  const usage: AskUsage = async () => usageOf(served.pid);
  return {
    targets: [httpTarget('gateway in the host', url, usage, served.token)],
    filtered: httpTarget('in the host, tools chosen', url, usage, served.filteredToken),
    usage,
    async close() {
      await rm(file);
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** What another process has used, as /proc tells it: to 10 ms. */
async function usageOf(pid: number): ReturnType<AskUsage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [userTicks = 0, systemTicks = 0] = fields.slice(11, 13);
  const [rssPages = 0] = fields.slice(21, 22);
  return { type: 'usage', cpuUs: (userTicks + systemTicks) * TICK_US, rss: rssPages * 4096, accepted: 0 };
}
