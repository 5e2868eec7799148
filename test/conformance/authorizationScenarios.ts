// The official suite's scenarios for an authorization server, against the gateway's own.
import { spawn } from 'node:child_process';
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
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      // The suite is the browser's other end: it waits for what the redirect brings it, and judges that.
      if (line.startsWith(`${gateway.origin}/oauth/authorize?`)) void fetch(line).catch(() => undefined);
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

async function freePort(): Promise<number> {
  const server = createServer();
  const origin = await listenOnLoopback(server);
  await stopServer(server);
  return Number(new URL(origin).port);
}
