// node test/stand/mutation/bundleTests.mjs: bundles the tests of src/oauth and src/connections for a run of all
// of them in one process. Stryker runs it in its sandbox, after it has put the mutants into the sources there.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/** Only what runs anywhere, in seconds: no keychain, no editor. */
const FOLDERS = ['test/unit/oauth', 'test/unit/connections', 'test/integration/connections'];
/** The first measures time, which says nothing of instrumented code; the others have processes beside this one. */
const LEFT_OUT = new Set(['challengeCost.test.ts', 'killedWindow.test.ts', 'realKeyring.test.ts']);
const NODE_TEST = 'test/stand/mutation/inProcessTest.ts';

const testFiles = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !LEFT_OUT.has(name))
    .toSorted()
    .map((name) => `${folder}/${name}`),
);

/** Before each file of tests its name, so that every test knows where it is from. */
const entry = [
  ...testFiles.flatMap((file) => [`import 'begin:${file}';`, `import './${file}';`]),
  `export { registeredTests } from './${NODE_TEST}';`,
].join('\n');

const inProcess = {
  name: 'in-process',
  setup(builder) {
    const nodeTest = path.resolve(NODE_TEST);
    builder.onResolve({ filter: /^node:test$/ }, () => ({ path: nodeTest }));
    builder.onResolve({ filter: /^begin:/ }, ({ path: name }) => ({ path: name.slice(6), namespace: 'begin' }));
    builder.onLoad({ filter: /./, namespace: 'begin' }, ({ path: file }) => ({
      contents: `import { beginFile } from './${NODE_TEST}'; beginFile('${file}');`,
      resolveDir: '.',
    }));
  },
};

/** The files that `file` imports, and those that they import. */
function reach(file, inputs) {
  const reached = new Set([file]);
  for (const known of reached) {
    for (const { path: imported } of inputs[known]?.imports ?? []) reached.add(imported);
  }
  return [...reached].filter((name) => name.startsWith('src/'));
}

const { metafile } = await build({
  stdin: { contents: entry, resolveDir: '.' },
  outfile: 'out/mutation/tests.mjs',
  plugins: [inProcess],
  bundle: true,
  platform: 'node',
  packages: 'external',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  metafile: true,
});
const reached = Object.fromEntries(testFiles.map((file) => [file, reach(file, metafile.inputs)]));
writeFileSync('out/mutation/reached.json', JSON.stringify(reached, undefined, 1));
