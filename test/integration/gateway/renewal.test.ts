import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { startWithFaults } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { startTestGateway } from '../../headless/testGateway.ts';
import { rawRequest } from '../../servers/rawRequest.ts';
import { refreshForms } from '../connections/refreshing.ts';

const REQUESTS = 1000;
const HOUR_MS = 3_600_000;
const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}';

describe('P29 P34 requests whose access token has just ended', () => {
  for (const [title, isKnown] of [
    ['as the token manager knows', true],
    ['as only the server knows', false],
  ] as const) {
    it(`${title}: ${REQUESTS} at once lead to one refresh, and all succeed`, { timeout: 60_000 }, async (t) => {
      const clock = new ManualClock();
      let aheadMs = 0;
      const now = (): number => clock.now() + aheadMs;
      const { server, headless } = await startWithFaults(t, { now, delayMs: { token: 50 } }, { clock });
      const { id } = await headless.connect(server.mcpUrl);
      const gateway = await startTestGateway(t, headless);
      const headers = { authorization: `Bearer ${gateway.accesses.add(id)}`, 'content-type': 'application/json' };
      if (isKnown) clock.jump(HOUR_MS);
      else aheadMs = HOUR_MS;
      // Each client has some connections of its own; one would do for none of them.
      const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
      t.after(() => agent.destroy());
      const call = async () => rawRequest(gateway.url(id), { method: 'POST', body, headers, agent });
      const answers = await Promise.all(Array.from({ length: REQUESTS }, call));
      assert.deepEqual(
        answers.filter(({ status, text }) => status !== 200 || !text.includes('done')),
        [],
      );
      assert.equal(refreshForms(server).length, 1);
    });
  }
});
