// The gateway in a process of its own, which can be killed and measured. Who signs in and says yes is the process that
// has started it (gatewayProcess.ts).
import * as v from 'valibot';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { gatewayRequests, promptRequests } from '../../src/owner/gatewayProtocol.ts';
import { ask, serve } from '../../src/owner/windowRpc.ts';
import { ownUsage } from '../bench/meter.ts';
import { ShiftedClock } from '../chaos/shiftedClock.ts';
import { gatewayOptionsSchema, personRequests, processRequests } from './gatewayRpc.ts';
import { startHeadlessGateway } from './headlessGateway.ts';

const options = v.parse(v.pipe(v.string(), v.parseJson(), gatewayOptionsSchema), process.argv[2]);
const rpc = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
const clock = options.hasMovableClock ? new ShiftedClock() : undefined;
const starting = startHeadlessGateway({
  ...options,
  ...(clock !== undefined && { clock }),
  browser: async (address) => new URL((await ask(rpc, personRequests.browse, { url: address })).callback),
  askConsent: async (request, signal) => ask(rpc, promptRequests.askConsent, request, signal),
});

serve(rpc, processRequests.ready, async () => ({ port: (await starting).port }));
serve(rpc, processRequests.connect, async ({ serverUrl, accessToken }) => {
  const { gateway, manager } = await starting;
  const kind = accessToken === undefined ? 'authorization_code' : 'static_token';
  const { id } = await manager.add(serverUrl, undefined, kind);
  if (accessToken !== undefined) await manager.configure(id, {}, { accessToken });
  await manager.authorize(id);
  return { id, url: await gateway.gatewayUrl(id) };
});
serve(rpc, processRequests.pass, async ({ ms }) => {
  if (clock === undefined) throw new Error('the clock stands');
  clock.pass(ms);
  return {};
});
serve(rpc, processRequests.usage, async ({ isMemoryWanted }) => ownUsage(isMemoryWanted));
serve(rpc, gatewayRequests.createToken, async (token) => ({
  token: await (await starting).gateway.createToken(token),
}));
process.on('disconnect', () => process.exit());
rpc.listen();
