// The clients that Scopekeeper is compared with: where each comes from and what drives it.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as v from 'valibot';
import { cleanEnvironment, outputOf } from '../../stand/processes.ts';
import { OUT_FOLDER } from '../../stand/standPaths.ts';

interface Peer {
  readonly driver: string;
  /** What is installed for it, below out/: our own package.json shall not name it. */
  readonly installs?: { readonly name: string; readonly version: string };
}

export const PEERS = new Map<string, Peer>([
  // A development dependency already, as the tests' MCP client.
  ['sdk-1', { driver: 'sdk1.main.mjs' }],
  ['sdk-2', { driver: 'sdk2.main.mjs', installs: { name: '@modelcontextprotocol/client', version: '2.4.0' } }],
  ['mcp-remote', { driver: 'mcpRemote.main.mjs', installs: { name: 'mcp-remote', version: '0.15.1' } }],
]);

const packageSchema = v.object({ version: v.string() });

/** Where a peer is installed. */
export function peerFolder(name: string): string {
  return path.join(OUT_FOLDER, 'peers', name);
}

/** The `require` of a module in a peer's folder. */
export function requireInPeer(name: string): NodeJS.Require {
  return createRequire(path.join(peerFolder(name), 'package.json'));
}

/** Installs what a peer needs, unless it is there. Throws when npm fails. */
export async function installPeer(name: string): Promise<void> {
  const installs = PEERS.get(name)?.installs;
  if (installs === undefined || (await installedVersion(name, installs.name)) === installs.version) return;
  const folder = peerFolder(name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true }));
  const wanted = `${installs.name}@${installs.version}`;
  console.log(`Installing ${wanted} into ${path.relative('.', folder)}`);
  const args = ['install', '--prefix', folder, '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', wanted];
  await outputOf('npm', args, { env: cleanEnvironment() });
}

async function installedVersion(name: string, packageName: string): Promise<string | undefined> {
  try {
    const file = path.join(peerFolder(name), 'node_modules', packageName, 'package.json');
    return v.parse(packageSchema, JSON.parse(await readFile(file, 'utf8'))).version;
  } catch {
    return undefined; // Not installed, or not to the end.
  }
}
