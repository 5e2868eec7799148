import type { Memory } from './memory.ts';
import type { Latency, Throughput } from './speed.ts';
import type { StreamedAnswer } from './streams.ts';

/** All that was measured of one way to the server. */
export interface Row {
  readonly name: string;
  readonly latency: Latency;
  readonly throughput: Throughput;
  readonly eventDelayMs?: number;
  /** Undefined where it was not measured. */
  readonly streamed?: StreamedAnswer;
  readonly firstEventMs?: number;
  /** Of ten idle servers. */
  readonly memory?: Memory;
}

/** What the figures shall be. */
export interface Aim {
  readonly text: string;
  readonly isMet: boolean;
  /** A ratio of two that were measured side by side holds on any machine; others are only shown. */
  readonly isRatio: boolean;
}

const MEBIBYTE = 1024 * 1024;

/** The figures side by side; ratios are to the row `bare`. */
export function formatTable(rows: readonly Row[], bare: Row): string {
  const columns: readonly (readonly [string, (row: Row) => string])[] = [
    ['path', ({ name }) => name],
    ['p50 ms', ({ latency }) => latency.p50Ms.toFixed(3)],
    ['/ bare', ({ latency }) => (latency.p50Ms / bare.latency.p50Ms).toFixed(2)],
    ['p99 ms', ({ latency }) => latency.p99Ms.toFixed(2)],
    ['req/s', ({ throughput }) => throughput.perSecond.toFixed(0)],
    ['/ bare', ({ throughput }) => (throughput.perSecond / bare.throughput.perSecond).toFixed(2)],
    ['CPU us/req', ({ throughput }) => throughput.cpuUsPerRequest?.toFixed(0) ?? '-'],
    ['SSE ms', ({ eventDelayMs }) => eventDelayMs?.toFixed(3) ?? '-'],
    ['1st event ms', ({ firstEventMs }) => firstEventMs?.toFixed(1) ?? '-'],
    ['stream s', ({ streamed }) => streamed?.seconds.toFixed(2) ?? '-'],
    ['+MiB', ({ streamed }) => (streamed === undefined ? '-' : (streamed.growthBytes / MEBIBYTE).toFixed(0))],
    ['10 idle MiB (PSS)', ({ memory }) => (memory === undefined ? '-' : mebibytes(memory))],
  ];
  const lines = [columns.map(([title]) => title), columns.map(() => '---')];
  lines.push(...rows.map((row) => columns.map(([, cell]) => cell(row))));
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) => `| ${line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`)
    .join('\n');
}

function mebibytes({ rss, pss }: Memory): string {
  return `${(rss / MEBIBYTE).toFixed(0)} (${(pss / MEBIBYTE).toFixed(0)})`;
}

/** What the gateway's figures shall be, beside those of the bare proxy and of mcp-remote if it was measured. */
export function judge(gateway: Row, bare: Row, mcpRemote: Row | undefined): readonly Aim[] {
  const aims: Aim[] = [];
  const add = (text: string, isMet: boolean, isRatio: boolean): void =>
    void aims.push({ text: `${gateway.name}: ${text}`, isMet, isRatio });

  const p50 = gateway.latency.p50Ms / bare.latency.p50Ms;
  add(`p50 ${p50.toFixed(2)} x bare (at most 1.10)`, p50 <= 1.1, true);
  const rate = gateway.throughput.perSecond / bare.throughput.perSecond;
  add(`requests/s ${rate.toFixed(2)} x bare (at least 0.90)`, rate >= 0.9, true);
  const cpuUs = gateway.throughput.cpuUsPerRequest ?? Number.NaN;
  const times = cpuUs / (bare.throughput.cpuUsPerRequest ?? Number.NaN);
  // 110 us where bare takes 100.
  add(`CPU ${cpuUs.toFixed(0)} us a request, ${times.toFixed(2)} x bare (under 1.10)`, times < 1.1, true);
  if (mcpRemote !== undefined) {
    const ofPeer = gateway.throughput.perSecond / mcpRemote.throughput.perSecond;
    add(`requests/s ${ofPeer.toFixed(1)} x mcp-remote (at least 6)`, ofPeer >= 6, true);
  }
  if (gateway.eventDelayMs !== undefined && bare.eventDelayMs !== undefined) {
    const addedMs = gateway.eventDelayMs - bare.eventDelayMs;
    add(`SSE delay bare + ${addedMs.toFixed(3)} ms (at most 0.1)`, addedMs <= 0.1, false);
  }
  if (gateway.streamed !== undefined) {
    const growth = gateway.streamed.growthBytes / MEBIBYTE;
    add(`memory + ${growth.toFixed(0)} MiB while streaming (under 32)`, growth < 32, false);
  }
  return aims;
}
