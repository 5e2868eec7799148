import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { createAnswerFilter } from '../../../src/gateway/toolFilter.ts';

/** What the filter makes of a body that comes in these pieces. */
export async function filterAnswer(
  type: string,
  pieces: readonly (string | Uint8Array)[],
  allowed: readonly string[],
): Promise<string> {
  const chunks = pieces.map((piece) => Buffer.from(piece));
  return (await buffer(Readable.from(chunks).pipe(createAnswerFilter({ 'content-type': type }, allowed)))).toString();
}

/** Cuts a body into pieces of these sizes, again and again. */
export function cut(body: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0, next = 0; at < bytes.length; next += 1) {
    const size = sizes[next % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
