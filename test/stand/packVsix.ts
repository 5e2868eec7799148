import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { outputOf } from './processes.ts';
import { REPOSITORY, VSIX_FILE } from './standPaths.ts';
import { readZip } from './zipFile.ts';

const EXPECTED_FILES = path.join(REPOSITORY, 'test', 'stand', 'vsix-files.txt');
const MAX_BYTES = 3_000_000;

/** Builds for production and packs scopekeeper.vsix. Throws when the build or the packing fails. */
export async function packVsix(): Promise<void> {
  await outputOf(process.execPath, ['esbuild.mjs', '--production'], { cwd: REPOSITORY });
  const vsce = path.join(REPOSITORY, 'node_modules', '@vscode', 'vsce', 'vsce');
  // The README's pictures are in the repository and not in the package.
  const lenient = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  await outputOf(process.execPath, [vsce, 'package', ...lenient, '--out', VSIX_FILE], { cwd: REPOSITORY });
}

/** What is wrong with the packed file: its size, or files that are not in the checked-in list, or missing. */
export async function judgeVsix(): Promise<string[]> {
  const expected = (await readFile(EXPECTED_FILES, 'utf8')).split('\n').filter((line) => line !== '');
  const packed = await filesInVsix();
  const { size } = await stat(VSIX_FILE);
  const tooLarge = size > MAX_BYTES ? [`The VSIX has ${size} bytes; ${MAX_BYTES} are allowed.`] : [];
  return [
    ...tooLarge,
    ...packed
      .filter((name) => !expected.includes(name))
      .map((name) => `The VSIX holds ${name}, which is not in the list.`),
    ...expected.filter((name) => !packed.includes(name)).map((name) => `The VSIX lacks ${name}, which is in the list.`),
  ];
}

/** Makes what is packed now the list that later packings are compared with. */
export async function acceptVsix(): Promise<void> {
  await writeFile(EXPECTED_FILES, `${(await filesInVsix()).join('\n')}\n`);
}

async function filesInVsix(): Promise<string[]> {
  return (await readZip(VSIX_FILE)).map((entry) => entry.name).toSorted();
}
