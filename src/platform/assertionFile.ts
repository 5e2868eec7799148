import { readFile } from 'node:fs/promises';
import { ConnectionError } from '../connections/errors.ts';
import type { ReadAssertion } from '../connections/ports.ts';
import { errorCode } from './atomicFile.ts';

/** A JWT with all its claims is a few KiB; what is larger is another file. */
const LONGEST_BYTES = 64 * 1024;

/** Reads a workload's identity token, as a platform puts it into a file (SEP-1933). */
export const readAssertionFile: ReadAssertion = async (path) => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConnectionError('assertion_unreadable', { path, problem: errorCode(error) ?? 'unreadable' });
  }
  const assertion = text.trim();
  if (assertion === '' || assertion.length > LONGEST_BYTES || /\s/.test(assertion)) {
    throw new ConnectionError('assertion_unreadable', { path, problem: 'not_a_token' });
  }
  return assertion;
};
