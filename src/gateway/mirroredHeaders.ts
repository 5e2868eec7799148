import { isUtf8 } from 'node:buffer';
import { headerOf } from './forwardedHeaders.ts';
import type { JudgedMessage, Refusal } from './messageJudge.ts';

/** The headers that a request is judged by. */
export type SentHeaders = Readonly<
  Partial<Record<'content-type' | 'content-encoding' | 'mcp-method' | 'mcp-name', string | undefined>>
>;

/** Those among all headers that are sent. */
export function sentHeaders(headers: readonly string[]): SentHeaders {
  return {
    'content-type': headerOf(headers, 'content-type'),
    'content-encoding': headerOf(headers, 'content-encoding'),
    'mcp-method': headerOf(headers, 'mcp-method'),
    'mcp-name': headerOf(headers, 'mcp-name'),
  };
}

/** `HeaderMismatch` of the 2026-07-28 revision, which wants status 400 with it. */
const HEADER_MISMATCH = -32_020;

/**
 * Why a message does not go with its `Mcp-Method` and `Mcp-Name` headers (2026-07-28, "Server Validation"): something
 * on the way might go by them (P43). Headers that are not there say nothing. One that is repeated comes here as a
 * list, which is not what the body says.
 * @param message undefined for a batch, which has no such headers.
 */
export function headerRefusal(headers: SentHeaders, message: JudgedMessage | undefined): Refusal | undefined {
  const { 'mcp-method': method, 'mcp-name': name } = headers;
  if (method !== undefined && method !== message?.method) return mismatch('Mcp-Method');
  if (name !== undefined && decode(name) !== (message?.name ?? null)) return mismatch('Mcp-Name');
  return undefined;
}

function mismatch(header: string): Refusal {
  return { status: 400, code: HEADER_MISMATCH, message: `Header mismatch: ${header} is not what the body says` };
}

/** The value of a header that may be in Base64, as the transport says; undefined when it is not what it should be. */
function decode(value: string): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value)?.[1];
  if (encoded === undefined) return value;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded && isUtf8(bytes) ? bytes.toString() : undefined;
}
