import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerChallenge } from '../../../src/connections/challengePolicy.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { type Headless, startWithFaults } from '../../headless/headlessManager.ts';
import { granted, restart, sentForms } from './refreshing.ts';

const BOTH = 'files:read files:write';

/** What the public file says of issuers. */
function issuersOf({ file }: Headless): unknown {
  const document: { issuers?: unknown } = JSON.parse(file.text ?? '{}');
  return document.issuers;
}

describe('what an authorization server takes', () => {
  it('P27 is remembered for all connections of that issuer, as public data', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectScopeOnRefresh: true, rejectResource: true });
    const ids: string[] = [];
    for (let count = 1; count <= 2; count += 1) {
      const { id } = await headless.manager.add(server.mcpUrl);
      ids.push(id);
      server.faults.rejectResource = false;
      await headless.manager.authorize(id);
      server.faults.rejectResource = true;
    }
    for (const id of ids) await headless.manager.refresh(id);
    assert.deepEqual(sentForms(server), [`${BOTH} +`, BOTH, '-', '-']);
    const remembered = [{ issuer: server.issuer, refresh: { scope: 'omitted', omitsResource: true } }];
    assert.deepEqual(issuersOf(headless), remembered);

    const restarted = await restart(t, headless);
    for (const id of ids) await restarted.manager.refresh(id);
    assert.deepEqual(sentForms(server, 4), ['-', '-']);

    const [one = '', other = ''] = ids;
    await restarted.manager.remove(one);
    assert.deepEqual(issuersOf(restarted), remembered, 'one connection of the issuer is left');
    await restarted.manager.remove(other);
    assert.equal(issuersOf(restarted), undefined);
    const again = await restart(t, restarted, { browser: async (url) => server.authorize(url) });
    server.faults.rejectResource = false;
    await again.manager.refresh((await again.connect(server.mcpUrl)).id);
    assert.deepEqual(sentForms(server, 6), [`${BOTH} +`, '- +']);
  });

  it('P27 is forgotten when it no longer works, and tried from the beginning', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectScopeOnRefresh: true });
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.refresh(id);
    Object.assign(server.faults, { rejectScopeOnRefresh: false, entra: { requireScopeOnRefresh: true } });
    await headless.manager.refresh(id);
    await headless.manager.refresh(id);
    assert.deepEqual(sentForms(server), [`${BOTH} +`, '- +', '- +', `${BOTH} +`, `${BOTH} +`]);
    assert.equal(issuersOf(headless), undefined);
  });

  it('P27 is forgotten too when nothing works any more', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.rejectResource = true;
    await headless.manager.refresh(id);
    assert.deepEqual(issuersOf(headless), [{ issuer: server.issuer, refresh: { omitsResource: true } }]);
    const body = { error: 'invalid_target', error_description: 'not this one' };
    Object.assign(server.faults, { rejectResource: false, tokenStatus: 200, tokenBody: () => body, rotate: false });
    await assert.rejects(headless.manager.refresh(id), (error) => isOAuthError(error, 'resource_rejected'));
    assert.deepEqual(sentForms(server, 2), [BOTH, `${BOTH} +`]);
    assert.equal(issuersOf(headless), undefined);
    assert.equal(headless.manager.get(id)?.state.type, 'unreachable');
  });

  it('P27 is left when it loses scopes: the authorized ones are asked for again', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectScopeOnRefresh: true, dropScopesUnlessSent: true });
    const { id } = await headless.connect(server.mcpUrl);
    server.faults.echoScope = 'files:read';
    assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read']);
    Object.assign(server.faults, { rejectScopeOnRefresh: false, echoScope: undefined });
    assert.deepEqual(granted(await headless.manager.refresh(id)), ['files:read', 'files:write']);
    assert.deepEqual(sentForms(server), [`${BOTH} +`, '- +', `${BOTH} +`]);
  });

  it('P27 a file of an older version, which remembers nothing, is read', async (t) => {
    const { server, headless } = await startWithFaults(t, { rejectScopeOnRefresh: true });
    const { id } = await headless.connect(server.mcpUrl);
    assert.equal(issuersOf(headless), undefined);
    const restarted = await restart(t, headless);
    await restarted.manager.refresh(id);
    assert.deepEqual(sentForms(server), [`${BOTH} +`, '- +']);
  });
});

describe('a token that the server refuses before its end', () => {
  for (const [title, expiresIn, challenge, expected] of [
    [
      'P24 a scope that it should have',
      3600,
      { status: 403, wwwAuthenticate: `Bearer error="insufficient_scope", scope="${BOTH}"` },
      `${BOTH} +`,
    ],
    ['P14 the token itself', 3600, { status: 401, wwwAuthenticate: 'Bearer error="invalid_token"' }, `${BOTH} +`],
    // Then this is how every token ends.
    ['P34 a token without an end', undefined, { status: 401, wwwAuthenticate: 'Bearer error="invalid_token"' }, '-'],
  ] as const satisfies readonly (readonly [string, number | undefined, Partial<ServerChallenge>, string])[]) {
    it(`${title}: ${expected === '-' ? 'is renewed as is remembered' : 'is asked for in full'}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { expiresIn });
      const { manager } = headless;
      const { id } = await headless.connect(server.mcpUrl);
      Object.assign(server.faults, { rejectScopeOnRefresh: true, rejectResource: true });
      await manager.refresh(id);
      Object.assign(server.faults, { rejectScopeOnRefresh: false, rejectResource: false });
      const token = await manager.accessToken(id);
      const before = sentForms(server).length;
      const outcome = await manager.answerChallenge(id, { ...challenge, operation: 'read_file', token });
      assert.deepEqual(outcome, { type: 'retry' });
      assert.deepEqual(sentForms(server, before), [expected]);
      assert.equal(issuersOf(headless) === undefined, expected !== '-', 'what was learnt is of no use any more');
    });
  }
});

describe('resource', () => {
  it('P14 is left out of refreshes too once the person leaves it out', async (t) => {
    const { server, headless } = await startWithFaults(t);
    const { id } = await headless.connect(server.mcpUrl);
    await headless.manager.configure(id, { omitResource: true });
    server.faults.rejectResource = true;
    await headless.manager.refresh(id);
    assert.deepEqual(sentForms(server), [BOTH]);
    assert.equal(issuersOf(headless), undefined);
  });
});
