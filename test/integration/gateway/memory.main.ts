import { setImmediate } from 'node:timers/promises';
import { createHeadlessManager } from '../../headless/headlessManager.ts';
import { startGatewayFor } from '../../headless/testGateway.ts';

/** A gateway in a process of its own, to the server whose URL it is started with, so that its memory is its alone. */
const [serverUrl = ''] = process.argv.slice(2);
const headless = createHeadlessManager({ browser: async () => undefined });
const { manager } = headless;
const { id } = await manager.add(serverUrl, 'Large', 'static_token');
await manager.configure(id, {}, { accessToken: 'upstream-token-of-the-server' });
await manager.authorize(id);
const gateway = await startGatewayFor(headless);

process.on('message', () => {
  void tellMemory(); // nothing in it rejects
});
process.on('disconnect', () => process.exit());
process.send?.({ url: gateway.url(id), token: gateway.accesses.add(id) });

/** What is in use: what is not has been collected, which of buffers another thread does. */
async function tellMemory(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { external, heapUsed, rss } = process.memoryUsage();
  process.send?.({ inUse: external + heapUsed, rss });
}
