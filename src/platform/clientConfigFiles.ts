import { lstat, mkdir, open, readFile, readlink, realpath, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { KeyedQueue } from '../connections/keyedQueue.ts';
import type { ConfigEnvironment } from '../mcpConfig/configClient.ts';
import type { ConfigFiles, ConfigFileText, ConfigFileWritten } from '../mcpConfig/configFiles.ts';
import { errorCode, replaceFile, writeFlushed } from './atomicFile.ts';

const BOM = '\uFEFF';

/** What is at the top of a folder under version control. `.git` is a file in a submodule and in a second work tree. */
const VERSION_CONTROL = ['.git', '.hg', '.jj', '.svn'];

/** Permissions of a file that we make: for its person alone, since a token may come into it. */
const PRIVATE = 0o600;

export interface ClientConfigFilesOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The folder `User` of the editor that this runs in. */
  readonly editorUserFolder?: string | undefined;
  /** Runs before a file is compared for the last time and put in place; for tests. */
  readonly beforeRename?: () => Promise<void>;
}

/** The files of other MCP clients. In this process writes take turns; other programs write when they like. */
export function createClientConfigFiles(options: ClientConfigFilesOptions): ConfigFiles {
  const { beforeRename = async () => undefined } = options;
  const writers = new KeyedQueue();

  /** Runs `write` when what was written to the file before it is done. */
  async function inTurn(
    file: string,
    write: (target: string) => Promise<ConfigFileWritten>,
  ): Promise<ConfigFileWritten> {
    return attempt(async () => {
      const target = await targetOf(file);
      return writers.run(target, async () => write(target));
    });
  }

  /** @param kept what the backup has; undefined for no backup */
  async function replace(before: ConfigFileText, text: string, kept: string | undefined): Promise<ConfigFileWritten> {
    return inTurn(before.path, async (target) => {
      await mkdir(path.dirname(target), { recursive: true });
      const current = await bytesOf(target);
      assertUnchanged(before, current?.bytes);
      // A rename would ask the folder only.
      if (current !== undefined) await (await open(target, 'r+')).close();
      const isKept = current !== undefined && kept !== undefined;
      const backup = isKept ? await keep(before.path, Buffer.from(bomOf(before) + kept), current.mode) : undefined;
      const mode = current?.mode ?? PRIVATE;
      // Other windows have other processes, and one must not put in place what another has half written.
      const temporary = `${target}.scopekeeper-new-${process.pid}`;
      const check = async () => {
        await beforeRename();
        assertUnchanged(before, (await bytesOf(target))?.bytes);
      };
      await replaceFile(target, bomOf(before) + text, { temporary, mode, check });
      const file = { ...before, text, exists: true };
      return { type: 'written', file, ...(backup !== undefined && { backup }) };
    });
  }

  return {
    environment: environmentOf(options),

    async isInstalled({ evidence }) {
      return exists(evidence);
    },

    async read(file) {
      return attempt(async () => {
        const current = await bytesOf(await targetOf(file));
        if (current === undefined) {
          return { type: 'read', file: { path: file, text: '', exists: false, hasBom: false } };
        }
        const whole = decode(current.bytes);
        const hasBom = whole.startsWith(BOM);
        return { type: 'read', file: { path: file, text: hasBom ? whole.slice(1) : whole, exists: true, hasBom } };
      });
    },

    write: async (before, text, kept = before.text) => replace(before, text, kept),

    async isVersioned(file) {
      const target = await targetOf(file).catch(() => file);
      // Where the link is, and where it leads.
      const folders = [...foldersAbove(file), ...foldersAbove(target)];
      const marks = folders.flatMap((folder) => VERSION_CONTROL.map((mark) => path.join(folder, mark)));
      const found = await Promise.all(marks.map(exists));
      return found.includes(true);
    },

    async restore(written, before) {
      if (before.exists) return replace(written, before.text, undefined);
      return inTurn(written.path, async (target) => {
        assertUnchanged(written, (await bytesOf(target))?.bytes);
        await unlink(target);
        return { type: 'written', file: before };
      });
    },
  };
}

function environmentOf({
  platform,
  env,
  home,
  editorUserFolder,
}: ClientConfigFilesOptions): ConfigFiles['environment'] {
  const known: ConfigEnvironment['platform'] = platform === 'win32' || platform === 'darwin' ? platform : 'linux';
  const paths = known === 'win32' ? path.win32 : path.posix;
  const folder = (name: string) => {
    const value = env[name];
    return value !== undefined && paths.isAbsolute(value) ? value : undefined;
  };
  const appData = folder('APPDATA');
  const configHome = folder('XDG_CONFIG_HOME');
  const codexHome = folder('CODEX_HOME');
  return {
    platform: known,
    home,
    ...(appData !== undefined && known === 'win32' && { appData }),
    ...(configHome !== undefined && known === 'linux' && { configHome }),
    ...(codexHome !== undefined && { codexHome }),
    ...(editorUserFolder !== undefined && { editorUserFolder }),
  };
}

/** What is wrong with a file, other than what the file system says. */
class FileProblem extends Error {
  readonly code: 'not_text' | 'changed';

  constructor(code: 'not_text' | 'changed') {
    super(code);
    this.code = code;
  }
}

/** What `run` gives, or why it could not. */
async function attempt<T>(run: () => Promise<T>): Promise<T | { readonly type: 'failed'; readonly problem: string }> {
  try {
    return await run();
  } catch (error) {
    const problem = errorCode(error);
    if (problem === undefined) throw error;
    return { type: 'failed', problem };
  }
}

/**
 * The file that a path leads to: settings are often links into a folder that is under version control. The last link
 * may lead to a file that is not there yet.
 */
async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const link = await lstat(file).catch(() => undefined);
    if (link?.isSymbolicLink() !== true) return file;
    return path.resolve(path.dirname(file), await readlink(file));
  }
}

interface Current {
  readonly bytes: Buffer;
  readonly mode: number;
}

/** What the file holds now; undefined when it is not there. */
async function bytesOf(file: string): Promise<Current | undefined> {
  try {
    const { mode } = await stat(file);
    return { bytes: await readFile(file), mode: mode & 0o7777 };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** The folder of a file, that of the folder, and so on to the root. */
function foldersAbove(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [] : [folder, ...foldersAbove(folder)];
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileProblem('not_text');
  }
}

function bomOf({ hasBom }: ConfigFileText): string {
  return hasBom ? BOM : '';
}

function assertUnchanged(before: ConfigFileText, bytes: Buffer | undefined): void {
  const expected = before.exists ? Buffer.from(bomOf(before) + before.text) : undefined;
  const isSame = expected === undefined ? bytes === undefined : bytes?.equals(expected) === true;
  if (!isSame) throw new FileProblem('changed');
}

/**
 * Keeps `bytes` beside the file, with its mode, and gives the path: `….scopekeeper-backup`, or with a number from 2
 * on, since a backup is never written over. One that holds the same already is enough.
 */
async function keep(file: string, bytes: Buffer, mode: number): Promise<string> {
  for (let number = 1; ; number += 1) {
    const backup = `${file}.scopekeeper-backup${number === 1 ? '' : `-${number}`}`;
    try {
      await writeFlushed(backup, bytes, mode);
      return backup;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') {
        // Half of a file is no backup.
        await rm(backup, { force: true });
        throw error;
      }
      const known = await readFile(backup).catch(() => undefined);
      if (known?.equals(bytes) === true) return backup;
    }
  }
}
