import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { Transform } from 'node:stream';
import { EventStreamFilter } from './eventStreamFilter.ts';
import { without } from './forwardedHeaders.ts';
import { isJson, jsonElements, skipSpace } from './jsonText.ts';
import { isEventStream } from './mediaType.ts';
import { judgeMessage, type Refusal } from './messageJudge.ts';
import { headerRefusal, type SentHeaders } from './mirroredHeaders.ts';
import { ToolListFilter } from './toolListFilter.ts';

export type RequestVerdict =
  | { readonly type: 'forward'; readonly body: Buffer }
  /** `body` is JSON: an error of JSON-RPC, or in answer to a batch one for each of its requests. */
  | { readonly type: 'refuse'; readonly status: number; readonly body: string };

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;

const BACKSLASH = 0x5c;

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/**
 * Judges a POST of a local client that may use these tools only (P43), and refuses what another parser could read in
 * another way than this one.
 *
 * A call that is not allowed gets status 200: clients of either SDK then show the error of JSON-RPC, with any other
 * status only that the request failed. One that has no id, and so no answer, gets 403. What is malformed gets 400 or 415,
 * as the transport says. Clients of the older HTTP+SSE transport read no answer to a POST: there 200 has to become 403.
 * @param body all of it, as it is sent on
 * @param headers that are sent on with it
 */
export function judgeRequest(body: Buffer, headers: SentHeaders, allowed: readonly string[]): RequestVerdict {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  if (!JSON_TYPE.test(type) || encoding.toLowerCase() !== 'identity') {
    return refuseAll({ status: 415, code: INVALID_REQUEST, message: 'The body has to be plain application/json' });
  }
  const text = isUtf8(body) ? body.toString() : '';
  // It takes no byte order mark either.
  if (!isJson(text)) return refuseAll({ status: 400, code: PARSE_ERROR, message: 'The body is no JSON in UTF-8' });
  const start = skipSpace(text, 0);
  const isBatch = text[start] === '[';
  const spans = isBatch ? jsonElements(text, start) : [{ start, end: text.length }];
  if (spans === undefined || spans.length === 0) {
    return refuseAll({ status: 400, code: INVALID_REQUEST, message: 'The batch is empty or nested too deep' });
  }
  const messages = spans.map((span) => judgeMessage(text, span.start, allowed));
  const refusals = messages.flatMap(({ refusal }) => refusal ?? []);
  const refusal =
    refusals.find(({ status }) => status !== 200) ??
    refusals[0] ??
    headerRefusal(headers, isBatch ? undefined : messages[0]);
  if (refusal === undefined) return { type: 'forward', body };
  const others = refusals.length === 0 ? refusal : NOT_SENT;
  // Each request gets an error of its own.
  const errors = messages.flatMap(({ id, isRequest, refusal: own }) =>
    isRequest ? [errorText(id, own?.code ?? others.code, own?.message ?? others.message)] : [],
  );
  if (errors.length === 0) return refuseAll({ ...refusal, status: refusal.status === 200 ? 403 : refusal.status });
  return { type: 'refuse', status: refusal.status, body: isBatch ? `[${errors.join()}]` : errors.join() };
}

const NOT_SENT = { code: INVALID_REQUEST, message: 'Not sent: another message of the batch was refused' };

/** Answers with an error that has no `id`, since there is none, or none that could be trusted. */
function refuseAll({ status, code, message }: Refusal): RequestVerdict {
  return { type: 'refuse', status, body: errorText(undefined, code, message) };
}

/** @param id as it was in the request: as a number it might be another one. */
function errorText(id: string | undefined, code: number, message: string): string {
  const error = JSON.stringify({ code, message });
  return `{"jsonrpc":"2.0",${id === undefined ? '' : `"id":${id},`}"error":${error}}`;
}

/** Asks a server for an answer that {@link isFilterable}: whole, and not packed. */
export function askForPlain(headers: readonly string[]): string[] {
  return [...without(headers, PACKED_OR_PARTIAL), 'accept-encoding', 'identity'];
}

const PACKED_OR_PARTIAL: ReadonlySet<string> = new Set(['accept-encoding', 'range', 'if-range']);

/** Whether {@link createAnswerFilter} can read an answer with these headers; one that it cannot is not passed on. */
export function isFilterable(headers: IncomingHttpHeaders): boolean {
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': transfer = 'chunked' } = headers;
  const charset = /charset\s*=\s*"?([^\s";,]*)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  return (
    encoding.toLowerCase() === 'identity' &&
    transfer.toLowerCase() === 'chunked' &&
    headers['content-range'] === undefined &&
    /^(?:utf-?8|us-ascii|iso-8859-1)$/i.test(charset)
  );
}

/**
 * Takes the body of an answer, to a POST or of a GET stream, and leaves out the tools that are not allowed wherever a
 * message has them in `result.tools` (P43): which request it answers does not count. All else passes byte for byte and at
 * once; what is held back is one tool at most. The answer's `Content-Length` is no longer right, nor are digests.
 * @param headers of the answer, for which {@link isFilterable} holds.
 */
export function createAnswerFilter(headers: IncomingHttpHeaders, allowed: readonly string[]): Transform {
  const tools = new ToolListFilter(allowed);
  const filter = isEventStream(headers) ? new EventStreamFilter(tools) : tools;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      filter.write(chunk, 0, chunk.length);
      done(null, tools.read());
    },
    flush(done) {
      tools.end();
      done(null, tools.read());
    },
  });
}

/** The same for a body that is whole, and no stream of events. */
export function filterAnswer(body: Buffer, allowed: readonly string[]): Buffer {
  // Without an escape a key of that name is written so.
  if (!body.includes('"tools"') && !body.includes(BACKSLASH)) return body;
  const tools = new ToolListFilter(allowed);
  tools.write(body, 0, body.length);
  tools.end();
  return tools.read();
}
