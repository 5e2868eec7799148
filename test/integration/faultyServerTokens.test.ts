import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as v from 'valibot';
import { holds, parsed, refused } from '../servers/faultyServerTest.ts';
import { json, SCOPE } from '../servers/plainClient.ts';

describe('the faults of token, refresh and revocation', () => {
  for (const [faults, status, error] of [
    [{ tokenStatus: 500 }, 500, 'server_error'],
    [{ tokenStatus: 429, retryAfter: '7' }, 429, 'server_error'],
    [{ invalidClient: true }, 401, 'invalid_client'],
    [{ invalidGrant: true }, 400, 'invalid_grant'],
  ] as const) {
    holds(`${JSON.stringify(faults)} refuses, and the token stays good`, {}, async (client, server) => {
      const { refresh_token: token } = await client.signIn();
      Object.assign(server.faults, faults);
      const answer = await client.refresh(token);
      assert.equal(answer.headers.get('retry-after'), 'retryAfter' in faults ? faults.retryAfter : null);
      await refused(Promise.resolve(answer), status, error);
      assert.ok(server.isActive(token ?? ''));
    });
  }

  for (const [faults, expected] of [
    [{ omitScope: true }, { scope: undefined }],
    [{ echoScope: 'FILES.READ' }, { scope: 'FILES.READ' }],
    [{ expiresIn: undefined }, { expires_in: undefined }],
    [{ noRefreshToken: true }, { refresh_token: undefined }],
    [{ tokenBody: (body: object) => ({ ...body, token_type: undefined }) }, { token_type: undefined }],
  ] as const) {
    holds(`${Object.keys(faults).join()} shows in the answer`, faults, async (client) => {
      await client.register();
      const body = v.parse(json, await (await client.exchange(await client.authorize())).json());
      for (const [name, value] of Object.entries(expected)) assert.equal(body[name], value);
    });
  }

  holds(
    'tokenStatus 201 and a tokenBody that is no JSON',
    { tokenStatus: 201, tokenBody: () => '{' },
    async (client) => {
      await client.register();
      const response = await client.exchange(await client.authorize());
      assert.deepEqual([response.status, await response.text()], [201, '{']);
    },
  );

  holds('P28 dropTokenAnswer uses the token up and says nothing', {}, async (client, server) => {
    const { refresh_token: token } = await client.signIn();
    server.faults.dropTokenAnswer = true;
    await assert.rejects(client.refresh(token));
    assert.equal(server.isActive(token ?? ''), false);
  });

  holds('P27 dropScopesUnlessSent', { dropScopesUnlessSent: true }, async (client) => {
    const first = await client.signIn();
    const lossy = await parsed(client.refresh(first.refresh_token));
    assert.equal(lossy.scope, '');
    assert.equal((await client.callTool(lossy.access_token, 'read_file')).status, 403);
    const whole = await parsed(client.refresh(lossy.refresh_token, { scope: SCOPE }));
    assert.equal(whole.scope, SCOPE);
    assert.equal((await client.callTool(whole.access_token, 'read_file')).status, 200);
  });

  holds('P27 rejectScopeOnRefresh', { rejectScopeOnRefresh: true }, async (client) => {
    const { refresh_token: token } = await client.signIn();
    await refused(client.refresh(token, { scope: SCOPE }), 400, 'invalid_scope');
    assert.equal((await client.refresh(token)).status, 200);
  });

  for (const [faults, expected] of [
    [{ rotate: false }, undefined],
    [{ emptyRefreshToken: true }, ''],
  ] as const) {
    holds(`P28 ${Object.keys(faults).join()} keeps the refresh token`, faults, async (client, server) => {
      const { refresh_token: token } = await client.signIn();
      assert.equal((await parsed(client.refresh(token))).refresh_token, expected);
      assert.ok(server.isActive(token ?? ''));
    });
  }

  holds('P28 without strictRotation a reuse is only refused', { strictRotation: false }, async (client, server) => {
    const { refresh_token: used } = await client.signIn();
    const second = await parsed(client.refresh(used));
    await refused(client.refresh(used), 400, 'invalid_grant');
    assert.ok(server.isActive(second.refresh_token ?? ''));
  });

  for (const [revocation, status] of [
    ['ok', 200],
    ['error', 503],
    ['absent', 404],
  ] as const) {
    holds(`P35 revocation ${revocation}`, { revocation }, async (client, server) => {
      const { refresh_token: token = '' } = await client.signIn();
      const clientId = server.requestsTo('token').at(-1)?.form?.['client_id'] ?? '';
      assert.equal((await client.post('/revoke', { token, client_id: clientId })).status, status);
      assert.equal(server.isActive(token), revocation !== 'ok');
    });
  }

  holds('a repeated parameter is refused', {}, async (client, server) => {
    const { refresh_token: token = '' } = await client.signIn();
    const form = new URLSearchParams({ refresh_token: token, scope: 'a' });
    form.append('scope', 'b');
    await refused(fetch(`${server.issuer}/token`, { method: 'POST', body: form }), 400, 'invalid_request');
    assert.deepEqual(server.requests.at(-1)?.repeated, ['scope']);
  });
});
