import { rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { userFolder } from '../../src/platform/userFolder.ts';
import { openTestWindow } from '../headless/testWindow.ts';
import { fileExists } from '../stand/fileExists.ts';
import { enterServerUrl } from './connecting.ts';
import { BENCH_VARIABLE, benchRequestSchema, type HostedGateway } from './hostedGateway.ts';
import { testKeychain } from './keychain.ts';
import { scopekeeper, theProbe } from './theProbe.ts';

const LOOK_EVERY_MS = 200;

/** Serves the gateway to the bench (test/bench/hostedTarget.ts); nothing is judged here. */
async function serveBench(request: string): Promise<void> {
  const { file, serverUrl, tools } = v.parse(v.pipe(v.string(), v.parseJson(), benchRequestSchema), request);
  const [probe, api] = await Promise.all([theProbe(), scopekeeper()]);
  // There is nothing to sign in to, but the connection is there then, and this window is the owner.
  await enterServerUrl(probe, serverUrl);
  const id = api.connections().find((connection) => connection.serverUrl === serverUrl)?.id ?? '';
  const folder = userFolder(process.platform, process.env, homedir());
  const guest = openTestWindow({ folder, name: 'the bench', keychain: testKeychain });
  await guest.role.look();
  await guest.connections.changeKind(id, 'static_token', {}, { accessToken: 'a-token-that-the-person-brought' });
  await guest.connections.authorize(id);
  const served: HostedGateway = {
    pid: process.pid,
    url: await guest.gateway.gatewayUrl(id),
    token: await guest.gateway.createToken({ label: 'bench', connection: id, allowedTools: '*' }),
    filteredToken: await guest.gateway.createToken({ label: 'bench', connection: id, allowedTools: tools }),
  };
  await writeFile(`${file}.new`, JSON.stringify(served));
  await rename(`${file}.new`, file);
  // Another process removes it, and announces nothing.
  while (await fileExists(file)) await delay(LOOK_EVERY_MS);
  await guest.connections.remove(id);
  await guest.dispose();
}

// Only for the bench: a test that nobody asks for would wait for ever.
const request = process.env[BENCH_VARIABLE];
if (request !== undefined) {
  it('is measured', async () => serveBench(request)).timeout(10 * 60_000);
}
