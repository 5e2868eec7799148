// A gateway's authorization server in a process of its own, which a test kills: argv has the folder of its file.
import path from 'node:path';
import { createServer } from 'node:http';
import { systemClock } from '../../../src/platform/clock.ts';
import { createRegistryFile } from '../../../src/platform/registryFile.ts';
import { createAuthorizationServer } from '../../../src/gateway/authorization/authorizationServer.ts';
import { lifetimesFrom } from '../../../src/gateway/authorization/lifetimes.ts';
import { LocalAccessRegistry } from '../../../src/gateway/authorization/localAccessRegistry.ts';
import { allowedOf } from '../../headless/gatewayAuthorization.ts';
import { KEY, ListedConnections } from '../../headless/localAccess.ts';
import { MemoryLog } from '../../headless/memoryPorts.ts';
import { listenOnLoopback } from '../../servers/loopback.ts';

const [folder = '', dieAfterWrite] = process.argv.slice(2);
const file = createRegistryFile(path.join(folder, 'gateway.json'));
let isDying = false;
const connections = new ListedConnections('notes');
const log = new MemoryLog();
const registry = new LocalAccessRegistry({
  file: {
    read: async () => file.read(),
    async write(document) {
      await file.write(document);
      // Between commit and answer.
      if (isDying) process.kill(process.pid, 'SIGKILL');
    },
  },
  connections,
  clock: systemClock,
  log,
  lifetimes: () => lifetimesFrom({}),
  loadKeys: async () => ({ key: KEY }),
});
await registry.load();
const authorization = createAuthorizationServer({
  grants: registry.grants,
  connections,
  askConsent: async () => allowedOf('notes'),
  renderPage: ({ type }) => type,
  clock: systemClock,
  log,
});
const server = createServer((request, response) => {
  if (dieAfterWrite !== undefined && request.headers['x-die'] !== undefined) isDying = true;
  if (request.url === '/use') {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    response.writeHead(registry.use(token, 'notes') === undefined ? 401 : 200).end();
  } else if (!authorization.handle(request, response, origin)) response.writeHead(404).end();
});
const origin = await listenOnLoopback(server);
process.stdout.write(`${origin}\n`);
