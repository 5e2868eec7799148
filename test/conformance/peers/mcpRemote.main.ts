// mcp-remote under the official suite: it bridges stdio to the server, and is driven by the MCP SDK's own client.
// Linux only: elsewhere there is no way to put another browser in the place of the person's.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { signalProcess } from '../../stand/processes.ts';
import { CLIENT_METADATA_URL, STATELESS_VERSION, suiteRun } from '../suite.ts';
import { grantOf } from './grant.ts';
import { BROWSER_SCRIPT, MCP_REMOTE_CONFIGURATIONS, MCP_REMOTE_SCRIPT } from './peers.ts';
import { runPeer } from './runPeer.ts';

const { serverUrl, version, context } = suiteRun();
const grant = grantOf(context);

/** What a person would write into the configuration of their editor. */
function options(): string[] {
  const { client_id: clientId, client_secret: clientSecret } = context;
  const isRegistered = clientId !== undefined && clientSecret !== undefined;
  const client = JSON.stringify({ client_id: clientId, client_secret: clientSecret });
  return [
    '--client-metadata-url',
    CLIENT_METADATA_URL,
    ...(isRegistered ? ['--static-oauth-client-info', client] : []),
    ...(grant.type === 'client_secret' ? ['--client-credentials'] : []),
    // It takes the stateful revisions on stdio, and speaks the stateless one to a server that has it.
    ...(version >= STATELESS_VERSION ? ['--protocol', 'auto'] : []),
  ];
}

async function run(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('mcp-remote is measured on Linux only.');
  await mkdir(MCP_REMOTE_CONFIGURATIONS, { recursive: true });
  const configuration = await mkdtemp(path.join(MCP_REMOTE_CONFIGURATIONS, 'run-'));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MCP_REMOTE_SCRIPT, serverUrl, ...options()],
    env: {
      // Fresh for each run: no sign-in is remembered.
      MCP_REMOTE_CONFIG_DIR: configuration,
      // Its xdg-open, which comes with it, heeds this where it knows no desktop; and the SDK passes on none.
      BROWSER: `${process.execPath} ${BROWSER_SCRIPT}`,
    },
  });
  // A bridge that outlives the time limit would keep the suite waiting, which reads its standard error to the end.
  process.on('exit', () => {
    if (transport.pid !== null) signalProcess(transport.pid, 'SIGKILL');
  });
  const client = new Client({ name: 'conformance-mcp-remote', version: '0.0.0' });
  try {
    await client.connect(transport);
    await client.listTools();
    await client.callTool({ name: 'test-tool', arguments: {} });
  } finally {
    await client.close();
    await rm(configuration, { recursive: true, force: true });
  }
}

await runPeer(run);
