import { readdir } from 'node:fs/promises';
import path from 'node:path';

const TEST_TIMEOUT_MS = 20_000;

/**
 * Called by the editor inside its extension host: runs all tests of this folder, or those of the files that
 * SCOPEKEEPER_HOST_FILES names.
 * What came of them goes to the file SCOPEKEEPER_HOST_RESULTS. Throws when a test failed or there is none.
 */
export async function run(): Promise<void> {
  process.setSourceMapsEnabled(true);
  // An ES module, which the editor's own loader takes only by import().
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: TEST_TIMEOUT_MS,
    reporter: 'json',
    reporterOptions: { output: process.env['SCOPEKEEPER_HOST_RESULTS'] },
  });
  const filters = (process.env['SCOPEKEEPER_HOST_FILES'] ?? '').split(' ');
  const files = (await readdir(__dirname, { recursive: true })).filter(
    (name) => name.endsWith('.test.cjs') && filters.some((filter) => name.includes(filter)),
  );
  for (const file of files.toSorted()) mocha.addFile(path.join(__dirname, file));
  await mocha.loadFilesAsync();
  const failures = await new Promise<number>((resolve) => void mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} host tests failed.`);
  if (files.length === 0) throw new Error('There are no host tests.');
}
