import { constants, copyFile, readFile, stat } from 'node:fs/promises';
import { getDotPath, number, object, safeParse } from 'valibot';
import { ConnectionError } from '../connections/errors.ts';
import type { ConnectionsFile } from '../connections/ports.ts';
import { storedConnectionsSchema, type StoredConnections } from '../connections/storedConnections.ts';
import { errorCode, writeFileAtomically } from './atomicFile.ts';

/** The version of the document that this code reads and writes. */
const VERSION = 1;

const versioned = object({ version: number() });

/**
 * The public data in a JSON file, for this user alone.
 * A file that cannot be read as such is left where it is and copied to `<path>.broken-<time>`,
 * so that a later write does not lose it.
 */
export function createConnectionsFile(path: string): ConnectionsFile {
  let lastWrite: Promise<void> = Promise.resolve();

  async function write(document: StoredConnections): Promise<void> {
    try {
      await writeFileAtomically(path, `${JSON.stringify(document, undefined, 2)}\n`);
    } catch (error) {
      throw new ConnectionError('storage_failed', { operation: 'write', path, problem: problemOf(error) });
    }
  }

  return {
    async read() {
      const text = await readText(path);
      if (text === undefined) return undefined;
      const document = parseJson(text);
      const head = safeParse(versioned, document);
      if (head.success && head.output.version > VERSION) {
        throw new ConnectionError('storage_too_new', { path, version: head.output.version });
      }
      const result = safeParse(storedConnectionsSchema, document);
      if (result.success) return result.output;
      await keepBroken(path);
      const place = getDotPath(result.issues[0]);
      const problem = document === undefined ? 'not JSON' : `not as expected at ${place ?? 'the top'}`;
      throw new ConnectionError('storage_broken', { path, problem });
    },

    async write(document) {
      // One after the other, in the order of the calls, whatever became of the one before.
      const thisWrite = lastWrite.then(async () => write(document));
      lastWrite = thisWrite.catch(() => undefined);
      await thisWrite;
    },
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new ConnectionError('storage_failed', { operation: 'read', path, problem: problemOf(error) });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Copies the file aside, once: the name has the time of its last change. */
async function keepBroken(path: string): Promise<void> {
  try {
    const { mtime } = await stat(path);
    const time = mtime.toISOString().replaceAll(/[:.]/g, '-');
    await copyFile(path, `${path}.broken-${time}`, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw new ConnectionError('storage_failed', { operation: 'read', path, problem: problemOf(error) });
  }
}

/** The system's code for what went wrong: a message would repeat the path. */
function problemOf(error: unknown): string {
  return errorCode(error) ?? 'unknown';
}
