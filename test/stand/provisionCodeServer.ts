import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cleanEnvironment, isAlive, outputOf } from './processes.ts';
import {
  CODE_SERVER_FOLDER,
  CODE_SERVER_VERSION,
  HOST_NODE_PACKAGE,
  HOST_NODE_VERSION,
  STAND_FOLDER,
  codeServerEntryIn,
  hostNodeIn,
} from './standPaths.ts';

/** What a finished installation says of itself; anything else is installed anew. */
const STAMP = JSON.stringify({ codeServer: CODE_SERVER_VERSION, node: HOST_NODE_VERSION, arch: process.arch });

/** Too large, and of no use here. */
const UNUSED_PARTS = ['extensions/copilot', `node_modules/@github/copilot-sdk-linux-${process.arch}`];

/**
 * Makes sure that code-server and its Node lie under .vscode-test; quick when they do, about a minute when not.
 * It installs in a folder of its own and renames that at the end, so a half-done installation is never used.
 */
export async function provisionCodeServer(log: (line: string) => void): Promise<void> {
  if (await isStamped(CODE_SERVER_FOLDER)) return;
  if (process.platform !== 'linux') throw new Error('The code-server stand runs on Linux only.');
  log(
    `Installing code-server ${CODE_SERVER_VERSION} into .vscode-test (once, about a minute): the editor of the tests`,
  );
  await mkdir(STAND_FOLDER, { recursive: true });
  await removeAbandonedInstallations();
  const partial = `${CODE_SERVER_FOLDER}.partial-${process.pid}`;
  await mkdir(partial);
  await install(partial, log);
  await writeFile(stampIn(partial), STAMP);
  if (await isStamped(CODE_SERVER_FOLDER)) {
    await rm(partial, { recursive: true }); // Another run was quicker.
    return;
  }
  await rm(CODE_SERVER_FOLDER, { recursive: true, force: true });
  await rename(partial, CODE_SERVER_FOLDER);
  log('code-server is ready');
}

async function install(folder: string, log: (line: string) => void): Promise<void> {
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true }));
  log(`  Node ${HOST_NODE_VERSION}, which code-server runs on`);
  await npm(folder, {}, 'install', '--save-exact', `${HOST_NODE_PACKAGE}@${HOST_NODE_VERSION}`);

  // Its scripts refuse other Node versions, and its native parts are built with this one's headers.
  const node = path.join(folder, 'node_modules', HOST_NODE_PACKAGE);
  const env = { PATH: `${path.join(node, 'bin')}:${process.env['PATH'] ?? ''}`, npm_config_nodedir: node };
  log('  code-server itself');
  await npm(folder, env, 'install', '--save-exact', '--ignore-scripts', `code-server@${CODE_SERVER_VERSION}`);

  const editor = path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  log("  the editor's own dependencies, and its native parts");
  await npm(editor, env, 'install', '--omit=dev', '--ignore-scripts');
  await npm(editor, env, 'rebuild', '@vscode/spdlog', '@vscode/native-watchdog');
  log('  the built-in extensions');
  await npm(path.join(editor, 'extensions'), env, 'install', '--omit=dev', '--ignore-scripts');
  await Promise.all(UNUSED_PARTS.map(async (part) => rm(path.join(editor, part), { recursive: true, force: true })));

  const version = await outputOf(hostNodeIn(folder), [codeServerEntryIn(folder), '--version']);
  if (!version.includes(CODE_SERVER_VERSION)) throw new Error(`code-server says it is of version ${version.trim()}`);
}

async function npm(cwd: string, env: Record<string, string>, ...args: string[]): Promise<void> {
  await outputOf('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env: cleanEnvironment(env) });
}

/** Removes what runs that were killed while installing have left. */
async function removeAbandonedInstallations(): Promise<void> {
  const prefix = `${path.basename(CODE_SERVER_FOLDER)}.partial-`;
  for (const name of await readdir(STAND_FOLDER)) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue;
    await rm(path.join(STAND_FOLDER, name), { recursive: true, force: true });
  }
}

function stampIn(folder: string): string {
  return path.join(folder, 'installed.json');
}

async function isStamped(folder: string): Promise<boolean> {
  try {
    return (await readFile(stampIn(folder), 'utf8')) === STAMP;
  } catch {
    return false;
  }
}
