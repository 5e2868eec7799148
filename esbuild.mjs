// Builds everything there is to build.
//   node esbuild.mjs                 the extension, for development
//   node esbuild.mjs --production    the extension as it is packed, after proving that the pure folders are pure
//   node esbuild.mjs --tests         the tests, the sample server and the stand, into out/
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const production = process.argv.includes('--production');
const tests = process.argv.includes('--tests');

/** Folders that know neither vscode nor Node: each must bundle with nothing external. */
const PURE_FOLDERS = ['src/oauth', 'src/connections', 'src/mcpConfig'];

/** Started only when a client's configuration file is open. */
const LANGUAGE_SERVER = 'src/languageServer/languageServer.ts';

/** Needed when the first request goes to a server, and as large as all that is needed before. */
const HTTP_CLIENT = 'undici/lib/dispatcher/client.js';

const httpClientBeside = {
  name: 'http-client-beside',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^${HTTP_CLIENT}$`) }, () => ({ path: './httpClient.js', external: true }));
  },
};

/** Every file below `folder` whose path ends with one of `endings`. */
async function filesBelow(folder, ...endings) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .toSorted();
}

const shared = { bundle: true, sourcemap: true, logLevel: 'warning', mainFields: ['module', 'main'] };

async function buildExtension() {
  await rm('dist', { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['vscode'],
    plugins: [httpClientBeside],
    // By `require`, as the editor loads the extension itself.
    supported: { 'dynamic-import': false },
    minify: production,
    sourcemap: production ? 'external' : true,
    legalComments: 'none',
  });
  await build({
    ...shared,
    entryPoints: [
      { in: 'src/vscode/details/webview/main.ts', out: 'details' },
      { in: 'src/vscode/details/webview/details.css', out: 'details' },
    ],
    outdir: 'dist',
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    minify: production,
    sourcemap: production ? false : 'inline',
    legalComments: 'none',
  });
  // Programs of their own, which the extension starts, and what it loads only when it is needed.
  await Promise.all([
    buildProgram('src/vscode/languageClient/clientBundle.ts', 'dist/languageClient.js', { external: ['vscode'] }),
    buildProgram('src/platform/keytarProcess.ts', 'dist/keytarProcess.js'),
    buildProgram('src/platform/exchange/exchangeProcess.ts', 'dist/exchangeProcess.js'),
    buildProgram('src/sample/sampleServer.ts', 'dist/sampleServer.js'),
    buildProgram(HTTP_CLIENT, 'dist/httpClient.js'),
    buildProgram(LANGUAGE_SERVER, 'dist/languageServer.js'),
  ]);
  // keytar's loader looks for ./prebuilds/<platform>-<arch>/keytar.node beside the bundle.
  await cp('node_modules/@github/keytar/prebuilds', 'dist/prebuilds', { recursive: true });
}

async function buildProgram(entry, outfile, { external = [], minify = production } = {}) {
  await build({
    ...shared,
    entryPoints: [entry],
    outfile,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external,
    minify,
    sourcemap: false,
    legalComments: 'none',
  });
}

async function proveFoldersPure() {
  await Promise.all(
    PURE_FOLDERS.map(async (folder) =>
      build({
        ...shared,
        entryPoints: await filesBelow(folder, '.ts'),
        outdir: 'out/pure',
        platform: 'neutral',
        conditions: ['import'],
        sourcemap: false,
        write: false,
      }),
    ),
  );
}

/** Tests that run inside the extension host, which takes CommonJS. */
function inHost(file) {
  return file.startsWith(path.join('test', 'host'));
}

async function buildTests() {
  await rm('out/test', { recursive: true, force: true });
  // jsonc-parser's main file is UMD, whose names Node does not see in an import.
  const alias = { 'jsonc-parser': path.resolve('node_modules/jsonc-parser/lib/esm/main.js') };
  const everywhere = { ...shared, outbase: 'test', outdir: 'out/test', platform: 'node', packages: 'external', alias };
  const files = await filesBelow('test', '.test.ts', '.main.ts');
  await Promise.all([
    build({
      ...everywhere,
      entryPoints: files.filter((file) => !inHost(file)),
      target: 'node20',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      // CommonJS packages that are bundled from src (none today) would need require.
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    }),
    build({
      ...everywhere,
      entryPoints: files.filter(inHost),
      target: 'node22',
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      external: ['vscode'],
    }),
    // As it is packed: tests speak to it over its process.
    buildProgram(HTTP_CLIENT, 'dist/httpClient.js'),
    buildProgram(LANGUAGE_SERVER, 'out/test/languageServer.cjs', { minify: true }),
  ]);
}

await mkdir('out', { recursive: true });
if (tests) {
  await buildTests();
} else {
  if (production) await proveFoldersPure();
  await buildExtension();
}
