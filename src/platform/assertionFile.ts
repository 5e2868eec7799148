import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConnectionError } from '../connections/errors.ts';
import type { ReadAssertion } from '../connections/ports.ts';
import { errorCode } from './atomicFile.ts';

/** A JWT with all its claims is a few KiB; what is larger is another file. */
const LONGEST_BYTES = 64 * 1024;

/** A JWT in its compact form, signed or encrypted (RFC 7515, RFC 7516): no other file's content is ever sent. */
const JWT = /^[\w-]+\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?$/;

/** Reads a workload's identity token, as a platform puts it into a file (SEP-1933). */
export const readAssertionFile: ReadAssertion = async (file) => {
  const unreadable = (problem: string): ConnectionError =>
    new ConnectionError('assertion_unreadable', { path: file, problem });
  // A relative one would be looked for wherever the editor was started.
  if (!path.isAbsolute(file)) throw unreadable('not_absolute');
  let text: string;
  try {
    // A pipe or a device may have no end, or no beginning. Platforms give links to files that they replace.
    if (!(await stat(file)).isFile()) throw unreadable('not_a_file');
    text = await readStart(file, LONGEST_BYTES + 1);
  } catch (error) {
    throw error instanceof ConnectionError ? error : unreadable(errorCode(error) ?? 'unreadable');
  }
  const assertion = text.replace(/^\uFEFF/, '').trim();
  if (text.length > LONGEST_BYTES || !JWT.test(assertion)) throw unreadable('not_a_token');
  return assertion;
};

/** At most so many bytes from the beginning of a file. */
async function readStart(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
