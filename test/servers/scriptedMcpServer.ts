import { createServer, type IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import * as v from 'valibot';
import { listenOnLoopback, stopServer } from './loopback.ts';

const message = v.looseObject({
  id: v.optional(v.union([v.number(), v.string()])),
  method: v.optional(v.string()),
  params: v.optional(v.looseObject({})),
});

/** A request that reached the server. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of a POST. */
  readonly message: v.InferOutput<typeof message> | undefined;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a text; a text is a stream of events. `id` and `jsonrpc` are added to what has a result. */
  readonly body?: object | string;
  /** Leaves the answer open. */
  readonly isOpen?: boolean;
  /** Breaks off after the body. */
  readonly isBroken?: boolean;
}

/** Sends more on an answer that was left open. */
export type SendMore = (path: string, text: string) => void;

/** An MCP server that answers as it is told to, until the test ends. */
export async function startScriptedMcpServer(
  t: TestContext,
  answer: (request: ScriptedRequest, send: SendMore) => ScriptedAnswer,
): Promise<{ readonly url: string; readonly requests: readonly ScriptedRequest[] }> {
  const requests: ScriptedRequest[] = [];
  const open = new Map<string, (text: string) => void>();
  const server = createServer((request, response) => {
    const answered = async (): Promise<void> => {
      const { headers, method = '', url: path = '' } = request;
      const body: unknown = method === 'POST' ? await json(request) : undefined;
      const parsed = v.safeParse(message, body);
      const asked = { method, path, headers, message: parsed.success ? parsed.output : undefined };
      requests.push(asked);
      const {
        body: content,
        headers: more,
        isBroken = false,
        isOpen = false,
        status = 200,
      } = answer(asked, (to, text) => open.get(to)?.(text));
      const type = typeof content === 'string' ? 'text/event-stream' : 'application/json';
      response.writeHead(status, { ...(content !== undefined && { 'content-type': type }), ...more });
      const id = asked.message?.id;
      const text = typeof content === 'object' ? JSON.stringify({ jsonrpc: '2.0', id, ...content }) : content;
      if (isBroken) {
        response.write(text ?? '', () => response.destroy());
        return;
      }
      if (!isOpen) {
        response.end(text);
        return;
      }
      open.set(path, (next) => response.write(next));
      response.write(text ?? '');
    };
    answered().catch(() => response.destroy());
  });
  const origin = await listenOnLoopback(server);
  t.after(async () => stopServer(server));
  return { url: `${origin}/mcp`, requests };
}
