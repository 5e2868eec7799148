import { array, getDotPath, looseObject, number, object, optional, safeParse, unknown } from 'valibot';
import { ConnectionError } from '../connections/errors.ts';
import type { ConnectionsFile } from '../connections/ports.ts';
import {
  storedConnection,
  storedConnectionsSchema,
  storedIssuerSchema,
  type StoredConnections,
} from '../connections/storedConnections.ts';
import { writeFileAtomically } from './atomicFile.ts';
import { keepBroken, parseJson, problemOf, readText } from './documentFile.ts';

/** The version of the document that this code reads and writes. */
const VERSION = 1;

const versioned = object({ version: number() });
/** What can be taken apart. */
const listSchema = looseObject({ connections: array(unknown()), issuers: optional(unknown()) });

/**
 * The public data in a JSON file, for this user alone.
 * A file that cannot be read as such is left where it is and copied to `<path>.broken-<time>`,
 * so that a later write does not lose it. One in which only some connections cannot be read gives the others.
 * @param onSalvaged hears of that, once: `storage_salvaged`
 */
export function createConnectionsFile(
  path: string,
  onSalvaged: (error: ConnectionError<'storage_salvaged'>) => void = () => undefined,
): ConnectionsFile {
  let lastWrite: Promise<void> = Promise.resolve();
  const told = new Set<string>();

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
      const copy = await keepBroken(path);
      const salvaged = head.success && head.output.version === VERSION ? salvage(document) : undefined;
      if (salvaged !== undefined) {
        if (!told.has(copy)) onSalvaged(new ConnectionError('storage_salvaged', { path: copy, lost: salvaged.lost }));
        told.add(copy);
        return salvaged.rest;
      }
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

/** The connections of a document that are as they should be, and how many are not; undefined when none is. */
function salvage(document: unknown): { readonly rest: StoredConnections; readonly lost: number } | undefined {
  const list = safeParse(listSchema, document);
  if (!list.success) return undefined;
  const connections = new Map<string, StoredConnections['connections'][number]>();
  for (const each of list.output.connections) {
    const { output, success } = safeParse(storedConnection, each);
    if (success && !connections.has(output.id)) connections.set(output.id, output);
  }
  if (connections.size === 0) return undefined;
  // What was learnt of the issuers is learnt again.
  const issuers = safeParse(array(storedIssuerSchema), list.output.issuers);
  return {
    rest: {
      version: VERSION,
      connections: [...connections.values()],
      ...(issuers.success && { issuers: issuers.output }),
    },
    lost: Math.max(list.output.connections.length - connections.size, 1),
  };
}
