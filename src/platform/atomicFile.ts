import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How often, and after how long, a rename is tried again while a Windows virus scanner holds the file. */
const RENAME_RETRIES = 5;
const RENAME_RETRY_MS = 50;

/** Makes the folder, for this user alone. An existing one that is wider is narrowed. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (process.platform !== 'win32') await chmod(folder, 0o700);
}

/**
 * Writes a whole file so that a reader, or a crash at any moment, sees the old or the new text:
 * a temporary file beside it, flushed, then renamed. Readable by this user alone.
 * When it fails, the old file is untouched and the temporary one gone. Throws what the file system says.
 * There must be one writer at a time.
 */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  await makePrivateFolder(path.dirname(file));
  await replaceFile(file, text, { temporary: `${file}.new` });
}

/**
 * The same in a folder that is not ours, and is left as it is.
 * @param temporary the file beside it; one that is there was left by a crash, and goes
 * @param mode of the new file
 * @param check runs when only the rename is left to do; what it throws is thrown, and the old file untouched
 */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  {
    temporary,
    mode = 0o600,
    check = async () => undefined,
  }: { readonly temporary: string; readonly mode?: number; readonly check?: () => Promise<void> },
): Promise<void> {
  await rm(temporary, { force: true });
  try {
    await writeFlushed(temporary, content, mode);
    await check();
    await renameOver(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(path.dirname(file));
}

/** Creates the file with `content` flushed to disk, for this user alone unless told; throws `EEXIST` when it is there. */
export async function writeFlushed(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    // Not by `open`, which takes from it what the person's umask says.
    if (mode !== 0o600) await handle.chmod(mode);
    await handle.writeFile(content, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a file that nobody ever sees half written, or throws `EEXIST`: a link is made to a file that is whole.
 * Where there are no links it is created in place.
 */
export async function createWhole(file: string, text: string): Promise<void> {
  const whole = `${file}.${process.pid}`;
  await rm(whole, { force: true });
  try {
    await writeFlushed(whole, text);
    await link(whole, file);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) throw error;
    await writeFlushed(file, text);
  } finally {
    await rm(whole, { force: true });
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const isHeld = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errorCode(error) ?? '');
      if (!isHeld || attempt >= RENAME_RETRIES) throw error;
      await delay(RENAME_RETRY_MS);
    }
  }
}

/**
 * Without this a power cut may undo the rename. Windows has no such call on folders, and some network
 * file systems refuse it: the file itself is written all the same.
 */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** The `code` of a system error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
