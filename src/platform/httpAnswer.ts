import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { OAuthError } from '../oauth/errors.ts';
import { errorCode } from './atomicFile.ts';

/** Statuses that have no body by definition; `Response` refuses one. */
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

const DECODERS: Readonly<Record<string, (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Reads the body to its end. Throws `tooLarge`, and drops the connection, past `limitBytes`. */
export async function readBody(answer: IncomingMessage, limitBytes: number, tooLarge: OAuthError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop destroys the stream; a body that ends too early makes it throw ECONNRESET.
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limitBytes) throw tooLarge;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * Unpacks a body that is packed although `identity` was asked for, as some servers do.
 * Throws `tooLarge` past `limitBytes` (a bomb), or what the decoder says.
 */
export async function decodeBody(
  body: Buffer,
  contentEncoding: string | undefined,
  limitBytes: number,
  tooLarge: OAuthError,
): Promise<Buffer> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '' || body.length === 0) return body;
  const decode = DECODERS[encoding];
  if (decode === undefined) throw new Error('unknown content encoding');
  try {
    return await decode(body, { maxOutputLength: limitBytes });
  } catch (error) {
    if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge;
    throw error;
  }
}

/** Headers that were true of the bytes on the wire, and are not of the body that is handed on. */
const WIRE_HEADERS = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'set-cookie']);

/** A standard `Response`. Headers that came several times, such as `WWW-Authenticate`, are joined with `, ` (P7). */
export function toResponse(answer: IncomingMessage, body: Buffer, url: URL): Response {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
    if (WIRE_HEADERS.has(name)) continue;
    for (const value of values) headers.append(name, value);
  }
  const status = answer.statusCode ?? 0;
  const response = new Response(NULL_BODY_STATUSES.has(status) ? null : new Uint8Array(body), { status, headers });
  // Only a platform's own fetch can set it; after a redirect it says whose answer this is.
  Object.defineProperty(response, 'url', { value: url.href });
  return response;
}
