import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as v from 'valibot';
import { holds, parsed } from '../servers/faultyServerTest.ts';
import { SCOPE } from '../servers/plainClient.ts';

const entraError = v.object({
  error: v.string(),
  error_description: v.string(),
  error_codes: v.array(v.number()),
  timestamp: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/)),
  trace_id: v.pipe(v.string(), v.uuid()),
  correlation_id: v.pipe(v.string(), v.uuid()),
  error_uri: v.string(),
});

async function refusedByEntra(answer: Promise<Response>, error: string, code: number, text: RegExp): Promise<void> {
  const response = await answer;
  assert.equal(response.status, 400);
  const body = v.parse(entraError, await response.json());
  assert.deepEqual([body.error, body.error_codes], [error, [code]]);
  assert.ok(body.error_description.startsWith(`AADSTS${code}: `));
  assert.match(body.error_description, text);
  assert.ok(body.error_description.includes(`Trace ID: ${body.trace_id} Correlation ID: ${body.correlation_id}`));
}

describe('the faulty server as Entra', () => {
  holds('P27 requireScopeOnRefresh', { entra: { requireScopeOnRefresh: true } }, async (client) => {
    const { refresh_token: token } = await client.signIn();
    await refusedByEntra(client.refresh(token), 'invalid_request', 90009, /requesting a token for itself/);
    assert.equal((await client.refresh(token, { scope: SCOPE })).status, 200);
  });

  const asked = 'api://x/.default offline_access';
  for (const [rejectEchoedScopes, echoed] of [
    [true, 'api://x/files:read api://x/files:write'],
    ['with-default', 'api://x/files:read api://x/files:write api://x/.default'],
  ] as const) {
    holds(`P27 rejectEchoedScopes ${rejectEchoedScopes}`, { entra: { rejectEchoedScopes } }, async (client) => {
      await client.register();
      const first = await parsed(client.exchange(await client.authorize({ scope: asked })));
      assert.equal(first.scope, echoed);
      assert.equal((await client.callTool(first.access_token, 'write_file')).status, 200);
      const token = first.refresh_token;
      const sent = client.refresh(token, { scope: echoed });
      await refusedByEntra(sent, 'invalid_scope', 70011, /The scope api:\/\/x\/files:read .* is not valid\./);
      const second = await parsed(client.refresh(token, { scope: asked }));
      assert.equal(second.scope, echoed);
      assert.equal((await client.callTool(second.access_token, 'read_file')).status, 200);
    });
  }

  const resourceError = ['invalid_target', 9010010, /resource parameter .* doesn't match/] as const;
  for (const rejectResourceWithScopes of [true, 'everywhere'] as const) {
    const name = `P14 rejectResourceWithScopes ${rejectResourceWithScopes}`;
    holds(name, { entra: { rejectResourceWithScopes } }, async (client, server) => {
      await client.register();
      const resource = { resource: server.mcpUrl };
      const callback = await client.authorize();
      const everywhere = rejectResourceWithScopes === 'everywhere';
      assert.equal(callback.searchParams.get('error'), everywhere ? 'invalid_target' : null);
      const description = callback.searchParams.get('error_description');
      assert.equal(description?.startsWith('AADSTS9010010: '), everywhere ? true : undefined);
      const first = await parsed(client.exchange(await client.authorize(everywhere ? { resource: '' } : {})));
      assert.equal((await client.callTool(first.access_token, 'read_file')).status, 200);
      const token = first.refresh_token;
      await refusedByEntra(client.refresh(token, { scope: SCOPE, ...resource }), ...resourceError);
      const second = await parsed(client.refresh(token, { scope: SCOPE }));
      assert.equal((await client.callTool(second.access_token, 'read_file')).status, 200);
    });
  }
});
