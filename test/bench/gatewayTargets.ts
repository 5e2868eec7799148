import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GatewayProcess } from '../headless/gatewayProcess.ts';
import { type AskUsage, type HttpTarget, httpTarget } from './targets.ts';

/** The gateway, with a connection to each of the servers; they are given a token, and nobody signs in. */
export interface BenchedGateway {
  /** For each server in turn. */
  readonly targets: readonly HttpTarget[];
  /** The first server, for a client that may use some tools only. */
  readonly filtered: HttpTarget;
  readonly usage: AskUsage;
  close(): Promise<void>;
}

/** What the client may use that may use some tools only. */
export const CHOSEN_TOOLS = ['echo', 'stream', 'hold'];

const NO_PERSON = {
  browse: async () => Promise.reject(new Error('nobody signs in here')),
  askConsent: async () => ({ type: 'denied' }) as const,
};

/** Starts the gateway in a process of its own. */
export async function startBenchedGateway(serverUrls: readonly URL[]): Promise<BenchedGateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'scopekeeper-bench-'));
  const gateway = await GatewayProcess.start({ folder, hasMovableClock: false }, NO_PERSON);
  const usage: AskUsage = async (isMemoryWanted) => gateway.usage(isMemoryWanted);
  const connected: { readonly id: string; readonly url: string }[] = [];
  for (const url of serverUrls) connected.push(await gateway.connect(url.href, 'a-token-that-the-person-brought'));
  const [first] = connected;
  if (first === undefined) throw new Error('There are no servers');
  const fewTools = await gateway.createToken(first.id, CHOSEN_TOOLS);
  return {
    targets: await Promise.all(
      connected.map(async ({ id, url }) => httpTarget('gateway', new URL(url), usage, await gateway.createToken(id))),
    ),
    filtered: httpTarget('gateway, tools chosen', new URL(first.url), usage, fewTools),
    usage,
    async close() {
      await gateway.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
