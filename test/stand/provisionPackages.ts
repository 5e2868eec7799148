import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { runLoudly } from './processes.ts';

/** Which Debian package brings each program that the stand needs. */
const PACKAGE_OF_PROGRAM: Readonly<Record<string, string>> = {
  chromium: 'chromium',
  'gnome-keyring-daemon': 'gnome-keyring',
  'secret-tool': 'libsecret-tools',
  'dbus-daemon': 'dbus',
  'dbus-send': 'dbus',
  gdbus: 'libglib2.0-bin',
  openssl: 'openssl',
};

/** Where `program` lies on the PATH. */
export async function findProgram(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not here: look in the next folder.
    }
  }
  return undefined;
}

/**
 * Makes sure that the browser, the keyring and the bus are installed; quick when they are.
 * Installs them with apt-get as root, otherwise throws an error that names the packages to install.
 */
export async function provisionPackages(log: (line: string) => void): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const byHand = `Install them with: apt-get install --no-install-recommends ${missing.join(' ')}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || (await findProgram('apt-get')) === undefined) {
    throw new Error(`The tests need these Debian packages: ${missing.join(', ')}. ${byHand}`);
  }
  log(`Installing Debian packages (browser and keyring of the tests): ${missing.join(', ')}`);
  const quietly = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  // The package lists may be absent or stale; only then they are fetched.
  if ((await runLoudly('apt-get', install, quietly)) === 0) return;
  await runLoudly('apt-get', ['update', '-qq'], quietly);
  if ((await runLoudly('apt-get', install, quietly)) !== 0 || (await missingPackages()).length > 0) {
    throw new Error(`apt-get could not install ${missing.join(', ')}. ${byHand}`);
  }
}

async function missingPackages(): Promise<string[]> {
  const programs = Object.entries(PACKAGE_OF_PROGRAM);
  const found = await Promise.all(programs.map(async ([program]) => findProgram(program)));
  return [...new Set(programs.filter((_, index) => found[index] === undefined).map(([, name]) => name))];
}
