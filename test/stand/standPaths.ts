import path from 'node:path';

/** The repository's top. Every npm script runs there. */
export const REPOSITORY = process.cwd();

/** Everything that is downloaded or lasts between runs; ignored by git. */
export const STAND_FOLDER = path.join(REPOSITORY, '.vscode-test');

export const CODE_SERVER_VERSION = '4.139.1';
export const HOST_NODE_VERSION = '24.21.0';

/** code-server and the Node that it and its extension host run on. */
export const CODE_SERVER_FOLDER = path.join(STAND_FOLDER, 'code-server');

/** What runs leave behind for a person to look at: results, screenshots, host logs. */
export const OUT_FOLDER = path.join(REPOSITORY, 'out');
export const RESULTS_FOLDER = path.join(OUT_FOLDER, 'results');
export const SCREENSHOTS_FOLDER = path.join(OUT_FOLDER, 'screenshots');

export const VSIX_FILE = path.join(REPOSITORY, 'scopekeeper.vsix');

/** The name of the npm package with the Node binary for this machine. */
export const HOST_NODE_PACKAGE = `node-linux-${process.arch}`;

/** The Node binary inside a code-server folder. */
export function hostNodeIn(folder: string): string {
  return path.join(folder, 'node_modules', HOST_NODE_PACKAGE, 'bin', 'node');
}

/** code-server's entry script inside a code-server folder. */
export function codeServerEntryIn(folder: string): string {
  return path.join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
}

/** The process that sends refreshes, as `esbuild.mjs --tests` builds it. */
export const EXCHANGE_SCRIPT = path.join(OUT_FOLDER, 'test', 'headless', 'exchangeProcess.main.mjs');
