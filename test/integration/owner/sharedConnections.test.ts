import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionError } from '../../../src/connections/errors.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { attachToOwner } from '../../../src/owner/attachToOwner.ts';
import { serveGuest } from '../../../src/owner/serveGuest.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { MemoryLog } from '../../headless/memoryPorts.ts';
import { socketPair } from './socketPair.ts';
import { newUser, openPage, ownerAndGuest, shown, until } from './windows.ts';

/** What is left of a value on its way to another window. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('a guest', () => {
  it('sees what the owner has, and each change of it', async (t) => {
    const { owner, guest, id, server } = await ownerAndGuest(t);
    assert.deepEqual(guest.role.state, { type: 'guest', isConnected: true, windowName: 'the owner' });
    assert.deepEqual(shown(guest.connections), shown(owner.connections));
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['changed', async () => owner.connections.refresh(id)],
      ['changed', async () => owner.connections.rename(id, 'Renamed')],
      ['added', async () => owner.connections.add('https://second.example/mcp')],
      ['changed', async () => owner.connections.configure(id, { omitResource: true, scopes: ['a'] })],
      ['changed', async () => owner.connections.configure(id, { scopes: undefined })],
      ['changed', async () => owner.connections.disconnect(id)],
      ['removed', async () => owner.connections.remove(id)],
    ];
    for (const [type, act] of steps) {
      const change = new Promise<string>((resolve) => {
        const changes = guest.connections.onDidChangeConnection((heard) => {
          if (heard.type !== type) return;
          changes.dispose();
          resolve(heard.type);
        });
      });
      const startedAt = performance.now();
      await act();
      await change;
      assert.ok(performance.now() - startedAt < 1000);
      // The owner may have told more than one change; what was asked later is answered after all of them.
      await guest.connections.cancelAuthorization('none').catch(() => undefined);
      assert.deepEqual(shown(guest.connections), shown(owner.connections));
    }
    assert.ok(server.requestsTo('token').length > 0);
  });

  it('sees errors as errors of ours', async (t) => {
    const { guest, id, server } = await ownerAndGuest(t);
    server.faults.invalidGrant = true;
    await assert.rejects(guest.connections.refresh(id), OAuthError);
    const connection = await until(guest.connections, id, ({ state }) => state.type === 'needsSignIn');
    assert.ok(connection.lastError === undefined || connection.lastError instanceof OAuthError);
    server.faults.invalidGrant = false;
    await guest.connections.authorize(id);
    await server.close();
    await assert.rejects(guest.connections.refresh(id), { code: 'server_unreachable' });
    const { state } = await until(guest.connections, id, ({ state }) => state.type === 'unreachable');
    assert.ok(state.type === 'unreachable' && state.error instanceof OAuthError);
  });

  it('sees the steps of a sign-in, whatever came of it', async (t) => {
    const { owner, guest, id, server } = await ownerAndGuest(t);
    for (const callbackIss of ['right', 'wrong'] as const) {
      server.faults.callbackIss = callbackIss;
      await guest.connections.authorize(id).catch(() => undefined);
      const trace = await guest.connections.trace(id);
      assert.equal(trace?.outcome, callbackIss === 'right' ? 'authorized' : 'failed');
      assert.deepEqual(plain(trace), plain(await owner.connections.trace(id)));
    }
    const other = await guest.connections.add('https://second.example/mcp');
    assert.equal(await guest.connections.trace(other.id), undefined);
  });

  it('does everything that the owner can', async (t) => {
    const { owner, guest, keychain, server } = await ownerAndGuest(t);
    const connection = await guest.connections.add(server.mcpUrl, 'By a guest');
    const { id } = connection;
    assert.equal(guest.connections.get(id), connection);
    assert.match(await guest.connections.discoverIssuer(id), /^http:/);
    await guest.connections.rename(id, 'Renamed');
    assert.equal(owner.connections.get(id)?.name, 'Renamed');
    await guest.connections.configure(
      id,
      { client: { issuer: server.issuer, clientId: 'c' }, caFile: undefined, dpop: 'never' },
      { clientSecret: 'canary-entered' },
    );
    assert.deepEqual(owner.connections.get(id)?.settings, {
      client: { issuer: server.issuer, clientId: 'c' },
      dpop: 'never',
    });
    assert.ok([...keychain.entries.values()].some((text) => text.includes('canary-entered')));
    await guest.connections.configure(id, { dpop: undefined, client: undefined });
    assert.deepEqual(guest.connections.get(id)?.settings, {});
    const outcome = await guest.connections.authorize(id);
    assert.ok(outcome.type === 'authorized' && outcome.connection.state.type === 'ready');
    assert.equal((await guest.connections.refresh(id)).state.type, 'ready');
    assert.deepEqual(await guest.connections.disconnect(id), { revocation: 'revoked' });
    const client = { issuer: server.issuer, clientId: 'c' };
    const entered = { clientSecret: 'canary-of-another-kind' };
    await guest.connections.changeKind(id, 'client_credentials', { client, dpop: undefined }, entered);
    assert.equal(owner.connections.get(id)?.kind, 'client_credentials');
    assert.deepEqual(owner.connections.get(id)?.settings, { client });
    assert.ok([...keychain.entries.values()].some((text) => text.includes('canary-of-another-kind')));
    assert.deepEqual(await guest.connections.remove(id), { revocation: 'nothing_to_revoke' });
    assert.equal(owner.connections.get(id), undefined);
    assert.equal(guest.connections.get(id), undefined);
  });

  it('hears why the owner could not', async (t) => {
    const { owner, guest, id } = await ownerAndGuest(t);
    const { id: other } = await owner.connections.add('https://second.example/mcp', 'Taken');
    await assert.rejects(guest.connections.rename(id, 'Taken'), (error) => {
      assert.ok(error instanceof ConnectionError && error.code === 'connection_exists');
      assert.deepEqual(error.details, { name: 'Taken', serverUrl: 'https://second.example/mcp' });
      return true;
    });
    await assert.rejects(guest.connections.refresh('none'), { code: 'connection_unknown' });
    await assert.rejects(guest.connections.add('no url'), { code: 'invalid_server_url' });
    await assert.rejects(guest.connections.refresh(other), { code: 'sign_in_required', details: { id: other } });
  });

  it('can take back a question that takes long', async (t) => {
    const { guest, id, server } = await ownerAndGuest(t);
    server.faults.delayMs = { resourceMetadata: 60_000 };
    const controller = new AbortController();
    const issuer = guest.connections.discoverIssuer(id, { signal: controller.signal });
    controller.abort();
    await assert.rejects(issuer, (error) => error === controller.signal.reason);
  });

  it('tells the owner that the person is there', async (t) => {
    const { owner, guest } = await ownerAndGuest(t);
    let told = 0;
    owner.manager.noteFocus = () => (told += 1);
    guest.connections.noteFocus();
    // What is asked later is answered after it.
    await guest.connections.redirectUri('loopback');
    owner.connections.noteFocus();
    assert.equal(told, 2);
  });

  it('P18 names the same redirect URI as the owner does, and is given the owner’s own', async (t) => {
    const { owner, guest } = await ownerAndGuest(t);
    for (const kind of ['loopback', 'uri_handler'] as const) {
      assert.equal(await guest.connections.redirectUri(kind), await owner.connections.redirectUri(kind));
    }
    assert.equal(await guest.connections.redirectUri('uri_handler'), 'test://the owner/callback');
  });

  it('P36 P45 is given no token of a server, and what a person enters there goes one way only', async (t) => {
    const { owner, id, server, keychain } = await ownerAndGuest(t);
    const { owner: ownerEnd, guest: guestEnd } = await socketPair(t);
    const log = new MemoryLog();
    let heard = '';
    guestEnd.stream.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    serveGuest(ownerEnd, {
      service: owner.manager,
      gateway: owner.gateway,
      prompts: owner.prompts,
      redirectUri: owner.redirectUri,
      sampleUrl: async () => owner.connections.sampleUrl(),
      whenLoaded: async () => undefined,
      windowName: () => '',
      log,
    });
    const link = await attachToOwner(guestEnd, {
      windowName: '',
      focusedAt: undefined,
      window: owner.prompts,
      openBrowser: async (url) => {
        await openPage(await server.authorize(url));
        return true;
      },
      clock: systemClock,
      log,
    });
    const { gateway, service } = link;
    await service.authorize(id);
    await service.refresh(id);
    await service.configure(id, { dpop: 'never' }, { accessToken: 'canary-entered' });
    await service.refresh(id);
    const mine = await gateway.createToken({ label: 'Mine', connection: id, allowedTools: '*' });
    assert.notDeepEqual(await gateway.tools(id), []);
    await gateway.editorToken(id, { type: 'agent' });
    assert.ok(heard.includes(mine), 'the gateway’s own go to who asked for them');
    const secrets = [...keychain.entries.values()].flatMap((text) =>
      Array.from(
        text.matchAll(/"(?:accessToken|refreshToken|clientSecret|registrationAccessToken)":"([^"]+)"/g),
        ([, secret = '']) => secret,
      ),
    );
    const given = server
      .requestsTo('token')
      .flatMap(({ form }) => [form?.['refresh_token'] ?? [], form?.['code'] ?? []].flat());
    const token = await owner.manager.accessToken(id);
    const logged = [...owner.log.lines, ...log.lines].join('\n');
    assert.ok(given.length > 1 && secrets.length > 1 && heard.length > 1000);
    for (const secret of [...secrets, ...given, token, 'canary-entered', keychain.entries.get('owner-key') ?? 'none']) {
      assert.ok(!heard.includes(secret), `${secret} was sent`);
      assert.ok(!logged.includes(secret), `${secret} was logged`);
    }
    link.dispose();
  });
});

describe('a sign-in that a guest asks for', () => {
  it('P18 opens the browser in that window, shows the same in all, and ends there', async (t) => {
    const { owner, guest, id } = await ownerAndGuest(t);
    const openedBefore = owner.opened.length;
    const steps: (string | undefined)[] = [];
    owner.connections.onDidChangeConnection(({ connection: { state } }) =>
      steps.push(state.type === 'authorizing' ? state.step : state.type),
    );
    let urls: readonly (string | undefined)[] = [];
    guest.connections.onDidChangeConnection(({ connection: { state } }) => {
      const url = guest.connections.authorizationUrl(id);
      if (state.type === 'authorizing' && url !== undefined) urls = [url, owner.connections.authorizationUrl(id)];
    });
    const outcome = await guest.connections.authorize(id);
    assert.equal(outcome.type, 'authorized');
    assert.equal(guest.opened.length, 1);
    assert.equal(owner.opened.length, openedBefore);
    assert.deepEqual(urls, [guest.opened[0], guest.opened[0]]);
    assert.ok(steps.includes('waitingForBrowser') && steps.at(-1) === 'ready');
    assert.equal(guest.connections.authorizationUrl(id), undefined);
  });

  it('is cancelled there, and by any other window', async (t) => {
    const { owner, guest, id, open } = await ownerAndGuest(t);
    const third = open('a third', { browser: async () => undefined });
    await third.role.look();
    const controller = new AbortController();
    const first = third.connections.authorize(id, { signal: controller.signal });
    await until(owner.connections, id, () => owner.connections.authorizationUrl(id) !== undefined);
    controller.abort();
    assert.deepEqual(await first, { type: 'cancelled' });
    const second = third.connections.authorize(id);
    await until(guest.connections, id, () => guest.connections.authorizationUrl(id) !== undefined);
    await guest.connections.cancelAuthorization(id);
    assert.deepEqual(await second, { type: 'cancelled' });
    assert.deepEqual(await third.connections.authorize(id, { signal: AbortSignal.abort() }), { type: 'cancelled' });
    assert.equal(guest.connections.get(id)?.state.type, 'ready');
  });

  it('P16 takes its callback from whichever window the editor gives it to', async (t) => {
    const { owner, guest, id, open, server } = await ownerAndGuest(t);
    const third = open('a third', { browser: async () => undefined });
    await third.role.look();
    const outcome = third.connections.authorize(id);
    await until(third.connections, id, () => third.connections.authorizationUrl(id) !== undefined);
    const callback = await server.authorize(third.connections.authorizationUrl(id) ?? '');
    const wrong = new URL(callback);
    wrong.searchParams.set('state', 'another');
    const refused = await owner.connections.handleCallback(wrong);
    assert.ok(refused.type === 'failed' && refused.error instanceof OAuthError);
    const judged = await guest.connections.handleCallback(callback);
    assert.ok(judged.type === 'connected' && judged.connection.id === id);
    assert.equal((await outcome).type, 'authorized');
    const repeated = await guest.connections.handleCallback(callback);
    assert.ok(repeated.type === 'failed' && repeated.error instanceof OAuthError);
    assert.equal(repeated.error.code, 'callback_repeated');
  });

  it('goes on when that window dies, and ends well for the others', async (t) => {
    const { owner, id, open, server } = await ownerAndGuest(t);
    const dying = open('a third', { browser: async () => undefined });
    await dying.role.look();
    const outcome = dying.connections.authorize(id);
    await until(owner.connections, id, () => owner.connections.authorizationUrl(id) !== undefined);
    const generation = owner.connections.activity(id).length;
    const url = owner.connections.authorizationUrl(id) ?? '';
    await Promise.all([assert.rejects(outcome, { code: 'owner_gone' }), dying.role.dispose()]);
    assert.equal(await openPage(await server.authorize(url)), 'connected');
    assert.equal(owner.connections.get(id)?.state.type, 'ready');
    assert.ok(owner.connections.activity(id).length > generation);
  });
});

describe('several windows of one user', () => {
  it('agree on one connection each, whoever adds it, also before there is any', async (t) => {
    const { open, server } = await newUser(t);
    const [one, two] = [open('one'), open('two')];
    await Promise.all([one.role.look(), two.role.look()]);
    assert.deepEqual([one.role.state.type, two.role.state.type], ['idle', 'idle']);
    const first = await one.connections.add(server.mcpUrl);
    const second = await two.connections.add(server.mcpUrl);
    assert.deepEqual([one.role.state.type, two.role.state.type], ['owner', 'guest']);
    await one.connections.cancelAuthorization('none');
    await two.connections.cancelAuthorization('none');
    for (const window of [one, two]) {
      assert.deepEqual(window.connections.connections.map(({ id }) => id).toSorted(), [first.id, second.id].toSorted());
      assert.equal(new Set(window.connections.connections.map(({ name }) => name)).size, 2);
    }
  });

  it('are told as changes what is different when another window keeps the connections', async (t) => {
    const { owner, guest, id } = await ownerAndGuest(t);
    const heard: string[] = [];
    guest.connections.onDidChangeConnection(({ type, connection }) => heard.push(`${type} ${connection.id === id}`));
    const owned = new Promise<void>((resolve) => {
      guest.role.onDidChange(({ type }) => {
        if (type === 'owner') resolve();
      });
    });
    await owner.dispose();
    assert.equal(guest.connections.connections.length, 1, 'what was there is shown until there is a new owner');
    await owned;
    assert.deepEqual(heard, ['changed true']);
    assert.equal((await guest.connections.refresh(id)).state.type, 'ready');
    await guest.connections.authorize(id);
  });
});
