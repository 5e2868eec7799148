import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { documentAt, holds, metadataOf, parsed, refused } from '../servers/faultyServerTest.ts';
import { createPlainClient } from '../servers/plainClient.ts';

describe('the second authorization server of the faulty server', () => {
  for (const [issuers, expected] of [
    ['first', ['issuer']],
    ['second', ['secondIssuer']],
    ['both', ['issuer', 'secondIssuer']],
    ['second-first', ['secondIssuer', 'issuer']],
  ] as const) {
    holds(`P6 issuers ${issuers}`, { issuers }, async (_client, server) => {
      const metadata = await documentAt(new URL('/.well-known/oauth-protected-resource/mcp', server.mcpUrl));
      assert.deepEqual(
        metadata['authorization_servers'],
        expected.map((name) => server[name]),
      );
    });
  }

  holds('has metadata, registrations and tokens of its own', {}, async (client, server) => {
    const metadata = await metadataOf(server.secondIssuer);
    assert.deepEqual(
      [metadata['issuer'], metadata['token_endpoint']],
      [server.secondIssuer, `${server.secondIssuer}/token`],
    );
    const other = createPlainClient(server, () => server.secondIssuer);
    const first = await client.signIn();
    const second = await other.signIn();
    for (const { access_token: token } of [first, second]) {
      assert.ok(server.isActive(token));
      assert.equal((await client.callTool(token, 'read_file')).status, 200);
    }
    await refused(client.refresh(second.refresh_token), 400, 'invalid_grant');
    await refused(other.refresh(first.refresh_token), 400, 'invalid_grant');
    const { answer } = await other.register();
    client.use(String(answer['client_id']));
    await refused(client.refresh(first.refresh_token), 401, 'invalid_client');
    const tokenUrls = server.requestsTo('token').map(({ url }) => url);
    assert.deepEqual(new Set(tokenUrls), new Set([`${server.issuer}/token`, `${server.secondIssuer}/token`]));
  });

  holds(
    'registers, with registrationStatusAt, when the first does not',
    { registrationStatus: 403, registrationStatusAt: 'first' },
    async (client, server) => {
      const other = createPlainClient(server, () => server.secondIssuer);
      assert.deepEqual([(await client.register()).status, (await other.register()).status], [403, 201]);
    },
  );

  holds('knows the clients that were registered with it by hand', {}, async (client, server) => {
    server.addClient({ id: 'c', authMethod: 'none', at: 'second' });
    const other = createPlainClient(server, () => server.secondIssuer);
    client.use('c');
    other.use('c');
    await assert.rejects(client.authorize(), /unknown client_id/);
    assert.ok((await parsed(other.exchange(await other.authorize()))).access_token);
    server.forgetClients();
    await assert.rejects(other.authorize(), /unknown client_id/);
  });

  holds('says its own iss, and follows issuerPath', { issuerPath: '/t' }, async (_client, server) => {
    const other = createPlainClient(server, () => server.secondIssuer);
    await other.register();
    assert.ok(server.secondIssuer.endsWith('/t'));
    assert.equal((await other.authorize()).searchParams.get('iss'), server.secondIssuer);
  });

  holds('P6 firstIssuerDown leaves the second up', { firstIssuerDown: true }, async (client, server) => {
    const path = '/.well-known/oauth-authorization-server';
    assert.equal((await fetch(server.issuer + path)).status, 503);
    assert.equal((await metadataOf(server.secondIssuer))['issuer'], server.secondIssuer);
    assert.ok((await client.signIn()).access_token);
  });
});

describe('the management of registrations at the faulty server (RFC 7592)', () => {
  for (const [registrationManagement, status] of [
    ['ok', 204],
    ['error', 503],
    ['elsewhere', 404],
  ] as const) {
    holds(
      `P12 registrationManagement ${registrationManagement}`,
      { registrationManagement },
      async (client, server) => {
        const { answer } = await client.register();
        const url = String(answer['registration_client_uri']);
        const origin = registrationManagement === 'elsewhere' ? server.secondIssuer : server.issuer;
        assert.equal(url, `${origin}/register/${String(answer['client_id'])}`);
        const headers = { authorization: `Bearer ${String(answer['registration_access_token'])}` };
        assert.equal((await fetch(url, { method: 'DELETE', headers })).status, status);
        if (status === 204) await assert.rejects(client.authorize(), /unknown client_id/);
        else assert.ok(await client.authorize());
      },
    );
  }

  holds('P12 registrationManagement absent', { registrationManagement: 'absent' }, async (client, server) => {
    const { answer } = await client.register();
    const { registration_client_uri: uri, registration_access_token: token } = answer;
    assert.deepEqual([uri, token], [undefined, undefined]);
    const url = `${server.issuer}/register/${String(answer['client_id'])}`;
    assert.equal((await fetch(url, { method: 'DELETE' })).status, 404);
  });
});
