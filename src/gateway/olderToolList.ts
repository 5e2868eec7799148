import { discard } from './authorizedExchange.ts';
import { readEvents } from './eventStreamReader.ts';
import type { ToolSummary } from './gatewayService.ts';
import {
  judgedHead,
  limitOf,
  type OutgoingMessage,
  readingError,
  type Reply,
  replyTo,
  sendMessage,
  type WireOptions,
} from './mcpWire.ts';
import { isEventStream } from './mediaType.ts';
import { announcedUrl } from './messageRoutes.ts';
import { listPages, notAServer } from './toolPages.ts';

/**
 * Lists the tools of a server of the HTTP+SSE transport (2024-11-05): its stream first names the URL for messages, and
 * then has the answers to them.
 * @param params of `initialize`
 * Throws as the catalog does.
 */
export async function listOlderTools(
  wire: WireOptions,
  params: Readonly<Record<string, unknown>>,
): Promise<readonly ToolSummary[]> {
  const { connection, send, signal } = wire;
  const { serverUrl } = connection;
  const limit = limitOf(connection);
  const headers = { accept: 'text/event-stream', 'accept-encoding': 'identity' };
  const head = { method: 'GET', url: serverUrl, headers };
  const stream = judgedHead(connection, await send(connection, head, undefined, 'GET', signal));
  const reply = { status: stream.statusCode, contentType: stream.headers['content-type'] ?? null };
  try {
    if (reply.status !== 200 || !isEventStream(stream.headers)) throw notAServer(reply, serverUrl);
    const events = readEvents(stream.body, limit);
    const next = async (type: string): Promise<string> => {
      for (;;) {
        const { done, value } = await events.next();
        if (done === true) throw notAServer(reply, serverUrl);
        if (value.type === type) return value.data;
      }
    };
    const endpoint = announcedUrl(await next('endpoint'), serverUrl);
    if (endpoint === undefined) throw notAServer(reply, serverUrl);

    const tell = async (message: OutgoingMessage): Promise<void> => {
      const answer = await sendMessage(wire, endpoint, message);
      discard(answer);
      const { statusCode: status } = answer;
      if (status >= 300) throw notAServer({ status, contentType: answer.headers['content-type'] ?? null }, serverUrl);
    };
    const ask = async (id: number, method: string, asked: Readonly<Record<string, unknown>>): Promise<Reply> => {
      await tell({ id, method, params: asked });
      for (;;) {
        const found = replyTo(id, await next('message'));
        if (found !== undefined) return { ...reply, ...found };
      }
    };
    const begun = await ask(0, 'initialize', params);
    if (begun.result === undefined) throw notAServer(begun, serverUrl);
    await tell({ method: 'notifications/initialized' });
    let id = 0;
    return await listPages(async (page) => {
      id += 1;
      return ask(id, 'tools/list', page);
    }, serverUrl);
  } catch (error) {
    throw readingError(error, limit.url, signal);
  } finally {
    stream.body.destroy();
  }
}
