// The clients that Scopekeeper is compared with, and what drives each under the official suite.
import path from 'node:path';
import { OUT_FOLDER, REPOSITORY } from '../../stand/standPaths.ts';

/** The driver of each peer; all peers are development dependencies. */
export const PEERS: ReadonlyMap<string, string> = new Map([
  ['sdk-1', 'sdk1.main.mjs'],
  ['sdk-2', 'sdk2.main.mjs'],
  ['mcp-remote', 'mcpRemote.main.mjs'],
]);

/** The program of mcp-remote, which bridges stdio to a server. */
export const MCP_REMOTE_SCRIPT = path.join(REPOSITORY, 'node_modules', 'mcp-remote', 'dist', 'proxy.js');

/** Below it, each run of mcp-remote keeps its sign-ins in a folder of its own. */
export const MCP_REMOTE_CONFIGURATIONS = path.join(OUT_FOLDER, 'mcp-remote');

/** mcp-remote opens this command instead of a browser: it follows the redirects of the authorization URL. Linux only. */
export const BROWSER_SCRIPT = path.join(OUT_FOLDER, 'test', 'conformance', 'peers', 'browser.main.mjs');
