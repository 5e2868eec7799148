import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isConnectionError } from '../../../src/connections/errors.ts';
import { isOAuthError } from '../../../src/oauth/errors.ts';
import { startWithFaults, type StartOptions } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import type { Faults } from '../../servers/faults.ts';
import type { FaultyServer } from '../../servers/faultyServer.ts';
import { restart } from './refreshing.ts';

/** A connection at a server that offers management of registrations. */
async function startManaged(t: TestContext, faults: Partial<Faults> = {}, options: StartOptions = {}) {
  const { server, headless } = await startWithFaults(t, { registrationManagement: 'ok', ...faults }, options);
  const { id } = await headless.connect(server.mcpUrl);
  return { server, headless, manager: headless.manager, id };
}

/** The client IDs whose registrations were deleted, in order. */
function deletedClients(server: FaultyServer) {
  const deletions = server.requestsTo('registration').filter(({ method }) => method === 'DELETE');
  return deletions.map(({ path }) => path.split('/').at(-1));
}

/** The client IDs that codes were exchanged by, in order. */
function usedClients(server: FaultyServer) {
  const exchanges = server.requestsTo('token').filter(({ form }) => form?.['grant_type'] === 'authorization_code');
  return exchanges.map(({ form }) => form?.['client_id']);
}

/** How often clients were registered, and registrations deleted. */
function counts(server: FaultyServer) {
  const methods = server.requestsTo('registration').map(({ method }) => method);
  return ['POST', 'DELETE'].map((method) => methods.filter((one) => one === method).length);
}

describe('the registration of a connection that is removed', () => {
  it('P12 P35 is deleted, after its tokens were revoked', async (t) => {
    const { server, manager, id } = await startManaged(t);
    assert.deepEqual(await manager.remove(id), { revocation: 'revoked' });
    assert.deepEqual(deletedClients(server), usedClients(server));
    const [deletion] = server.requests.slice(-1);
    assert.equal(deletion?.method, 'DELETE');
    assert.match(deletion?.headers.authorization ?? '', /^Bearer registration-/);
  });

  it('P12 is deleted though the connection was signed out before', async (t) => {
    const { server, manager, id } = await startManaged(t);
    await manager.disconnect(id);
    assert.deepEqual(deletedClients(server), [], 'P18a it is used again when the person signs in again');
    await manager.remove(id);
    assert.equal(deletedClients(server).length, 1);
  });

  it('P11 P12 is deleted at each issuer that it was registered at', async (t) => {
    const { server, manager, id } = await startManaged(t, { issuers: 'both' });
    await manager.configure(id, { issuer: server.secondIssuer });
    await manager.authorize(id);
    assert.deepEqual(deletedClients(server), [], 'that of the first is kept for the way back');
    await manager.remove(id);
    const deletions = server.requestsTo('registration').filter(({ method }) => method === 'DELETE');
    const expected = [server.issuer, server.secondIssuer].map(
      (issuer, index) => `${issuer}/register/${usedClients(server)[index]}`,
    );
    assert.deepEqual(deletions.map(({ url }) => url).toSorted(), expected.toSorted());
  });

  it('P12 is its own: another connection to the same server goes on', async (t) => {
    const { server, headless, manager, id } = await startManaged(t);
    const other = await headless.connect(server.mcpUrl);
    await manager.remove(id);
    assert.equal(deletedClients(server).length, 1);
    assert.equal((await manager.refresh(other.id)).state.type, 'ready');
  });

  for (const [title, faults] of [
    ['is refused', { registrationManagement: 'error' }],
    ['is answered with 404', { registrationManagement: 'absent' }],
    ['is answered with a megabyte', { hugeBody: 'registration' }],
  ] as const) {
    it(`P12 does not keep the connection when its deletion ${title}`, async (t) => {
      const { server, headless, manager, id } = await startManaged(t);
      Object.assign(server.faults, faults);
      assert.deepEqual(await manager.remove(id), { revocation: 'revoked' });
      assert.deepEqual(manager.connections, []);
      assert.equal(deletedClients(server).length, 1);
      const isTold = headless.log.lines.some((line) => line.includes('could not be deleted'));
      assert.equal(isTold, title !== 'is answered with 404');
    });
  }

  it('P12 does not keep the connection when nobody answers', async (t) => {
    const { server, headless, manager, id } = await startManaged(t);
    await server.close();
    assert.deepEqual(await manager.remove(id), { revocation: 'failed' });
    assert.deepEqual(manager.connections, []);
    assert.ok(headless.log.lines.some((line) => line.includes('could not be deleted')));
  });

  it('P12 is left alone when its URI is that of somebody else', async (t) => {
    const { server, manager, id } = await startManaged(t, { registrationManagement: 'elsewhere' });
    await manager.remove(id);
    assert.deepEqual(deletedClients(server), []);
  });

  it('P12 stays while the connection does, because the keychain keeps its secret', async (t) => {
    const { server, headless, manager, id } = await startManaged(t);
    headless.keychain.state = 'locked';
    await assert.rejects(manager.remove(id), (error) => isConnectionError(error, 'keychain_locked'));
    assert.deepEqual(deletedClients(server), []);
  });

  it('P8 P12 is left alone when the person registered it', async (t) => {
    const { server, headless } = await startWithFaults(t, { registrationManagement: 'ok' });
    server.addClient({ id: 'mine', authMethod: 'none', redirectUris: ['http://127.0.0.1:45678/callback'] });
    const { id } = await headless.manager.add(server.mcpUrl);
    await headless.manager.configure(id, { client: { issuer: server.issuer, clientId: 'mine' } });
    await headless.manager.authorize(id);
    await headless.manager.remove(id);
    assert.deepEqual(server.requestsTo('registration'), []);
  });

  it('P36 its token is in no log and no public file', async (t) => {
    const { server, headless, manager, id } = await startManaged(t, { registrationManagement: 'ok' });
    server.faults.registrationManagement = 'error';
    const publicFile = headless.file.text;
    await manager.remove(id);
    const token = server.requests.at(-1)?.headers.authorization?.replace('Bearer ', '') ?? assert.fail();
    assert.ok(![...headless.log.lines, publicFile, headless.file.text].join('\n').includes(token));
  });
});

describe('the registration of a connection whose kind changes', () => {
  it('P12 is deleted: it is good for one kind only', async (t) => {
    const { server, manager, id } = await startManaged(t);
    await manager.changeKind(id, 'device_code');
    assert.deepEqual(deletedClients(server), usedClients(server));
    assert.equal(manager.get(id)?.kind, 'device_code');
  });

  it('P12 is not in the way when that fails', async (t) => {
    const { server, manager, id } = await startManaged(t);
    server.faults.registrationManagement = 'error';
    await manager.changeKind(id, 'static_token');
    assert.equal(manager.get(id)?.kind, 'static_token');
  });

  it('stays as it is when the kind does', async (t) => {
    const { server, manager, id } = await startManaged(t);
    await manager.changeKind(id, 'authorization_code');
    assert.deepEqual(deletedClients(server), []);
    assert.equal(manager.get(id)?.state.type, 'ready');
  });
});

describe('the registration of a sign-in that ends in nothing', () => {
  it('P12 P18a is used by the next one, and deleted with the connection', async (t) => {
    const { server, headless } = await startWithFaults(t, { registrationManagement: 'ok', denyAuthorization: true });
    const { manager } = headless;
    const { id } = await manager.add(server.mcpUrl);
    for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(manager.authorize(id));
    server.faults.denyAuthorization = false;
    await manager.authorize(id);
    await manager.remove(id);
    assert.deepEqual(counts(server), [1, 1]);
  });

  it('P18a is used after a restart, though nobody has ever signed in', async (t) => {
    const { server, headless } = await startWithFaults(t, { denyAuthorization: true });
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.authorize(id));
    server.faults.denyAuthorization = false;
    const restarted = await restart(t, headless, { browser: async (url) => server.authorize(url) });
    assert.equal((await restarted.manager.authorize(id)).type, 'authorized');
    assert.equal(counts(server)[0], 1);
  });

  it('P12 P18 is deleted when the next one needs another, unless there are tokens of it', async (t) => {
    let port = 1111;
    const redirectUri = () => `http://127.0.0.1:${port}/callback`;
    const faults = { registrationManagement: 'ok', denyAuthorization: true } as const;
    const { server, headless } = await startWithFaults(t, faults, { redirectUri });
    const { manager } = headless;
    const { id } = await manager.add(server.mcpUrl);
    await assert.rejects(manager.authorize(id));
    port = 2222;
    server.faults.denyAuthorization = false;
    await manager.authorize(id);
    server.faults.denyAuthorization = true;
    for (port of [3333, 4444]) await assert.rejects(manager.authorize(id));
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    await manager.remove(id);
    await manager.dispose();
    assert.deepEqual(counts(server), [4, 4]);
    const lastRevocation = server.requests.findLastIndex(({ endpoint }) => endpoint === 'revocation');
    const used = usedClients(server)[0] ?? assert.fail();
    assert.ok(
      server.requests.findIndex(({ method, path }) => method === 'DELETE' && path.endsWith(used)) > lastRevocation,
    );
  });

  it('P12 is not deleted while the keychain has nothing newer', async (t) => {
    let port = 1111;
    const redirectUri = () => `http://127.0.0.1:${port}/callback`;
    const faults = { registrationManagement: 'ok', denyAuthorization: true } as const;
    const { server, headless } = await startWithFaults(t, faults, { redirectUri });
    const { id } = await headless.manager.add(server.mcpUrl);
    await assert.rejects(headless.manager.authorize(id));
    port = 2222;
    headless.keychain.state = 'refusesWrites';
    await assert.rejects(headless.manager.authorize(id));
    await headless.manager.dispose();
    assert.deepEqual(counts(server), [2, 0]);
  });

  for (const state of ['locked', 'unavailable'] as const) {
    it(`P12 is used by the next one though the keychain is ${state}`, async (t) => {
      const { server, headless } = await startWithFaults(t, { denyAuthorization: true });
      const { manager, keychain } = headless;
      const { id } = await manager.add(server.mcpUrl);
      keychain.state = state;
      await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'authorization_denied'));
      server.faults.denyAuthorization = false;
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.equal(counts(server)[0], 1);
    });
  }

  it('P28 does not take the place of tokens that the keychain hides', async (t) => {
    const { server, headless, id } = await startManaged(t);
    const restarted = await restart(t, headless, {
      browser: async (url) => {
        headless.keychain.state = 'open';
        return server.authorize(url);
      },
    });
    headless.keychain.state = 'locked';
    server.faults.denyAuthorization = true;
    await assert.rejects(restarted.manager.authorize(id), (error) => isOAuthError(error, 'authorization_denied'));
    assert.equal(counts(server)[0], 2, 'the first one was hidden');
    assert.equal((await restarted.manager.refresh(id)).state.type, 'ready');
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
  });

  it('P18a P12 is taken all the same when the server registers nobody now, though it led to no callback', async (t) => {
    for (const change of [
      { registrationStatus: 429, registrationError: 'too_many_requests' },
      { registrationStatus: 403, registrationError: 'access_denied' },
      { noRegistration: true },
    ]) {
      let isClosed = false;
      const wrapBrowser: StartOptions['wrapBrowser'] = (browser) => async (url) =>
        isClosed ? undefined : browser(url);
      const { server, headless, manager, id } = await startManaged(t, {}, { wrapBrowser });
      isClosed = true;
      const controller = new AbortController();
      const outcome = manager.authorize(id, { signal: controller.signal });
      await headless.until(id, ({ state }) => state.type === 'authorizing' && state.step === 'waitingForBrowser');
      controller.abort();
      assert.equal((await outcome).type, 'cancelled');
      isClosed = false;
      Object.assign(server.faults, change);
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.equal(new Set(usedClients(server)).size, 1);
    }
  });

  it('P12 is not taken when the server has said that it does not know it', async (t) => {
    const { server, manager, id } = await startManaged(t);
    server.forgetClients();
    Object.assign(server.faults, { registrationStatus: 429, registrationError: 'too_many_requests' });
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
    const before = server.requestsTo('authorization').length;
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'registration_refused'));
    assert.equal(server.requestsTo('authorization').length, before);
  });
});

describe('a registration that a new one replaces', () => {
  it('P12 P18 is deleted once the new one works, when its redirect URI is another', async (t) => {
    let port = 1111;
    const { server, manager, id } = await startManaged(
      t,
      {},
      { redirectUri: () => `http://127.0.0.1:${port}/callback` },
    );
    port = 2222;
    server.faults.denyAuthorization = true;
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'authorization_denied'));
    assert.deepEqual(deletedClients(server), [], 'the new one has not been shown to work');
    assert.equal((await manager.refresh(id)).state.type, 'ready', 'and the old one is still in use');
    server.faults.denyAuthorization = false;
    await manager.authorize(id);
    assert.equal((await manager.refresh(id)).state.type, 'ready');
    await manager.dispose();
    assert.deepEqual(deletedClients(server), [usedClients(server)[0]]);
    assert.equal(server.requestsTo('registration').filter(({ method }) => method === 'POST').length, 2);
  });

  it('P12 is deleted when its secret has ended', async (t) => {
    const clock = new ManualClock();
    const now = () => clock.now();
    const expiresAt = Math.floor(clock.now() / 1000) + 600;
    const faults = { now, clientSecret: { expiresAt }, authMethods: ['client_secret_post'], expiresIn: undefined };
    const { server, manager, id } = await startManaged(t, faults, { clock });
    clock.advance(700_000);
    server.faults.clientSecret = { expiresAt: 0 };
    await manager.authorize(id);
    await manager.dispose();
    assert.deepEqual(deletedClients(server), [usedClients(server)[0]]);
  });

  it('P12 is deleted when it led to no callback', async (t) => {
    const clock = new ManualClock();
    let isClosed = false;
    const { server, manager, id } = await startManaged(
      t,
      { expiresIn: undefined },
      {
        clock,
        wrapBrowser: (browser) => async (url) => {
          if (!isClosed) return browser(url);
          setImmediate(() => clock.advance(5 * 60_000));
          return undefined;
        },
      },
    );
    isClosed = true;
    await assert.rejects(manager.authorize(id), (error) => isConnectionError(error, 'authorization_timed_out'));
    isClosed = false;
    await manager.authorize(id);
    await manager.dispose();
    assert.deepEqual(deletedClients(server), [usedClients(server)[0]]);
  });

  it('P12 is not deleted when the server does not know it: at a sign-in', async (t) => {
    const { server, manager, id } = await startManaged(t);
    server.faults.invalidClient = true;
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'client_rejected'));
    server.faults.invalidClient = false;
    await manager.authorize(id);
    await manager.dispose();
    assert.deepEqual(deletedClients(server), []);
    assert.equal(manager.get(id)?.state.type, 'ready');
  });

  it('P12 is not deleted when the server does not know it: at a renewal', async (t) => {
    const { server, manager, id } = await startManaged(t);
    server.forgetClients();
    await assert.rejects(manager.refresh(id), (error) => isOAuthError(error, 'client_rejected'));
    await manager.authorize(id);
    await manager.dispose();
    assert.deepEqual(deletedClients(server), []);
  });

  it('P12 is not deleted while the keychain has nothing newer', async (t) => {
    let port = 1111;
    const { server, headless, manager, id } = await startManaged(
      t,
      {},
      { redirectUri: () => `http://127.0.0.1:${port}/callback` },
    );
    port = 2222;
    headless.keychain.state = 'locked';
    await manager.authorize(id);
    assert.equal(manager.get(id)?.lastError?.code, 'keychain_locked');
    await manager.dispose();
    assert.deepEqual(deletedClients(server), []);
  });

  it('P12 does not spoil the sign-in when its deletion fails', async (t) => {
    let port = 1111;
    const { server, manager, id } = await startManaged(
      t,
      {},
      { redirectUri: () => `http://127.0.0.1:${port}/callback` },
    );
    port = 2222;
    server.faults.registrationManagement = 'error';
    assert.equal((await manager.authorize(id)).type, 'authorized');
    await manager.dispose();
    assert.equal(deletedClients(server).length, 1);
    assert.equal(manager.get(id)?.lastError, undefined);
  });
});
