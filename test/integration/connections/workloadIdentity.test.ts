import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { callTool } from '../../headless/mcpCall.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';

const CLIENT_ID = 'workload-client';
const SECRET = 'workload-secret';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** A workload's connection, not yet signed in and with no assertion yet. */
async function startWorkload(t: TestContext, faults: Partial<Faults> = {}, options: StartOptions = {}) {
  const { server, headless } = await startWithFaults(t, { grantTypes: [JWT_BEARER], ...faults }, options);
  server.addClient({ id: CLIENT_ID, secret: SECRET, authMethod: 'client_secret_basic' });
  const { manager } = headless;
  const { id } = await manager.add(server.mcpUrl, 'Workload', 'workload_identity');
  await manager.configure(id, { client: { issuer: server.issuer, clientId: CLIENT_ID } }, { clientSecret: SECRET });
  const folder = await mkdtemp(path.join(tmpdir(), 'workload-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return { server, headless, manager, id, file: path.join(folder, 'token') };
}

describe('workload identity', () => {
  it('SEP-1933 RFC 7523 sends the token of its file, with scope and resource, and needs no browser', async (t) => {
    const { server, manager, id, file } = await startWorkload(t);
    const assertion = await server.workloadAssertion();
    await writeFile(file, `${assertion}\n`);
    await manager.configure(id, { assertionFile: file });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.equal((await callTool(manager, id)).status, 200);
    const [request] = server.requestsTo('token');
    assert.deepEqual(request?.form, {
      grant_type: JWT_BEARER,
      assertion,
      scope: 'files:read files:write',
      resource: server.mcpUrl,
    });
    assert.ok(request.headers.authorization?.startsWith('Basic '));
    assert.equal(server.requestsTo('authorization').length + server.requestsTo('registration').length, 0);
    assert.deepEqual(await manager.disconnect(id), { revocation: 'revoked' });
  });

  it('P34 reads the file anew each time, which the platform replaces, after a restart too', async (t) => {
    const clock = new ManualClock();
    const faults = { now: () => clock.now() };
    const { server, headless, manager, id, file } = await startWorkload(t, faults, { clock });
    await manager.configure(id, { assertionFile: file });
    await writeFile(file, await server.workloadAssertion());
    await manager.authorize(id);
    for (let generation = 3; generation < 5; generation += 1) {
      await writeFile(file, await server.workloadAssertion({ expiresInSeconds: 3600 }));
      clock.advance(50 * 60_000);
      await headless.until(id, ({ state }) => state.type === 'ready' && state.grant.generation === generation);
    }
    await headless.dispose();
    const restarted = createHeadlessManager({ ...headless, clock, browser: async () => assert.fail() });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    await writeFile(file, await server.workloadAssertion());
    assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
    const sent = server.requestsTo('token').map(({ form }) => form?.['assertion']);
    assert.equal(sent.length, 4);
    assert.equal(new Set(sent).size, 4);
    assert.ok(sent.every((assertion) => headless.file.text?.includes(assertion ?? '') === false));
  });

  it('takes a token that is pasted, with white space around it, and keeps it in the keychain alone', async (t) => {
    const { server, headless, manager, id } = await startWorkload(t);
    const assertion = await server.workloadAssertion();
    await manager.configure(id, {}, { assertion: `\n ${assertion} \n` });
    await manager.authorize(id);
    assert.equal(server.requestsTo('token')[0]?.form?.['assertion'], assertion);
    assert.ok(!headless.file.text?.includes(assertion));
    await manager.disconnect(id);
    assert.equal((await manager.authorize(id)).type, 'authorized', 'it outlives the tokens');
  });

  it('P8 is a client with a metadata document where the person registered none', async (t) => {
    const clientMetadataUrl = 'https://client.example/client.json';
    const faults = { clientMetadata: 'accepted' } as const;
    const { server, manager, id } = await startWorkload(t, faults, { clientMetadataUrl });
    const settings = { client: undefined, assertionIssuer: server.issuer };
    await manager.configure(id, settings, { assertion: await server.workloadAssertion() });
    await manager.authorize(id);
    assert.equal(server.requestsTo('token')[0]?.form?.['client_id'], clientMetadataUrl);
  });

  for (const isFile of [false, true]) {
    it(`P11 sends the token${isFile ? ' of its file' : ''} to the issuer that it was entered for, and to no other`, async (t) => {
      const clientMetadataUrl = 'https://client.example/client.json';
      const faults = { clientMetadata: 'accepted' } as const;
      const { server, manager, id, file } = await startWorkload(t, faults, { clientMetadataUrl });
      const assertion = await server.workloadAssertion();
      await writeFile(file, assertion);
      const entered = isFile ? {} : { assertion };
      await manager.configure(id, { client: undefined, ...(isFile && { assertionFile: file }) }, entered);
      const sent = () => server.requestsTo('token').flatMap(({ form, url }) => (form?.['assertion'] ? [url] : []));
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isConnectionError(error, 'credentials_missing'));
        assert.deepEqual(error.details, { missing: 'assertion', issuer: server.issuer });
        return true;
      });
      assert.deepEqual(sent(), [], 'nobody said for whom it is');

      await manager.configure(id, { assertionIssuer: server.issuer });
      await manager.authorize(id);
      // The MCP server now names another authorization server.
      const { issuer: configuredIssuer } = server;
      server.faults.issuers = 'second';
      await assert.rejects(manager.authorize(id), (error) => {
        assert.ok(isOAuthError(error, 'client_issuer_mismatch'));
        assert.deepEqual(error.details, { issuer: server.secondIssuer, configuredIssuer, of: 'assertion' });
        return true;
      });
      assert.equal((await manager.refresh(id)).state.type, 'ready', 'what there is goes on where it was had');
      assert.deepEqual(
        sent().filter((url) => url.startsWith(server.secondIssuer)),
        [],
      );
      // One that is entered for the new issuer does not go to the old one, whose tokens there still are.
      const before = sent().length;
      await manager.configure(id, { assertionIssuer: server.secondIssuer });
      await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'client_issuer_mismatch'));
      assert.equal(sent().length, before);
      const state = manager.get(id)?.state;
      assert.ok(state?.type === 'needsSignIn' && state.reason === 'issuer_changed');
    });
  }

  for (const [name, claims] of [
    ['has ended', { expiresInSeconds: -60 }],
    ['is made out to another', { audience: 'https://other.example' }],
  ] as const) {
    it(`P25 a token that ${name} is told at once: it is sent once, and nothing else is tried`, async (t) => {
      const { server, manager, id, file } = await startWorkload(t);
      await manager.configure(id, { assertionFile: file });
      await writeFile(file, await server.workloadAssertion(claims));
      await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'grant_rejected'));
      assert.deepEqual(
        server.requestsTo('token').map(({ form }) => form?.['grant_type']),
        [JWT_BEARER],
      );
      assert.equal(server.requestsTo('authorization').length + server.requestsTo('registration').length, 0);
      assert.equal(manager.get(id)?.lastError?.code, 'grant_rejected');

      await writeFile(file, await server.workloadAssertion());
      await manager.authorize(id);
      await writeFile(file, await server.workloadAssertion(claims));
      await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
      assert.equal(server.requestsTo('token').length, 3);
      assert.equal(manager.get(id)?.state.type, 'unreachable');
      await writeFile(file, await server.workloadAssertion());
      assert.equal((await manager.authorize(id)).type, 'authorized');
    });
  }

  it('P32 a platform that is late with the next token is waited for: its file is looked at, the old one is not sent again', async (t) => {
    const clock = new ManualClock();
    const { server, headless, manager, id, file } = await startWorkload(t, { expiresIn: 600 }, { clock });
    await manager.configure(id, { assertionFile: file });
    await writeFile(file, await server.workloadAssertion());
    await manager.authorize(id);
    await writeFile(file, await server.workloadAssertion({ expiresInSeconds: -60 }));
    /** Waits as long as the connection says, and until it is tried again. Gives after how long that will be. */
    const waitOnce = async (): Promise<number> => {
      const { state } = manager.get(id) ?? assert.fail();
      assert.ok(state.type === 'unreachable');
      const tried = headless.until(id, (connection) => {
        return connection.state.type !== 'refreshing' && connection.state !== state;
      });
      clock.advance(state.retryAt - clock.now());
      const { state: next } = await tried;
      return next.type === 'unreachable' ? next.retryAt - clock.now() : 0;
    };
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
    assert.equal(server.requestsTo('token').length, 3, 'the person may have mended something else');
    const waits: number[] = [];
    for (let wait = 0; wait < 10; wait += 1) waits.push(await waitOnce());
    assert.ok(
      waits.every((wait) => wait > 0 && wait <= 30_000),
      waits.join(' '),
    );
    const sent = server.requestsTo('token').length;
    assert.ok(sent < 9, `the back-off goes on beside that: ${sent} requests`);
    const refusals = manager.activity(id).filter(({ type }) => type === 'refresh_failed');
    assert.equal(refusals.length, 1, 'one event');

    await writeFile(file, await server.workloadAssertion());
    assert.equal(await waitOnce(), 0);
    assert.equal(manager.get(id)?.state.type, 'ready');
    assert.equal(server.requestsTo('token').length, sent + 1);
    assert.ok(headless.log.lines.every((line) => !line.includes('eyJ')));
  });

  it('P32 a pasted token that is refused needs the person, who alone has another one', async (t) => {
    const { server, manager, id } = await startWorkload(t);
    await manager.configure(id, {}, { assertion: await server.workloadAssertion() });
    await manager.authorize(id);
    await manager.configure(id, {}, { assertion: await server.workloadAssertion({ expiresInSeconds: -60 }) });
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'grant_rejected'));
    const state = manager.get(id)?.state;
    assert.ok(state?.type === 'needsSignIn' && state.reason === 'grant_rejected');
  });

  for (const [name, content, problem] of [
    ['not there', undefined, 'ENOENT'],
    ['empty', '', 'not_a_token'],
    ['not a token', '-----BEGIN PRIVATE KEY-----', 'not_a_token'],
  ] as const) {
    it(`P36 a file that is ${name} is told, nothing is sent, and it is tried again`, async (t) => {
      const { server, manager, id, file } = await startWorkload(t);
      await manager.configure(id, { assertionFile: file });
      if (content !== undefined) await writeFile(file, content);
      const refusal = (error: unknown): boolean => {
        assert.ok(isConnectionError(error, 'assertion_unreadable'));
        assert.deepEqual(error.details, { path: file, problem });
        return true;
      };
      await assert.rejects(manager.authorize(id), refusal);
      assert.equal(server.requestsTo('token').length, 0);

      await writeFile(file, await server.workloadAssertion());
      await manager.authorize(id);
      await rm(file);
      if (content !== undefined) await writeFile(file, content);
      const token = await manager.accessToken(id);
      await assert.rejects(manager.refresh(id), refusal);
      assert.equal(manager.get(id)?.state.type, 'unreachable');
      assert.equal(await manager.accessToken(id), token, 'the old one is good until it ends');
      await writeFile(file, await server.workloadAssertion());
      assert.equal((await manager.refresh(id)).state.type, 'ready');
    });
  }

  it('without a token says what is missing', async (t) => {
    const { server, manager, id } = await startWorkload(t);
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isConnectionError(error, 'credentials_missing'));
      assert.equal(error.details.missing, 'assertion');
      return true;
    });
    assert.equal(server.requestsTo('token').length, 0);
  });
});
