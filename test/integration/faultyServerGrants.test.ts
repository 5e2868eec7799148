import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as v from 'valibot';
import type { DeviceSwitch } from '../servers/grantSwitches.ts';
import { holds, metadataOf, parsed, refused } from '../servers/faultyServerTest.ts';
import { json, SCOPE, type PlainClient } from '../servers/plainClient.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

describe('the grants of the faulty server', () => {
  holds('grantTypes are named, and others refused', { grantTypes: [JWT_BEARER] }, async (client, server) => {
    assert.deepEqual((await metadataOf(server.issuer))['grant_types_supported'], [JWT_BEARER]);
    await client.register();
    await refused(client.exchange(await client.authorize()), 400, 'unsupported_grant_type');
  });

  holds('grantProfiles', { grantProfiles: ['p'] }, async (_client, server) => {
    assert.deepEqual((await metadataOf(server.issuer))['authorization_grant_profiles_supported'], ['p']);
  });

  holds('a client has the grants it was registered for, and the two usual ones', {}, async (client, server) => {
    server.addClient({ id: 'only-code', authMethod: 'none', grantTypes: ['authorization_code'] });
    client.use('only-code');
    await refused(client.refresh('x'), 400, 'unauthorized_client');
    server.addClient({ id: 'any', authMethod: 'none', redirectUris: ['http://127.0.0.1/callback'] });
    client.use('any');
    const { refresh_token: token } = await parsed(client.exchange(await client.authorize()));
    assert.equal((await client.refresh(token)).status, 200);
  });
});

describe('client credentials at the faulty server', () => {
  const faults = { grantTypes: ['client_credentials'] };
  const form = { grant_type: 'client_credentials', client_id: 'c', client_secret: 's' };

  holds('give an access token for scope and resource, and no refresh token', faults, async (client, server) => {
    server.addClient({ id: 'c', secret: 's', authMethod: 'client_secret_post' });
    const asked = { ...form, scope: 'files:read', resource: server.mcpUrl };
    const got = await parsed(client.post('/token', asked));
    assert.deepEqual([got.scope, got.refresh_token], ['files:read', undefined]);
    assert.equal((await client.callTool(got.access_token, 'read_file')).status, 200);
    assert.equal((await client.callTool(got.access_token, 'write_file')).status, 403);
    await refused(client.post('/token', { ...asked, resource: 'https://o.example' }), 400, 'invalid_target');
    await refused(client.post('/token', { ...asked, client_secret: 'no' }), 401, 'invalid_client');
  });

  holds('are not for a public client', faults, async (client, server) => {
    server.addClient({ id: 'c', authMethod: 'none' });
    const { client_secret: _, ...open } = form;
    await refused(client.post('/token', open), 400, 'unauthorized_client');
  });
});

describe('a workload at the faulty server', () => {
  const faults = { grantTypes: [JWT_BEARER] };

  holds('gets an access token for its JWT, without a client', faults, async (client, server) => {
    for (const audience of [server.issuer, `${server.issuer}/`, `${server.issuer}/token`]) {
      const assertion = await server.workloadAssertion({ audience });
      const form = { grant_type: JWT_BEARER, assertion, resource: server.mcpUrl, scope: SCOPE };
      const got = await parsed(client.post('/token', form));
      assert.equal(got.refresh_token, undefined);
      assert.equal((await client.callTool(got.access_token, 'write_file')).status, 200);
    }
  });

  holds('is refused with a JWT for another, of yesterday, or made up', faults, async (client, server) => {
    const good = await server.workloadAssertion();
    for (const assertion of [
      await server.workloadAssertion({ audience: 'https://o.example' }),
      await server.workloadAssertion({ expiresInSeconds: -1 }),
      good.replace(/\.[^.]+$/, `.${'A'.repeat(86)}`),
      'no JWT',
    ]) {
      await refused(client.post('/token', { grant_type: JWT_BEARER, assertion }), 400, 'invalid_grant');
    }
    await refused(client.post('/token', { grant_type: JWT_BEARER }), 400, 'invalid_request');
    const unknown = { grant_type: JWT_BEARER, assertion: good, client_id: 'unknown' };
    await refused(client.post('/token', unknown), 401, 'invalid_client');
  });
});

const DEVICE: DeviceSwitch = {
  intervalSeconds: 7,
  expiresInSeconds: 600,
  pending: 0,
  slowDowns: 0,
  outcome: 'approve',
};

/** Begins a device authorization and gives the answer and a poll. */
async function beginDevice(client: PlainClient, resource: string) {
  const { answer } = await client.register({ grant_types: [DEVICE_CODE], redirect_uris: [] });
  const clientId = String(answer['client_id']);
  const response = await client.post('/device_authorization', { client_id: clientId, scope: SCOPE, resource });
  const begun = v.parse(json, await response.json());
  const form = { grant_type: DEVICE_CODE, client_id: clientId, device_code: String(begun['device_code']) };
  return { begun, poll: async () => client.post('/token', form) };
}

describe('device authorization at the faulty server (RFC 8628)', () => {
  holds('is absent without the switch', {}, async (client, server) => {
    assert.equal((await metadataOf(server.issuer))['device_authorization_endpoint'], undefined);
    assert.equal((await client.post('/device_authorization', {})).status, 404);
  });

  holds('says what to show, and the grant is named', { device: DEVICE }, async (client, server) => {
    const metadata = await metadataOf(server.issuer);
    assert.equal(metadata['device_authorization_endpoint'], `${server.issuer}/device_authorization`);
    assert.ok(v.parse(v.array(v.string()), metadata['grant_types_supported']).includes(DEVICE_CODE));
    const { begun } = await beginDevice(client, server.mcpUrl);
    const { device_code: _, user_code: userCode, ...rest } = begun;
    assert.match(String(userCode), /^[B-Z]{4}-[B-Z]{4}$/);
    assert.deepEqual(rest, {
      verification_uri: `${server.issuer}/device`,
      verification_uri_complete: `${server.issuer}/device?user_code=${String(userCode)}`,
      expires_in: 600,
      interval: 7,
    });
    assert.equal(server.requestsTo('deviceAuthorization').length, 1);
  });

  const quiet = { ...DEVICE, omitComplete: true, omitInterval: true };
  holds('omitComplete, omitInterval', { device: quiet }, async (client, server) => {
    const { begun } = await beginDevice(client, server.mcpUrl);
    assert.deepEqual([begun['verification_uri_complete'], begun['interval']], [undefined, undefined]);
  });

  const slow = { ...DEVICE, pending: 2, slowDowns: 1 };
  holds('is pending, then too fast, then approved, once', { device: slow }, async (client, server) => {
    const { poll } = await beginDevice(client, server.mcpUrl);
    await refused(poll(), 400, 'authorization_pending');
    await refused(poll(), 400, 'authorization_pending');
    await refused(poll(), 400, 'slow_down');
    const got = await parsed(poll());
    assert.equal((await client.callTool(got.access_token, 'write_file')).status, 200);
    assert.equal((await client.refresh(got.refresh_token)).status, 200);
    await refused(poll(), 400, 'invalid_grant');
    const times = server.requestsTo('token').map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  for (const [outcome, error] of [
    ['deny', 'access_denied'],
    ['expire', 'expired_token'],
  ] as const) {
    holds(`ends in ${error}`, { device: { ...DEVICE, outcome } }, async (client, server) => {
      const { poll } = await beginDevice(client, server.mcpUrl);
      await refused(poll(), 400, error);
    });
  }

  for (const [decide, status] of [
    ['approveDevice', 200],
    ['denyDevice', 400],
  ] as const) {
    holds(`waits for ${decide}`, { device: { ...DEVICE, outcome: 'wait' } }, async (client, server) => {
      const { begun, poll } = await beginDevice(client, server.mcpUrl);
      await refused(poll(), 400, 'authorization_pending');
      assert.throws(() => server[decide]('no such code'));
      server[decide](String(begun['user_code']));
      assert.equal((await poll()).status, status);
    });
  }

  holds('is over after expiresInSeconds of its own time', { device: DEVICE }, async (client, server) => {
    const { poll } = await beginDevice(client, server.mcpUrl);
    server.faults.now = () => Date.now() + 600_000;
    await refused(poll(), 400, 'expired_token');
  });

  holds('is not for a client that was registered for other grants', { device: DEVICE }, async (client) => {
    const { answer } = await client.register();
    const form = { client_id: String(answer['client_id']) };
    await refused(client.post('/device_authorization', form), 400, 'unauthorized_client');
  });
});
