import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { outputOf } from './processes.ts';
import { REPOSITORY, VSIX_FILE } from './standPaths.ts';
import { readZip, type ZipEntry } from './zipFile.ts';

const EXPECTED_FILES = path.join(REPOSITORY, 'test', 'stand', 'vsix-files.txt');
const MAX_BYTES = 3_000_000;

/**
 * What bundles may have, unpacked: each window loads the extension, and the owner the HTTP client with the first
 * request; the language server is a process, and its client a part of the extension host, while a configuration file is
 * open.
 */
const MAX_BUNDLE_BYTES: Readonly<Record<string, number>> = {
  'extension/dist/extension.js': 690_000,
  'extension/dist/httpClient.js': 300_000,
  'extension/dist/languageClient.js': 500_000,
  'extension/dist/languageServer.js': 400_000,
};

/** Builds for production and packs scopekeeper.vsix. Throws when the build or the packing fails. */
export async function packVsix(): Promise<void> {
  await outputOf(process.execPath, ['esbuild.mjs', '--production'], { cwd: REPOSITORY });
  const vsce = path.join(REPOSITORY, 'node_modules', '@vscode', 'vsce', 'vsce');
  // The README's pictures are in the repository and not in the package.
  const lenient = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  await outputOf(process.execPath, [vsce, 'package', ...lenient, '--out', VSIX_FILE], { cwd: REPOSITORY });
}

/** What is wrong with the packed file: its size or that of a bundle, or files that are not in the checked-in list, or missing. */
export async function judgeVsix(): Promise<string[]> {
  const expected = (await readFile(EXPECTED_FILES, 'utf8')).split('\n').filter((line) => line !== '');
  const entries = await readZip(VSIX_FILE);
  const packed = namesOf(entries);
  const { size } = await stat(VSIX_FILE);
  const tooLarge = size > MAX_BYTES ? [`The VSIX has ${size} bytes; ${MAX_BYTES} are allowed.`] : [];
  return [
    ...tooLarge,
    ...entries.flatMap(({ name, size: bytes }) => {
      const allowed = MAX_BUNDLE_BYTES[name] ?? Infinity;
      return bytes > allowed ? [`${name} has ${bytes} bytes; ${allowed} are allowed.`] : [];
    }),
    ...packed
      .filter((name) => !expected.includes(name))
      .map((name) => `The VSIX holds ${name}, which is not in the list.`),
    ...expected.filter((name) => !packed.includes(name)).map((name) => `The VSIX lacks ${name}, which is in the list.`),
  ];
}

/** Makes what is packed now the list that later packings are compared with. */
export async function acceptVsix(): Promise<void> {
  await writeFile(EXPECTED_FILES, `${namesOf(await readZip(VSIX_FILE)).join('\n')}\n`);
}

function namesOf(entries: readonly ZipEntry[]): string[] {
  return entries.map(({ name }) => name).toSorted();
}
