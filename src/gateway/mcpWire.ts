import type { OutgoingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import type { Connection } from '../connections/connection.ts';
import { ConnectionError } from '../connections/errors.ts';
import { shownUrl } from '../oauth/addressPolicy.ts';
import { OAuthError, ScopekeeperError } from '../oauth/errors.ts';
import { isProtocolType } from '../oauth/probe.ts';
import { discard, type SendAuthorized } from './authorizedExchange.ts';
import { readEvents } from './eventStreamReader.ts';
import { isEventStream } from './mediaType.ts';
import type { UpstreamAnswer } from './ports.ts';

/** All that one request of ours is answered; a list of tools is rarely longer than 1 MB. */
const LARGEST_ANSWER_BYTES = 8 * 1024 * 1024;

const replySchema = v.object({
  id: v.optional(v.union([v.string(), v.number(), v.null()])),
  result: v.optional(v.unknown()),
  error: v.optional(v.object({ code: v.number(), data: v.optional(v.unknown()) })),
});
const replyText = v.pipe(v.string(), v.parseJson(), replySchema);

/** What a server answers to one request. */
export interface Reply {
  /** Of HTTP. */
  readonly status: number;
  readonly contentType: string | null;
  readonly sessionId?: string | undefined;
  /** Undefined for an error, and for an answer that is none of JSON-RPC. */
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly data?: unknown } | undefined;
}

export interface WireOptions {
  readonly connection: Connection;
  readonly send: SendAuthorized;
  readonly signal: AbortSignal;
}

/** A message of ours. Without an id it is a notification. */
export interface OutgoingMessage {
  readonly id?: number;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/**
 * Sends a message as Streamable HTTP has it, and reads what is answered: JSON, or a stream up to the reply.
 * Throws `sign_in_required` when the server wants the person, `response_too_large`, `server_unreachable`, the signal's
 * reason, and what `send` throws.
 */
export async function exchangeMessage(
  options: WireOptions,
  message: OutgoingMessage,
  headers: OutgoingHttpHeaders = {},
): Promise<Reply> {
  const answer = await sendMessage(options, options.connection.serverUrl, message, headers);
  const sessionId = answer.headers['mcp-session-id'];
  const head = {
    status: answer.statusCode,
    contentType: answer.headers['content-type'] ?? null,
    ...(typeof sessionId === 'string' && { sessionId }),
  };
  const { id } = message;
  if (id === undefined || !isProtocolType(head.contentType)) {
    discard(answer);
    return head;
  }
  return { ...head, ...(await readReply(options, answer, id)) };
}

/** Sends a message to this URL, and gives the answer that is still to be read. Throws as {@link exchangeMessage}. */
export async function sendMessage(
  { connection, send, signal }: WireOptions,
  url: string,
  message: OutgoingMessage,
  headers: OutgoingHttpHeaders = {},
): Promise<UpstreamAnswer> {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const head = {
    method: 'POST',
    url,
    headers: {
      accept: 'application/json, text/event-stream',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'content-length': body.length,
      ...headers,
    },
  };
  return judgedHead(connection, await send(connection, head, body, message.method, signal));
}

/** An answer that is not about the person; throws `sign_in_required` for one that is. */
export function judgedHead({ id }: Connection, answer: UpstreamAnswer): UpstreamAnswer {
  if (answer.statusCode !== 401 && answer.statusCode !== 403) return answer;
  answer.body.destroy();
  throw new ConnectionError('sign_in_required', { id });
}

/** Reads an answer until the reply to the request with this id is there; nothing of it when there is none. */
async function readReply(
  { connection, signal }: WireOptions,
  answer: UpstreamAnswer,
  id: number,
): Promise<Pick<Reply, 'result' | 'error'>> {
  const limit = limitOf(connection);
  try {
    const texts = isEventStream(answer.headers) ? messageTexts(answer.body, limit) : wholeText(answer.body, limit);
    for await (const text of texts) {
      const reply = replyTo(id, text);
      if (reply !== undefined) return reply;
    }
    return {};
  } catch (error) {
    throw readingError(error, limit.url, signal);
  } finally {
    answer.body.destroy();
  }
}

/** The reply to the request with this id; undefined for any other text. */
export function replyTo(expected: number, text: string): Pick<Reply, 'result' | 'error'> | undefined {
  const parsed = v.safeParse(replyText, text);
  if (!parsed.success) return undefined;
  const { error, id, result } = parsed.output;
  // An error may have no id, when the server could not read ours.
  const isOurs = id === expected || (error !== undefined && (id ?? null) === null);
  return isOurs && (result !== undefined || error !== undefined) ? { result, error } : undefined;
}

/** Why reading an answer has ended early. */
export function readingError(error: unknown, url: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof ScopekeeperError
    ? error
    : new OAuthError('server_unreachable', { url, failure: 'reset' }, { cause: error });
}

export interface ReadLimit {
  /** For the error. */
  readonly url: string;
  readonly limitBytes: number;
}

export function limitOf({ serverUrl }: Connection): ReadLimit {
  return { url: shownUrl(new URL(serverUrl)), limitBytes: LARGEST_ANSWER_BYTES };
}

async function* messageTexts(answer: AsyncIterable<Uint8Array>, limit: ReadLimit): AsyncGenerator<string, void> {
  for await (const { type, data } of readEvents(answer, limit)) if (type === 'message') yield data;
}

async function* wholeText(answer: AsyncIterable<Uint8Array>, limit: ReadLimit): AsyncGenerator<string, void> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    if (length > limit.limitBytes) throw new OAuthError('response_too_large', { ...limit });
    chunks.push(chunk);
  }
  yield Buffer.concat(chunks).toString();
}
