// A process of its own: acquires the port of the folder in argv[2], prints what came of it, and holds on until its
// standard input ends.
import { createLoopbackServer } from '../../../src/platform/loopbackServer.ts';

const [, , folder = ''] = process.argv;
const server = createLoopbackServer({
  folder,
  routes: {
    onCallback: async () => ({ status: 200, html: '' }),
    upgrade: { path: '/', token: 'none', accept: (stream) => void stream.destroy() },
  },
});
const role = await server.acquire();
process.stdout.write(`${JSON.stringify(role)}\n`);
process.stdin.on('end', () => {
  // The end of the process tells the test that it is done; a failure would show as its exit code.
  void server.release();
});
process.stdin.resume();
