import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileExists } from './fileExists.ts';
import * as v from 'valibot';
import { OUT_FOLDER } from './standPaths.ts';

/** Names the file into which mocha, inside the extension host, writes what came of the tests. */
export const HOST_RESULTS_VARIABLE = 'SCOPEKEEPER_HOST_RESULTS';

/** Names the file for what workbench and extension host say meanwhile. */
export const HOST_LOG_VARIABLE = 'SCOPEKEEPER_HOST_LOG';

/** Set where code-server has its agent mode, which those who do not test it go without. */
export const HOST_AGENTS_VARIABLE = 'SCOPEKEEPER_HOST_AGENTS';

/** The extension as it is in the VSIX, unpacked. */
export const UNPACKED_EXTENSION = path.join(OUT_FOLDER, 'host', 'extension');

/** A second extension for the host to load, by which tests can look at ours from outside; used when it is there. */
export const PROBE_EXTENSION = path.join('test', 'host', 'probe');

/** Holds, as JSON, an authority that the editor under test finds in the system's store; set where that can be had. */
export const SYSTEM_AUTHORITY_VARIABLE = 'SCOPEKEEPER_SYSTEM_AUTHORITY';

export const HOST_TEST_RUNNER = path.join(OUT_FOLDER, 'test', 'host', 'index.main.cjs');

/** `code-server` or `desktop`; from SCOPEKEEPER_VSCODE, by default code-server on Linux and the desktop elsewhere. */
export function chooseEditor(): 'code-server' | 'desktop' {
  const wish = process.env['SCOPEKEEPER_VSCODE'] ?? (process.platform === 'linux' ? 'code-server' : 'desktop');
  if (wish !== 'code-server' && wish !== 'desktop') {
    throw new Error(`SCOPEKEEPER_VSCODE is ${wish}; it can be code-server or desktop.`);
  }
  return wish;
}

const MochaTests = v.array(
  v.object({
    fullTitle: v.string(),
    err: v.object({ message: v.optional(v.string()), stack: v.optional(v.string()) }),
  }),
);

const MochaResults = v.object({
  stats: v.object({ passes: v.number(), failures: v.number(), pending: v.number() }),
  passes: MochaTests,
  /** Failed hooks too, which are not among the tests. */
  failures: MochaTests,
});
export type MochaResults = v.InferOutput<typeof MochaResults>;

/** Reads the results; undefined when there are none: an extension host that is killed reports success and writes none. */
export async function readHostResults(file: string): Promise<MochaResults | undefined> {
  return (await fileExists(file)) ? v.parse(MochaResults, JSON.parse(await readFile(file, 'utf8'))) : undefined;
}
