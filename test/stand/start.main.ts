// npm start: a real editor with the extension in it, and a sample protected MCP server to connect to.
// All that it keeps, connections too, is in .vscode-test/start; its ports are always the same.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { fileExists } from './fileExists.ts';
import { findProgram } from './provisionPackages.ts';
import { startCodeServer, startDesktop, type StartedEditor } from './startedEditor.ts';
import { STAND_FOLDER } from './standPaths.ts';

const MCP_SERVER_PORT = 4711;
const AUTHORIZATION_SERVER_PORT = 4712;

const folder = path.join(STAND_FOLDER, 'start');
const workspace = path.join(folder, 'workspace');

// From now on Ctrl-C ends what has been started, in order, instead of the process.
const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);

await mkdir(path.join(workspace, '.vscode'), { recursive: true });
const sample = await startSample();
try {
  await writeMcpConfiguration(sample.mcpUrl);
  const editor = await startEditor();
  try {
    // A URL at the end of its line: whoever copies it takes nothing else along.
    if (editor.url !== undefined) console.log(`Open ${editor.url}`);
    console.log(`Run "Scopekeeper: Connect Server…" there and paste ${sample.mcpUrl}`);
    console.log(`Sign in as ${sample.user} / ${sample.password}. Ctrl-C ends it.`);
    await Promise.race([stopped, editor.closed]);
  } finally {
    await editor.dispose();
  }
} finally {
  await sample.close();
}
process.exit();

async function startSample(): Promise<SampleServer> {
  const log = createWriteStream(path.join(folder, 'sample.log'), { flags: 'a' });
  try {
    return await startSampleServer({
      mcpServerPort: MCP_SERVER_PORT,
      authorizationServerPort: AUTHORIZATION_SERVER_PORT,
      stateFile: path.join(folder, 'sample-state.json'),
      log: (line) => void log.write(`${new Date().toISOString()} ${line}\n`),
    });
  } catch (error) {
    const ports = `${MCP_SERVER_PORT} and ${AUTHORIZATION_SERVER_PORT}`;
    throw new Error(`The sample server did not start on ports ${ports}. Does another npm start run?`, { cause: error });
  }
}

/** The sample server, as VS Code's own MCP client would be told of it; a file that is there is the person's. */
async function writeMcpConfiguration(url: string): Promise<void> {
  const file = path.join(workspace, '.vscode', 'mcp.json');
  if (await fileExists(file)) return;
  await writeFile(file, `${JSON.stringify({ servers: { sample: { type: 'http', url } } }, undefined, 2)}\n`);
}

/** The desktop editor when there is one, else code-server; SCOPEKEEPER_VSCODE=code-server asks for the latter. */
async function startEditor(): Promise<StartedEditor> {
  const desktop = await findProgram(process.platform === 'win32' ? 'code.cmd' : 'code');
  const wantsDesktop = process.env['SCOPEKEEPER_VSCODE'] !== 'code-server';
  return desktop !== undefined && wantsDesktop
    ? startDesktop(desktop, folder, workspace)
    : startCodeServer(folder, workspace);
}
