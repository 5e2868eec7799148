import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import * as sdk2 from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import * as v from 'valibot';
import { MemoryProvider } from '../../conformance/peers/memoryProvider.ts';
import { BROWSER_SCRIPT, MCP_REMOTE_CONFIGURATIONS, MCP_REMOTE_SCRIPT } from '../../conformance/peers/peers.ts';
import { signingIn } from '../../conformance/peers/sdkRun.ts';

export interface ToolAnswer {
  readonly text: string;
  /** What was reported on the way. */
  readonly progress: readonly number[];
}

/** A client that people use, signed in by its own OAuth. It knows nothing of us but the URL. */
export interface RealClient {
  toolNames(): Promise<readonly string[]>;
  /** Throws the client's error. */
  call(name: string, parameters?: Record<string, unknown>): Promise<ToolAnswer>;
  /** What the server has logged on the session's own stream. */
  readonly messages: readonly unknown[];
  close(): Promise<void>;
}

export type ConnectClient = (url: string) => Promise<RealClient>;

const INFO = { name: 'a local client', version: '0.0.0' };
const contentSchema = v.object({ content: v.array(v.object({ text: v.string() })) });

function textOf(result: unknown): string {
  return v
    .parse(contentSchema, result)
    .content.map(({ text }) => text)
    .join('\n');
}

/** The client of SDK 1.x, once it is connected. */
function ofSdk1(client: Client, messages: readonly unknown[], close: () => Promise<void>): RealClient {
  return {
    messages,
    close,
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    async call(name, parameters = {}) {
      const progress: number[] = [];
      const onprogress = (step: { readonly progress: number }): void => void progress.push(step.progress);
      const result = await client.callTool({ name, arguments: parameters }, CallToolResultSchema, { onprogress });
      return { text: textOf(result), progress };
    },
  };
}

function newSdk1Client(messages: unknown[]): Client {
  const client = new Client(INFO);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void messages.push(params.data));
  return client;
}

/** SDK 1.x over one of its transports. */
function connectSdk1(Transport: typeof StreamableHTTPClientTransport | typeof SSEClientTransport): ConnectClient {
  return async (url) => {
    const authProvider = new MemoryProvider({});
    const messages: unknown[] = [];
    let transport = new Transport(new URL(url), { authProvider });
    let client = newSdk1Client(messages);
    const connect = async (): Promise<void> => {
      transport = new Transport(new URL(url), { authProvider });
      client = newSdk1Client(messages);
      await client.connect(transport);
    };
    const finishAuth = async ({ searchParams }: URL): Promise<void> =>
      transport.finishAuth(searchParams.get('code') ?? '');
    await signingIn(connect, { finishAuth }, authProvider);
    return ofSdk1(client, messages, async () => client.close());
  };
}

/** SDK 2.x over one of its transports. */
function connectSdk2(
  Transport: typeof sdk2.StreamableHTTPClientTransport | typeof sdk2.SSEClientTransport,
): ConnectClient {
  return async (url) => {
    const authProvider = new MemoryProvider({});
    const messages: unknown[] = [];
    const newClient = (): sdk2.Client => {
      const made = new sdk2.Client(INFO);
      made.setNotificationHandler('notifications/message', ({ params }) => void messages.push(params.data));
      return made;
    };
    let transport = new Transport(new URL(url), { authProvider });
    let client = newClient();
    const connect = async (): Promise<void> => {
      transport = new Transport(new URL(url), { authProvider });
      client = newClient();
      await client.connect(transport);
    };
    const finishAuth = async ({ searchParams }: URL): Promise<void> => transport.finishAuth(searchParams);
    await signingIn(connect, { finishAuth }, authProvider);
    return {
      messages,
      close: async () => client.close(),
      toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
      async call(name, parameters = {}) {
        const progress: number[] = [];
        const onprogress = (step: { readonly progress: number }): void => void progress.push(step.progress);
        const result = await client.callTool({ name, arguments: parameters }, { onprogress });
        return { text: textOf(result), progress };
      },
    };
  };
}

/** mcp-remote in its own process, which signs in with a browser of its own; SDK 1.x speaks with it over stdio. */
async function connectMcpRemote(url: string): Promise<RealClient> {
  await mkdir(MCP_REMOTE_CONFIGURATIONS, { recursive: true });
  const configuration = await mkdtemp(path.join(MCP_REMOTE_CONFIGURATIONS, 'client-'));
  const messages: unknown[] = [];
  const client = newSdk1Client(messages);
  const close = async (): Promise<void> => {
    await client.close();
    await rm(configuration, { recursive: true, force: true });
  };
  try {
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [MCP_REMOTE_SCRIPT, url, '--silent'],
        env: { MCP_REMOTE_CONFIG_DIR: configuration, BROWSER: `${process.execPath} ${BROWSER_SCRIPT}` },
      }),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return ofSdk1(client, messages, close);
}

/** Those that speak Streamable HTTP. */
export const STREAMABLE_CLIENTS: ReadonlyMap<string, ConnectClient> = new Map([
  ['SDK 1', connectSdk1(StreamableHTTPClientTransport)],
  ['SDK 2', connectSdk2(sdk2.StreamableHTTPClientTransport)],
  // Elsewhere there is no way to put another browser in the place of the person's.
  ...(process.platform === 'linux' ? [['mcp-remote', connectMcpRemote] as const] : []),
]);

/** Those that speak the older HTTP+SSE. */
export const SSE_CLIENTS: ReadonlyMap<string, ConnectClient> = new Map([
  ['SDK 1', connectSdk1(SSEClientTransport)],
  ['SDK 2', connectSdk2(sdk2.SSEClientTransport)],
]);
