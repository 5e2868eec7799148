import { constants, copyFile, readFile, stat } from 'node:fs/promises';
import { ConnectionError } from '../connections/errors.ts';
import { errorCode } from './atomicFile.ts';

/** The text of one of our files; undefined when there is none. Throws `storage_failed`. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new ConnectionError('storage_failed', { operation: 'read', path, problem: problemOf(error) });
  }
}

/** Undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Copies the file aside, once: the name has the time of its last change. Gives the copy's path. Throws `storage_failed`. */
export async function keepBroken(path: string): Promise<string> {
  try {
    const { mtime } = await stat(path);
    const copy = `${path}.broken-${mtime.toISOString().replaceAll(/[:.]/g, '-')}`;
    await copyFile(path, copy, constants.COPYFILE_EXCL).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    return copy;
  } catch (error) {
    throw new ConnectionError('storage_failed', { operation: 'read', path, problem: problemOf(error) });
  }
}

/** The system's code for what went wrong: a message would repeat the path. */
export function problemOf(error: unknown): string {
  return errorCode(error) ?? 'unknown';
}
