import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { currentGrant } from '../../../src/connections/connection.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createAuthorizedFetch } from '../../headless/authorizedFetch.ts';
import { startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import type { DpopSwitch } from '../../servers/grantSwitches.ts';
import { restart, stored } from './refreshing.ts';

const DPOP: DpopSwitch = { algs: ['ES256'], required: true, nonce: 'both', challengeScheme: 'DPoP' };

/** A connection whose server binds tokens to a key, signed in. */
async function startBound(
  t: TestContext,
  dpop: Partial<DpopSwitch> = {},
  faults: Partial<Faults> = {},
  options: StartOptions = {},
) {
  const { server, headless } = await startWithFaults(t, { dpop: { ...DPOP, ...dpop }, ...faults }, options);
  const { id } = await headless.connect(server.mcpUrl);
  return { server, headless, manager: headless.manager, id };
}

/** The proofs that were sent there, oldest first. */
function proofsTo(server: FaultyServer, endpoint: 'token' | 'mcp'): readonly string[] {
  return server.requestsTo(endpoint).flatMap(({ headers }) => headers['dpop'] ?? []);
}

/** The thumbprints of the keys that these proofs show. */
async function keysOf(proofs: readonly string[]): Promise<ReadonlySet<string>> {
  const thumbprints = proofs.map(async (proof) =>
    calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? assert.fail()),
  );
  return new Set(await Promise.all(thumbprints));
}

/** What the last request to the MCP server presented: the scheme, and whether there was a proof. */
function presented(server: FaultyServer): readonly [string | undefined, boolean] {
  const { headers } = server.requestsTo('mcp').at(-1) ?? assert.fail();
  return [headers.authorization?.split(' ')[0], headers['dpop'] !== undefined];
}

describe('RFC 9449: tokens that are bound to a key', () => {
  for (const challengeScheme of ['DPoP', 'Bearer', 'both'] as const) {
    it(`P36 go with a proof to a server that challenges with ${challengeScheme}, and meet both servers’ nonces`, async (t) => {
      const { server, headless, manager, id } = await startBound(t, { challengeScheme });
      assert.deepEqual(await callTool(manager, id), { status: 200, outcomes: ['retry'] });
      assert.deepEqual(await callTool(manager, id), { status: 200, outcomes: [] }, 'the nonce is known now');
      assert.deepEqual(presented(server), ['DPoP', true]);
      // Section 10: the authorization is for that key alone.
      const keys = await keysOf([...proofsTo(server, 'token'), ...proofsTo(server, 'mcp')]);
      assert.deepEqual([...keys], [server.requestsTo('authorization')[0]?.query['dpop_jkt']]);
      const accessToken = await manager.accessToken(id);
      assert.equal(server.requests.filter(({ url }) => url.includes(accessToken)).length, 0);
      assert.doesNotMatch(headless.file.text ?? '', /dpop/i);
    });
  }

  it('sections 8 and 9: live through a nonce that changes with every answer', async (t) => {
    const { server, manager, id } = await startBound(t, { rotateNonce: true });
    for (let call = 0; call < 5; call += 1) assert.equal((await callTool(manager, id)).status, 200);
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal((await callTool(manager, id)).status, 200);
    const all = [...proofsTo(server, 'token'), ...proofsTo(server, 'mcp')].map((proof) => decodeJwt(proof));
    assert.equal(new Set(all.map(({ jti }) => jti)).size, all.length, 'each proof is for one use');
    const answered = server.requestsTo('mcp').length;
    // All but the first call had the nonce of the answer before.
    assert.ok(answered <= 10, `${answered} requests for six calls`);
  });

  it('sections 8 and 9: calls beside each other learn the nonce each, and one that loses it to the others loses no token', async (t) => {
    const { server, manager, id } = await startBound(t);
    const calls = await Promise.all([1, 2, 3, 4].map(async () => callTool(manager, id)));
    assert.ok(calls.every(({ status }) => status === 200));
    // Each answer to another call makes the nonce of this one useless: that ends, and says nothing of the token.
    server.faults.dpop = { ...DPOP, rotateNonce: true };
    const racing = await Promise.all([1, 2, 3, 4].map(async () => callTool(manager, id)));
    assert.ok(racing.every(({ outcomes }) => outcomes.every((outcome) => outcome === 'retry' || outcome === 'stop')));
    assert.equal(manager.get(id)?.state.type, 'ready');
    assert.equal((await callTool(manager, id)).status, 200);
    assert.equal(server.requestsTo('authorization').length, 1);
  });

  it('P25 a server that is never content with a nonce is stopped, and nobody is logged out', async (t) => {
    const { server, manager, id } = await startBound(t, { nonce: 'resource' });
    const before = server.requestsTo('mcp').length;
    // What it demands is always another one.
    const demand = { status: 401, operation: 'read_file', wwwAuthenticate: 'DPoP error="use_dpop_nonce"' } as const;
    const outcomes: string[] = [];
    for (let attempt = 0; outcomes.at(-1) !== 'stop'; attempt += 1) {
      const token = await manager.accessToken(id);
      const challenge = { ...demand, token, dpopNonce: `nonce-${attempt}`, attempt };
      outcomes.push((await manager.answerChallenge(id, challenge)).type);
    }
    assert.equal(outcomes.length, 9);
    assert.equal(manager.get(id)?.state.type, 'ready');
    assert.equal(server.requestsTo('mcp').length, before);
    assert.equal(server.requestsTo('token').length, 1);
  });

  it('section 8.2: an MCP server’s nonce is not the authorization server’s, though both are at one origin', async (t) => {
    const { server, manager, id } = await startBound(t, { nonce: 'server' });
    const mcpUrl = new URL('/mcp', server.issuer).href;
    await manager.add(mcpUrl);
    manager.noteDpopNonce(mcpUrl, 'nonce-of-the-mcp-server');
    const before = server.requestsTo('token').length;
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal(server.requestsTo('token').length, before + 1);
    const sent = proofsTo(server, 'token').map((proof) => decodeJwt(proof)['nonce']);
    assert.equal(sent.at(-1), sent.at(-2));
  });

  it('section 8: two connections that learn one nonce at the same time both go on', async (t) => {
    const { server, headless, id } = await startBound(t, { nonce: 'server' });
    const second = await headless.connect(server.mcpUrl);
    const { manager } = await restart(t, headless);
    server.faults.delayMs = { token: 100 };
    const renewed = await Promise.all([id, second.id].map(async (one) => manager.refresh(one)));
    assert.deepEqual(
      renewed.map(({ state }) => state.type),
      ['ready', 'ready'],
    );
  });

  it('section 9: a nonce that ends now and then stops nobody', async (t) => {
    const { server, manager, id } = await startBound(t, { nonce: 'resource', rotateNonce: true });
    const authorized = createAuthorizedFetch(manager, id);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_file' } });
    const request = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    for (let call = 0; call < 8; call += 1) {
      // Somebody else asks, and the nonce that we know ends.
      await fetch(server.mcpUrl, request);
      assert.equal((await authorized(server.mcpUrl, request)).status, 200, `call ${call}`);
    }
  });

  it('the key survives a restart: calls, renewal and revocation prove the same one', async (t) => {
    const { server, headless, id } = await startBound(t, { rotateNonce: true }, { rotate: true });
    await callTool(headless.manager, id);
    const { manager } = await restart(t, headless);
    assert.equal((await callTool(manager, id)).status, 200);
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    assert.equal((await callTool(manager, id)).status, 200);
    assert.equal((await keysOf([...proofsTo(server, 'token'), ...proofsTo(server, 'mcp')])).size, 1);
    assert.equal(server.requestsTo('authorization').length, 1);
    assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
  });

  it('section 5: a refresh token is bound to the key that was proven when it was issued', async (t) => {
    const { server, headless, manager, id } = await startBound(t, { nonce: 'server' });
    await manager.refresh(id);
    const refresh = server.requestsTo('token').filter(({ form }) => form?.['grant_type'] === 'refresh_token');
    assert.ok(refresh.length > 0 && refresh.every(({ headers }) => headers['dpop'] !== undefined));
    // With another key the server would not give anything: so the one that was stored is the one that is sent.
    const document = stored(headless, id);
    const { x } = decodeProtectedHeader(proofsTo(server, 'token').at(-1) ?? '').jwk ?? {};
    assert.ok(x !== undefined && document.includes(`"x":"${x}"`));
  });

  it('a new sign-in has a new key, and the end of a connection has none', async (t) => {
    const { server, headless, manager, id } = await startBound(t);
    await manager.authorize(id);
    assert.equal((await callTool(manager, id)).status, 200);
    assert.equal((await keysOf(proofsTo(server, 'token'))).size, 2);
    await manager.disconnect(id);
    assert.doesNotMatch(stored(headless, id), /dpopKey|"d":/);
  });

  it('P32 a server that no longer takes the proof costs no token: it is tried again', async (t) => {
    const { server, headless, manager, id } = await startBound(t, { nonce: 'none' });
    const before = stored(headless, id);
    server.faults.dpop = { ...DPOP, nonce: 'none', algs: ['RS256'] };
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'token_request_failed'));
    assert.equal(manager.get(id)?.state.type, 'unreachable');
    assert.equal(stored(headless, id), before);
    server.faults.dpop = { ...DPOP, nonce: 'none' };
    assert.equal((await manager.refresh(id)).state.type, 'ready');
  });
});

describe('RFC 9449 section 5: a token is used as its type says', () => {
  it('a refresh that is answered with a bearer token goes on as one, and is bound again when the server binds it', async (t) => {
    const { server, headless, manager, id } = await startBound(t, { required: false, nonce: 'none' });
    assert.equal((await callTool(manager, id)).status, 200);
    assert.deepEqual(presented(server), ['DPoP', true]);
    const unbound = { ...DPOP, required: false, nonce: 'none', unboundTokens: true } as const;
    server.faults.dpop = unbound;
    await manager.refresh(id);
    assert.equal((await callTool(manager, id)).status, 200);
    assert.deepEqual(presented(server), ['Bearer', false]);

    // It is stored with the token, and not with the window.
    const restarted = await restart(t, headless);
    assert.equal((await callTool(restarted.manager, id)).status, 200);
    assert.deepEqual(presented(server), ['Bearer', false]);

    // The refresh token is bound to the key all the same: each renewal proves it.
    server.faults.dpop = { ...unbound, unboundTokens: false };
    await restarted.manager.refresh(id);
    assert.equal((await callTool(restarted.manager, id)).status, 200);
    assert.deepEqual(presented(server), ['DPoP', true]);
    assert.equal((await keysOf(proofsTo(server, 'token'))).size, 1);
  });

  it('a sign-in that is answered with a bearer token does as well', async (t) => {
    const { server, manager, id } = await startBound(t, { required: false, nonce: 'none', unboundTokens: true });
    assert.equal((await callTool(manager, id)).status, 200);
    assert.deepEqual(presented(server), ['Bearer', false]);
    assert.ok(proofsTo(server, 'token').length > 0, 'a key was proven');
    assert.notEqual(currentGrant(manager.get(id) ?? assert.fail()), undefined);
    server.faults.dpop = { ...DPOP, required: false, nonce: 'none' };
    await manager.refresh(id);
    assert.equal((await callTool(manager, id)).status, 200);
    assert.deepEqual(presented(server), ['DPoP', true]);
  });

  for (const told of ['DPoP', 'dpop', 'DPOP']) {
    it(`P33 the type is the same in any case: ${told}`, async (t) => {
      const faults: Partial<Faults> = { tokenBody: (body) => ({ ...body, token_type: told }) };
      const { server, manager, id } = await startBound(t, {}, faults);
      assert.equal((await callTool(manager, id)).status, 200);
      assert.deepEqual(presented(server), ['DPoP', true]);
    });
  }
});
