// The official suite's scenarios for an authorization server, against the gateway's own.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { serveAuthorization } from '../headless/gatewayAuthorization.ts';
import { createGatewayClient } from '../headless/gatewayClient.ts';
import { listenOnLoopback, stopServer } from '../servers/loopback.ts';
import { cleanEnvironment, exitCodeOf } from '../stand/processes.ts';

/**
 * Runs them, with a person who says yes. Gives whether each passed, by its name; prints what one that failed says.
 * @param node a Node that runs the suite
 * @param suite its script
 */
export async function runAuthorizationScenarios(node: string, suite: string): Promise<Map<string, boolean>> {
  const gateway = await serveAuthorization();
  try {
    const client = createGatewayClient(gateway.origin);
    await client.register({ redirect_uris: ['http://127.0.0.1/callback'] });
    const asked = ['--url', gateway.origin, '--client-id', client.id, '--resource', `${gateway.origin}/notes/mcp`];
    const child = spawn(node, [suite, 'authorization', ...asked, '--port', String(await freePort())], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const isPassed = new Map<string, boolean>();
    const lines: string[] = [];
    let authorizationUrl = '';
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.startsWith(`${gateway.origin}/oauth/authorize?`)) authorizationUrl = line;
      // The suite prints the URL before it listens for what the redirect brings: a browser that is quick finds nobody.
      if (line.startsWith('Callback server started')) void openInBrowser(authorizationUrl, child);
      const [, mark, name = ''] = /^([✓✗]) (\S+): \d+ passed/.exec(line) ?? [];
      if (mark !== undefined) isPassed.set(name, mark === '✓');
    }
    const code = await exitCodeOf(child);
    if (code !== 0) console.log(lines.join('\n'));
    if (code !== 0 || isPassed.size === 0) isPassed.set('authorization', false);
    return isPassed;
  } finally {
    await gateway.stop();
  }
}

/** Goes where the URL leads. The suite would wait five minutes for a browser that fails, so it is ended then. */
async function openInBrowser(url: string, suite: ChildProcess): Promise<void> {
  try {
    await fetch(url);
  } catch (error) {
    console.error(error);
    suite.kill();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const origin = await listenOnLoopback(server);
  await stopServer(server);
  return Number(new URL(origin).port);
}
