import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { currentGrant } from '../../../src/connections/connection.ts';
import type { DevicePrompt } from '../../../src/connections/connectionService.ts';
import { isOAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { createHeadlessManager, startWithFaults } from '../../headless/headlessManager.ts';
import { HurryingClock } from '../../headless/hurryingClock.ts';
import type { Faults } from '../../servers/faults.ts';
import type { DeviceSwitch } from '../../servers/grantSwitches.ts';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

const DEVICE: DeviceSwitch = {
  intervalSeconds: 7,
  expiresInSeconds: 600,
  pending: 0,
  slowDowns: 0,
  outcome: 'approve',
};

/** A connection of kind `device_code` that has not signed in yet, at a server that offers it. */
async function startDevice(t: TestContext, device: Partial<DeviceSwitch> = {}, faults: Partial<Faults> = {}) {
  const clock = new HurryingClock();
  const opened: string[] = [];
  const { server, headless } = await startWithFaults(
    t,
    // Tokens that never end set no timer.
    { device: { ...DEVICE, ...device }, expiresIn: undefined, now: () => clock.now(), ...faults },
    {
      clock,
      wrapBrowser: () => async (url) => {
        opened.push(url);
        return undefined;
      },
    },
  );
  const { id } = await headless.manager.add(server.mcpUrl, undefined, 'device_code');
  /** What there was to show at each change, and whether the state said so. */
  const changes: { readonly isWaiting: boolean; readonly prompt: DevicePrompt | undefined }[] = [];
  headless.manager.onDidChangeConnection(({ connection: { state } }) => {
    const isWaiting = state.type === 'authorizing' && state.step === 'waitingForDevice';
    changes.push({ isWaiting, prompt: headless.manager.deviceAuthorization(id) });
  });
  /** What was shown: the state says that it is there whenever it is, and only then. */
  const shown = (): readonly DevicePrompt[] => {
    for (const { isWaiting, prompt } of changes) assert.equal(prompt !== undefined, isWaiting);
    return changes.flatMap(({ prompt }) => prompt ?? []);
  };
  return { server, headless, manager: headless.manager, id, clock, opened, shown };
}

describe('device authorization', () => {
  it('P14 P15 goes from a code on another device to a token', async (t) => {
    const { server, manager, id, opened, shown, clock } = await startDevice(t, { outcome: 'wait' });
    const began = clock.now();
    clock.onWait = () => server.approveDevice(manager.deviceAuthorization(id)?.userCode ?? '');
    const outcome = await manager.authorize(id);
    assert.equal(outcome.type, 'authorized');
    assert.deepEqual(currentGrant(manager.get(id) ?? assert.fail())?.granted, ['files:read', 'files:write']);
    assert.ok(server.isActive(await manager.accessToken(id)));
    assert.deepEqual(
      server.requests.map(({ endpoint }) => endpoint),
      ['mcp', 'resourceMetadata', 'metadata', 'registration', 'deviceAuthorization', 'token'],
    );

    const [prompt] = shown();
    const userCode = prompt?.userCode ?? '';
    assert.match(userCode, /^[B-Z]{4}-[B-Z]{4}$/);
    const verificationUriComplete = `${server.issuer}/device?user_code=${userCode}`;
    const expiresAt = began + 600_000;
    assert.deepEqual(shown(), [
      { userCode, verificationUri: `${server.issuer}/device`, verificationUriComplete, expiresAt },
    ]);
    assert.deepEqual(opened, [verificationUriComplete]);
    assert.equal(manager.deviceAuthorization(id), undefined);

    const [asked] = server.requestsTo('deviceAuthorization');
    const clientId = asked?.form?.['client_id'];
    assert.deepEqual(asked?.form, { client_id: clientId, scope: 'files:read files:write', resource: server.mcpUrl });
    const { device_code: deviceCode, ...polled } = server.requestsTo('token')[0]?.form ?? {};
    assert.ok(deviceCode !== undefined);
    assert.deepEqual(polled, { grant_type: DEVICE_CODE, client_id: clientId, resource: server.mcpUrl });
  });

  it('P10 registers for this grant, without a redirect URI', async (t) => {
    const { server, manager, id } = await startDevice(t);
    await manager.authorize(id);
    assert.deepEqual(server.requestsTo('registration')[0]?.json, {
      client_name: 'Scopekeeper',
      application_type: 'native',
      redirect_uris: [],
      grant_types: [DEVICE_CODE, 'refresh_token'],
      response_types: [],
      token_endpoint_auth_method: 'none',
      scope: 'files:read files:write',
      software_id: 'f3f1b7f2-8f3f-4d0e-9a51-6d2a6b1f0c11',
      software_version: '0.0.0',
    });
  });

  for (const [title, device, faults, delays] of [
    ['in its interval', { pending: 2 }, {}, [7, 7, 7]],
    ['every 5 s when it gives no interval', { pending: 1, omitInterval: true }, {}, [5, 5]],
    ['5 s later for good after each slow_down', { pending: 1, slowDowns: 2 }, {}, [7, 7, 12, 17]],
    ['less and less often while the network is down', { droppedPolls: 5 }, {}, [7, 14, 28, 56, 60, 60]],
    ['as often as before when the network is back', { droppedPolls: 1, pending: 1 }, {}, [7, 14, 7]],
    ['less and less often while it fails', {}, { tokenStatus: 503, tokenFailures: 2 }, [7, 14, 28]],
    ['when it wishes while it is overloaded', {}, { tokenStatus: 429, tokenFailures: 1, retryAfter: '90' }, [7, 90]],
    ['in a longer interval than the back-off', { intervalSeconds: 90, droppedPolls: 1 }, {}, [90, 90]],
  ] as const satisfies readonly (readonly [string, Partial<DeviceSwitch>, Partial<Faults>, readonly number[]])[]) {
    it(`asks the server ${title}`, async (t) => {
      const { manager, id, clock } = await startDevice(t, device, faults);
      assert.equal((await manager.authorize(id)).type, 'authorized');
      assert.deepEqual(
        clock.delays.map((ms) => ms / 1000),
        delays,
      );
    });
  }

  for (const [title, device, faults, code] of [
    ['the person denies', { outcome: 'deny' }, {}, 'authorization_denied'],
    ['the server ends the code', { outcome: 'expire' }, {}, 'device_code_expired'],
    ['nobody enters the code', { outcome: 'wait' }, {}, 'device_code_expired'],
    ['the server is down until the code ends', {}, { tokenStatus: 500 }, 'device_code_expired'],
    ['the server refuses the code', {}, { invalidGrant: true }, 'grant_rejected'],
    ['the server gives no token', {}, { tokenBody: () => ({}) }, 'token_response_invalid'],
    ['resource is refused', {}, { rejectResource: true }, 'resource_rejected'],
    ['registration is refused', {}, { registrationStatus: 400 }, 'registration_refused'],
  ] as const satisfies readonly (readonly [string, Partial<DeviceSwitch>, Partial<Faults>, OAuthErrorCode])[]) {
    it(`ends when ${title}: ${code}`, async (t) => {
      const { manager, id } = await startDevice(t, device, faults);
      await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, code));
      assert.equal(manager.get(id)?.state.type, 'disconnected');
      assert.equal(manager.get(id)?.lastError?.code, code);
      assert.equal(manager.deviceAuthorization(id), undefined);
    });
  }

  it('never waits longer than the code lives, nor asks after its end', async (t) => {
    const { manager, id, clock, server } = await startDevice(t, { outcome: 'wait', expiresInSeconds: 20 });
    const began = clock.now();
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'device_code_expired'));
    assert.equal(clock.now() - began, 20_000);
    assert.equal(server.requestsTo('token').length, 2);
  });

  it('asks once more after a sleep in which the code has ended', async (t) => {
    const { manager, id, clock, server } = await startDevice(t, { outcome: 'wait' });
    clock.onWait = () => clock.advance(3_600_000);
    await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'device_code_expired'));
    assert.equal(server.requestsTo('token').length, 1);
  });

  it('tells what the server does instead when it does not do it', async (t) => {
    const { server, manager, id } = await startDevice(t, {}, { device: undefined });
    await assert.rejects(manager.authorize(id), (error) => {
      assert.ok(isOAuthError(error, 'grant_unsupported'));
      const { issuer } = server;
      assert.deepEqual(error.details, {
        issuer,
        grantType: DEVICE_CODE,
        supported: ['authorization_code', 'refresh_token'],
      });
      return true;
    });
    assert.equal(server.requestsTo('registration').length, 0);
  });

  for (const [title, changed] of [
    ['that is not https', { verification_uri: 'http://as.example/device' }],
    ['with user info', { verification_uri: 'https://bank.example@as.example/device' }],
    ['of another scheme', { verification_uri: 'file:///etc/passwd' }],
  ] as const) {
    it(`P19 shows and opens no URI ${title}`, async (t) => {
      const { manager, id, opened, shown } = await startDevice(t, { body: (body) => ({ ...body, ...changed }) });
      await assert.rejects(manager.authorize(id), (error) => isOAuthError(error, 'insecure_url'));
      assert.deepEqual([opened, shown()], [[], []]);
    });
  }

  it('P19 opens no URI with the code in it that is not https; the other will do', async (t) => {
    const { manager, id, opened, shown } = await startDevice(t, {
      body: (usual) => ({ ...usual, verification_uri_complete: 'http://as.example/device?c=1' }),
    });
    await manager.authorize(id);
    assert.deepEqual(opened, []);
    assert.deepEqual(
      shown().map(({ verificationUriComplete }) => verificationUriComplete),
      [undefined],
    );
  });

  it('opens nothing when there is no URI with the code in it', async (t) => {
    const { manager, id, opened } = await startDevice(t, { omitComplete: true });
    assert.equal((await manager.authorize(id)).type, 'authorized');
    assert.deepEqual(opened, []);
  });

  it('cancelling ends the asking', async (t) => {
    const abort = new AbortController();
    const { server, manager, id, clock } = await startDevice(t, { outcome: 'wait' });
    clock.onWait = () => abort.abort();
    assert.deepEqual(await manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.equal(server.requestsTo('token').length, 0);
    assert.equal(manager.deviceAuthorization(id), undefined);
    assert.equal(manager.get(id)?.lastError, undefined);
  });

  it('P35 cancelling while the answer is under way gives the tokens back', async (t) => {
    const abort = new AbortController();
    const { server, manager, id } = await startDevice(t, {}, { delayMs: { token: 20 } });
    const tokens: string[] = [];
    server.faults.tokenBody = (body) => {
      abort.abort();
      tokens.push(body.access_token, body.refresh_token ?? '');
      return body;
    };
    assert.deepEqual(await manager.authorize(id, { signal: abort.signal }), { type: 'cancelled' });
    assert.equal(tokens.length, 2);
    assert.deepEqual(
      tokens.map((token) => server.isActive(token)),
      [false, false],
    );
  });

  for (const nonce of ['none', 'both'] as const) {
    it(`binds the tokens to a key where that is wanted, with nonces from ${nonce}`, async (t) => {
      const dpop = { algs: ['ES256'], required: true, nonce, challengeScheme: 'DPoP' } as const;
      const { server, manager, id } = await startDevice(t, { pending: 1 }, { dpop });
      await manager.authorize(id);
      const { headers } = await manager.authorizeRequest(id, { method: 'POST', url: server.mcpUrl });
      assert.match(headers.authorization, /^DPoP /);
      await manager.refresh(id);
      assert.equal(manager.get(id)?.state.type, 'ready');
    });
  }

  it('P12 P18a uses its registration again, and registers anew when the client was forgotten', async (t) => {
    const { server, manager, id } = await startDevice(t);
    await manager.authorize(id);
    await manager.disconnect(id);
    await manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 1);
    server.forgetClients();
    await manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 2);
    assert.ok(server.isActive(await manager.accessToken(id)));
  });

  it('a keychain that hides the registration only costs a new one', async (t) => {
    const { server, headless, manager, id } = await startDevice(t);
    await manager.authorize(id);
    await headless.dispose();
    const restarted = createHeadlessManager({
      ...headless,
      browser: async () => undefined,
      clock: new HurryingClock(),
    });
    t.after(async () => restarted.dispose());
    await restarted.manager.start();
    headless.keychain.state = 'locked';
    await restarted.manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 2);
    assert.ok(server.isActive(await restarted.manager.accessToken(id)));
  });

  it('P8 uses the client that the person registered', async (t) => {
    const { server, manager, id } = await startDevice(t, {}, { authMethods: ['client_secret_post'] });
    server.addClient({ id: 'mine', secret: 'my-secret', authMethod: 'client_secret_post' });
    await manager.configure(id, { client: { issuer: server.issuer, clientId: 'mine' } }, { clientSecret: 'my-secret' });
    await manager.authorize(id);
    assert.equal(server.requestsTo('registration').length, 0);
    for (const endpoint of ['deviceAuthorization', 'token'] as const) {
      assert.equal(server.requestsTo(endpoint)[0]?.form?.['client_secret'], 'my-secret');
    }
  });

  it('P36 the device code is in no log, public file, change or activity', async (t) => {
    const { server, headless, manager, id } = await startDevice(t, { pending: 1, outcome: 'deny' });
    const seen: unknown[] = [];
    manager.onDidChangeConnection((change) =>
      seen.push(JSON.stringify(change), JSON.stringify(manager.deviceAuthorization(id))),
    );
    await assert.rejects(manager.authorize(id));
    const code = server.requestsTo('token')[0]?.form?.['device_code'] ?? assert.fail();
    const told = [...headless.log.lines, headless.file.text, ...seen, JSON.stringify(manager.activity(id))].join('\n');
    assert.ok(!told.includes(code));
  });
});
