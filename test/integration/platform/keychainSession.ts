import { createRequire } from 'node:module';
import path from 'node:path';

/** keytar's binaries, as they lie in the package. */
export const PREBUILDS = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@github/keytar/package.json')),
  'prebuilds',
);
