import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as v from 'valibot';
import type { FaultyServer } from '../servers/faultyServer.ts';
import { documentAt, holds, metadataOf, parsed, refused } from '../servers/faultyServerTest.ts';
import type { DpopSwitch } from '../servers/grantSwitches.ts';
import { json, tokens, type PlainClient } from '../servers/plainClient.ts';
import { accessTokenHash, createTestKey, type TestKey } from '../servers/testKey.ts';

const DPOP: DpopSwitch = { algs: ['ES256'], required: true, nonce: 'none', challengeScheme: 'DPoP' };

const tokenProof = async (key: TestKey, server: FaultyServer, claims = {}) => ({
  dpop: await key.proof('POST', `${server.issuer}/token`, claims),
});

async function signIn(client: PlainClient, server: FaultyServer, key: TestKey, claims = {}) {
  await client.register();
  return client.exchange(await client.authorize(), {}, await tokenProof(key, server, claims));
}

async function callTool(client: PlainClient, server: FaultyServer, key: TestKey, token: string, claims = {}) {
  const proof = await key.proof('POST', server.mcpUrl, { ath: accessTokenHash(token), ...claims });
  return client.callTool(token, 'read_file', { authorization: `DPoP ${token}`, dpop: proof });
}

const challengeOf = (response: Response) => response.headers.get('www-authenticate') ?? '';

describe('DPoP at the faulty server (RFC 9449)', () => {
  holds('shows in both metadata', { dpop: DPOP }, async (_client, server) => {
    const authorization = await metadataOf(server.issuer);
    assert.deepEqual(authorization['dpop_signing_alg_values_supported'], ['ES256']);
    const resourceUrl = new URL('/.well-known/oauth-protected-resource/mcp', server.mcpUrl).href;
    const resource = await documentAt(resourceUrl);
    assert.deepEqual(resource['dpop_signing_alg_values_supported'], ['ES256']);
    assert.equal(resource['dpop_bound_access_tokens_required'], true);
    server.faults.dpop = { ...DPOP, required: false };
    assert.equal((await documentAt(resourceUrl))['dpop_bound_access_tokens_required'], undefined);
  });

  holds('is hidden at the MCP server', { dpop: { ...DPOP, isHidden: true } }, async (_client, server) => {
    const metadata = await documentAt(new URL('/.well-known/oauth-protected-resource/mcp', server.mcpUrl));
    assert.deepEqual(
      Object.keys(metadata).filter((name) => name.startsWith('dpop')),
      [],
    );
    assert.ok((await metadataOf(server.issuer))['dpop_signing_alg_values_supported']);
  });

  const neverContent: DpopSwitch = { ...DPOP, required: false, refusesProofs: true };
  holds('refuses even good proofs, with refusesProofs', { dpop: neverContent }, async (client, server) => {
    await refused(signIn(client, server, await createTestKey()), 400, 'invalid_dpop_proof');
    assert.equal((await client.exchange(await client.authorize())).status, 200);
  });

  holds('binds the tokens of a public client to its key', { dpop: DPOP }, async (client, server) => {
    const key = await createTestKey();
    const response = await signIn(client, server, key);
    const body = v.parse(v.looseObject({ ...tokens.entries, token_type: v.string() }), await response.json());
    assert.equal(body.token_type, 'DPoP');
    assert.equal((await callTool(client, server, key, body.access_token)).status, 200);
    const other = await createTestKey();
    assert.match(challengeOf(await callTool(client, server, other, body.access_token)), /error="invalid_token"/);
    assert.equal((await client.callTool(body.access_token, 'read_file')).status, 401);
    await refused(client.refresh(body.refresh_token, {}, await tokenProof(other, server)), 400, 'invalid_grant');
    await refused(client.refresh(body.refresh_token), 400, 'invalid_dpop_proof');
    const second = await parsed(client.refresh(body.refresh_token, {}, await tokenProof(key, server)));
    assert.equal((await callTool(client, server, key, second.access_token)).status, 200);
  });

  holds('checks a proof in all it says', { dpop: DPOP }, async (client, server) => {
    await client.register();
    const key = await createTestKey();
    const url = `${server.issuer}/token`;
    const other = await createTestKey('RS256');
    const twice = await key.proof('POST', url);
    const now = Math.floor(Date.now() / 1000);
    for (const dpop of [
      await key.proof('GET', url),
      await key.proof('POST', server.mcpUrl),
      await key.proof('POST', url, { iat: now - 120 }),
      await key.proof('POST', url, { iat: now + 120 }),
      await key.proof('POST', url, { jti: undefined }),
      await key.proof('POST', url, {}, { typ: 'JWT' }),
      await key.proof('POST', url, {}, { jwk: undefined }),
      await key.proof('POST', url, {}, { jwk: { ...key.jwks.keys[0], d: 'AAAA' } }),
      await key.proof('POST', url, {}, { jwk: (await createTestKey()).jwks.keys[0] }),
      await other.proof('POST', url),
      `${await key.proof('POST', url)}, ${await key.proof('POST', url)}`,
      'no JWT',
    ]) {
      await refused(client.exchange(await client.authorize(), {}, { dpop }), 400, 'invalid_dpop_proof');
    }
    assert.equal((await client.exchange(await client.authorize(), {}, { dpop: twice })).status, 200);
    await refused(client.exchange(await client.authorize(), {}, { dpop: twice }), 400, 'invalid_dpop_proof');
    await refused(client.exchange(await client.authorize()), 400, 'invalid_dpop_proof');
    const query = await key.proof('POST', `${url}?a=b#c`);
    assert.equal((await client.exchange(await client.authorize(), {}, { dpop: query })).status, 200);
  });

  holds('checks ath, htu and jti at the MCP server', { dpop: DPOP }, async (client, server) => {
    const key = await createTestKey();
    const { access_token: token } = await parsed(signIn(client, server, key));
    for (const claims of [{ ath: accessTokenHash('other') }, { ath: undefined }, { htu: server.issuer }]) {
      const response = await callTool(client, server, key, token, claims);
      assert.equal(response.status, 401);
      assert.match(challengeOf(response), /^DPoP error="invalid_dpop_proof".*, algs="ES256"$/);
    }
    assert.equal((await callTool(client, server, key, token, { jti: 'one' })).status, 200);
    assert.equal((await callTool(client, server, key, token, { jti: 'one' })).status, 401);
  });

  holds('binds a code to dpop_jkt', { dpop: DPOP }, async (client, server) => {
    await client.register();
    const callback = await client.authorize({ dpop_jkt: 'another' });
    await refused(client.exchange(callback, {}, await tokenProof(await createTestKey(), server)), 400, 'invalid_grant');
  });

  for (const [challengeScheme, expected] of [
    ['DPoP', /^DPoP resource_metadata="[^"]+", algs="ES256"$/],
    ['Bearer', /^Bearer resource_metadata="[^"]+"$/],
    ['both', /^DPoP resource_metadata="[^"]+", algs="ES256", Bearer resource_metadata="[^"]+"$/],
  ] as const) {
    holds(`challengeScheme ${challengeScheme}`, { dpop: { ...DPOP, challengeScheme } }, async (client) => {
      assert.match(challengeOf(await client.callTool(undefined, 'read_file')), expected);
    });
  }

  for (const nonce of ['none', 'server', 'resource', 'both'] as const) {
    for (const rotateNonce of [false, true]) {
      const name = `nonce ${nonce}${rotateNonce ? ', rotated' : ''}`;
      holds(name, { dpop: { ...DPOP, nonce, rotateNonce } }, async (client, server) => {
        const key = await createTestKey();
        const atServer = nonce === 'server' || nonce === 'both';
        let response = await signIn(client, server, key);
        assert.equal(response.status, atServer ? 400 : 200);
        if (atServer) {
          const demanded = response.headers.get('dpop-nonce') ?? '';
          await refused(Promise.resolve(response), 400, 'use_dpop_nonce');
          response = await signIn(client, server, key, { nonce: demanded });
          assert.equal(response.status, 200);
          const again = await signIn(client, server, key, { nonce: demanded });
          assert.equal(again.status, rotateNonce ? 400 : 200);
          assert.notEqual(again.headers.get('dpop-nonce'), demanded);
        }
        const { access_token: token } = await parsed(Promise.resolve(response));

        const atResource = nonce === 'resource' || nonce === 'both';
        const first = await callTool(client, server, key, token);
        assert.equal(first.status, atResource ? 401 : 200);
        if (atResource) {
          assert.match(challengeOf(first), /^DPoP error="use_dpop_nonce"/);
          const demanded = first.headers.get('dpop-nonce') ?? '';
          const second = await callTool(client, server, key, token, { nonce: demanded });
          assert.equal(second.status, 200);
          const third = await callTool(client, server, key, token, { nonce: demanded });
          assert.equal(third.status, rotateNonce ? 401 : 200);
        }
      });
    }
  }

  holds('without required a client may do without', { dpop: { ...DPOP, required: false } }, async (client) => {
    const { access_token: token, refresh_token: refreshToken } = await client.signIn();
    assert.equal((await client.callTool(token, 'read_file')).status, 200);
    assert.equal((await client.refresh(refreshToken)).status, 200);
  });

  const unbound = { ...DPOP, required: false, unboundTokens: true };
  holds('unboundTokens answers Bearer despite a proof', { dpop: unbound }, async (client, server) => {
    const body = v.parse(json, await (await signIn(client, server, await createTestKey())).json());
    assert.equal(body['token_type'], 'Bearer');
    assert.equal((await client.callTool(String(body['access_token']), 'read_file')).status, 200);
  });

  holds('the refresh token of a client that authenticates is not bound', { dpop: DPOP }, async (client, server) => {
    server.addClient({ id: 'c', secret: 's', authMethod: 'client_secret_post' });
    client.use('c');
    const secret = { client_secret: 's' };
    const proof = await tokenProof(await createTestKey(), server);
    const { refresh_token: token } = await parsed(client.exchange(await client.authorize(), secret, proof));
    const other = await tokenProof(await createTestKey(), server);
    assert.equal((await client.refresh(token, secret, other)).status, 200);
  });
});
