import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import { holds, metadataOf, parsed, refused } from '../servers/faultyServerTest.ts';
import { createTestKey } from '../servers/testKey.ts';

const METHOD = 'private_key_jwt';

describe('private_key_jwt at the faulty server (RFC 7523)', () => {
  holds(
    'P10 a client registered with its public key signs in, refreshes and revokes',
    { authMethods: [METHOD] },
    async (client, server) => {
      const key = await createTestKey();
      const { answer } = await client.register({ token_endpoint_auth_method: METHOD, jwks: key.jwks });
      assert.equal(answer['client_secret'], undefined);
      const id = String(answer['client_id']);
      const assertion = async () => key.assertion(id, server.issuer);
      const first = await parsed(client.exchange(await client.authorize(), await assertion()));
      const second = await parsed(client.refresh(first.refresh_token, await assertion()));
      assert.equal((await client.callTool(second.access_token, 'read_file')).status, 200);
      await refused(client.refresh(second.refresh_token), 401, 'invalid_client');
      const form = { token: second.refresh_token ?? '' };
      await refused(client.post('/revoke', { ...form, client_id: id }), 401, 'invalid_client');
      assert.equal((await client.post('/revoke', { ...form, ...(await assertion()) })).status, 200);
      assert.equal(server.isActive(second.access_token), false);
    },
  );

  const grantTypes = ['client_credentials'];
  const token = { grant_type: 'client_credentials' };
  holds('an assertion is checked in all it says, and good once', { grantTypes }, async (client, server) => {
    const key = await createTestKey();
    server.addClient({ id: 'c', authMethod: METHOD, jwks: key.jwks });
    const post = async (form: Record<string, string>) => client.post('/token', { ...token, ...form });
    const past = Math.floor(Date.now() / 1000) - 1;
    for (const bad of [
      await key.assertion('c', 'https://o.example'),
      await key.assertion('c', server.issuer, { iss: 'd' }),
      await key.assertion('c', server.issuer, { sub: 'd' }),
      await key.assertion('c', server.issuer, { exp: past }),
      await key.assertion('c', server.issuer, { jti: undefined }),
      await (await createTestKey()).assertion('c', server.issuer),
      { ...(await key.assertion('c', server.issuer)), client_assertion_type: 'other' },
      { ...(await key.assertion('c', server.issuer)), client_secret: 'too' },
    ]) {
      await refused(post(bad), 401, 'invalid_client');
    }
    const good = await key.assertion('c', `${server.issuer}/token`);
    assert.equal((await post(good)).status, 200);
    await refused(post(good), 401, 'invalid_client');
    const { client_id: _, ...nameless } = await key.assertion('c', server.issuer);
    assert.equal((await post(nameless)).status, 200);
  });

  for (const [assertionAudience, issuerStatus, endpointStatus] of [
    ['issuer', 200, 401],
    ['token_endpoint', 401, 200],
  ] as const) {
    holds(`assertionAudience ${assertionAudience}`, { grantTypes, assertionAudience }, async (client, server) => {
      const key = await createTestKey();
      server.addClient({ id: 'c', authMethod: METHOD, jwks: key.jwks });
      for (const [audience, status] of [
        [server.issuer, issuerStatus],
        [`${server.issuer}/token`, endpointStatus],
      ] as const) {
        const form = await key.assertion('c', audience);
        assert.equal((await client.post('/token', { ...token, ...form })).status, status);
      }
    });
  }

  holds('authSigningAlgs', { grantTypes, authSigningAlgs: ['RS256'] }, async (client, server) => {
    const metadata = await metadataOf(server.issuer);
    assert.deepEqual(metadata['token_endpoint_auth_signing_alg_values_supported'], ['RS256']);
    for (const [alg, status] of [
      ['RS256', 200],
      ['ES256', 401],
    ] as const) {
      const key = await createTestKey(alg);
      server.addClient({ id: alg, authMethod: METHOD, jwks: key.jwks });
      const form = await key.assertion(alg, server.issuer);
      assert.equal((await client.post('/token', { ...token, ...form })).status, status);
    }
  });

  holds('a registration needs a public key, and takes no private one', { authMethods: [METHOD] }, async (client) => {
    const asked = { token_endpoint_auth_method: METHOD };
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    for (const jwks of [undefined, { keys: [] }, { keys: [await exportJWK(privateKey)] }]) {
      const { status, answer } = await client.register({ ...asked, jwks });
      assert.deepEqual([status, answer['error']], [400, 'invalid_client_metadata']);
    }
  });

  holds('a client without redirect URIs has no authorization_code grant', {}, async (client) => {
    const { answer } = await client.register({ redirect_uris: [] });
    assert.equal(answer['error'], 'invalid_redirect_uri');
    assert.equal((await client.register({ redirect_uris: [], grant_types: ['client_credentials'] })).status, 201);
  });
});
