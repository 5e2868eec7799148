import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { CodeServer } from './codeServer.ts';
import { OUT_FOLDER, VSIX_FILE } from './standPaths.ts';

/**
 * The extensions folder of an editor into which the packed extension was installed. An editor finds its extensions by
 * where they are in that folder, so a copy of it is as good, and an installation takes seconds.
 */
export const INSTALLED_EXTENSIONS = path.join(OUT_FOLDER, 'e2e', 'extensions');

/** Installs the packed extension as a person does with a VSIX file, for all editors that start with a copy. */
export async function installPackedExtension(): Promise<void> {
  await rm(INSTALLED_EXTENSIONS, { recursive: true, force: true });
  const server = await CodeServer.start();
  try {
    await server.installExtension(VSIX_FILE);
    await cp(server.extensionsFolder, INSTALLED_EXTENSIONS, { recursive: true });
  } finally {
    await server.dispose();
  }
}
