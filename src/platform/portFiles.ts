import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { integer, literal, maxValue, minValue, number, object, parse, pipe } from 'valibot';
import { createWhole, errorCode, makePrivateFolder, writeFileAtomically } from './atomicFile.ts';

const portNumber = pipe(number(), integer(), minValue(1), maxValue(65_535));
const portSchema = object({ version: literal(1), port: portNumber });
/** The small file about the loopback port in the user's folder. Methods throw what the file system says. */
export interface PortFiles {
  /** Where the port is kept. */
  readonly portFile: string;
  /** The port of this user; undefined before the first start. Throws a `SyntaxError` when the file is broken. */
  readPort(): Promise<number | undefined>;
  /** Keeps the port unless another process has kept one just before; gives the one that holds. */
  keepPort(port: number): Promise<number>;
  /** Keeps another port from now on. To be called by who holds the one before, or when no window of the user can. */
  replacePort(port: number): Promise<void>;
}

export function createPortFiles(folder: string): PortFiles {
  const portFile = path.join(folder, 'port.json');

  const files: PortFiles = {
    portFile,
    async readPort() {
      const text = await readIfThere(portFile);
      return text === undefined ? undefined : parse(portSchema, JSON.parse(text)).port;
    },
    async keepPort(chosen) {
      await makePrivateFolder(folder);
      try {
        await createWhole(portFile, textOf(chosen));
        return chosen;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
        return (await files.readPort()) ?? chosen;
      }
    },
    async replacePort(chosen) {
      await writeFileAtomically(portFile, textOf(chosen));
    },
  };
  return files;
}

function textOf(port: number): string {
  return JSON.stringify({ version: 1, port });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
