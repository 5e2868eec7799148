import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

/** What the sample server and the walkthrough may add to the package, in bytes. */
const AT_MOST = 100_000;

test('the sample server and the walkthrough stay under 100 KB, and nothing of an identity provider is in the bundle', async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: ['src/sample/sampleServer.ts'],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    write: false,
    metafile: true,
  });
  const bundle = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
  const folder = path.join('media', 'walkthrough');
  const pictures = readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
  assert.ok(bundle + pictures < AT_MOST, `${bundle} + ${pictures}`);
  const packages = Object.keys(metafile.inputs).flatMap((file) => /node_modules\/([^/]+)/.exec(file)?.[1] ?? []);
  assert.deepEqual([...new Set(packages)], ['valibot']);
});
