import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { MCP_REMOTE_CONFIGURATIONS, MCP_REMOTE_SCRIPT } from '../conformance/peers/peers.ts';
import { cleanEnvironment } from '../stand/processes.ts';
import { benchScript, Station } from './station.ts';
import { type Target, toolCall } from './targets.ts';

const lineSchema = v.pipe(v.string(), v.parseJson(), v.object({ id: v.optional(v.number()) }));

/** mcp-remote, connected to a server that wants no token: what it costs once it is signed in. It speaks over stdio. */
export async function startMcpRemote(url: URL): Promise<Target & { close(): Promise<void> }> {
  await mkdir(MCP_REMOTE_CONFIGURATIONS, { recursive: true });
  const configuration = await mkdtemp(path.join(MCP_REMOTE_CONFIGURATIONS, 'bench-'));
  const child = fork(MCP_REMOTE_SCRIPT, [url.href, '--allow-http', '--silent'], {
    env: cleanEnvironment({ MCP_REMOTE_CONFIG_DIR: configuration }),
    execArgv: ['--import', benchScript('meter')],
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  });
  const station = new Station(child);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('mcp-remote has no pipes');

  let lastId = 0;
  const waiting = new Map<number, () => void>();
  const listeners = new Set<(text: string) => void>();
  createInterface({ input: stdout }).on('line', (line) => {
    const { id } = v.parse(lineSchema, line);
    if (id === undefined) for (const listener of listeners) listener(`${line}\n`);
    else waiting.get(id)?.();
  });
  const ask = async (textOf: (id: number) => string): Promise<void> => {
    const id = (lastId += 1);
    const answered = new Promise<void>((resolve) => void waiting.set(id, resolve));
    stdin.write(`${textOf(id)}\n`);
    await answered;
    waiting.delete(id);
  };
  const clientInfo = { name: 'bench', version: '0.0.0' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  await ask((id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'initialize', params }));
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);

  return {
    name: 'mcp-remote',
    usage: async (isMemoryWanted) => station.usage(isMemoryWanted),
    openLane: async () => ({
      call: async () => ask((id) => toolCall(id, 'echo', { text: 'hello' })),
      close: () => undefined,
    }),
    openStream: async (onText) => {
      listeners.add(onText);
      return { close: () => void listeners.delete(onText) };
    },
    async close() {
      await station.close();
      await rm(configuration, { recursive: true, force: true });
    },
  };
}
