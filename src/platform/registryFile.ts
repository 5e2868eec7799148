import { getDotPath, number, object, safeParse } from 'valibot';
import { ConnectionError } from '../connections/errors.ts';
import {
  REGISTRY_VERSION,
  type RegistryFile,
  type StoredRegistry,
  storedRegistrySchema,
} from '../gateway/authorization/storedRegistry.ts';
import { createWhole, errorCode, writeFileAtomically } from './atomicFile.ts';
import { keepBroken, parseJson, problemOf, readText } from './documentFile.ts';

const versioned = object({ version: number() });

/**
 * The registry of the local clients in a JSON file, for this user alone (P42).
 * One of a higher version is left alone; one that cannot be read as such is, too, and is copied to
 * `<path>.broken-<time>`. Before one of version 1 is replaced, it is kept as `<path>.v1`, unless there is one already.
 */
export function createRegistryFile(path: string): RegistryFile {
  /** The text of an earlier version, until it is kept. */
  let earlier: string | undefined;

  return {
    async read(): Promise<StoredRegistry | undefined> {
      earlier = undefined;
      const text = await readText(path);
      if (text === undefined) return undefined;
      const document = parseJson(text);
      const head = safeParse(versioned, document);
      if (head.success && head.output.version > REGISTRY_VERSION) {
        throw new ConnectionError('storage_too_new', { path, version: head.output.version });
      }
      const result = safeParse(storedRegistrySchema, document);
      if (result.success) {
        if (result.output.version < REGISTRY_VERSION) earlier = text;
        return result.output;
      }
      await keepBroken(path);
      const place = getDotPath(result.issues[0]);
      const problem = document === undefined ? 'not JSON' : `not as expected at ${place ?? 'the top'}`;
      throw new ConnectionError('storage_broken', { path, problem });
    },

    async write(document) {
      try {
        if (earlier !== undefined) await keepEarlier(`${path}.v1`, earlier);
        earlier = undefined;
        await writeFileAtomically(path, `${JSON.stringify(document, undefined, 2)}\n`);
      } catch (error) {
        throw new ConnectionError('storage_failed', { operation: 'write', path, problem: problemOf(error) });
      }
    },
  };
}

async function keepEarlier(backup: string, text: string): Promise<void> {
  try {
    await createWhole(backup, text);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
