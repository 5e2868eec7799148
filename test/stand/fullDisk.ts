import { execFileSync } from 'node:child_process';
import { open, rm, truncate } from 'node:fs/promises';
import path from 'node:path';

/** A small disk that can be filled to the last byte. */
export interface SmallDisk {
  /** Lets nothing more be written to it. */
  fill(): Promise<void>;
  free(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Makes `folder` a disk of its own, a tmpfs of 256 KiB, where this user may mount one: root, or with sudo. Elsewhere
 * filling it limits the files of this process to no bytes, which fails with EFBIG instead of ENOSPC.
 */
export function smallDiskAt(folder: string): SmallDisk {
  const filler = path.join(folder, 'filler');
  const mounter = [[], ['sudo', '-n']].find((prefix) =>
    succeeds([...prefix, 'mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0777', 'none', folder]),
  );
  if (mounter === undefined) {
    return {
      async fill() {
        process.on('SIGXFSZ', doNothing);
        limitFileSize('0');
      },
      async free() {
        limitFileSize('unlimited');
        process.off('SIGXFSZ', doNothing);
      },
      async dispose() {},
    };
  }
  return {
    async fill() {
      const handle = await open(filler, 'a');
      try {
        for (;;) await handle.write(Buffer.alloc(4096));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        await handle.close();
      }
    },
    async free() {
      await truncate(filler);
      await rm(filler);
    },
    async dispose() {
      succeeds([...mounter, 'umount', '-l', folder]);
    },
  };
}

/** Lets files of this process grow to so many bytes only: the nearest to a full disk that needs no mount. */
export async function withFileSizeLimit(bytes: number, action: () => Promise<void>): Promise<void> {
  process.on('SIGXFSZ', doNothing);
  limitFileSize(String(bytes));
  try {
    await action();
  } finally {
    limitFileSize('unlimited');
    process.off('SIGXFSZ', doNothing);
  }
}

function limitFileSize(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });
}

/** A listener keeps the signal from ending the process; the write then fails with EFBIG. */
function doNothing(): void {}

function succeeds([command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
