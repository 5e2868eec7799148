// An MCP server that does as little as it can, so that what is before it is measured and not the server.
// Any path is one, JSON and event streams are answered; each open stream gets an event in turn.
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { listenOnLoopback } from '../servers/loopback.ts';
import { answerUsage, tell } from './meter.ts';
import { HOLD_MS } from './streamedAnswers.ts';

/** Between two events on any of the streams. */
const EVENT_INTERVAL_MS = 2;
const CHUNK = Buffer.from(`data: ${'x'.repeat(65_536)}\n\n`);

const messageSchema = v.object({
  id: v.optional(v.union([v.number(), v.string()])),
  method: v.string(),
  params: v.optional(
    v.looseObject({
      name: v.optional(v.string()),
      protocolVersion: v.optional(v.string()),
      arguments: v.optional(v.looseObject({ text: v.optional(v.string()), bytes: v.optional(v.number()) })),
    }),
  ),
});
type Message = v.InferOutput<typeof messageSchema>;

/** Connections are counted by which requests for this path have come. */
const countedPath = process.argv[2];
const counted = new Set<Socket>();
const streams: ServerResponse[] = [];
let turn = 0;

const messageText = v.pipe(v.string(), v.parseJson(), messageSchema);
const knownMessages = new Map<string, Message>();

/** A message of ASCII; most are one that was read before. Undefined for what is none. */
function messageOf(text: string): Message | undefined {
  const known = knownMessages.get(text);
  if (known !== undefined) return known;
  const read = v.safeParse(messageText, text);
  if (!read.success) return undefined;
  knownMessages.set(text, read.output);
  return read.output;
}

function resultOf({ method, params }: Message): object {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion ?? '2025-11-25',
        capabilities: { tools: {}, logging: {} },
        serverInfo: { name: 'bench', version: '0.0.0' },
      };
    case 'tools/list':
      return { tools: ['echo', 'stream', 'hold'].map((name) => ({ name, inputSchema: { type: 'object' } })) };
    case 'tools/call':
      return { content: [{ type: 'text', text: params?.arguments?.text ?? '' }] };
    default:
      return {};
  }
}

function answer(message: Message, response: ServerResponse): void {
  if (message.id === undefined) {
    response.writeHead(202).end();
    return;
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(message) });
  const tool = message.method === 'tools/call' ? message.params?.name : undefined;
  if (tool === 'stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    writeChunks(response, message.params?.arguments?.bytes ?? 0);
  } else if (tool === 'hold') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(eventNow());
    setTimeout(() => response.end(`data: ${text}\n\n`), HOLD_MS);
  } else {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}

/** Writes as much as is asked for, as fast as it is taken. */
function writeChunks(response: ServerResponse, bytes: number): void {
  for (let left = bytes; ; left -= CHUNK.length) {
    if (left <= 0 || response.destroyed) {
      response.end();
      return;
    }
    if (!response.write(CHUNK)) {
      response.once('drain', () => writeChunks(response, left - CHUNK.length));
      return;
    }
  }
}

/** An event that tells when it was sent; the clock is the same in all processes of the machine. */
function eventNow(): string {
  const sentAt = String(process.hrtime.bigint());
  const params = { level: 'info', data: sentAt };
  return `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n\n`;
}

const server = createServer((request, response) => {
  if (request.url === countedPath) counted.add(request.socket);
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': open\n\n');
    streams.push(response);
    response.once('close', () => streams.splice(streams.indexOf(response), 1));
    return;
  }
  let text = '';
  request.setEncoding('latin1');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    const message = messageOf(text);
    if (message === undefined) response.writeHead(400).end();
    else answer(message, response);
  });
});
server.keepAliveTimeout = 60_000;
answerUsage(() => counted.size);
setInterval(() => streams[turn++ % streams.length]?.write(eventNow()), EVENT_INTERVAL_MS);
const { port } = new URL(await listenOnLoopback(server));
tell({ type: 'ready', port: Number(port) });
