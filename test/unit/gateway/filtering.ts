import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { isEventStream } from '../../../src/gateway/mediaType.ts';
import { createAnswerFilter, filterAnswer as filterWholeAnswer } from '../../../src/gateway/toolFilter.ts';

/** What the filter makes of a body that comes in these pieces. */
export async function filterAnswer(
  type: string,
  pieces: readonly (string | Uint8Array)[],
  allowed: readonly string[],
): Promise<string> {
  const headers = { 'content-type': type };
  const chunks = pieces.map((piece) => Buffer.from(piece));
  const filtered = (await buffer(Readable.from(chunks).pipe(createAnswerFilter(headers, allowed)))).toString();
  if (!isEventStream(headers)) {
    const whole = filterWholeAnswer(Buffer.concat(chunks), allowed).toString();
    assert.equal(whole, filtered, 'in one piece it is the same');
  }
  return filtered;
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
