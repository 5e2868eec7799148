import { startBenchedGateway } from './gatewayTargets.ts';
import { startHostedGateway } from './hostedTarget.ts';
import { startMcpRemote } from './mcpRemote.ts';
import { type Memory, measureIdleMemory } from './memory.ts';
import { type Aim, formatTable, judge, type Row } from './report.ts';
import { measureLatency, measureThroughput } from './speed.ts';
import { Station } from './station.ts';
import { measureEventDelay, measureFirstEvent, measureStreamedAnswer } from './streams.ts';
import { type HttpTarget, httpTarget, type Target } from './targets.ts';

export interface BenchOptions {
  /** Of 20 calls, for each target. */
  readonly blocks: number;
  /** Of a window of a tenth of a second with many calls at once, for each target. */
  readonly rounds: number;
  /** How long the streamed answer is. With 0 no answer is streamed, and no memory is looked at. */
  readonly bytes: number;
  readonly hasMcpRemote: boolean;
  /** Measures the gateway in the extension host of a real editor. */
  readonly isHosted: boolean;
}

export interface BenchResult {
  readonly rows: readonly Row[];
  readonly bare: Row;
  readonly aims: readonly Aim[];
  /** How many the gateway opened to its server for all calls, of which up to 16 were under way at once for each client. */
  readonly connections: number;
}

const WARM_UP_BLOCKS = 50;
const WINDOW_MS = 100;
const EVENTS_PER_BLOCK = 4;
const IDLE_SERVERS = 10;
/** At the gateway's own path its connections are counted. */
const GATEWAY_INDEX = IDLE_SERVERS;

/** Something to be closed at the end. */
interface Closable {
  close(): Promise<void> | void;
}

/** Measures everything, in one run and in turns. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const closing: Closable[] = [];
  try {
    return await measureAll(options, closing);
  } finally {
    for (const one of closing.toReversed()) await one.close();
  }
}

/** What `npm run bench:gateway` prints. */
export function formatResult({ rows, bare, aims, connections }: BenchResult): string {
  const judged = aims.map(({ isMet, text }) => `${isMet ? 'met    ' : 'NOT MET'} ${text}`);
  const counted = `The gateway opened ${connections} connections to its server.`;
  return [formatTable(rows, bare), '', ...judged, counted].join('\n');
}

async function measureAll(options: BenchOptions, closing: Closable[]): Promise<BenchResult> {
  const { blocks, rounds, bytes, hasMcpRemote, isHosted } = options;
  // All have the same one behind them: two of the same kind may differ by a tenth.
  const upstream = await Station.start('upstream', serverUrl(0, GATEWAY_INDEX).pathname);
  closing.push(upstream.station);
  const startBare = async (): Promise<{ station: Station; port: number }> => {
    const started = await Station.start('bareProxy', String(upstream.port));
    closing.push(started.station);
    return started;
  };
  const bareTarget = async (name: string): Promise<HttpTarget> => {
    const { station, port } = await startBare();
    return httpTarget(name, serverUrl(port, 0), async (isMemoryWanted) => station.usage(isMemoryWanted));
  };
  const direct = httpTarget('direct', serverUrl(upstream.port, 0));
  const bare = await bareTarget('bare');
  const control = await bareTarget('bare again');
  const gatewayUrl = serverUrl(upstream.port, GATEWAY_INDEX);
  const gateway = isHosted ? await startHostedGateway(gatewayUrl) : await startBenchedGateway([gatewayUrl]);
  closing.push(gateway);
  const [unfiltered = missing()] = gateway.targets;
  const overHttp = [direct, bare, control, unfiltered, gateway.filtered];
  const mcpRemote = hasMcpRemote ? await startMcpRemote(serverUrl(upstream.port, 0)) : undefined;
  if (mcpRemote !== undefined) closing.push(mcpRemote);
  const targets: Target[] = [...overHttp, ...(mcpRemote === undefined ? [] : [mcpRemote])];

  const connectionsBefore = (await upstream.station.usage()).accepted;
  const latencies = await measureLatency(targets, blocks, Math.min(WARM_UP_BLOCKS, blocks));
  const throughputs = await measureThroughput(targets, rounds, WINDOW_MS);
  const connections = (await upstream.station.usage()).accepted - connectionsBefore;
  const eventDelays = await measureEventDelay(targets, blocks * EVENTS_PER_BLOCK);
  const streamed = new Map<Target, Pick<Row, 'streamed' | 'firstEventMs'>>();
  for (const target of bytes === 0 ? [] : overHttp) {
    const firstEventMs = await measureFirstEvent(target);
    streamed.set(target, { firstEventMs, streamed: await measureStreamedAnswer(target, bytes) });
  }
  const memory = new Map<Target, { memory: Memory }>();
  if (bytes > 0) memory.set(bare, { memory: await idleBareProxy(startBare) });
  if (bytes > 0 && !isHosted) memory.set(unfiltered, { memory: await idleGateway(upstream.port) });
  if (bytes > 0 && mcpRemote !== undefined) memory.set(mcpRemote, { memory: await idleMcpRemotes(upstream.port) });

  const rowOf = (target: Target): Row => ({
    name: target.name,
    latency: latencies.get(target) ?? missing(),
    throughput: throughputs.get(target) ?? missing(),
    eventDelayMs: eventDelays.get(target) ?? missing(),
    ...streamed.get(target),
    ...memory.get(target),
  });
  const aims = [unfiltered, gateway.filtered].flatMap((target) =>
    judge(rowOf(target), rowOf(bare), mcpRemote && rowOf(mcpRemote)),
  );
  return { rows: targets.map(rowOf), bare: rowOf(bare), aims, connections };
}

/** One bare proxy serves all. */
async function idleBareProxy(start: () => Promise<{ station: Station; port: number }>): Promise<Memory> {
  const { station, port } = await start();
  const servers = Array.from({ length: IDLE_SERVERS }, (_, index) => httpTarget('idle', serverUrl(port, index)));
  return measureIdleMemory(servers, [async (isMemoryWanted) => station.usage(isMemoryWanted)]);
}

/** So does one gateway. */
async function idleGateway(upstreamPort: number): Promise<Memory> {
  const urls = Array.from({ length: IDLE_SERVERS }, (_, index) => serverUrl(upstreamPort, index));
  const gateway = await startBenchedGateway(urls);
  try {
    return await measureIdleMemory(gateway.targets, [gateway.usage]);
  } finally {
    await gateway.close();
  }
}

/** mcp-remote takes a process for each server. */
async function idleMcpRemotes(upstreamPort: number): Promise<Memory> {
  const all = await Promise.all(
    Array.from({ length: IDLE_SERVERS }, async (_, index) => startMcpRemote(serverUrl(upstreamPort, index))),
  );
  try {
    const usages = all.map(({ usage }) => usage ?? missing());
    return await measureIdleMemory(all, usages);
  } finally {
    await Promise.all(all.map(async (one) => one.close()));
  }
}

/** The URL of one of the servers: the upstream's is the same at each path. */
function serverUrl(port: number, index: number): URL {
  return new URL(`http://127.0.0.1:${port}/${index}/mcp`);
}

function missing(): never {
  throw new Error('This was not measured');
}
