import { stat } from 'node:fs/promises';
import path from 'node:path';
import { REPOSITORY } from './standPaths.ts';

/**
 * The bundles of tests with the longest source first: a long one that is begun last would run alone at the end.
 * @param folder of test/, where the sources are
 * @param bundles paths below the folder's bundles, as `oauth/pkce.test.mjs`
 */
export async function longestFirst(folder: string, bundles: readonly string[]): Promise<string[]> {
  const sized = await Promise.all(bundles.map(async (name) => ({ name, size: await sourceSize(folder, name) })));
  return sized.toSorted((one, other) => other.size - one.size).map(({ name }) => name);
}

/** The bytes of the file from which esbuild made a bundle; of one that is gone, 0. */
async function sourceSize(folder: string, bundle: string): Promise<number> {
  const source = path.join(REPOSITORY, 'test', folder, bundle.replace(/\.[cm]js$/, '.ts'));
  return stat(source).then(
    ({ size }) => size,
    () => 0,
  );
}
