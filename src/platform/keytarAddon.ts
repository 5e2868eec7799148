import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What is used of keytar. Its `findCredentials` can crash the process and must never be called. */
export interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

/**
 * Loads keytar's native part for this machine.
 * Not through the package's own loader, which knows no musl (Alpine): there the binary lies in another folder.
 * @param prebuildsFolder the absolute path of the package's `prebuilds`, or of the copy beside the bundle
 * Throws what the loader of the operating system says, e.g. that libsecret is missing.
 */
export async function loadKeytar(prebuildsFolder: string): Promise<Keytar> {
  const folder = prebuildName(process.platform, process.arch, await isMusl());
  const file = path.join(prebuildsFolder, folder, 'keytar.node');
  const addon: unknown = createRequire(file)(file);
  if (!isKeytar(addon)) throw new Error('the addon has no keychain functions');
  return addon;
}

/** The folder of the package in which the binary for a machine lies. */
export function prebuildName(platform: NodeJS.Platform, arch: string, musl: boolean): string {
  return `${platform}${platform === 'linux' && musl ? 'musl' : ''}-${arch}`;
}

/** Whether this process itself runs on musl: asking for installed files would be fooled by a compatibility layer. */
async function isMusl(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    return (await readFile('/proc/self/maps', 'utf8')).includes('/ld-musl-');
  } catch {
    return false;
  }
}

function isKeytar(addon: unknown): addon is Keytar {
  if (typeof addon !== 'object' || addon === null) return false;
  const functions: Partial<Record<string, unknown>> = { ...addon };
  return ['getPassword', 'setPassword', 'deletePassword'].every((name) => typeof functions[name] === 'function');
}
