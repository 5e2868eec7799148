import { get, type IncomingMessage, request } from 'node:http';
import { HttpLane } from './httpLane.ts';
import type { Usage } from './messages.ts';

/** Makes one call after the other. */
export interface Lane {
  /** Calls the tool `echo`; resolves when its answer is whole. Throws when it is no good one. */
  call(): Promise<void>;
  close(): void;
}

/** Asks a process what it has used. */
export type AskUsage = (isMemoryWanted?: boolean) => Promise<Usage>;

/** A way to the upstream that is measured. */
export interface Target {
  readonly name: string;
  /** Opens a lane; several may be at work at once. */
  openLane(): Promise<Lane>;
  /** Hears the text of each event of the server's own stream, until it is closed. Resolves when it is open. */
  openStream(onText: (text: string) => void): Promise<{ close(): void }>;
  /** What the process of this target has used; undefined when there is none. */
  readonly usage?: AskUsage;
}

/** A target that speaks HTTP, as the clients of the gateway do. */
export interface HttpTarget extends Target {
  /** Calls a tool and gives the answer with its body unread. */
  callTool(name: string, parameters: object): Promise<IncomingMessage>;
}

const HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
} as const;

/** The body of a call of a tool. */
export function toolCall(id: number, name: string, parameters: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: parameters } });
}

/**
 * The server at `url`, or a proxy before it.
 * @param token for the gateway
 */
export function httpTarget(name: string, url: URL, usage?: AskUsage, token?: string): HttpTarget {
  const headers = { ...HEADERS, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return {
    name,
    ...(usage !== undefined && { usage }),
    openLane: async () => HttpLane.open(url, headers, toolCall(1, 'echo', { text: 'hello' })),
    openStream: async (onText) =>
      new Promise((resolve, reject) => {
        const outgoing = get(url, { headers: { ...headers, accept: 'text/event-stream' }, agent: false }, (answer) => {
          answer.setEncoding('utf8');
          answer.on('error', () => undefined); // It ends when we close it.
          answer.on('data', onText);
          answer.once('data', () => resolve({ close: () => outgoing.destroy() }));
        });
        outgoing.on('error', reject);
      }),
    callTool: async (tool, parameters) =>
      new Promise((resolve, reject) => {
        const outgoing = request(url, { method: 'POST', headers, agent: false }, resolve);
        outgoing.on('error', reject);
        outgoing.end(toolCall(1, tool, parameters));
      }),
  };
}
