import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

/** keytar's binaries, as they lie in the package. */
export const PREBUILDS = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@github/keytar/package.json')),
  'prebuilds',
);

/** Locks the default collection of the session's secret service. */
export function lockKeyring(): void {
  const call = ['call', '--session', '--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets'];
  const lock = ['--method', 'org.freedesktop.Secret.Service.Lock', '["/org/freedesktop/secrets/aliases/default"]'];
  execFileSync('gdbus', [...call, ...lock], { stdio: 'ignore' });
}
